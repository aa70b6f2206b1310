//! The only place that names both adapters and services: here a world is chosen, once for each process.

mod archive;
mod box_office;
pub mod call;
pub mod cluster;
pub mod commands;
pub mod config;
mod demo;
pub mod document;
mod fallback;
mod folder;
#[cfg(feature = "aws")]
mod function;
pub mod gateway;
pub mod mail;
#[cfg(feature = "aws")]
pub mod mailer;
pub mod mains;
mod needs;
pub mod operators;
pub mod plans;
mod provider;
pub mod receipts;
pub mod servers;
pub mod shop;
pub mod sockets;
#[cfg(feature = "aws")]
pub mod warmer;
mod watch;
pub mod world;
