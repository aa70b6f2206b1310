//! Miaosha sells scarce things to a million people at once, and never gets it wrong.
//!
//! The floors, lowest first. A module may use what stands above it in this list, and nothing below it;
//! `tests/tidy.rs` holds that by reading every `use`.
//!
//! 0. [`domain`]: the kernel, pure. No clock, no chance, no environment.
//! 1. [`ports`]: what a service needs of the world, and the words that cross.
//! 2. [`adapters`]: one technology each. [`http`] and [`runtime`]: a web kit and a process kit that know no sale.
//! 3. [`services`]: publisher, consumer, payments, gateway. They see ports, never adapters.
//! 4. [`wire`]: the only file that names both an adapter and a service.

pub mod domain;

pub mod ports;

pub mod adapters;
pub mod http;
pub mod runtime;

pub mod services;

pub mod wire;
