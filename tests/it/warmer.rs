//! The warmer: what it decides, by itself; and the function as a process, with the fleet at an emulated AWS.

#[cfg(feature = "aws")]
mod crashes;
#[cfg(feature = "aws")]
mod event;
#[cfg(feature = "aws")]
mod fleet;
#[cfg(feature = "aws")]
mod house;
#[cfg(feature = "aws")]
mod overlap;
mod planner;
pub mod plans;
