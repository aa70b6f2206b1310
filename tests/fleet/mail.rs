//! Mail of whole processes: a function between a queue and a mail server, a fleet, and the shop.

#[allow(dead_code, reason = "each suite uses its part")]
#[path = "../it/mail/fixture.rs"]
mod fixture;
mod fleet;
mod lambda;
mod shop;
