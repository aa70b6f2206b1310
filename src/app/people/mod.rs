//! People: how they prove an address, which passwords they may have, what operators show beside one, and what processes beside their own
//! gateway have to know of who logged out.

pub mod codes;
pub mod log_outs;
pub mod passwords;
pub mod second_factor;
pub mod totp;
