//! The counter over a queue and a ledger that do as they are told.

use std::sync::Mutex;

use async_trait::async_trait;

use super::*;
use crate::domain::sale::reservation::{Outcome, State};
use crate::domain::sale::{Allotment, Sale};
use crate::domain::shared::id::PaymentId;
use crate::kit::work::lifecycle::Lifecycle;
use crate::ports::Subscription;
use crate::ports::sale::reservations::{Place, Version};

const NOW: Timestamp = Timestamp(1_500);

/// Takes every batch, and decides it after a while: the first so many get a unit.
struct World {
    began: Instant,
    decided_after_ms: u64,
    units: usize,
    shed: Option<Shed>,
    batches: Mutex<Vec<Batch>>,
    /// Of whoever asks.
    row: Option<Reservation>,
}

impl World {
    fn new(decided_after_ms: u64, units: usize) -> Self {
        let began = Instant::now();
        Self { began, decided_after_ms, units, shed: None, batches: Mutex::default(), row: None }
    }

    fn counter(self) -> (Arc<Self>, Counter) {
        let world = Arc::new(self);
        let needs = Needs { attempts: world.clone(), reservations: world.clone(), clock: world.clone() };
        (world, Counter::start(needs, &Lifecycle::new()))
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        NOW
    }

    fn is_sure(&self) -> bool {
        true
    }
}

#[async_trait]
impl Attempts for World {
    async fn submit(&self, batch: Batch) -> Result<(), Shed> {
        self.batches.lock().unwrap().push(batch);
        self.shed.clone().map_or(Ok(()), Err)
    }

    fn partitions(&self) -> u16 {
        2
    }

    async fn attempts(&self, _: u16) -> Result<Box<dyn Subscription<Batch>>> {
        Err(Fault::new("queue", "nobody consumes"))
    }

    fn is_up(&self) -> bool {
        true
    }
}

#[async_trait]
impl Reservations for World {
    async fn reservation(&self, _: ReservationId) -> Result<Option<Reservation>> {
        Ok(None)
    }

    async fn reservation_of(&self, _: SaleId, _: BuyerId) -> Result<Option<Reservation>> {
        Ok(self.row.clone())
    }

    async fn places(&self, _: SaleId, _: &[BuyerId]) -> Result<Vec<Place>> {
        Ok(Vec::new())
    }

    async fn versions(&self, _: SaleId, _: &[BuyerId]) -> Result<Vec<Version>> {
        Ok(Vec::new())
    }

    async fn outcome(&self, _: SaleId, _: BuyerId, _: AttemptId) -> Result<Outcome> {
        Ok(Outcome::Pending)
    }

    async fn decided(&self, sale: SaleId, batches: &[BatchId]) -> Result<Vec<(BatchId, Vec<u8>)>> {
        if self.began.elapsed() < Duration::from_millis(self.decided_after_ms) {
            return Ok(Vec::new());
        }
        let sent = self.batches.lock().unwrap();
        let sent = sent.iter().filter(|batch| batch.sale == sale && batches.contains(&batch.id));
        let code = |place| if place < self.units { b'T' } else { b'R' };
        Ok(sent.map(|batch| (batch.id, (0..batch.attempts.len()).map(code).collect())).collect())
    }

    async fn position(&self, _: ReservationId) -> Result<Option<u32>> {
        Ok(None)
    }

    async fn cancel(&self, _: ReservationId, _: BuyerId, _: Timestamp) -> Result<Option<Reservation>> {
        Ok(None)
    }
}

fn shown(left: u32) -> CachedSale {
    let sale = Sale { allotment: Allotment { capacity: 9, quantity_max: 1, standby_max: 0 }, ..Sale::sample() };
    CachedSale { sale, sold: 0, left, all_paid: false, standby: 0, looked_at: Instant::now() }
}

fn row(state: State) -> Reservation {
    let (id, sale, buyer, created_at) = (ReservationId(7), SaleId(1), BuyerId(7), NOW);
    Reservation { id, sale, buyer, quantity: 1, state, version: 1, freed: false, created_at }
}

async fn hold(counter: &Counter, buyer: u64, comes: Comes) -> Hold {
    counter.hold(&shown(9), BuyerId(buyer), comes, NOW).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn those_that_are_there_share_a_batch_and_none_of_them_would_wait() {
    let (world, counter) = World::new(0, 2).counter();
    let held = join_all((1..=3).map(|buyer| hold(&counter, buyer, Comes::New))).await;
    let batches = world.batches.lock().unwrap();
    let attempts: Vec<_> = batches.iter().flat_map(|batch| &batch.attempts).collect();
    assert!(attempts.iter().all(|attempt| attempt.quantity == 1 && !attempt.waits));
    assert_eq!(attempts.iter().map(|attempt| attempt.buyer.0).collect::<Vec<_>>(), [1, 2, 3]);
    let [batch] = &batches[..] else { panic!("{batches:?}") };
    let id = |place| Hold::Reserved(batch.attempt_id(place).into());
    assert_eq!(held, [id(0), id(1), Hold::SoldOut]);
}

#[tokio::test(start_paused = true)]
async fn who_gets_nothing_is_told_so() {
    let (_, counter) = World::new(0, 0).counter();
    assert_eq!(hold(&counter, 1, Comes::New).await, Hold::SoldOut);
    let nothing_left = counter.hold(&shown(0), BuyerId(1), Comes::New, NOW).await.unwrap();
    assert_eq!(nothing_left, Hold::SoldOut);
    let closed = counter.hold(&shown(9), BuyerId(1), Comes::New, Timestamp(2_000)).await.unwrap();
    assert_eq!(closed, Hold::NotOpen(Phase::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_decision_is_waited_for_so_long() {
    for (after_ms, is_held) in [(0, true), (7_800, true), (8_001, false)] {
        let (world, counter) = World::new(after_ms, 1).counter();
        let held = hold(&counter, 1, Comes::New).await;
        let attempt = world.batches.lock().unwrap()[0].attempt_id(0);
        let wanted = if is_held { Hold::Reserved(attempt.into()) } else { Hold::Pending(attempt) };
        assert_eq!(held, wanted, "decided after {after_ms} ms");
        assert!(world.began.elapsed().as_millis() <= 8_000);
    }
}

/// The second one's group begins when the first one's is given up.
#[tokio::test(start_paused = true)]
async fn a_caller_waits_so_long_behind_others() {
    for (after_ms, is_held) in [(9_800, true), (20_000, false)] {
        let (world, counter) = World::new(after_ms, 1).counter();
        let (first, second) = futures_util::join!(hold(&counter, 1, Comes::New), async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            hold(&counter, 2, Comes::New).await
        });
        assert!(matches!(first, Hold::Pending(_)), "{first:?}");
        assert_eq!((matches!(second, Hold::Reserved(_)), second == Hold::Busy), (is_held, !is_held), "{second:?}");
        assert!(world.began.elapsed().as_millis() <= 10_002);
    }
}

/// What may be on its way is looked for; what is not was not taken in.
#[tokio::test(start_paused = true)]
async fn a_queue_that_takes_nothing_is_busy() {
    for (shed, is_held) in [(Shed::Full, false), (Shed::Away("gone".into()), false), (Shed::Slow, true)] {
        let (_, counter) = World { shed: Some(shed.clone()), ..World::new(0, 1) }.counter();
        let held = hold(&counter, 1, Comes::New).await;
        assert_eq!(matches!(held, Hold::Reserved(_)), is_held, "{shed}: {held:?}");
        assert_eq!(held == Hold::Busy, !is_held, "{shed}: {held:?}");
    }
}

/// Whoever comes again is told of the purchase there is; what lapsed is none.
#[tokio::test(start_paused = true)]
async fn a_purchase_sent_again_is_the_one_it_was() {
    let confirmed = State::Confirmed { units: vec![1], payment: PaymentId(1) };
    let held = State::Held { units: vec![1], lapses_at: NOW };
    let cases = [
        (confirmed, [true, true, false]),
        (held, [true, true, false]),
        (State::Refunded, [true, false, false]),
        (State::Lapsed, [false; 3]),
        (State::Cancelled, [false; 3]),
    ];
    for (state, is_it) in cases {
        for (comes, is_it) in [Comes::Again, Comes::Known, Comes::New].into_iter().zip(is_it) {
            let (world, counter) = World { row: Some(row(state.clone())), ..World::new(0, 1) }.counter();
            let held = hold(&counter, 7, comes).await;
            assert_eq!(held == Hold::Reserved(ReservationId(7)), is_it, "{state:?} {comes:?}");
            assert_eq!(world.batches.lock().unwrap().is_empty(), is_it, "{state:?} {comes:?}");
        }
    }
}
