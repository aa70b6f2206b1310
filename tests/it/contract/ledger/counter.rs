//! A sale with the domain's turnstile beside a store: whatever the turnstile answers is ready to be recorded.

use miaosha::domain::money::payment::{Payment, PaymentState, RefundPace};
use miaosha::domain::sale::attempt::{Attempt, Batch};
use miaosha::domain::sale::reservation::{Kind, Reservation};
use miaosha::domain::sale::turn::{Known, Turn};
use miaosha::domain::sale::turnstile::{Ended, Turnstile};
use miaosha::domain::sale::{Allotment, Question, QuestionKey, Sale, StandbyUntil};
use miaosha::domain::shared::id::{BatchId, BuyerId, PaymentId, ReservationId};
use miaosha::domain::shared::money::Money;
use miaosha::domain::shared::time::Timestamp;
use miaosha::ports::sale::catalogue::{NewItem, NewSale};
use miaosha::ports::sale::recording::Recorded;

use crate::contract::turnstile::{done, only};
use crate::support::checkout;

pub use crate::support::clock::START as NOW;

pub const HOLD_MS: i64 = 60_000;
pub const PACE: RefundPace = RefundPace { wait_ms: 1_000, wait_ms_max: 4_000, tries_max: 3 };

pub trait Store: miaosha::wire::world::Store + Clone {}
impl<S: miaosha::wire::world::Store + Clone> Store for S {}

pub struct Counter<S> {
    pub store: S,
    pub sale: Sale,
    pub turnstile: Turnstile,
    batches: u64,
}

pub fn allotment(capacity: u32, standby_max: u32) -> Allotment {
    Allotment { capacity, quantity_max: 4, standby_max }
}

pub async fn new_sale<S: Store>(store: &S, allotment: Allotment) -> Sale {
    new_sale_until(store, allotment, StandbyUntil::default()).await
}

pub async fn new_sale_until<S: Store>(store: &S, allotment: Allotment, standby_until: StandbyUntil) -> Sale {
    let item = store.create_item(&NewItem { title: "座位 A".into(), description: "蓝色".into() }).await.unwrap();
    let sale = NewSale {
        item: item.id,
        price: Money { minor: 2500, currency: "TWD".parse().unwrap() },
        allotment,
        standby_until,
        hold_ms: HOLD_MS,
        opens_at: NOW,
        closes_at: NOW.plus_ms(3_600_000),
        questions: vec![Question { prompt: "What colour is the sky?".into(), answer: "blue".into() }],
        question_key: QuestionKey([7; 32]),
    };
    store.create_sale(&sale).await.unwrap().unwrap()
}

impl<S: Store> Counter<S> {
    pub async fn open(store: S, capacity: u32, standby_max: u32) -> Self {
        Self::open_until(store, capacity, standby_max, StandbyUntil::default()).await
    }

    pub async fn open_until(store: S, capacity: u32, standby_max: u32, until: StandbyUntil) -> Self {
        let allotment = allotment(capacity, standby_max);
        let sale = new_sale_until(&store, allotment, until).await;
        let turnstile = Turnstile::open(sale.generation, allotment);
        Self { store, sale, turnstile, batches: 0 }
    }

    fn known(&self) -> Known {
        let level = self.turnstile.level();
        Known { generation: level.generation, revision: level.revision, chain: level.chain }
    }

    /// One attempt for each buyer and quantity, in one batch.
    pub fn reserve(&mut self, attempts: &[(u64, u8)]) -> Turn {
        self.batches += 1;
        let attempts = attempts
            .iter()
            .map(|&(buyer, quantity)| Attempt { buyer: BuyerId(buyer), quantity, waits: true })
            .collect();
        let id = BatchId::new(NOW.0 as u64, self.sale.id.0 << 32 | self.batches);
        let batch = Batch { id, sale: self.sale.id, attempts, traced: Vec::new() };
        let reserved = only(self.turnstile.reserve(self.known(), &[&batch]));
        Turn::Batch { batch, reserved }
    }

    /// A batch that another publisher made.
    pub fn ask(&mut self, batch: Batch) -> Turn {
        let reserved = only(self.turnstile.reserve(self.known(), &[&batch]));
        Turn::Batch { batch, reserved }
    }

    pub fn release(&mut self, id: ReservationId) -> Turn {
        self.release_one(id.into())
    }

    pub fn release_one(&mut self, ended: Ended) -> Turn {
        Turn::Release(only(self.turnstile.release(self.known(), &[ended])))
    }

    pub fn raise(&mut self, capacity: u32) -> Turn {
        Turn::Raise(done(self.turnstile.raise(self.known(), capacity)))
    }

    pub async fn record(&self, turns: &[Turn]) -> Recorded {
        self.store.record(self.sale.id, turns, NOW).await.unwrap()
    }

    /// Records what must be recordable; the rows by buyer.
    pub async fn recorded(&self, turns: &[Turn]) -> Vec<Reservation> {
        match self.record(turns).await {
            Recorded::Done(mut rows) => {
                rows.sort_by_key(|row| row.buyer);
                rows
            }
            other => panic!("not recorded: {other:?}"),
        }
    }

    /// Reserves and records.
    pub async fn reserved(&mut self, attempts: &[(u64, u8)]) -> Vec<Reservation> {
        let turn = self.reserve(attempts);
        self.recorded(&[turn]).await
    }

    pub async fn row(&self, id: ReservationId) -> Reservation {
        self.store.reservation(id).await.unwrap().unwrap()
    }

    pub async fn kind(&self, id: ReservationId) -> Kind {
        self.row(id).await.state.kind()
    }

    /// A payment of all of it, that nobody wrote down.
    pub fn payment(&self, row: &Reservation, number: u128) -> Payment {
        Payment {
            id: PaymentId(u128::from(self.sale.id.0) << 64 | number),
            reservation: row.id,
            sale: row.sale,
            amount: self.sale.price.times(u32::from(row.quantity)).unwrap(),
            state: PaymentState::Opened,
            opened_at: NOW,
        }
    }

    /// Its hold is being paid with that one from now on.
    pub async fn begin_paying(&self, row: &Reservation, number: u128) -> PaymentId {
        let payment = self.payment(row, number);
        checkout::begin(&self.store, &payment, row.buyer, NOW).await;
        payment.id
    }

    pub async fn payment_state(&self, id: PaymentId) -> PaymentState {
        let facts = self.store.audit(self.sale.id, NOW).await.unwrap().unwrap();
        facts.payments.iter().find(|payment| payment.id == id).unwrap().state
    }

    /// The units that are claimed, as the claims have them.
    pub async fn claimed(&self) -> Vec<u32> {
        let facts = self.store.audit(self.sale.id, NOW).await.unwrap().unwrap();
        assert_eq!(facts.orphan_claims, Vec::<u32>::new());
        let mut units = Vec::new();
        for (row, claimed) in facts.live {
            assert_eq!(row.state.units(), claimed, "a live row's units are its claims");
            units.extend(claimed);
        }
        units.sort_unstable();
        units
    }

    /// The ledger agrees with the turnstile, and its turns with each other.
    pub async fn agrees(&self) {
        let facts = self.store.audit(self.sale.id, NOW).await.unwrap().unwrap();
        assert_eq!(facts.broken_turns, Vec::<String>::new());
        let ledger = self.store.snapshot(self.sale.id).await.unwrap().unwrap();
        let turnstile = self.turnstile.snapshot();
        assert_eq!(ledger.holdings(), turnstile.holdings());
        assert_eq!((ledger.generation, ledger.revision, ledger.chain), {
            (turnstile.generation, turnstile.revision, turnstile.chain)
        });
    }
}

/// After the holds that were made now.
pub fn later() -> Timestamp {
    NOW.plus_ms(HOLD_MS)
}
