//! The warmer as a process, with the fleet at an emulated AWS.

mod crashes;
mod event;
mod fixture;
mod fleet;
mod overlap;
