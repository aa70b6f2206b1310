//! Parts by themselves: what needs no world, no server and no process of ours.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod support;

mod archive;
mod commands;
mod document;
mod edges;
mod http;
mod limits;
mod mail;
mod orders;
mod plans;
mod publisher;
mod receipts;
#[cfg(feature = "otlp")]
mod tracing;
mod warmer;
