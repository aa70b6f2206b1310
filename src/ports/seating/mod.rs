//! What is kept of halls.

pub mod plans;
