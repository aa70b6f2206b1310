//! Mail: what letters say, how they leave the house, and that each event has its mail, whatever dies on the way.

mod fixture;
mod folder;
#[cfg(feature = "aws")]
mod lambda;
mod postman;
mod rendering;
mod seen;
mod smtp;
