//! The real nginx with the very files of `nginx/`, before a real shop, or before a server that records what reaches it.

mod addresses;
mod desync;
mod files;
pub mod front;
mod frozen;
mod limits;
mod problems;
mod sockets;
mod tls;
