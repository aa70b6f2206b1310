//! One process's view of the world: before each call of a port it comes by, and the plan says whether it gets any further.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use miaosha::domain::money::order::Order;
use miaosha::domain::money::payment::{MadeRefund, Payment, RefundEntry, RefundKind};
use miaosha::domain::people::author::Author;
use miaosha::domain::sale::attempt::Batch;
use miaosha::domain::sale::notice::Notice;
use miaosha::domain::sale::reservation::{Outcome, Reservation};
use miaosha::domain::sale::turn::{Cause, Known, Raised, Released, Reserved, Turn};
use miaosha::domain::sale::turnstile::{Ended, Level, Reply, Snapshot};
use miaosha::domain::sale::{Allotment, Sale, SaleState};
use miaosha::domain::shared::id::{
    AttemptId, BatchId, BuyerId, ItemId, PaymentId, RefundId, RequestId, ReservationId, SaleId,
};
use miaosha::domain::shared::time::Timestamp;
use miaosha::ports::money::orders::{OrderPlace, Orders};
use miaosha::ports::money::paying::{Begin, Begun, Bill, Confirmed, Finish, Finished, Paying};
use miaosha::ports::money::refunds::{RefundOutcome, RefundRequest, Refunds};
use miaosha::ports::money::sweeping::Sweeping;
use miaosha::ports::platform::idempotency::{Answer, Asked, Claim, Idempotency, Key, Lease};
use miaosha::ports::sale::catalogue::{Catalogue, Changed, Item, Moved, NewItem, NewSale, RoundPlace};
use miaosha::ports::sale::deadlines::{Deadline, Deadlines};
use miaosha::ports::sale::fallback::SaleLease;
use miaosha::ports::sale::feed::{NewsRequest, NewsStream, RequestStream, SaleFeed, SaleSnapshot};
use miaosha::ports::sale::notices::{NoticeStream, Notices};
use miaosha::ports::sale::recording::{Recorded, Recording, SaleHead};
use miaosha::ports::sale::reservations::{Place, Reservations, Version};
use miaosha::ports::sale::restoring::{LastTurn, RestoreLock, Restoring, SaleTotals};
use miaosha::ports::sale::turnstile::Turnstile;
use miaosha::ports::{Fault, Result, Subscription};
use miaosha::wire::world::World;

use super::places::{self, How, Plan};
use super::provider::Lever;

pub struct Watched {
    inner: World,
    plan: Arc<Plan>,
}

impl Watched {
    /// The same world, as a process sees it that goes wrong by this plan.
    pub fn world(inner: &World, plan: &Arc<Plan>, provider: Arc<Lever>) -> World {
        let watched = Arc::new(Self { inner: inner.clone(), plan: plan.clone() });
        World {
            turnstile: watched.clone(),
            recording: watched.clone(),
            reservations: watched.clone(),
            orders: watched.clone(),
            paying: watched.clone(),
            refunds: watched.clone(),
            sweeping: watched.clone(),
            restoring: watched.clone(),
            catalogue: watched.clone(),
            idempotency: watched.clone(),
            deadlines: watched.clone(),
            notices: watched.clone(),
            news: watched,
            payments: provider,
            faults: plan.clone(),
            ..inner.clone()
        }
    }

    fn access(&self, part: &'static str, what: &'static str) -> Result<()> {
        match self.plan.come_by(places::Place::Access { part, what }) {
            Some(How::Away) => Err(Fault::new(part, "taken away by the test")),
            _ => Ok(()),
        }
    }
}

macro_rules! watched {
    ($port:ident, $part:literal, $field:ident: $($name:ident($($arg:ident: $ty:ty),*) -> $out:ty;)* $(@ $($extra:tt)*)?) => {
        #[async_trait]
        impl $port for Watched {
            $(async fn $name(&self, $($arg: $ty),*) -> Result<$out> {
                self.access($part, stringify!($name))?;
                self.inner.$field.$name($($arg),*).await
            })*

            $($($extra)*)?
        }
    };
}

watched! { Turnstile, "turnstile", turnstile:
    open(sale: SaleId, generation: u64, allotment: Allotment) -> ();
    reserve(sale: SaleId, known: Known, batches: &[&Batch]) -> Reply<Vec<Reserved>>;
    release(sale: SaleId, known: Known, ended: &[Ended]) -> Reply<Vec<Released>>;
    raise(sale: SaleId, known: Known, capacity: u32) -> Reply<Raised>;
    look(sale: SaleId) -> Option<Level>;
    snapshot(sale: SaleId) -> Option<Snapshot>;
    restore(sale: SaleId, snapshot: &Snapshot) -> bool;
    remove(sale: SaleId) -> ();
    ping() -> ();
    @
    async fn look_at(&self, sales: &[SaleId]) -> Vec<Result<Option<Level>>> {
        match self.access("turnstile", "look_at") {
            Ok(()) => self.inner.turnstile.look_at(sales).await,
            Err(fault) => sales.iter().map(|_| Err(fault.clone())).collect(),
        }
    }
}

watched! { Recording, "ledger", recording:
    look(sale: SaleId, causes: &[Cause], ended: &[ReservationId]) -> Option<SaleHead>;
    record(sale: SaleId, turns: &[Turn], now: Timestamp) -> Recorded;
    reservations_created_by(sale: SaleId, causes: &[Cause]) -> Vec<Reservation>;
}

watched! { Reservations, "ledger", reservations:
    reservation(id: ReservationId) -> Option<Reservation>;
    reservation_of(sale: SaleId, buyer: BuyerId) -> Option<Reservation>;
    places(sale: SaleId, buyers: &[BuyerId]) -> Vec<Place>;
    versions(sale: SaleId, buyers: &[BuyerId]) -> Vec<Version>;
    outcome(sale: SaleId, buyer: BuyerId, attempt: AttemptId) -> Outcome;
    decided(sale: SaleId, batches: &[BatchId]) -> Vec<(BatchId, Vec<u8>)>;
    position(id: ReservationId) -> Option<u32>;
    cancel(id: ReservationId, buyer: BuyerId, now: Timestamp) -> Option<Reservation>;
}

watched! { Orders, "ledger", orders:
    orders_after(buyer: BuyerId, after: Option<&OrderPlace>, max: u32) -> Vec<Order>;
    order_of(reservation: ReservationId) -> Option<Order>;
    order(number: &str) -> Option<Order>;
}

watched! { Paying, "ledger", paying:
    payment(id: PaymentId) -> Option<Payment>;
    confirm(id: ReservationId, payment: PaymentId, number: &str, now: Timestamp) -> Confirmed;
    bills(ids: &[ReservationId]) -> Vec<Bill>;
    begin_all(begins: &[Begin], now: Timestamp) -> Vec<Result<Begun>>;
    finish_all(finishes: &[Finish], now: Timestamp) -> Vec<Result<Finished>>;
    payment_voided(id: ReservationId, payment: PaymentId, now: Timestamp) -> Option<Reservation>;
    payment_unopened(id: ReservationId, payment: PaymentId, now: Timestamp) -> Option<Reservation>;
    payment_declined(id: ReservationId, payment: PaymentId, card: Option<&str>, now: Timestamp) -> Option<Reservation>;
    declines(id: ReservationId) -> u8;
}

watched! { Refunds, "ledger", refunds:
    refund_units_by(what: &RefundRequest, now: Timestamp, by: Option<&Author>) -> RefundOutcome;
    move_refund_by(from: &RefundEntry, to: &RefundEntry, by: Option<&Author>) -> bool;
    refunds_made(payment: PaymentId, made: &[MadeRefund], kept_minor: i64, now: Timestamp) -> ();
    refund(id: RefundId) -> Option<RefundEntry>;
    refunds_of(reservations: &[ReservationId]) -> Vec<RefundEntry>;
    refunds_in(kind: RefundKind, after: Option<RefundId>, max: u32) -> Vec<(RefundEntry, Option<String>)>;
    refunds_due(now: Timestamp, max: u32) -> Vec<RefundEntry>;
}

watched! { Sweeping, "ledger", sweeping:
    lapse(sale: SaleId, ids: &[ReservationId], now: Timestamp) -> Vec<Reservation>;
    overdue(now: Timestamp, max: u32) -> Vec<(SaleId, ReservationId)>;
    unfreed_of(leased_by: u64, max: u32) -> Vec<(SaleId, ReservationId)>;
    stuck(before: Timestamp, max: u32) -> Vec<(ReservationId, PaymentId)>;
    standby_to_end(among: &[SaleId], now: Timestamp) -> Vec<SaleId>;
    end_standby(sale: SaleId, now: Timestamp, max: u32) -> Vec<Reservation>;
}

watched! { Restoring, "ledger", restoring:
    last_turns(sales: &[SaleId]) -> Vec<LastTurn>;
    standing(sale: SaleId) -> Option<SaleTotals>;
    first_gap(sale: SaleId, generation: u64, after: u64) -> u64;
    snapshot(sale: SaleId) -> Option<Snapshot>;
    lock_restore(sale: SaleId) -> Option<Box<dyn RestoreLock>>;
    restore_under(sale: SaleId, from: u64, lease: &SaleLease, now: Timestamp) -> Option<(Snapshot, Vec<Reservation>)>;
}

watched! { Catalogue, "ledger", catalogue:
    create_item_once(item: &NewItem, request: Option<RequestId>, by: Option<&Author>) -> Item;
    item(id: ItemId) -> Option<Item>;
    create_sale_once(sale: &NewSale, request: Option<RequestId>, by: Option<&Author>) -> Option<Sale>;
    sale(id: SaleId) -> Option<Sale>;
    sales_after(after: Option<SaleId>, max: u32) -> Vec<Sale>;
    titles(sales: &[SaleId]) -> HashMap<SaleId, String>;
    sales_that_matter(now: Timestamp) -> Vec<Sale>;
    sales_of(ids: &[SaleId]) -> Vec<Sale>;
    sales_moved(now: Timestamp, within_ms: i64) -> BTreeMap<SaleId, Moved>;
    sales_round(after: RoundPlace, now: Timestamp, max: u32) -> (Vec<SaleId>, Option<RoundPlace>);
    sales_in_round(after: Timestamp) -> u64;
    keep_lists(now: Timestamp, max: u32) -> u32;
    set_state_by(id: SaleId, state: SaleState, by: Option<&Author>) -> Changed;
    raise_by(id: SaleId, capacity: u32, by: Option<&Author>) -> Changed;
}

watched! { Idempotency, "ledger", idempotency:
    claim(asked: &Asked) -> Claim;
    keep(key: Key, lease: Lease, answer: &Answer) -> bool;
    let_go(key: Key, lease: Lease) -> ();
    withdraw(key: Key, lease: Lease) -> ();
    forget(now: Timestamp, max: u32) -> u64;
}

watched! { Deadlines, "signals", deadlines:
    schedule(deadline: Deadline, hold_ms: i64) -> ();
    deadlines() -> Box<dyn Subscription<Deadline>>;
}

#[async_trait]
impl Notices for Watched {
    async fn tell(&self, notices: &[Notice]) -> Result<()> {
        self.access("signals", "tell")?;
        self.inner.notices.tell(notices).await
    }

    fn missed(&self, sale: SaleId) {
        let _ = self.access("signals", "missed");
        self.inner.notices.missed(sale);
    }

    async fn notices(&self) -> Result<Box<dyn NoticeStream>> {
        self.access("signals", "notices")?;
        self.inner.notices.notices().await
    }
}

watched! { SaleFeed, "signals", news:
    publish(bulletin: &SaleSnapshot) -> ();
    news() -> Box<dyn NewsStream>;
    request(request: &NewsRequest) -> ();
    requests() -> Box<dyn RequestStream>;
}
