//! HTTP and sockets: a face reads what is asked, calls one use case, and says what came of it.

pub mod account;
pub mod box_office;
pub mod desk;
pub mod door;
pub mod front;
pub mod live;
pub mod publisher;
pub mod shop;
pub mod tokens;
pub mod webhooks;
