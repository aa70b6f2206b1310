//! Mail: what letters say, how they leave the house, and that each event has its mail, whatever dies on the way.

mod fixture;
#[cfg(feature = "aws")]
mod fleet;
mod folder;
#[cfg(feature = "aws")]
mod lambda;
mod limits;
mod postman;
pub mod rendering;
mod seen;
mod shop;
mod smtp;
