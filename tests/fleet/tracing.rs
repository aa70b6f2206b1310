//! Traces of whole processes, as a collector sees them, and what is logged beside them.

mod fleet;
mod lines;
mod shop;
