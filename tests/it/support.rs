//! What is shared with the other suites.
#![allow(dead_code, reason = "each suite uses its part")]

#[path = "../support/checkout.rs"]
pub mod checkout;
#[path = "../support/clock.rs"]
pub mod clock;
#[path = "../support/counted.rs"]
pub mod counted;
#[path = "../support/faults.rs"]
pub mod faults;
#[path = "../support/files.rs"]
pub mod files;
#[path = "../support/held.rs"]
pub mod held;
#[path = "../support/mail.rs"]
pub mod mail;
#[path = "../support/openapi.rs"]
pub mod openapi;
#[path = "../support/orders.rs"]
pub mod orders;
#[path = "../support/proxy.rs"]
pub mod proxy;
#[path = "../support/redis.rs"]
pub mod redis;
#[path = "../support/servers.rs"]
pub mod servers;
#[path = "../support/sink.rs"]
pub mod sink;
#[path = "../support/socket.rs"]
pub mod socket;
#[path = "../support/stripe.rs"]
pub mod stripe;
#[path = "../support/watched.rs"]
pub mod watched;
