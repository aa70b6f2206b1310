//! What every durable store must do, whatever its dialect: its turns come from the domain's own turnstile.

mod basics;
mod counter;

pub use basics::*;
