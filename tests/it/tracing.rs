//! Traces, as a collector sees them: through the fleet's real processes, in the shop in one process, and when something is wrong.

mod bounds;
mod fleet;
mod lines;
mod shop;
mod travel;
