//! The ledger owns custody: what was promised to whom, and every outcome. Nothing is said to a buyer before it is committed
//! here, and its unique keys make overselling impossible even when the turnstile is stale, wiped or wrong.
//!
//! Every method that writes is one transaction, and idempotent. All reads here are of the primary.

use crate::domain::id::{AttemptId, BuyerId, PaymentId, RefundId, RequestId, ReservationId, SaleId};
use crate::domain::order::Order;
use crate::domain::payment::{Payment, RefundEntry};
use crate::domain::reservation::{Outcome, Reservation};
use crate::domain::sale::Allotment;
use crate::domain::time::Timestamp;
use crate::domain::turn::{Cause, Chain, Turn};
use crate::domain::turnstile::{Ended, Snapshot};
use crate::ports::Result;

/// What somebody sees of a sale before it works for it: the generation is read in the same look as the turns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    pub generation: u64,
    /// The highest turn recorded of that generation; 0 when there is none.
    pub revision: u64,
    /// Of that turn.
    pub chain: Chain,
    /// Which of the causes asked about have a turn, of any generation.
    pub recorded: Vec<Cause>,
    /// Which of the reservations asked about have ended and are not freed yet.
    pub unfreed: Vec<Ended>,
    /// How long this sale's holds last: alarms wait in one queue for each length, so that nobody may ask for any other.
    pub hold_ms: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// Written now, or found written with the same stamp. The rows that these turns made or moved, as they read now.
    Done(Vec<Reservation>),
    /// The sale's generation is not the turns' any more: look again.
    Moved,
    /// A unit is claimed, a cause or revision is taken by another turn, or a chain does not fit its neighbour: the turnstile
    /// is not the one the ledger knows. Restore.
    Diverged { what: String },
    /// A promotion's row is not born yet: its own batch's turn is still to be recorded. Try again, and restore in the end.
    Absent { reservation: ReservationId },
}

/// What the sweeper compares with the turnstile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub sale: SaleId,
    pub generation: u64,
    pub allotment: Allotment,
    pub hold_ms: i64,
    /// Of the highest turn of this generation; 0 and the empty chain when there is none.
    pub revision: u64,
    pub chain: Chain,
    /// Units of confirmed reservations.
    pub sold: u32,
    /// Units held or being paid for.
    pub pending: u32,
    /// Parties waiting.
    pub standby: u32,
    /// Ended rows not freed yet.
    pub unfreed: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// The hold is being paid with this payment.
    Paying(Reservation),
    /// It is not held any more, or its time is over. Nothing was changed; `None` when there is no such reservation of this buyer.
    Refused(Option<Reservation>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confirmed {
    /// The order, written now or before with this payment.
    Order(Order),
    /// The reservation is not being paid with this payment any more; a refund of all of it is due, written in the same
    /// transaction.
    RefundDue(Reservation),
}

/// What an operator gives back of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GiveBack {
    /// The order's.
    pub number: String,
    /// Each once; `None` for all that are left.
    pub units: Option<Vec<u32>>,
    pub reason: Option<String>,
    /// Asked for again under the same request, it is the same refund.
    pub request: Option<RequestId>,
}

/// What was written of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// As it reads now.
    pub order: Order,
    pub entry: RefundEntry,
    /// What the order was paid with, as it reads now: still confirmed while units are left.
    pub row: Reservation,
    /// The row that ended with these units, and whose release is due: the same one when nothing is left, else one that was split
    /// from it.
    pub ended: ReservationId,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GivenBack {
    /// Written now, or before for the same request.
    Done(Box<Given>),
    /// Every unit was refunded before.
    NothingLeft,
    /// The unit at this place of the list was refunded before.
    Refunded { place: usize },
    /// The unit at this place of the list is none of the order's.
    Foreign { place: usize },
    /// There is no such order.
    Missing,
}

/// What `miaosha audit` reads of one sale, in one consistent read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditFacts {
    pub standing: Standing,
    pub quantity_max: u8,
    /// Every live reservation, with its claimed units as the claims table has them.
    pub live: Vec<(Reservation, Vec<u32>)>,
    /// Claims whose reservation is not live or does not list them.
    pub orphan_claims: Vec<u32>,
    pub orders: Vec<Order>,
    pub payments: Vec<Payment>,
    pub refunds: Vec<RefundEntry>,
    pub attempts: u64,
    /// Count of first outcomes over all batch turns: taken, standby, already, refused.
    pub outcomes: [u64; 4],
    /// Turns whose chain does not fit the one before, or whose revision is missing before a later one.
    pub broken_turns: Vec<String>,
    pub now: Timestamp,
}

/// One turn as `miaosha audit --turns` lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedTurn {
    pub generation: u64,
    pub revision: u64,
    pub cause: Cause,
    /// One byte for each attempt of a batch.
    pub outcomes: Vec<u8>,
    pub recorded_at: Timestamp,
}

/// Everything that was ever decided of one sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// By generation, then revision.
    pub turns: Vec<RecordedTurn>,
    /// Every reservation there ever was, and whose; not those that were split from one.
    pub reservations: Vec<(BuyerId, ReservationId)>,
}

/// How a sale has been going lately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    /// The newest turns, newest first.
    pub turns: Vec<RecordedTurn>,
    /// Reservations that ever lapsed.
    pub lapsed: u32,
}

/// Which row is a buyer's live or last one, and how often it changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    pub buyer: BuyerId,
    pub reservation: ReservationId,
    pub version: u64,
}

/// A buyer's reservation, and its position in line: as [`Ledger::position`] says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub row: Reservation,
    pub position: Option<u32>,
}

pub trait Ledger: Send + Sync + 'static {
    /// `None` when there is no such sale.
    fn look(
        &self,
        sale: SaleId,
        causes: &[Cause],
        ended: &[ReservationId],
    ) -> impl Future<Output = Result<Option<Look>>> + Send;

    /// Records answers of the turnstile, all of one sale and one generation, in one transaction: turns, births, promotions,
    /// claims, and `freed` of what the releases took back. `lapses_at` of new holds is `now` plus the sale's hold.
    fn record(&self, sale: SaleId, turns: &[Turn], now: Timestamp) -> impl Future<Output = Result<Recorded>> + Send;

    /// The rows that recorded batches gave birth to, as they read now: whoever finds a batch recorded tells its buyers again.
    fn born_of(&self, sale: SaleId, causes: &[Cause]) -> impl Future<Output = Result<Vec<Reservation>>> + Send;

    // -- what buyers ask --

    fn reservation(&self, id: ReservationId) -> impl Future<Output = Result<Option<Reservation>>> + Send;

    /// The buyer's live reservation of the sale, or else the last one.
    fn reservation_of(&self, sale: SaleId, buyer: BuyerId) -> impl Future<Output = Result<Option<Reservation>>> + Send;

    /// The same of many buyers at once, of those who have one, and where each stands in line. In no order.
    fn places(&self, sale: SaleId, buyers: &[BuyerId]) -> impl Future<Output = Result<Vec<Place>>> + Send;

    /// The same rows by their versions alone: what is enough to see that there is something new.
    fn versions(&self, sale: SaleId, buyers: &[BuyerId]) -> impl Future<Output = Result<Vec<Version>>> + Send;

    /// Another buyer's attempt reads as `Pending`, like one that never was.
    fn outcome(&self, sale: SaleId, buyer: BuyerId, attempt: AttemptId)
    -> impl Future<Output = Result<Outcome>> + Send;

    /// Parties that are served before this one, plus 1; `None` when it does not wait.
    fn position(&self, id: ReservationId) -> impl Future<Output = Result<Option<u32>>> + Send;

    fn orders(&self, buyer: BuyerId, max: u32) -> impl Future<Output = Result<Vec<Order>>> + Send;

    fn order(&self, number: &str) -> impl Future<Output = Result<Option<Order>>> + Send;

    /// Held or Standby -> Cancelled, by its buyer. The row as it reads now; `None` when this buyer has no such reservation.
    fn cancel(
        &self,
        id: ReservationId,
        buyer: BuyerId,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<Reservation>>> + Send;

    // -- paying --

    /// Recorded before it is opened at the provider.
    fn payment_opened(&self, payment: &Payment) -> impl Future<Output = Result<()>> + Send;

    fn payment(&self, id: PaymentId) -> impl Future<Output = Result<Option<Payment>>> + Send;

    /// Held -> Paying, while `lapses_at > now`.
    fn begin_paying(
        &self,
        id: ReservationId,
        buyer: BuyerId,
        payment: PaymentId,
        now: Timestamp,
    ) -> impl Future<Output = Result<Begun>> + Send;

    /// Paying with this payment -> Confirmed, with the order; or, when that cannot be, a refund of the payment is due.
    /// `number` is used when the order is written now.
    fn confirm(
        &self,
        id: ReservationId,
        payment: PaymentId,
        number: &str,
        now: Timestamp,
    ) -> impl Future<Output = Result<Confirmed>> + Send;

    /// The payment is definitely void. Paying with it -> Held while time is left, else Lapsed. The row as it reads now.
    fn payment_voided(
        &self,
        id: ReservationId,
        payment: PaymentId,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<Reservation>>> + Send;

    /// By an operator: the units leave the order and its reservation, and a refund is due. Confirmed -> Refunded when no unit is
    /// left; else they become a row of their own, Refunded from birth, whose release takes them back. Each unit goes back once.
    fn give_back(&self, what: &GiveBack, now: Timestamp) -> impl Future<Output = Result<GivenBack>> + Send;

    /// The provider gave it back.
    fn refund_done(&self, id: RefundId, now: Timestamp) -> impl Future<Output = Result<()>> + Send;

    /// Of one reservation, oldest first.
    fn refunds_of(&self, reservation: ReservationId) -> impl Future<Output = Result<Vec<RefundEntry>>> + Send;

    // -- what the payment-consumer does --

    /// Held with `lapses_at <= now` -> Lapsed, for those of the ids it holds for. The rows that were moved now.
    fn lapse(
        &self,
        sale: SaleId,
        ids: &[ReservationId],
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<Reservation>>> + Send;

    /// Holds whose time is over, oldest first.
    fn overdue(&self, now: Timestamp, max: u32) -> impl Future<Output = Result<Vec<(SaleId, ReservationId)>>> + Send;

    /// Ended rows that nobody freed, oldest first.
    fn unfreed(&self, max: u32) -> impl Future<Output = Result<Vec<(SaleId, ReservationId)>>> + Send;

    /// Reservations that began paying before `before`, with the payment they name.
    fn stuck(
        &self,
        before: Timestamp,
        max: u32,
    ) -> impl Future<Output = Result<Vec<(ReservationId, PaymentId)>>> + Send;

    /// Payments opened before `before` that no Paying or Confirmed row names: to be voided.
    fn orphans(&self, before: Timestamp, max: u32) -> impl Future<Output = Result<Vec<Payment>>> + Send;

    /// Money that is to go back, oldest first.
    fn refunds_due(&self, max: u32) -> impl Future<Output = Result<Vec<RefundEntry>>> + Send;

    /// Standby -> Ended, when everything is paid, or the sale is closed and nothing is held, paying or unfreed. At most `max`;
    /// the rows that were moved now.
    fn end_standby(
        &self,
        sale: SaleId,
        now: Timestamp,
        max: u32,
    ) -> impl Future<Output = Result<Vec<Reservation>>> + Send;

    // -- restore, audit --

    fn standing(&self, sale: SaleId) -> impl Future<Output = Result<Option<Standing>>> + Send;

    /// The lowest revision above `after` that has no turn in this generation.
    fn first_gap(&self, sale: SaleId, generation: u64, after: u64) -> impl Future<Output = Result<u64>> + Send;

    /// Live reservations in canonical form, as a turnstile of the sale's generation would have them; its revision and chain
    /// are those of the highest turn.
    fn snapshot(&self, sale: SaleId) -> impl Future<Output = Result<Option<Snapshot>>> + Send;

    /// One restore at a time for each sale: the lock dies with its connection. `None` when somebody else has it.
    fn lock_restore(&self, sale: SaleId) -> impl Future<Output = Result<Option<Box<dyn RestoreLock>>>> + Send;

    /// The first half of a restore: the sale's generation + 1, the parties that fit promoted by the state machine and written
    /// as holds, ended rows marked freed. `None` when the generation is no longer `from`. Returns the state to put into the
    /// turnstile and the rows that were promoted.
    fn restore(
        &self,
        sale: SaleId,
        from: u64,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<(Snapshot, Vec<Reservation>)>>> + Send;

    fn audit(&self, sale: SaleId, now: Timestamp) -> impl Future<Output = Result<Option<AuditFacts>>> + Send;

    fn history(&self, sale: SaleId) -> impl Future<Output = Result<History>> + Send;

    /// With at most so many turns.
    fn pace(&self, sale: SaleId, turns_max: u32) -> impl Future<Output = Result<Pace>> + Send;

    /// The ledger's own time, for the clock's offset.
    fn time(&self) -> impl Future<Output = Result<Timestamp>> + Send;
}

/// Held while a turnstile is restored. Dropping it, or losing the connection, lets the next one in.
pub trait RestoreLock: Send {}
