//! Of which sales something could not be told, and since when: kept until it is said that it was missed. Bounded: where there
//! are too many sales, all of them are missed.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::domain::sale::notice::{MISSED_SALES_MAX, Missed, Notice};
use crate::domain::shared::id::SaleId;

#[derive(Default)]
pub(super) struct Untold {
    kept: Mutex<Kept>,
    grew: Notify,
}

#[derive(Default)]
struct Kept {
    sales: BTreeMap<SaleId, Instant>,
    all: Option<Instant>,
}

impl Kept {
    fn is_empty(&self) -> bool {
        self.all.is_none() && self.sales.is_empty()
    }

    fn add(&mut self, sale: SaleId, since: Instant) {
        let is_full = self.sales.len() >= MISSED_SALES_MAX && !self.sales.contains_key(&sale);
        if self.all.is_some() || is_full {
            return self.add_all(since);
        }
        let known = self.sales.entry(sale).or_insert(since);
        *known = since.min(*known);
    }

    fn add_all(&mut self, since: Instant) {
        let sales = std::mem::take(&mut self.sales).into_values();
        self.all = sales.chain(self.all).chain([since]).min();
    }

    fn missed(&self, now: Instant) -> Option<Missed> {
        let age_ms = |since: Instant| u64::try_from((now - since).as_millis()).unwrap_or(u64::MAX);
        if let Some(since) = self.all {
            return Some(Missed::All { age_ms: age_ms(since) });
        }
        let sales = self.sales.iter().map(|(sale, since)| (*sale, age_ms(*since)));
        (!self.sales.is_empty()).then(|| Missed::Sales(sales.collect()))
    }
}

/// One message on its way: what it tells, and what it says to be missed. Dropped before it is told, both are missed.
pub(super) struct Attempt<'a> {
    untold: &'a Untold,
    notices: &'a [Notice],
    owed: Kept,
    begun: Instant,
}

impl Untold {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begin<'a>(&'a self, notices: &'a [Notice]) -> Attempt<'a> {
        self.begin_at(notices, Instant::now())
    }

    fn begin_at<'a>(&'a self, notices: &'a [Notice], begun: Instant) -> Attempt<'a> {
        Attempt { untold: self, notices, owed: std::mem::take(&mut *self.kept()), begun }
    }

    pub(super) fn add(&self, sale: SaleId) {
        self.kept().add(sale, Instant::now());
        self.grew.notify_one();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.kept().is_empty()
    }

    /// Until there was something to be said since the last time.
    pub(super) async fn grew(&self) {
        self.grew.notified().await;
    }
}

impl Attempt<'_> {
    pub(super) fn missed(&self) -> Option<Missed> {
        self.owed.missed(self.begun)
    }

    pub(super) fn told(mut self) {
        self.notices = &[];
        self.owed = Kept::default();
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if self.notices.is_empty() && self.owed.is_empty() {
            return;
        }
        let owed = std::mem::take(&mut self.owed);
        let mut kept = self.untold.kept();
        if let Some(since) = owed.all {
            kept.add_all(since);
        }
        owed.sales.into_iter().for_each(|(sale, since)| kept.add(sale, since));
        self.notices.iter().for_each(|notice| kept.add(notice.sale, self.begun));
        drop(kept);
        self.untold.grew.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::sale::reservation::Kind;
    use crate::domain::shared::id::{BuyerId, ReservationId};

    fn notice(sale: u64) -> Notice {
        let (sale, buyer, reservation) = (SaleId(sale), BuyerId(1), ReservationId(1));
        Notice { sale, buyer, reservation, state: Kind::Held, version: 1, lapses_at: None, trace: None }
    }

    const MS: Duration = Duration::from_millis(1);

    #[tokio::test]
    async fn what_is_dropped_on_its_way_is_missed_and_said_once() {
        let (untold, now) = (Untold::default(), Instant::now());
        drop(untold.begin_at(&[notice(7), notice(8), notice(7)], now));
        untold.grew().await;
        drop(untold.begin_at(&[notice(9)], now + 100 * MS));
        untold.grew().await;
        // Said, and given up: it is owed as before, with its age.
        let attempt = untold.begin_at(&[], now + 100 * MS);
        assert_eq!(attempt.missed(), Some(Missed::Sales(vec![(SaleId(7), 100), (SaleId(8), 100), (SaleId(9), 0)])));
        assert!(untold.is_empty(), "two do not say it at once");
        drop(attempt);
        let attempt = untold.begin_at(&[], now + 150 * MS);
        assert_eq!(attempt.missed(), Some(Missed::Sales(vec![(SaleId(7), 150), (SaleId(8), 150), (SaleId(9), 50)])));
        attempt.told();
        assert!(untold.is_empty() && untold.begin(&[notice(7)]).missed().is_none());
    }

    #[test]
    fn too_many_sales_are_all_of_them() {
        let (mut kept, now) = (Kept::default(), Instant::now());
        for sale in 0..256 {
            kept.add(SaleId(sale), now);
        }
        kept.add(SaleId(0), now + 10 * MS);
        assert!(matches!(kept.missed(now), Some(Missed::Sales(sales)) if sales.len() == 256));
        kept.add(SaleId(256), now + 10 * MS);
        kept.add(SaleId(1), now + 20 * MS);
        assert_eq!(kept.missed(now + 20 * MS), Some(Missed::All { age_ms: 20 }));
        assert!(!kept.is_empty() && kept.sales.is_empty());
    }
}
