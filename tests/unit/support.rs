//! What is shared with the other suites.
#![allow(dead_code, reason = "each suite uses its part")]

#[path = "../support/archive.rs"]
pub mod archive;
#[path = "../support/clock.rs"]
pub mod clock;
#[path = "../support/counterpart.rs"]
pub mod counterpart;
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
#[path = "../support/receipts.rs"]
pub mod receipts;
#[path = "../support/sink.rs"]
pub mod sink;
#[path = "../support/stripe.rs"]
pub mod stripe;
