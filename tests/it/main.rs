//! Suites that run over every adapter of a port, and the services on whole worlds.
//!
//! The Embedded world needs nothing. With the feature `servers` the Cluster world's half is there, too, on the private servers that
//! `make test` starts and names in `MIAOSHA_REDIS_URL`, `MIAOSHA_RABBIT_URL`, `MIAOSHA_MYSQL_URL` and `MIAOSHA_MYSQL_REPLICA_URL`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]
#![cfg_attr(not(feature = "servers"), allow(dead_code, unused_imports, reason = "half of the stories are not there"))]

mod support;

mod contract;

mod attempts;
#[cfg(feature = "servers")]
mod edges;
mod events;
mod gateway;
mod ledger;
#[cfg(feature = "servers")]
mod limits;
mod mail;
mod matrix;
mod payments;
mod places;
#[cfg(feature = "servers")]
mod replica;
mod signals;
mod sockets;
mod tracing;
mod tries;
mod turnstile;
mod workers;
