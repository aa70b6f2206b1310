//! The web kit: what every HTTP face needs, and no sale is named.
//!
//! Whatever bytes arrive, the answer is a reply or a [`problem::Problem`]; nothing here panics or answers 5xx for them.

pub mod address;
pub mod answers;
pub mod assets;
pub mod auth;
pub mod body;
pub mod connections;
pub mod document;
pub mod etag;
pub mod framing;
pub mod gzip;
pub mod idempotency;
pub mod keys;
pub mod kind;
pub mod last_words;
pub mod limits;
pub mod metric;
pub mod packed;
pub mod pipeline;
pub mod probes;
pub mod problem;
pub mod proxies;
pub mod requests;
mod seal;
pub mod server;
pub mod throttle;
mod valve;
pub mod with_effect;
