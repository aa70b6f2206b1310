//! What every durable store must do, whatever its dialect: its turns come from the domain's own turnstile.

mod blocks;
mod catalogue;
pub mod counter;
mod letters;
mod lists;
mod moves;
mod outbox;
mod past;
mod paying;
mod racing;
mod reading;
mod recording;
mod refunding;
mod reports;
mod requests;
mod restoring;
mod rounds;

pub use blocks::*;
pub use catalogue::*;
pub use letters::*;
pub use lists::*;
pub use moves::*;
pub use outbox::*;
pub use past::*;
pub use paying::*;
pub use racing::*;
pub use reading::*;
pub use recording::*;
pub use refunding::*;
pub use reports::*;
pub use requests::*;
pub use restoring::*;
pub use rounds::*;
