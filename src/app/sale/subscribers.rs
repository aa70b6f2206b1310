//! Who waits for notices: a bounded register of buyers.
//!
//! A registration sees every notice of its buyer that comes after it was made, each reservation's newest version only: an
//! older one never follows a newer one. A caller that registers first and reads the truth afterwards misses nothing. What the
//! register has no room for is a named outcome; what a slow registration does not fetch is overwritten, never queued.
//!
//! Two kinds of people wait: a request that waits for one change, and a socket, whose session keeps the versions itself.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::app::sale::metric::Metric;
use crate::domain::sale::notice::Notice;
use crate::domain::shared::id::{BuyerId, ReservationId, SaleId};

/// Reservations whose versions one registration remembers, at most; the ones made first are forgotten first.
const REMEMBERED_MAX: usize = 64;

/// No room: too many registrations in all, or of this buyer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

/// What a socket is told; it keeps it until the socket's own task comes by, and waits for nothing.
pub trait Subscriber: Send + Sync {
    fn notice(&self, notice: &Notice);
    /// Notices may have been lost.
    fn missed(&self);
    /// Its token may be good no more.
    fn revoked(&self);
}

pub struct Registry {
    inner: Arc<Inner>,
    sockets_per_buyer_max: usize,
}

struct Inner {
    registrations_max: usize,
    per_buyer_max: usize,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    waiters: HashMap<BuyerId, Waiters>,
    registrations: usize,
}

/// Almost everybody has one.
enum Waiters {
    One(Waiter),
    Many(Vec<Waiter>),
}

#[derive(Clone)]
enum Waiter {
    Request(Arc<Slot>),
    Socket(Arc<dyn Subscriber>),
}

struct Slot {
    /// It waits for this one alone.
    sale: SaleId,
    heard: Mutex<BTreeMap<ReservationId, Heard>>,
    news: Notify,
    missed: Notify,
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

/// A socket's place; dropping it gives it back.
pub struct SocketSubscription {
    inner: Arc<Inner>,
    buyer: BuyerId,
    mailbox: Arc<dyn Subscriber>,
}

impl Registry {
    pub fn new(registrations_max: usize, per_buyer_max: usize) -> Self {
        let inner = Arc::new(Inner { registrations_max, per_buyer_max, book: Mutex::default() });
        Self { inner, sockets_per_buyer_max: 0 }
    }

    /// With places for sockets; how many there are in all is decided where they are accepted.
    pub fn with_sockets(self, sockets_per_buyer_max: usize) -> Self {
        Self { sockets_per_buyer_max, ..self }
    }

    pub fn register(&self, buyer: BuyerId, sale: SaleId) -> Result<Registration, Full> {
        let mut book = lock(&self.inner.book);
        let of_buyer = book.of(buyer).iter().filter(|waiter| matches!(waiter, Waiter::Request(_))).count();
        if book.registrations >= self.inner.registrations_max || of_buyer >= self.inner.per_buyer_max {
            return Err(Full);
        }
        let (heard, news, missed) = (Mutex::default(), Notify::new(), Notify::new());
        let slot = Arc::new(Slot { sale, heard, news, missed });
        book.add(buyer, Waiter::Request(slot.clone()));
        book.registrations += 1;
        metrics::gauge!(Metric::Registrations.name()).set(book.registrations as f64);
        Ok(Registration { inner: self.inner.clone(), buyer, slot })
    }

    pub fn seat<S: Subscriber + 'static>(&self, buyer: BuyerId, mailbox: &Arc<S>) -> Result<SocketSubscription, Full> {
        let mailbox: Arc<dyn Subscriber> = mailbox.clone();
        let mut book = lock(&self.inner.book);
        let of_buyer = book.of(buyer).iter().filter(|waiter| matches!(waiter, Waiter::Socket(_))).count();
        if of_buyer >= self.sockets_per_buyer_max {
            return Err(Full);
        }
        book.add(buyer, Waiter::Socket(mailbox.clone()));
        Ok(SocketSubscription { inner: self.inner.clone(), buyer, mailbox })
    }

    pub fn tell(&self, notice: &Notice) {
        let book = lock(&self.inner.book);
        for waiter in book.of(notice.buyer) {
            match waiter {
                Waiter::Request(slot) => slot.hear(notice),
                Waiter::Socket(mailbox) => mailbox.notice(notice),
            }
        }
    }

    /// This buyer logged out somewhere: each socket looks whether its own token is good.
    pub fn revoked(&self, buyer: BuyerId) {
        for waiter in lock(&self.inner.book).of(buyer) {
            if let Waiter::Socket(mailbox) = waiter {
                mailbox.revoked();
            }
        }
    }

    pub fn is_awaited(&self, buyer: BuyerId) -> bool {
        !lock(&self.inner.book).of(buyer).is_empty()
    }

    /// Notices may have been lost: every socket looks once more.
    pub fn missed(&self) {
        let book = lock(&self.inner.book);
        for waiter in book.waiters.values().flat_map(Waiters::all) {
            if let Waiter::Socket(mailbox) = waiter {
                mailbox.missed();
            }
        }
    }

    /// The same of requests that wait, for this sale or any.
    pub fn requests_missed(&self, of: Option<SaleId>) {
        let book = lock(&self.inner.book);
        for waiter in book.waiters.values().flat_map(Waiters::all) {
            match waiter {
                Waiter::Request(slot) if of.is_none_or(|sale| sale == slot.sale) => slot.missed.notify_one(),
                Waiter::Request(_) | Waiter::Socket(_) => {}
            }
        }
    }

    /// Requests that wait.
    pub fn len(&self) -> usize {
        lock(&self.inner.book).registrations
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Book {
    fn of(&self, buyer: BuyerId) -> &[Waiter] {
        self.waiters.get(&buyer).map_or(&[], Waiters::all)
    }

    fn add(&mut self, buyer: BuyerId, waiter: Waiter) {
        match self.waiters.get_mut(&buyer) {
            None => {
                self.waiters.insert(buyer, Waiters::One(waiter));
            }
            Some(Waiters::Many(all)) => all.push(waiter),
            Some(waiters) => {
                let all = [waiters.all(), &[waiter]].concat();
                *waiters = Waiters::Many(all);
            }
        }
    }

    fn remove(&mut self, buyer: BuyerId, is_it: impl Fn(&Waiter) -> bool) {
        let Some(waiters) = self.waiters.get_mut(&buyer) else { return };
        if let Waiters::Many(all) = waiters {
            all.retain(|waiter| !is_it(waiter));
        }
        let is_last = waiters.all().iter().all(is_it);
        if is_last {
            self.waiters.remove(&buyer);
        }
    }
}

impl Waiters {
    fn all(&self) -> &[Waiter] {
        match self {
            Waiters::One(waiter) => std::slice::from_ref(waiter),
            Waiters::Many(all) => all,
        }
    }
}

impl Slot {
    fn hear(&self, notice: &Notice) {
        if notice.sale != self.sale {
            return;
        }
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
    /// The next notice of its sale nobody fetched here yet. Loses nothing when it is dropped while it waits.
    pub async fn next(&self) -> Notice {
        loop {
            if let Some(notice) = self.slot.fetch() {
                return notice;
            }
            self.slot.news.notified().await;
        }
    }

    /// Until notices of its sale may have been lost.
    pub async fn missed(&self) {
        self.slot.missed.notified().await;
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut book = lock(&self.inner.book);
        book.remove(self.buyer, |waiter| matches!(waiter, Waiter::Request(slot) if Arc::ptr_eq(slot, &self.slot)));
        book.registrations -= 1;
        metrics::gauge!(Metric::Registrations.name()).set(book.registrations as f64);
    }
}

impl Drop for SocketSubscription {
    fn drop(&mut self) {
        let mut book = lock(&self.inner.book);
        book.remove(self.buyer, |waiter| matches!(waiter, Waiter::Socket(mailbox) if is_same(mailbox, &self.mailbox)));
    }
}

fn is_same(one: &Arc<dyn Subscriber>, other: &Arc<dyn Subscriber>) -> bool {
    std::ptr::addr_eq(Arc::as_ptr(one), Arc::as_ptr(other))
}

/// Nothing panics while it holds one of these locks, and if it did the maps would still be whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
