//! The built-in payment provider with its books in this process: for measurements, in which they stand for another's machine and its
//! disks. They go with the process, and no other process sees them: nobody sells by them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::domain::money::payment::{MadeRefund, Refund, RefundAnswer};
use crate::domain::shared::id::{PaymentId, RefundId};
use crate::domain::shared::money::Money;
use crate::ports::money::payments::{Captured, Opened, Payments, Provider, Unpayable, Voided};
use crate::ports::money::trial::Trial;
use crate::ports::{Fault, Result};

const PART: &str = "payments";
/// Payments that are remembered; one more is a fault.
const PAYMENTS_MAX: usize = 1_000_000;

pub struct MemorySandbox {
    books: Mutex<HashMap<PaymentId, Entry>>,
    room: usize,
    wait: Duration,
}

#[derive(Debug, Clone)]
struct Entry {
    state: State,
    /// Of one that was never opened, nothing.
    amount: Option<Money>,
    refunds: Vec<(RefundId, i64)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Opened,
    Captured,
    Voided,
}

impl Default for MemorySandbox {
    fn default() -> Self {
        Self { books: Mutex::default(), room: PAYMENTS_MAX, wait: Duration::from_secs(2) }
    }
}

impl Entry {
    fn kept_minor(&self) -> i64 {
        let moved = self.amount.filter(|_| self.state == State::Captured).map_or(0, |amount| amount.minor);
        moved - self.refunds.iter().map(|(_, minor)| minor).sum::<i64>()
    }
}

impl MemorySandbox {
    /// How long a card that never answers in time keeps its caller waiting.
    pub fn with_wait(self, wait: Duration) -> Self {
        Self { wait, ..self }
    }

    fn books(&self) -> MutexGuard<'_, HashMap<PaymentId, Entry>> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As it stands, after it was written where there was none.
    fn written<T>(&self, payment: PaymentId, new: Entry, then: impl FnOnce(&mut Entry) -> T) -> Result<T> {
        let mut books = self.books();
        if books.len() >= self.room && !books.contains_key(&payment) {
            return Err(Fault::new(PART, "the books in memory are full"));
        }
        Ok(then(books.entry(payment).or_insert(new)))
    }

    /// Captures or voids what is open; a payment that it does not know is void from then on.
    fn set(&self, payment: PaymentId, to: State) -> Result<State> {
        let unknown = Entry { state: State::Voided, amount: None, refunds: Vec::new() };
        self.written(payment, unknown, |entry| {
            if entry.state == State::Opened {
                entry.state = to;
            }
            entry.state
        })
    }

    async fn silence(&self) -> Fault {
        tokio::time::sleep(self.wait).await;
        Fault::new(PART, "no answer in time")
    }
}

#[async_trait]
impl Payments for MemorySandbox {
    fn provider(&self) -> Provider {
        Provider::Sandbox
    }

    fn check(&self, amount: Money) -> Result<(), Unpayable> {
        Trial::takes(amount)
    }

    async fn open(&self, payment: PaymentId, amount: Money) -> Result<Opened> {
        if let Err(unpayable) = self.check(amount) {
            return Ok(Opened::Refused(unpayable));
        }
        let new = Entry { state: State::Opened, amount: Some(amount), refunds: Vec::new() };
        match self.written(payment, new, |entry| entry.state)? {
            State::Voided => Err(Fault::new(PART, "the payment is void")),
            State::Opened | State::Captured => Ok(Opened::Opened),
        }
    }

    async fn capture(&self, payment: PaymentId, card: &str) -> Result<Captured> {
        let (to, why) = match Trial::of(card) {
            Trial::Captured => (State::Captured, "the payment is void"),
            Trial::Declined { why } => (State::Voided, why),
            Trial::Silent => return Err(self.silence().await),
            Trial::Late => {
                self.set(payment, State::Captured)?;
                return Err(self.silence().await);
            }
        };
        Ok(match self.set(payment, to)? {
            State::Captured => Captured::Captured,
            State::Opened | State::Voided => Captured::Declined { why: why.to_owned() },
        })
    }

    async fn fingerprint(&self, card: &str) -> Result<Option<String>> {
        Ok(Trial::fingerprint(card))
    }

    async fn void(&self, payment: PaymentId) -> Result<Voided> {
        Ok(match self.set(payment, State::Voided)? {
            State::Captured => Voided::Captured,
            State::Opened | State::Voided => Voided::Voided,
        })
    }

    async fn refund(&self, of: &Refund, _tries: u32) -> Result<RefundAnswer> {
        let refused = RefundAnswer::Refused { code: "more_than_is_left".to_owned() };
        let mut books = self.books();
        let Some(entry) = books.get_mut(&of.payment) else { return Ok(refused) };
        if entry.refunds.iter().any(|(id, _)| *id == of.id) {
            return Ok(RefundAnswer::Done);
        }
        let is_its_currency = entry.amount.is_some_and(|amount| amount.currency == of.amount.currency);
        if !is_its_currency || entry.kept_minor() < of.amount.minor {
            return Ok(refused);
        }
        entry.refunds.push((of.id, of.amount.minor));
        Ok(RefundAnswer::Done)
    }

    async fn refunds(&self, payment: PaymentId) -> Result<Vec<MadeRefund>> {
        let made = |&(id, minor): &(RefundId, i64)| MadeRefund { id, by_us: true, minor, answer: RefundAnswer::Done };
        Ok(self.books().get(&payment).map(|entry| entry.refunds.iter().map(made).collect()).unwrap_or_default())
    }

    async fn kept_minor(&self, payment: PaymentId) -> Result<i64> {
        Ok(self.books().get(&payment).map_or(0, Entry::kept_minor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn so_many_payments_are_in_the_books() {
        let sandbox = MemorySandbox { room: 2, ..MemorySandbox::default() };
        assert_eq!(MemorySandbox::default().room, 1_000_000);
        let amount = Money { minor: 1, currency: "TWD".parse().unwrap() };
        for number in 1..=2 {
            assert_eq!(sandbox.open(PaymentId(number), amount).await, Ok(Opened::Opened));
        }
        assert!(sandbox.open(PaymentId(3), amount).await.is_err());
        assert_eq!(sandbox.capture(PaymentId(2), "ok").await, Ok(Captured::Captured), "those that are there go on");
    }
}
