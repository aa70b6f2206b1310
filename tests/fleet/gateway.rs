//! The gateway, and a foreign emulator of Stripe.

#[allow(dead_code, reason = "each suite uses its part")]
#[path = "../it/gateway/fixture.rs"]
pub mod fixture;
mod webhooks;
#[allow(dead_code, reason = "each suite uses its part")]
#[path = "../it/gateway/worlds.rs"]
pub mod worlds;
