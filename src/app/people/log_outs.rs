//! Who logged out everywhere while a token may still be good, read from the ledger as it comes: a page at a time, each log-out once,
//! but for those of the last seconds, since what is committed late stands before what was read already.

use std::sync::{Mutex, PoisonError};

use crate::domain::people::{Revoked, TOKEN_MS_MAX};
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;
use crate::ports::people::accounts::{Accounts, LogOutPlace};

/// Log-outs read, and told, at once.
pub const PAGE: u32 = 4_096;
/// A log-out is committed no later than this after its own time.
const LATE_MS: i64 = 10_000;

/// How far one reader is.
#[derive(Default)]
pub struct LogOuts {
    after: Mutex<Option<LogOutPlace>>,
}

pub struct Page {
    pub revoked: Vec<Revoked>,
    /// There are no more for now.
    pub is_last: bool,
    /// Where the page after it begins.
    pub next: LogOutPlace,
}

impl LogOuts {
    /// The same one again, until it is [`LogOuts::passed`]: what could not be told is not forgotten.
    pub async fn page(&self, accounts: &dyn Accounts, now: Timestamp) -> Result<Page> {
        let after = *self.after.lock().unwrap_or_else(PoisonError::into_inner);
        // No token is older than that.
        let oldest = LogOutPlace::before(now.plus_ms(1 - TOKEN_MS_MAX));
        let after = after.map_or(oldest, |after| after.max(oldest));
        let found = accounts.log_outs_after(after, PAGE).await?;
        let is_last = found.len() < PAGE as usize;
        let next = match found.last() {
            Some((place, _)) if !is_last => *place,
            _ => LogOutPlace::before(now.plus_ms(-LATE_MS)),
        };
        Ok(Page { revoked: found.into_iter().map(|(_, revoked)| revoked).collect(), is_last, next })
    }

    pub fn passed(&self, next: LogOutPlace) {
        *self.after.lock().unwrap_or_else(PoisonError::into_inner) = Some(next);
    }
}
