//! What happens to a sale: how an answer of the turnstile is recorded and told, how a turnstile is restored, what an operator
//! does, the feed of all sales; and of what is shown and told, who waits for it and what was read of late.

pub mod admission;
pub mod at_once;
pub mod best_effort;
pub mod blocks;
pub mod cancel;
pub mod catalogue_cache;
pub mod fallback;
pub mod feed;
pub mod metric;
pub mod points;
pub mod question;
pub mod restore;
pub mod rounds;
pub mod subscribers;
pub mod tell;
pub mod told_together;
pub mod turns;
