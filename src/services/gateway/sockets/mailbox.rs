//! What waits for one socket's task, left there by whoever has it: a few words, coalesced, and without memory while there are
//! none.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use futures_util::task::AtomicWaker;

use crate::domain::id::{ReservationId, SaleId};
use crate::domain::notice::Notice;
use crate::domain::trace::Mark;
use crate::services::gateway::session::SaleWord;

/// Notices that wait; when there are more, the socket looks at everything instead.
const NOTICES_MAX: usize = 32;

#[derive(Default)]
pub struct Mailbox {
    mail: Mutex<Mail>,
    waker: AtomicWaker,
}

#[derive(Default)]
pub struct Mail {
    pub notices: Vec<(SaleId, ReservationId, u64)>,
    /// Of the last notice that is traced. Boxed: hardly any mail ever has one.
    pub traced: Option<Box<(SaleId, Mark)>>,
    pub missed: bool,
    /// The last word of each sale.
    pub words: Vec<Arc<SaleWord>>,
    pub beat: bool,
    pub stop: bool,
    /// Tokens of an older epoch of the account are good no more; 0 while nobody logged out.
    pub epoch: u64,
}

impl Mailbox {
    pub fn notice(&self, notice: &Notice) {
        let mut mail = self.mail();
        if mail.missed {
            return;
        }
        if let Some(mark) = notice.mark() {
            mail.traced = Some(Box::new((notice.sale, mark)));
        }
        let is_full = mail.notices.len() >= NOTICES_MAX;
        let known = mail.notices.iter_mut().find(|(_, reservation, _)| *reservation == notice.reservation);
        match known {
            Some((.., version)) => *version = notice.version.max(*version),
            None if !is_full => {
                mail.notices.push((notice.sale, notice.reservation, notice.version));
            }
            None => {
                mail.notices = Vec::new();
                mail.missed = true;
            }
        }
        drop(mail);
        self.waker.wake();
    }

    pub fn word(&self, word: &Arc<SaleWord>) {
        let mut mail = self.mail();
        match mail.words.iter_mut().find(|waiting| waiting.sale == word.sale) {
            Some(waiting) => *waiting = word.clone(),
            None => mail.words.push(word.clone()),
        }
        drop(mail);
        self.waker.wake();
    }

    pub fn missed(&self) {
        self.leave(|mail| mail.missed = true);
    }

    pub fn beat(&self) {
        self.leave(|mail| mail.beat = true);
    }

    pub fn stop(&self) {
        self.leave(|mail| mail.stop = true);
    }

    pub fn revoked(&self, epoch: u64) {
        self.leave(|mail| mail.epoch = mail.epoch.max(epoch));
    }

    fn leave(&self, what: impl FnOnce(&mut Mail)) {
        what(&mut self.mail());
        self.waker.wake();
    }

    /// Everything that waits. Who is left something after this is woken.
    pub fn take(&self, waker: &Waker) -> Mail {
        self.waker.register(waker);
        std::mem::take(&mut *self.mail())
    }

    fn mail(&self) -> MutexGuard<'_, Mail> {
        self.mail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
