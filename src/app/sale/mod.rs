//! What happens to a sale: how an answer of the turnstile is recorded and told, how a turnstile is restored, what an operator
//! does, and the feed of all sales.

pub mod best_effort;
pub mod blocks;
pub mod cancel;
pub mod feed;
pub mod metric;
pub mod points;
pub mod question;
pub mod restore;
pub mod rounds;
pub mod tell;
pub mod turns;
