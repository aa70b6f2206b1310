//! What the news said last of each sale. Readers never wait; one writer replaces what is said of a sale, and the map when it gets
//! to know of a new one.
//!
//! Configuration follows the highest version. Exhaustion follows the highest (generation, revision): an older word that was
//! late, or a turnstile that fell back, never replaces a newer one.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::{ArcSwap, Guard};
use tokio::sync::Notify;

use crate::domain::people::Revoked;
use crate::domain::sale::Sale;
use crate::domain::shared::id::SaleId;
use crate::domain::shared::time::Timestamp;
use crate::faces::publisher::FRESH_MS_MAX;
use crate::faces::tokens::admission::SaleAdmission;
use crate::faces::tokens::revocations::Revocations;
use crate::ports::sale::feed::SaleNews;

const NEVER: i64 = i64::MIN;
/// A word on exhaustion that is needed, and this old, is asked for again; as often at most.
const RENEW_MS: i64 = FRESH_MS_MAX / 3;
/// Sales whose word is asked for at once, at most; of the others it runs out, and their attempts go through the queue.
const WANTED_MAX: usize = 1_024;
/// Between two looks for sales that the feed does not tell of any more.
const FORGET_EVERY_MS: i64 = 60_000;

/// One sale, as far as a publisher knows it.
#[derive(Debug, Clone)]
pub struct View {
    pub sale: Sale,
    exhausted: bool,
    /// Of the turnstile that `exhausted` is about.
    position: (u64, u64),
    /// When that was so.
    sent_at: Timestamp,
    heard_at: Timestamp,
}

/// What is said of one sale.
pub struct Entry {
    view: ArcSwap<View>,
    /// When the word on its exhaustion was asked for last.
    asked_at: AtomicI64,
}

type Entries = HashMap<SaleId, Arc<Entry>>;

pub struct Known {
    entries: ArcSwap<Entries>,
    revoked: Revocations,
    heard_at: AtomicI64,
    forgot_at: AtomicI64,
    /// It was told everything since it listens.
    is_whole: AtomicBool,
    /// And was so once, since the process began.
    was_whole: AtomicBool,
    wanted: Mutex<BTreeSet<SaleId>>,
    wants: Notify,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            entries: ArcSwap::default(),
            revoked: Revocations::default(),
            heard_at: AtomicI64::new(NEVER),
            forgot_at: AtomicI64::new(NEVER),
            is_whole: AtomicBool::new(false),
            was_whole: AtomicBool::new(false),
            wanted: Mutex::default(),
            wants: Notify::new(),
        }
    }
}

impl Known {
    pub fn entries(&self) -> Guard<Arc<Entries>> {
        self.entries.load()
    }

    /// Whether the token's owner has logged out everywhere since it was given.
    pub fn is_logged_out(&self, admission: &SaleAdmission) -> bool {
        self.revoked.cover(admission.buyer, admission.epoch, None)
    }

    /// More who have.
    pub fn learn_revoked(&self, revoked: &[Revoked], now: Timestamp) {
        self.revoked.learn(revoked, now);
    }

    /// When any news came last.
    pub fn heard_at(&self) -> Option<Timestamp> {
        Some(self.heard_at.load(Ordering::Acquire)).filter(|&at| at != NEVER).map(Timestamp)
    }

    /// Whether there may be sales it does not know: no full answer came since it subscribed, or the feed is silent.
    pub fn is_learning(&self, now: Timestamp) -> bool {
        let deaf = self.heard_at().is_none_or(|heard| now.since_ms(heard) > FRESH_MS_MAX);
        deaf || !self.is_whole.load(Ordering::Acquire)
    }

    /// Whether it never was told everything.
    pub fn is_new(&self) -> bool {
        !self.was_whole.load(Ordering::Acquire)
    }

    /// What was told before this moment may have been missed.
    pub fn begins_to_listen(&self) {
        self.is_whole.store(false, Ordering::Release);
    }

    /// It was told everything since then.
    pub fn was_told_everything(&self) {
        self.is_whole.store(true, Ordering::Release);
        self.was_whole.store(true, Ordering::Release);
    }

    pub fn is_whole(&self) -> bool {
        self.is_whole.load(Ordering::Acquire)
    }

    /// Only one task may call this.
    pub fn learn(&self, news: Vec<SaleNews>, now: Timestamp, forget_ms: i64) {
        let entries = self.entries.load();
        let mut new = Vec::new();
        for word in news {
            match entries.get(&word.sale.id) {
                Some(entry) => entry.view.store(Arc::new(entry.view.load().with(word, now))),
                None => new.push(View::new(word, now)),
            }
        }
        let last = self.forgot_at.load(Ordering::Relaxed);
        let forgets = last == NEVER || now.since_ms(Timestamp(last)) >= FORGET_EVERY_MS;
        if forgets || !new.is_empty() {
            let mut next = Entries::clone(&entries);
            for view in new {
                let entry = Entry { view: ArcSwap::from_pointee(view.clone()), asked_at: AtomicI64::new(NEVER) };
                next.insert(view.sale.id, Arc::new(entry));
            }
            if forgets {
                next.retain(|_, entry| now.since_ms(entry.view.load().heard_at) <= forget_ms);
                self.forgot_at.store(now.0, Ordering::Relaxed);
            }
            self.entries.store(Arc::new(next));
        }
        self.heard_at.store(now.0, Ordering::Release);
    }

    /// A buyer was sent away because this sale is exhausted: the word on it must not run out while others come.
    pub fn needs(&self, entry: &Entry, now: Timestamp) {
        let view = entry.view.load();
        let asked_at = entry.asked_at.load(Ordering::Relaxed);
        let is_asked = asked_at != NEVER && now.since_ms(Timestamp(asked_at)) < RENEW_MS;
        if now.since_ms(view.sent_at) < RENEW_MS || is_asked {
            return;
        }
        // Of all who come in this moment one asks.
        if entry.asked_at.compare_exchange(asked_at, now.0, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
            if wanted.len() < WANTED_MAX {
                wanted.insert(view.sale.id);
                self.wants.notify_one();
            }
        }
    }

    /// Waits until there are sales to ask for.
    pub async fn wanted(&self) -> Vec<SaleId> {
        loop {
            let wanted = std::mem::take(&mut *self.wanted.lock().unwrap_or_else(PoisonError::into_inner));
            if !wanted.is_empty() {
                return wanted.into_iter().collect();
            }
            self.wants.notified().await;
        }
    }
}

impl Entry {
    pub fn view(&self) -> Guard<Arc<View>> {
        self.view.load()
    }
}

impl View {
    fn new(word: SaleNews, now: Timestamp) -> Self {
        Self {
            exhausted: word.exhausted.unwrap_or(false),
            position: word.exhausted.map_or((0, 0), |_| (word.generation, word.revision)),
            sent_at: word.sent_at,
            heard_at: now,
            sale: word.sale,
        }
    }

    fn with(&self, word: SaleNews, now: Timestamp) -> Self {
        let position = (word.generation, word.revision);
        // Two words on one position differ when the last unit was paid for meanwhile, or units were added: the later one counts.
        let newest = (position, word.sent_at) >= (self.position, self.sent_at);
        let (exhausted, position, sent_at) = match word.exhausted {
            Some(exhausted) if newest => (exhausted, position, word.sent_at),
            _ => (self.exhausted, self.position, self.sent_at),
        };
        let sale = if word.sale.version >= self.sale.version { word.sale } else { self.sale.clone() };
        Self { exhausted, position, sent_at, heard_at: now, sale }
    }

    /// Nothing is free, no party may join standby any more, and the feed said so just now, of the sale's own turnstile or one
    /// that came after it.
    pub fn is_exhausted(&self, now: Timestamp) -> bool {
        let is_of_the_sale = self.position.0 >= self.sale.generation;
        self.exhausted && is_of_the_sale && now.since_ms(self.sent_at).abs() < FRESH_MS_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exhausted(id: u64) -> SaleNews {
        let sale = Sale { id: SaleId(id), closes_at: Timestamp(i64::MAX), ..Sale::sample() };
        SaleNews { sale, exhausted: Some(true), generation: 1, revision: 1, sent_at: Timestamp(0) }
    }

    #[tokio::test]
    async fn so_many_sales_are_asked_about_at_once() {
        let (known, now) = (Known::default(), Timestamp(RENEW_MS));
        known.learn((0..1_025).map(exhausted).collect(), Timestamp(0), RENEW_MS);
        for entry in known.entries().values() {
            known.needs(entry, now);
        }
        assert_eq!(known.wanted().await.len(), 1_024);
    }
}
