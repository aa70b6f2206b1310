//! The workers on both worlds, their crank turned by hand: stopped at every point, asleep, redelivered, with a turnstile that
//! is emptied or falls back. After each story the audit passes and every buyer has what the story says.

mod blocks;
#[cfg(feature = "servers")]
pub(crate) mod cluster;
pub(crate) mod embedded;
#[cfg(feature = "servers")]
mod fallback;
mod feed;
pub(crate) mod fixture;
#[cfg(feature = "servers")]
mod hoarding;
mod limits;
mod mute;
mod paying;
mod points;
mod queues;
mod refunds;
mod relaying;
mod restores;
mod standing_by;
mod stories;
mod suite;
mod swap;
mod tending;
