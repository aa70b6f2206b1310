//! What waits for one socket's task, left there by its senders: a few messages, coalesced, and without memory while there are
//! none. And what the socket was told of each sale, to be compared with the ledger.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use futures_util::task::AtomicWaker;

use crate::app::sale::subscribers::Subscriber;
use crate::domain::sale::notice::Notice;
use crate::domain::shared::id::{BuyerId, ReservationId, SaleId};
use crate::domain::shared::trace::Mark;
use crate::faces::live::session::SaleWord;
use crate::faces::live::topic::{Message, Waiting};
use crate::ports::sale::reservations::Version;

#[derive(Default)]
pub struct Mailbox {
    inside: Mutex<Inside>,
    waker: AtomicWaker,
}

struct Inside {
    mail: Mail,
    /// No buyer's (0) while the client has not said who it is.
    buyer: BuyerId,
    /// The sales it watches.
    watched: Vec<Watched>,
}

impl Default for Inside {
    fn default() -> Self {
        Self { mail: Mail::default(), buyer: BuyerId(0), watched: Vec::new() }
    }
}

/// The last that was told of a sale; version 0 while there is no reservation.
struct Watched {
    sale: SaleId,
    reservation: ReservationId,
    version: u64,
}

#[derive(Default)]
pub struct Mail {
    pub waiting: Waiting,
    /// Of the last notice that is traced. Boxed: hardly any mail ever has one.
    pub traced: Option<Box<(SaleId, Mark)>>,
    pub missed: bool,
    pub beat: bool,
    pub stop: bool,
    /// The account logged out somewhere: perhaps here.
    pub revoked: bool,
}

impl Mailbox {
    /// What the ledger says of this buyer: whether that is news to the socket, which then looks itself.
    pub fn compare(&self, sale: SaleId, row: &Version) -> bool {
        let mut inside = self.inside();
        let told = inside.watched.iter().find(|watched| watched.sale == sale);
        let is_behind = told.is_some_and(|told| told.reservation != row.reservation || told.version < row.version);
        if is_behind {
            inside.mail.put(Message::Status { sale, reservation: row.reservation, version: row.version });
            drop(inside);
            self.waker.wake();
        }
        is_behind
    }

    pub fn is_of(&self, buyer: BuyerId) {
        self.inside().buyer = buyer;
    }

    pub fn buyer(&self) -> BuyerId {
        self.inside().buyer
    }

    pub fn watch(&self, sale: SaleId) {
        let mut inside = self.inside();
        inside.watched.reserve_exact(1);
        inside.watched.push(Watched { sale, reservation: ReservationId(0), version: 0 });
    }

    pub fn unwatch(&self, sale: SaleId) {
        self.inside().watched.retain(|watched| watched.sale != sale);
    }

    /// Nothing is watched any more; says what was.
    pub fn unwatch_all(&self) -> Vec<SaleId> {
        std::mem::take(&mut self.inside().watched).into_iter().map(|watched| watched.sale).collect()
    }

    pub fn told(&self, sale: SaleId, reservation: ReservationId, version: u64) {
        if let Some(watched) = self.inside().watched.iter_mut().find(|watched| watched.sale == sale) {
            (watched.reservation, watched.version) = (reservation, version);
        }
    }

    pub fn word(&self, word: &Arc<SaleWord>) {
        self.leave(|mail| mail.put(Message::Sale(word.clone())));
    }

    pub fn beat(&self) {
        self.leave(|mail| mail.beat = true);
    }

    pub fn stop(&self) {
        self.leave(|mail| mail.stop = true);
    }

    fn leave(&self, what: impl FnOnce(&mut Mail)) {
        what(&mut self.inside().mail);
        self.waker.wake();
    }

    /// Everything that waits. Who is left something after this is woken.
    pub fn take(&self, waker: &Waker) -> Mail {
        self.waker.register(waker);
        std::mem::take(&mut self.inside().mail)
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Subscriber for Mailbox {
    fn notice(&self, notice: &Notice) {
        let mut inside = self.inside();
        if let (false, Some(mark)) = (inside.mail.missed, notice.mark()) {
            inside.mail.traced = Some(Box::new((notice.sale, mark)));
        }
        let Notice { sale, reservation, version, .. } = *notice;
        inside.mail.put(Message::Status { sale, reservation, version });
        drop(inside);
        self.waker.wake();
    }

    fn missed(&self) {
        self.leave(|mail| mail.missed = true);
    }

    fn revoked(&self) {
        self.leave(|mail| mail.revoked = true);
    }
}

impl Mail {
    fn put(&mut self, message: Message) {
        // Who looks at everything needs no status.
        let is_told_anyway = self.missed && matches!(message, Message::Status { .. });
        if !is_told_anyway && self.waiting.put(message).is_err() {
            self.missed = true;
        }
    }
}
