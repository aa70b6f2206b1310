//! A sale's ports: the turnstile decides, the ledger remembers, deadlines wake, notices tell.

pub mod attempts;
pub mod blocks;
pub mod catalogue;
pub mod deadlines;
pub mod drafts;
pub mod fallback;
pub mod feed;
pub mod notices;
pub mod past;
pub mod places;
pub mod recording;
pub mod reservations;
pub mod restoring;
pub mod showcase;
pub mod turnstile;
