//! People, as far as processes beside their own gateway have to know of them.

pub mod log_outs;
