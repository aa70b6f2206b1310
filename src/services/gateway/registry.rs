//! Who waits for notices: a bounded register of buyers.
//!
//! A registration sees every notice of its buyer that comes after it was made, each reservation's newest version only: an
//! older one never follows a newer one. Whoever registers first and reads the truth afterwards misses nothing. What the
//! register has no room for is a named outcome; what a slow registration does not fetch is overwritten, never queued.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::domain::id::{BuyerId, ReservationId};
use crate::domain::notice::Notice;
use crate::services::gateway::metric::Metric;

/// Reservations whose versions one registration remembers, at most; the ones made first are forgotten first.
const REMEMBERED_MAX: usize = 64;

/// No room: too many registrations in all, or of this buyer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

pub struct Registry {
    inner: Arc<Inner>,
}

struct Inner {
    registrations_max: usize,
    per_buyer_max: usize,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    slots: HashMap<BuyerId, Vec<Arc<Slot>>>,
    registrations: usize,
}

#[derive(Default)]
struct Slot {
    heard: Mutex<BTreeMap<ReservationId, Heard>>,
    news: Notify,
}

struct Heard {
    version: u64,
    /// Until it is fetched.
    notice: Option<Notice>,
}

/// A place in the register; dropping it gives it back.
pub struct Registration {
    inner: Arc<Inner>,
    buyer: BuyerId,
    slot: Arc<Slot>,
}

impl Registry {
    pub fn new(registrations_max: usize, per_buyer_max: usize) -> Self {
        Self { inner: Arc::new(Inner { registrations_max, per_buyer_max, book: Mutex::default() }) }
    }

    pub fn register(&self, buyer: BuyerId) -> Result<Registration, Full> {
        let mut book = lock(&self.inner.book);
        let of_buyer = book.slots.get(&buyer).map_or(0, Vec::len);
        if book.registrations >= self.inner.registrations_max || of_buyer >= self.inner.per_buyer_max {
            return Err(Full);
        }
        let slot = Arc::new(Slot::default());
        book.slots.entry(buyer).or_default().push(slot.clone());
        book.registrations += 1;
        metrics::gauge!(Metric::Registrations.name()).set(book.registrations as f64);
        Ok(Registration { inner: self.inner.clone(), buyer, slot })
    }

    pub fn tell(&self, notice: &Notice) {
        let book = lock(&self.inner.book);
        for slot in book.slots.get(&notice.buyer).into_iter().flatten() {
            slot.hear(notice);
        }
    }

    pub fn len(&self) -> usize {
        lock(&self.inner.book).registrations
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Slot {
    fn hear(&self, notice: &Notice) {
        let mut heard = lock(&self.heard);
        if heard.get(&notice.reservation).is_some_and(|known| known.version >= notice.version) {
            return;
        }
        heard.insert(notice.reservation, Heard { version: notice.version, notice: Some(notice.clone()) });
        if heard.len() > REMEMBERED_MAX {
            heard.pop_first();
        }
        self.news.notify_one();
    }

    fn fetch(&self) -> Option<Notice> {
        lock(&self.heard).values_mut().find_map(|heard| heard.notice.take())
    }
}

impl Registration {
    /// The next notice nobody fetched here yet. Loses nothing when it is dropped while it waits.
    pub async fn next(&mut self) -> Notice {
        loop {
            if let Some(notice) = self.slot.fetch() {
                return notice;
            }
            self.slot.news.notified().await;
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut book = lock(&self.inner.book);
        if let Some(slots) = book.slots.get_mut(&self.buyer) {
            slots.retain(|slot| !Arc::ptr_eq(slot, &self.slot));
            if slots.is_empty() {
                book.slots.remove(&self.buyer);
            }
        }
        book.registrations -= 1;
        metrics::gauge!(Metric::Registrations.name()).set(book.registrations as f64);
    }
}

/// Nothing panics while it holds one of these locks, and if it did the maps would still be whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
