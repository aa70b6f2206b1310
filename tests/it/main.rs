//! The single integration binary: suites that run over every adapter of a port, and the services on real worlds.
//!
//! `make test` starts private servers and names them in `MIAOSHA_REDIS_URL`, `MIAOSHA_RABBIT_URL`, `MIAOSHA_MYSQL_URL` and
//! `MIAOSHA_MYSQL_REPLICA_URL`; and others that speak TLS, in the folder `MIAOSHA_TLS`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod support;

mod contract;

mod archive;
mod attempts;
mod broken_tasks;
mod browser;
mod commands;
mod document;
mod edges;
mod events;
mod gateway;
mod http;
mod ledger;
mod limits;
mod logs;
mod mail;
mod matrix;
mod nginx;
mod pasted;
mod payments;
mod publisher;
mod readiness;
mod receipts;
mod replica;
mod signals;
mod sockets;
mod tls;
#[cfg(feature = "otlp")]
mod tracing;
mod turnstile;
mod warmer;
mod workers;
