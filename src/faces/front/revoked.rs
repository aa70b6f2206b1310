//! Whose access tokens are refused although they have not expired: buyers who logged out everywhere or changed a password
//! while such a token may still be good. The ledger says so; it is asked once a second, so that no request has to wait for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use crate::domain::people::{REVOKED_MAX, Revoked, TOKEN_MS_MAX};
use crate::domain::shared::id::BuyerId;
use crate::domain::shared::time::Timestamp;
use crate::faces::tokens::access::Principal;
use crate::kit::http::problem::{Kind, Problem};
use crate::ports::Result;
use crate::ports::people::accounts::Accounts;

#[derive(Default)]
pub struct Revocations {
    epochs: ArcSwap<HashMap<BuyerId, u64>>,
    /// Counts what this process added itself.
    added: Mutex<u64>,
}

impl Revocations {
    pub fn check(&self, principal: Principal) -> Result<Principal, Problem> {
        match self.epochs.load().get(&principal.buyer) {
            Some(epoch) if principal.epoch < *epoch => Err(logged_out()),
            _ => Ok(principal),
        }
    }

    /// Applies at once what was just written, without waiting for the next look.
    pub fn add(&self, revoked: Revoked) {
        let mut added = self.added.lock().unwrap_or_else(PoisonError::into_inner);
        *added += 1;
        let mut epochs = HashMap::clone(&self.epochs.load());
        insert(&mut epochs, revoked);
        self.epochs.store(Arc::new(epochs));
    }

    /// What the ledger says, and what of it is new. What was added while it was asked may not be in its answer yet.
    pub async fn learn(&self, accounts: &dyn Accounts, now: Timestamp) -> Result<Vec<Revoked>> {
        let before = *self.added.lock().unwrap_or_else(PoisonError::into_inner);
        let since = now.plus_ms(-TOKEN_MS_MAX);
        let revoked = accounts.revoked_since(since, REVOKED_MAX).await?;
        let added = self.added.lock().unwrap_or_else(PoisonError::into_inner);
        let mut epochs = if *added == before { HashMap::new() } else { HashMap::clone(&self.epochs.load()) };
        let known = self.epochs.load_full();
        let mut news = Vec::new();
        for revoked in revoked {
            if known.get(&revoked.buyer).is_none_or(|epoch| *epoch < revoked.epoch) {
                news.push(revoked);
            }
            insert(&mut epochs, revoked);
        }
        self.epochs.store(Arc::new(epochs));
        Ok(news)
    }
}

fn insert(epochs: &mut HashMap<BuyerId, u64>, revoked: Revoked) {
    let epoch = epochs.entry(revoked.buyer).or_default();
    *epoch = (*epoch).max(revoked.epoch);
}

fn logged_out() -> Problem {
    Problem::field("Authorization", Kind::UNAUTHORIZED, "this token was logged out; log in again")
}
