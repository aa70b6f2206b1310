//! A world to work in: one sale, a clock and faults moved by the test, and workers whose crank the test turns.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use miaosha::adapters::folder::FolderArchive;
use miaosha::adapters::memory::places::MemoryPlaces;
use miaosha::adapters::memory::tries::MemoryTries;
use miaosha::app::audit::{Verdict, audit};
use miaosha::domain::money::order;
use miaosha::domain::money::payment::{Payment, PaymentState};
use miaosha::domain::sale::attempt::{Attempt, Batch};
use miaosha::domain::sale::reservation::{Kind, Reservation, State};
use miaosha::domain::sale::turn::Known;
use miaosha::domain::sale::{Allotment, QuestionKey, Sale, StandbyUntil};
use miaosha::domain::shared::id::{BatchId, BuyerId, PaymentId, ReservationId, SaleId};
use miaosha::domain::shared::money::Money;
use miaosha::kit::work::backoff::BackoffSettings;
use miaosha::ports::money::paying::Confirmed;
use miaosha::ports::money::payments::{Captured, Payments};
use miaosha::ports::money::refunds::{RefundOutcome, RefundRequest};
use miaosha::ports::platform::clock::Clock;
use miaosha::ports::sale::catalogue::{NewItem, NewSale};
use miaosha::ports::sale::deadlines::Deadline;
use miaosha::ports::sale::turnstile::Turnstile;
use miaosha::ports::{Delivery, Result};
use miaosha::wire::world::{Backends, Queue, Signals, Store, World};
use miaosha::workers::consumer::{self, Consumer};
use miaosha::workers::payment_consumer::{self as payments, Alarms, Sweeper};
use miaosha::workers::relay::{self, Relay};

use super::swap::Swap;
use crate::support::checkout::begin;
use crate::support::clock::{ManualClock, START};
use crate::support::faults::StopAt;

pub const HOLD_MS: i64 = 60_000;

/// A turnstile that knows nothing yet.
pub type Fresh = Arc<dyn Fn() -> BoxFuture<'static, Arc<dyn Turnstile>> + Send + Sync>;

pub struct Fixture {
    pub world: World,
    pub clock: Arc<ManualClock>,
    pub stops: Arc<StopAt>,
    pub turnstile: Swap,
    pub fresh: Fresh,
    pub sale: SaleId,
    made: AtomicU64,
    /// Whatever must live as long as the world.
    _keep: Box<dyn std::any::Any + Send + Sync>,
}

pub struct PartsOfFixture {
    pub fresh: Fresh,
    pub store: Arc<dyn Store>,
    pub queue: Arc<dyn Queue>,
    pub signals: Arc<dyn Signals>,
    pub payments: Arc<dyn Payments>,
    pub keep: Box<dyn std::any::Any + Send + Sync>,
}

pub fn allotment(capacity: u32, standby_max: u32) -> Allotment {
    Allotment { capacity, quantity_max: 4.min(u8::try_from(capacity).unwrap_or(4)), standby_max }
}

impl Fixture {
    pub async fn of(parts: PartsOfFixture) -> Self {
        let PartsOfFixture { fresh, store, queue, signals, payments, keep } = parts;
        let (clock, stops) = (ManualClock::new(), StopAt::new());
        let turnstile = Swap::new(fresh().await);
        let folder = tempfile::tempdir().unwrap();
        let archive = Arc::new(FolderArchive::new(folder.path()));
        let world = World::new(Backends {
            turnstile: Arc::new(turnstile.clone()),
            places: Arc::new(MemoryPlaces::new()),
            tries: Arc::new(MemoryTries::new()),
            store,
            queue,
            signals,
            payments,
            archive,
            clock: clock.clone(),
            faults: stops.clone(),
        });
        Self {
            world,
            clock,
            stops,
            turnstile,
            fresh,
            sale: SaleId(0),
            made: AtomicU64::new(0),
            _keep: Box::new((keep, folder)),
        }
    }
}

/// A delivery that the test made itself; what becomes of it is seen by its effects.
pub struct Message<B>(B);

impl<B: Send + 'static> Message<B> {
    pub fn of(body: B) -> Box<dyn Delivery<B>> {
        Box::new(Self(body))
    }
}

#[async_trait]
impl<B: Send + 'static> Delivery<B> for Message<B> {
    fn body(&self) -> &B {
        &self.0
    }

    async fn ack(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}

fn quick() -> BackoffSettings {
    BackoffSettings { first_ms: 1, wait_ms_max: 20, outage_ms_max: 5_000 }
}

pub fn consumer_settings() -> consumer::Settings {
    consumer::Settings { backoff: quick(), ..consumer::Settings::default() }
}

pub fn payment_settings() -> payments::Settings {
    // A refund whose asker is gone is due again at once.
    payments::Settings { backoff: quick(), absent_ms_max: 100, refund_wait_ms: 0, ..payments::Settings::default() }
}

pub fn relay_settings() -> relay::Settings {
    relay::Settings { backoff: quick(), ..relay::Settings::default() }
}

impl Fixture {
    /// With a sale of which nothing was given yet.
    pub async fn with_sale(self, allotment: Allotment) -> Self {
        self.with_sale_of(allotment, HOLD_MS).await
    }

    pub async fn with_sale_of(mut self, allotment: Allotment, hold_ms: i64) -> Self {
        self.sale = self.new_sale(allotment, hold_ms).await.id;
        self
    }

    pub async fn with_sale_until(mut self, allotment: Allotment, until: StandbyUntil) -> Self {
        self.sale = self.new_sale_until(allotment, HOLD_MS, until).await.id;
        self
    }

    pub async fn new_sale(&self, allotment: Allotment, hold_ms: i64) -> Sale {
        self.make_sale(1_000, allotment, hold_ms, StandbyUntil::default()).await
    }

    pub async fn new_sale_at(&self, minor: i64, allotment: Allotment, hold_ms: i64) -> Sale {
        self.make_sale(minor, allotment, hold_ms, StandbyUntil::default()).await
    }

    async fn new_sale_until(&self, allotment: Allotment, hold_ms: i64, standby_until: StandbyUntil) -> Sale {
        self.make_sale(1_000, allotment, hold_ms, standby_until).await
    }

    pub async fn new_draft(&self, allotment: Allotment) -> Sale {
        let terms = self.terms(1_000, allotment, HOLD_MS, StandbyUntil::default()).await;
        self.world.drafts.create_draft_once(&terms, None, None).await.unwrap().unwrap()
    }

    async fn make_sale(&self, minor: i64, allotment: Allotment, hold_ms: i64, standby_until: StandbyUntil) -> Sale {
        let terms = self.terms(minor, allotment, hold_ms, standby_until).await;
        let sale = self.world.catalogue.create_sale(&terms).await.unwrap().unwrap();
        self.world.turnstile.open(sale.id, sale.generation, sale.allotment).await.unwrap();
        sale
    }

    async fn terms(&self, minor: i64, allotment: Allotment, hold_ms: i64, standby_until: StandbyUntil) -> NewSale {
        let item = self
            .world
            .catalogue
            .create_item(&NewItem { title: "A thing".into(), description: String::new() })
            .await
            .unwrap()
            .id;
        NewSale {
            item,
            price: Money { minor, currency: "TWD".parse().unwrap() },
            allotment,
            standby_until,
            hold_ms,
            opens_at: START,
            closes_at: START.plus_ms(86_400_000),
            questions: Vec::new(),
            question_key: QuestionKey([7; 32]),
        }
    }

    pub fn consumer(&self) -> Consumer {
        Consumer::new(self.world.needs(), consumer_settings())
    }

    pub fn alarms(&self) -> Alarms {
        Alarms::new(self.world.needs(), payment_settings())
    }

    pub fn sweeper(&self) -> Sweeper {
        Sweeper::new(self.world.needs(), payment_settings())
    }

    pub fn relay(&self) -> Relay {
        Relay::new(self.world.needs(), relay_settings())
    }

    /// One unit each.
    pub fn batch(&self, buyers: impl IntoIterator<Item = u64>) -> Batch {
        self.batch_of(buyers.into_iter().map(|buyer| (buyer, 1)))
    }

    pub fn batch_of(&self, attempts: impl IntoIterator<Item = (u64, u8)>) -> Batch {
        let id = BatchId::new(self.clock.now().0 as u64, self.made.fetch_add(1, Ordering::SeqCst));
        let attempts =
            attempts.into_iter().map(|(buyer, quantity)| Attempt { buyer: BuyerId(buyer), quantity, waits: true });
        Batch { id, sale: self.sale, attempts: attempts.collect(), traced: Vec::new() }
    }

    /// Everything a consumer does for these batches.
    pub async fn decide(&self, batches: impl IntoIterator<Item = Batch>) {
        self.consumer().handle(batches.into_iter().map(Message::of).collect()).await.unwrap();
    }

    pub fn deadline(&self, reservations: impl IntoIterator<Item = ReservationId>) -> Deadline {
        Deadline { sale: self.sale, reservations: reservations.into_iter().collect(), traced: Vec::new() }
    }

    pub fn alarm(&self, reservations: impl IntoIterator<Item = ReservationId>) -> Box<dyn Delivery<Deadline>> {
        Message::of(self.deadline(reservations))
    }

    pub async fn row(&self, buyer: u64) -> Option<Reservation> {
        self.world.reservations.reservation_of(self.sale, BuyerId(buyer)).await.unwrap()
    }

    /// What a caller knows who just asked the turnstile.
    pub async fn knowing(&self) -> Known {
        let level = self.world.turnstile.look(self.sale).await.unwrap().unwrap();
        Known { generation: level.generation, revision: level.revision, chain: level.chain }
    }

    pub async fn kind(&self, buyer: u64) -> Option<Kind> {
        self.row(buyer).await.map(|row| row.state.kind())
    }

    /// What each buyer's last row says.
    pub async fn kinds(&self, buyers: impl IntoIterator<Item = u64>) -> BTreeMap<u64, Option<Kind>> {
        let mut kinds = BTreeMap::new();
        for buyer in buyers {
            kinds.insert(buyer, self.kind(buyer).await);
        }
        kinds
    }

    /// Every row of these buyers, with version and flags: two pictures are equal when nothing happened in between.
    pub async fn picture(&self, buyers: impl IntoIterator<Item = u64>) -> Vec<Option<Reservation>> {
        let mut rows = Vec::new();
        for buyer in buyers {
            rows.push(self.row(buyer).await);
        }
        rows
    }

    pub async fn audit(&self) -> Verdict {
        audit(&self.world.needs(), self.sale).await.unwrap().unwrap()
    }

    /// Everything is over but for holds that go on, and the world is told: the invariants hold, all of them.
    pub async fn assert_sound(&self) {
        self.relay().drain().await.unwrap();
        let verdict = self.audit().await;
        assert!(verdict.pass && verdict.is_at_rest(), "{verdict}");
    }

    /// The turnstile's memory is gone.
    pub async fn wipe(&self) {
        self.turnstile.replace((self.fresh)().await);
    }

    /// What a gateway writes before it asks the provider for anything.
    pub async fn take(&self, buyer: u64) -> Payment {
        let row = self.row(buyer).await.unwrap();
        let payment = Payment {
            id: PaymentId(u128::from(getrandom::u64().unwrap()) << 64 | u128::from(buyer)),
            reservation: row.id,
            sale: self.sale,
            amount: Money { minor: 1_000, currency: "TWD".parse().unwrap() }.times(row.quantity.into()).unwrap(),
            state: PaymentState::Opened,
            opened_at: self.clock.now(),
        };
        begin(&*self.world.paying, &payment, row.buyer, self.clock.now()).await;
        payment
    }

    /// What it does before it asks for the money.
    pub async fn begin_paying(&self, buyer: u64) -> Payment {
        let payment = self.take(buyer).await;
        self.world.payments.open(payment.id, payment.amount).await.unwrap();
        payment
    }

    /// A checkout that goes well.
    pub async fn pay(&self, buyer: u64) {
        let payment = self.begin_paying(buyer).await;
        let captured = self.world.payments.capture(payment.id, "ok").await.unwrap();
        assert_eq!(captured, Captured::Captured);
        let number = order::number(getrandom::u64().unwrap());
        let confirmed =
            self.world.paying.confirm(payment.reservation, payment.id, &number, self.clock.now()).await.unwrap();
        assert!(matches!(confirmed, Confirmed::Order(_)), "{confirmed:?}");
    }

    /// What an operator's refund writes: of all that is left of the buyer's order, or of these units.
    pub async fn refund_units(&self, buyer: u64, units: Option<&[u32]>) -> RefundOutcome {
        let orders = self.world.orders.orders(BuyerId(buyer), 9).await.unwrap();
        let order = orders.into_iter().find(|order| order.sale == self.sale).expect("there is an order");
        let what =
            RefundRequest { number: order.number, units: units.map(<[u32]>::to_vec), reason: None, request: None };
        self.world.refunds.refund_units(&what, self.clock.now()).await.unwrap()
    }

    pub async fn cancel(&self, buyer: u64) -> ReservationId {
        let row = self.row(buyer).await.unwrap();
        self.world.reservations.cancel(row.id, row.buyer, self.clock.now()).await.unwrap().unwrap().id
    }
}

pub fn units(row: &Option<Reservation>) -> &[u32] {
    row.as_ref().map_or(&[], |row| row.state.units())
}

pub fn lapses_at(row: &Reservation) -> miaosha::domain::shared::time::Timestamp {
    match row.state {
        State::Held { lapses_at, .. } | State::Paying { lapses_at, .. } => lapses_at,
        _ => panic!("{row:?} is no hold"),
    }
}
