//! The real nginx with the very files of `nginx/`, before a real shop, or before somebody who writes down what reaches him.

mod addresses;
mod desync;
mod files;
pub mod front;
mod frozen;
mod limits;
mod problems;
mod sockets;
