//! What is deployed, as it is deployed: the binaries as processes, nginx before them, a browser, TLS, and other people's programs:
//! emulators of AWS and of the payment provider, a conformance suite, readers of receipts.
//!
//! `make test` starts private servers and names them in the environment, others that speak TLS in the folder `MIAOSHA_TLS`, and
//! the emulators' folder in `MIAOSHA_EMULATORS`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod support;

mod contract;

mod archive;
mod box_office;
mod broken_tasks;
mod browser;
mod floods;
mod gateway;
mod limits;
mod logs;
mod mail;
mod nginx;
mod pasted;
mod payments;
mod readiness;
mod receipts;
mod sockets;
mod tls;
mod tracing;
mod warmer;
