//! Traces: how much of them a process bears.

mod bounds;
