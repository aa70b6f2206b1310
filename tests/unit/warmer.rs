//! The warmer: what it decides, by itself.

mod planner;
mod plans;
