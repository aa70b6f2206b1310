//! The web kit and the process kit: tokens, strict bodies, problems, probes, configuration, the two stops.

mod bodies;
mod kinds;
mod process;
mod tasks;
mod throttle;
mod tokens;
