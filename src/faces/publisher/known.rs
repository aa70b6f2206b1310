//! What the news said last of each sale. Readers never wait; one writer replaces the map.
//!
//! Configuration follows the highest version. Exhaustion follows the highest (generation, revision): an older word that was
//! late, or a turnstile that fell back, never replaces a newer one.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arc_swap::{ArcSwap, Guard};

use crate::domain::people::Revoked;
use crate::domain::sale::Sale;
use crate::domain::shared::id::{BuyerId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::faces::publisher::FRESH_MS_MAX;
use crate::faces::tokens::access::Principal;
use crate::ports::sale::feed::SaleNews;

const NEVER: i64 = i64::MIN;
/// Two rounds of news.
pub const LEARNING_MS: i64 = 2_000;

/// One sale, as far as a publisher knows it.
#[derive(Debug, Clone)]
pub struct View {
    pub sale: Sale,
    exhausted: bool,
    /// Of the turnstile that `exhausted` is about.
    position: (u64, u64),
    sent_at: Timestamp,
    heard_at: Timestamp,
}

type Views = HashMap<SaleId, Arc<View>>;

pub struct Known {
    views: ArcSwap<Views>,
    revoked: ArcSwap<HashMap<BuyerId, u64>>,
    first_heard_at: AtomicI64,
    heard_at: AtomicI64,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            views: ArcSwap::default(),
            revoked: ArcSwap::default(),
            first_heard_at: AtomicI64::new(NEVER),
            heard_at: AtomicI64::new(NEVER),
        }
    }
}

impl Known {
    pub fn views(&self) -> Guard<Arc<Views>> {
        self.views.load()
    }

    /// Whether the token's owner has logged out everywhere since it was given.
    pub fn is_logged_out(&self, principal: Principal) -> bool {
        let revoked = self.revoked.load();
        !revoked.is_empty() && revoked.get(&principal.buyer).is_some_and(|epoch| principal.epoch < *epoch)
    }

    /// All who have, as far as it matters.
    pub fn learn_revoked(&self, revoked: Vec<Revoked>) {
        self.revoked.store(Arc::new(revoked.into_iter().map(|word| (word.buyer, word.epoch)).collect()));
    }

    /// When any news came last.
    pub fn heard_at(&self) -> Option<Timestamp> {
        Some(self.heard_at.load(Ordering::Acquire)).filter(|&at| at != NEVER).map(Timestamp)
    }

    /// Whether there may be sales it has not heard of: it listens for less than two rounds of news, or hears none.
    pub fn is_learning(&self, now: Timestamp) -> bool {
        let deaf = self.heard_at().is_none_or(|heard| now.since_ms(heard) > FRESH_MS_MAX);
        deaf || self.is_new(now)
    }

    /// Whether it has listened for less than two rounds of news.
    pub fn is_new(&self, now: Timestamp) -> bool {
        let first = self.first_heard_at.load(Ordering::Acquire);
        first == NEVER || now.since_ms(Timestamp(first)) < LEARNING_MS
    }

    /// Only one task may call this.
    pub fn learn(&self, news: Vec<SaleNews>, now: Timestamp, forget_ms: i64) {
        let mut views = Views::clone(&self.views.load());
        for word in news {
            let view = match views.get(&word.sale.id) {
                Some(view) => view.with(word, now),
                None => View::new(word, now),
            };
            views.insert(view.sale.id, Arc::new(view));
        }
        views.retain(|_, view| now.since_ms(view.heard_at) <= forget_ms);
        self.views.store(Arc::new(views));
        let _ = self.first_heard_at.compare_exchange(NEVER, now.0, Ordering::AcqRel, Ordering::Acquire);
        self.heard_at.store(now.0, Ordering::Release);
    }
}

impl View {
    fn new(word: SaleNews, now: Timestamp) -> Self {
        Self {
            sale: word.sale,
            exhausted: word.exhausted,
            position: (word.generation, word.revision),
            sent_at: word.sent_at,
            heard_at: now,
        }
    }

    fn with(&self, word: SaleNews, now: Timestamp) -> Self {
        let newer = View::new(word, now);
        // Two words on one position differ when the last unit was paid for meanwhile, or units were added: the later one counts.
        let newest = (newer.position, newer.sent_at) >= (self.position, self.sent_at);
        let on_units = if newest { &newer } else { self };
        Self {
            exhausted: on_units.exhausted,
            position: on_units.position,
            sent_at: on_units.sent_at,
            heard_at: now,
            sale: if newer.sale.version >= self.sale.version { newer.sale } else { self.sale.clone() },
        }
    }

    /// Nothing is free, nobody more may wait for what comes back, and we heard so just now.
    pub fn is_exhausted(&self, now: Timestamp) -> bool {
        self.exhausted && now.since_ms(self.sent_at).abs() < FRESH_MS_MAX
    }
}
