//! Miaosha sells scarce things to a million people at once, and never gets it wrong.
//!
//! The floors, lowest first; each has a room for each subject. A module may use what stands above it in this list, and nothing
//! below it; `tests/tidy` holds that by reading every `use`.
//!
//! 0. [`domain`]: the kernel, pure. No clock, no randomness, no environment.
//! 1. [`ports`]: what a service needs of the world, and the words that cross.
//! 2. [`adapters`]: one technology each. [`kit`]: HTTP, sockets, work, process, telemetry, which know no subject.
//! 3. [`app`]: use cases.
//! 4. [`faces`]: HTTP and sockets. [`workers`]: loops over queues and ticks.
//! 5. [`wire`]: the only place that names both an adapter and a use case.

pub mod domain;

pub mod ports;

pub mod adapters;
pub mod kit;

pub mod app;

pub mod faces;
pub mod workers;

pub mod wire;
