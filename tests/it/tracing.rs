//! Traces: they travel beside messages.

mod travel;
