//! Who logged out while a token may still be good, everywhere or on one browser, read from the ledger as it comes: a page at a time, each
//! once, but for those of the last seconds, since what is committed late stands before what was read already.

use std::sync::{Mutex, PoisonError};

use crate::domain::people::{Revoked, TOKEN_MS_MAX};
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;
use crate::ports::people::accounts::{Accounts, LogOutPlace};
use crate::ports::people::sessions::{EndPlace, Ended, Sessions};

/// Log-outs read, and told, at once.
pub const PAGE: u32 = 4_096;
/// A log-out is committed no later than this after its own time.
const LATE_MS: i64 = 10_000;

/// How far one reader is.
pub struct Reader<P>(Mutex<Option<P>>);

impl<P> Default for Reader<P> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

pub type LogOuts = Reader<LogOutPlace>;
pub type SessionEnds = Reader<EndPlace>;

pub struct Page<T, P> {
    pub found: Vec<T>,
    /// There are no more for now.
    pub is_last: bool,
    /// Where the page after it begins.
    pub next: P,
}

/// Where something stands among all of its kind, by its time.
pub trait Place: Copy + Ord {
    /// Before whatever happened at that time.
    fn before(at: Timestamp) -> Self;
}

impl Place for LogOutPlace {
    fn before(at: Timestamp) -> Self {
        LogOutPlace::before(at)
    }
}

impl Place for EndPlace {
    fn before(at: Timestamp) -> Self {
        EndPlace::before(at)
    }
}

impl<P: Place> Reader<P> {
    /// From where the next page is read: no token is older than that.
    fn after(&self, now: Timestamp) -> P {
        let after = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = P::before(now.plus_ms(1 - TOKEN_MS_MAX));
        after.map_or(oldest, |after| after.max(oldest))
    }

    fn page_of<T>(found: Vec<(P, T)>, now: Timestamp) -> Page<T, P> {
        let is_last = found.len() < PAGE as usize;
        let next = match found.last() {
            Some((place, _)) if !is_last => *place,
            _ => P::before(now.plus_ms(-LATE_MS)),
        };
        Page { found: found.into_iter().map(|(_, found)| found).collect(), is_last, next }
    }

    pub fn passed(&self, next: P) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(next);
    }
}

impl LogOuts {
    /// The same one again, until it is [`Reader::passed`]: what could not be told is not forgotten.
    pub async fn page(&self, accounts: &dyn Accounts, now: Timestamp) -> Result<Page<Revoked, LogOutPlace>> {
        Ok(Self::page_of(accounts.log_outs_after(self.after(now), PAGE).await?, now))
    }
}

impl SessionEnds {
    pub async fn page(&self, sessions: &dyn Sessions, now: Timestamp) -> Result<Page<Ended, EndPlace>> {
        Ok(Self::page_of(sessions.sessions_ended_after(self.after(now), PAGE).await?, now))
    }
}
