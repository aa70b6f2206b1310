//! The only place that names both adapters and services: here a world is chosen, once for each process.

pub mod cluster;
pub mod commands;
pub mod config;
mod demo;
mod folder;
mod provider;
pub mod shop;
mod watch;
