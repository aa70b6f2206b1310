//! What the tests share: where the private servers are, a clock moved by hand, and faults that stop a worker at a point.
#![allow(dead_code, reason = "each suite uses its part")]

pub mod clock;
#[cfg(feature = "otlp")]
pub mod collector;
pub mod counterpart;
pub mod faults;
pub mod fleet;
#[cfg(feature = "aws")]
pub mod front;
pub mod held;
#[cfg(feature = "aws")]
pub mod lambda;
pub mod localstripe;
#[cfg(feature = "aws")]
pub mod moto;
pub mod openapi;
pub mod proxy;
pub mod servers;
pub mod shop;
pub mod sink;
pub mod stripe;
pub mod watched;
