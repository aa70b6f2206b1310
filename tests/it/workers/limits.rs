//! What workers do at once, take at once, and wait for: each at its limit and one above.

use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use async_trait::async_trait;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use miaosha::adapters::memory::signals::MemorySignals;
use miaosha::adapters::sql::sqlite::Sandbox;
use miaosha::app::audit::audit;
use miaosha::app::mail;
use miaosha::app::money::refunds::take_over;
use miaosha::app::operator::{Command, carry_out};
use miaosha::app::receipts::keys::ReceiptKeys;
use miaosha::app::receipts::{self, Receipts};
use miaosha::app::sale::feed::Feed;
use miaosha::app::sale::restore::{Divergence, RestoreReason};
use miaosha::app::sale::rounds;
use miaosha::app::sale::tell;
use miaosha::app::sale::turns::{SaleCursor, Unsettled, record};
use miaosha::domain::money::payment::{RefundAnswer, RefundPace};
use miaosha::domain::sale::SaleState;
use miaosha::domain::sale::notice::{Missed, Notice};
use miaosha::domain::sale::reservation::{Kind, Reservation, State};
use miaosha::domain::sale::turn::Turn;
use miaosha::domain::sale::turnstile::Ended;
use miaosha::domain::shared::id::{BuyerId, PaymentId, ReservationId, SaleId};
use miaosha::kit::work::backoff::BackoffSettings;
use miaosha::kit::work::lifecycle::Lifecycle;
use miaosha::kit::work::serve::{Worker, serve};
use miaosha::ports::money::paying::Paying;
use miaosha::ports::money::refunds::Refunds;
use miaosha::ports::platform::clock::Clock;
use miaosha::ports::sale::deadlines::{Deadline, Deadlines};
use miaosha::ports::sale::feed::{NewsRequest, NewsStream, RequestStream, SaleFeed, SaleSnapshot};
use miaosha::ports::sale::notices::{NoticeItem, NoticeStream, Notices};
use miaosha::ports::{Delivery, Fault, Result, Subscription};
use miaosha::workers::mailer::{Listening, Way};
use miaosha::workers::payment_consumer::{self, Alarms, Job, Sweeper};
use miaosha::workers::relay::{Relay, Settings as RelaySettings};
use sqlx::{Connection, SqliteConnection};

use super::embedded::{fixture, fixture_of};
use super::fixture::{Fixture, Message, allotment, payment_settings, relay_settings};
use crate::contract::turnstile::only;
use crate::support::clock::START;
use crate::support::held::{Hold, Still, Stuck, at_once, in_takes, settle};
use crate::support::watched::{Before, Call, Watched};

/// Payments whose calls of one kind do this first.
fn watched(
    kind: Call,
    before: impl Fn(PaymentId) -> BoxFuture<'static, ()> + Send + Sync + 'static,
) -> impl FnOnce(Sandbox) -> Watched<Sandbox> {
    let before: Before = Arc::new(move |call, payment| if call == kind { before(payment) } else { async {}.boxed() });
    move |payments| Watched { payments, before }
}

fn held(kind: Call, hold: &Hold) -> impl FnOnce(Sandbox) -> Watched<Sandbox> {
    let hold = hold.clone();
    watched(kind, move |_| {
        let hold = hold.clone();
        async move { hold.enter().await }.boxed()
    })
}

#[tokio::test]
async fn so_many_payments_are_resolved_at_once() {
    let (folder, hold) = (tempfile::tempdir().unwrap(), Hold::new());
    let fixture = fixture_of(folder.path(), MemorySignals::new(), held(Call::Void, &hold), ()).await;
    let fixture = fixture.with_sale(allotment(4, 0)).await;
    fixture.decide([fixture.batch(1..=4)]).await;
    for buyer in 1..=4 {
        fixture.begin_paying(buyer).await;
    }
    let settings = payment_consumer::Settings { provider_calls_max: 3, ..payment_settings() };
    fixture.clock.advance_ms(settings.paying_ms_max + 1);
    let sweeper = Sweeper::new(fixture.world.needs(), settings);
    at_once(3, &hold, sweeper.sweep_one(Job::Stuck)).await.unwrap();
    assert!(fixture.kinds(1..=4).await.values().all(|kind| *kind != Some(Kind::Paying)));
}

#[tokio::test]
async fn the_audit_asks_of_so_many_payments_at_once() {
    let (folder, hold) = (tempfile::tempdir().unwrap(), Hold::new());
    let fixture = fixture_of(folder.path(), MemorySignals::new(), held(Call::KeptMinor, &hold), ()).await;
    let fixture = fixture.with_sale(allotment(17, 0)).await;
    fixture.decide([fixture.batch(1..=17)]).await;
    for buyer in 1..=17 {
        fixture.pay(buyer).await;
    }
    let verdict = at_once(16, &hold, audit(&fixture.world.needs(), fixture.sale)).await.unwrap().unwrap();
    assert!(verdict.pass, "{verdict}");
}

#[tokio::test]
async fn a_sweep_takes_so_many_rows() {
    in_takes(2, async |count| {
        let fixture = fixture().await.with_sale(allotment(4, 0)).await;
        let buyers = 1..=count as u64;
        fixture.decide([fixture.batch(buyers.clone())]).await;
        for buyer in buyers.clone() {
            fixture.begin_paying(buyer).await;
        }
        let settings = payment_consumer::Settings { rows_max: 2, ..payment_settings() };
        fixture.clock.advance_ms(settings.paying_ms_max + 1);
        let sweeper = Sweeper::new(fixture.world.needs(), settings);
        let (mut takes, mut left) = (Vec::new(), count);
        while left > 0 && takes.len() < 9 {
            sweeper.sweep_one(Job::Stuck).await.unwrap();
            let kinds = fixture.kinds(buyers.clone()).await;
            let paying = kinds.values().filter(|kind| **kind == Some(Kind::Paying)).count();
            takes.push(left - paying);
            left = paying;
        }
        takes
    })
    .await;
}

#[tokio::test]
async fn a_payment_may_take_so_long() {
    let fixture = fixture().await.with_sale(allotment(1, 0)).await;
    fixture.decide([fixture.batch([1])]).await;
    fixture.begin_paying(1).await;
    let settings = payment_consumer::Settings { paying_ms_max: 5_000, ..payment_settings() };
    let sweeper = Sweeper::new(fixture.world.needs(), settings);
    for (ms, kind) in [(5_000, Kind::Paying), (1, Kind::Held)] {
        fixture.clock.advance_ms(ms);
        sweeper.sweep_one(Job::Stuck).await.unwrap();
        assert_eq!(fixture.kind(1).await, Some(kind));
    }
}

#[tokio::test]
async fn standby_ends_so_many_at_once() {
    for (parties, wanted) in [(512, vec![512]), (1_025, vec![512, 512, 1])] {
        let signals = MemorySignals::new();
        let folder = tempfile::tempdir().unwrap();
        let fixture = fixture_of(folder.path(), signals.clone(), |sandbox| sandbox, ()).await;
        let fixture = fixture.with_sale(allotment(1, 2_000)).await;
        // The first has the only unit.
        for buyers in [0..513, 513..parties + 1] {
            fixture.decide([fixture.batch(buyers)].into_iter().filter(|batch| !batch.attempts.is_empty())).await;
        }
        fixture.pay(0).await;
        fixture.world.catalogue.set_state(fixture.sale, SaleState::Closed).await.unwrap();
        let mut notices = signals.notices().await.unwrap();
        fixture.sweeper().sweep_one(Job::Standby).await.unwrap();
        let mut told = Vec::new();
        while let Some(Ok(NoticeItem::Notices(some))) = notices.next().now_or_never() {
            told.push(some.len());
        }
        assert_eq!(told, wanted);
    }
}

type Books = (Arc<dyn Paying>, Arc<dyn Refunds>);

/// What the provider says of a payment's refunds is read again while they move, but not for ever.
#[tokio::test]
async fn refunds_that_move_are_looked_at_so_often() {
    for (moves, is_done) in [(7, true), (8, false)] {
        let (folder, left) = (tempfile::tempdir().unwrap(), Arc::new(AtomicU32::new(0)));
        let store: Arc<OnceLock<Books>> = Arc::default();
        let moving = (store.clone(), left.clone());
        let before = watched(Call::Refunds, move |payment| {
            let (store, left) = moving.clone();
            async move {
                if left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
                    let (paying, refunds) = store.get().unwrap();
                    let paid = paying.payment(payment).await.unwrap().unwrap();
                    let due = refunds.refunds_of(&[paid.reservation]).await.unwrap().remove(0);
                    assert!(refunds.move_refund(&due, &due.asked(pace(9), START).unwrap()).await.unwrap());
                }
            }
            .boxed()
        });
        let fixture = fixture_of(folder.path(), MemorySignals::new(), before, ()).await;
        let fixture = fixture.with_sale(allotment(1, 0)).await;
        let _ = store.set((fixture.world.paying.clone(), fixture.world.refunds.clone()));
        fixture.decide([fixture.batch([1])]).await;
        fixture.pay(1).await;
        fixture.refund_units(1, None).await;
        let due = fixture.world.refunds.refunds_due(fixture.clock.now(), 9).await.unwrap().remove(0);
        assert_eq!(fixture.world.payments.refund(&due.refund, 0).await.unwrap(), RefundAnswer::Done);
        left.store(moves, Ordering::SeqCst);
        let taken = take_over(&fixture.world.needs(), &tell::Settings::default(), due.refund.payment).await;
        assert_eq!(taken.is_ok(), is_done, "{taken:?}");
    }
}

/// Without a wait.
fn pace(tries_max: u32) -> RefundPace {
    RefundPace { wait_ms: 0, wait_ms_max: 0, tries_max }
}

#[tokio::test]
async fn the_audit_names_so_many_failed_refunds() {
    for (count, named) in [(20, 20), (21, 20)] {
        let fixture = fixture().await.with_sale(allotment(21, 0)).await;
        fixture.decide([fixture.batch(1..=count)]).await;
        let store = &fixture.world.refunds;
        for buyer in 1..=count {
            fixture.pay(buyer).await;
            fixture.refund_units(buyer, None).await;
            let due = store.refunds_due(fixture.clock.now(), 1).await.unwrap().remove(0);
            let asked = due.asked(pace(1), START).unwrap();
            let no = RefundAnswer::Refused { code: "no".to_owned() };
            let failed = asked.answered(&no, pace(1), START).unwrap();
            assert!(store.move_refund(&due, &asked).await.unwrap());
            assert!(store.move_refund(&asked, &failed).await.unwrap());
        }
        let verdict = fixture.audit().await;
        assert_eq!((verdict.figures.refunds_failed, verdict.owed.len()), (count, named));
    }
}

/// By the audit, which counts them, and by an operator, who lists and replays them.
#[tokio::test]
async fn so_many_parked_messages_are_seen() {
    for (rows, seen) in [(10_000, 10_000), (10_001, 10_000)] {
        let folder = tempfile::tempdir().unwrap();
        let fixture = fixture_of(folder.path(), MemorySignals::new(), |sandbox| sandbox, ()).await;
        let fixture = fixture.with_sale(allotment(1, 0)).await;
        let url = format!("sqlite://{}", folder.path().join("queue.sqlite").display());
        let mut queue = SqliteConnection::connect(&url).await.unwrap();
        let park = "INSERT INTO parked (part, why, body) \
                    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT 0, 'x', x'00' FROM n";
        sqlx::query(park).bind(rows).execute(&mut queue).await.unwrap();
        assert_eq!(fixture.audit().await.figures.parked, seen);
        let listed = carry_out(&fixture.world.needs(), Command::Parked).await.unwrap();
        assert_eq!(listed["parked"].as_array().unwrap().len() as u64, seen);
        assert_eq!(carry_out(&fixture.world.needs(), Command::Replay).await.unwrap()["replayed"], seen);
    }
}

#[tokio::test]
async fn a_bulletin_tells_of_so_many_sales() {
    in_takes(64, async |count| {
        let signals = MemorySignals::new();
        let folder = tempfile::tempdir().unwrap();
        let fixture = fixture_of(folder.path(), signals.clone(), |sandbox| sandbox, ()).await;
        for _ in 0..count {
            fixture.new_sale(allotment(1, 0), 60_000).await;
        }
        let mut stream = signals.news().await.unwrap();
        Feed::new(fixture.world.needs(), rounds::Settings::default()).tell_moved().await.unwrap();
        let mut told = Vec::new();
        while let Some(Ok(bulletin)) = stream.next().now_or_never() {
            told.push(bulletin.sales.len());
        }
        told
    })
    .await;
}

/// Orders that were let go: an event each.
async fn with_events(count: usize) -> Fixture {
    let fixture = fixture().await.with_sale(allotment(9, 0)).await;
    let buyers = 1..=count as u64;
    fixture.decide([fixture.batch(buyers.clone())]).await;
    for buyer in buyers {
        fixture.cancel(buyer).await;
    }
    fixture
}

#[tokio::test]
async fn so_many_events_are_published_together() {
    in_takes(3, async |count| {
        let fixture = with_events(count).await;
        let relay = Relay::new(fixture.world.needs(), RelaySettings { events_max: 3, ..relay_settings() });
        let mut read = Vec::new();
        while let relayed @ 1.. = relay.step().await.unwrap().read {
            read.push(relayed as usize);
        }
        read
    })
    .await;
}

#[tokio::test]
async fn old_events_are_removed_in_pieces() {
    let fixture = with_events(5).await;
    let settings = RelaySettings { removed_max: 2, ..relay_settings() };
    let keep_ms = settings.keep_published_ms;
    let relay = Relay::new(fixture.world.needs(), settings);
    relay.drain().await.unwrap();
    fixture.clock.advance_ms(keep_ms + 1);
    relay.tend().await.unwrap();
    assert_eq!(fixture.world.outbox.remove_published(fixture.clock.now(), 9).await.unwrap(), 0);
}

/// Signals of which one kind of call never ends.
#[derive(Clone)]
struct Silent {
    signals: MemorySignals,
    notices: Option<Stuck>,
    alarms: Option<Stuck>,
}

#[async_trait]
impl Deadlines for Silent {
    async fn schedule(&self, deadline: Deadline, hold_ms: i64) -> Result<()> {
        match &self.alarms {
            Some(stuck) => stuck.stay().await,
            None => self.signals.schedule(deadline, hold_ms).await,
        }
    }

    async fn deadlines(&self) -> Result<Box<dyn Subscription<Deadline>>> {
        self.signals.deadlines().await
    }
}

#[async_trait]
impl Notices for Silent {
    async fn tell(&self, notices: &[Notice]) -> Result<()> {
        match &self.notices {
            Some(stuck) => stuck.stay().await,
            None => self.signals.tell(notices).await,
        }
    }

    fn missed(&self, sale: SaleId) {
        self.signals.missed(sale);
    }

    async fn notices(&self) -> Result<Box<dyn NoticeStream>> {
        self.signals.notices().await
    }
}

#[async_trait]
impl SaleFeed for Silent {
    async fn publish(&self, bulletin: &SaleSnapshot) -> Result<()> {
        self.signals.publish(bulletin).await
    }

    async fn news(&self) -> Result<Box<dyn NewsStream>> {
        self.signals.news().await
    }

    async fn request(&self, request: &NewsRequest) -> Result<()> {
        self.signals.request(request).await
    }

    async fn requests(&self) -> Result<Box<dyn RequestStream>> {
        self.signals.requests().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_is_silent_is_left_after_its_time() {
    let (still, stuck) = (Still::new(), (Stuck::default(), Stuck::default()));
    let (folder, signals) = (tempfile::tempdir().unwrap(), MemorySignals::new());
    let silent = Silent { signals: signals.clone(), notices: Some(stuck.0.clone()), alarms: Some(stuck.1.clone()) };
    let fixture = fixture_of(folder.path(), silent, |sandbox| sandbox, ()).await;
    let state = State::Held { units: vec![1], lapses_at: START };
    let (id, sale, buyer) = (ReservationId(1), SaleId(1), BuyerId(1));
    let rows = [Reservation { id, sale, buyer, quantity: 1, state, version: 1, freed: false, created_at: START }];
    let settings = tell::Settings { notice_ms_max: 700, alarm_ms_max: 900 };
    let mut told = signals.notices().await.unwrap();
    still.leaves_after(700, &stuck.0, tell::try_to_notify(&fixture.world.needs(), &settings, &rows)).await;
    assert_eq!(told.next().await.unwrap(), NoticeItem::Missed(Missed::Sales(vec![(sale, 0)])));
    still.leaves_after(900, &stuck.1, tell::try_to_wake(&fixture.world.needs(), &settings, &rows, 60_000)).await;
}

/// It is looked for every 20 ms.
#[tokio::test(start_paused = true)]
async fn a_promotion_waits_so_long_for_its_row() {
    let still = Still::new();
    for (absent_ms_max, looks) in [(100, 5), (101, 6)] {
        let fixture = fixture().await.with_sale(allotment(1, 1)).await;
        let (turnstile, now) = (&fixture.world.turnstile, fixture.clock.now());
        let [first, second] = [fixture.batch([1]), fixture.batch([2])];
        let reserved = only(turnstile.reserve(fixture.sale, fixture.knowing().await, &[&first]).await.unwrap());
        fixture.world.recording.record(fixture.sale, &[Turn::Batch { batch: first, reserved }], now).await.unwrap();
        let ended = Ended { id: fixture.cancel(1).await, part: None };
        // The next in line is nowhere written.
        turnstile.reserve(fixture.sale, fixture.knowing().await, &[&second]).await.unwrap();
        let released = turnstile.release(fixture.sale, fixture.knowing().await, &[ended]).await.unwrap();
        let (turns, mut trail) = ([Turn::Release(only(released))], SaleCursor::new(fixture.sale));
        let mut records =
            pin!(record(&*fixture.world.recording, &*fixture.world.clock, &mut trail, &turns, absent_ms_max));
        let mut passed = 0;
        let step = loop {
            // What is written after the look is there after its answer.
            let looked = async {
                fixture.world.catalogue.set_state(fixture.sale, SaleState::Active).await.unwrap();
                settle().await;
            };
            tokio::select! {
                biased;
                step = &mut records => break step,
                () = looked => {}
            }
            still.pass(20).await;
            passed += 1;
        };
        assert!(matches!(step, Err(Unsettled::Diverged(Divergence { grounds: RestoreReason::Lost, .. }))), "{step:?}");
        assert_eq!(passed, looks);
    }
}

/// Hands out what it has, as much of it as it is asked for.
struct Heap(usize);

#[async_trait]
impl Subscription<()> for Heap {
    async fn next(&mut self, max: usize) -> Result<Vec<Box<dyn Delivery<()>>>> {
        let taken = max.min(self.0);
        self.0 -= taken;
        Ok((0..taken).map(|_| Message::of(())).collect())
    }
}

struct Taker {
    all: usize,
    takes: Mutex<Vec<usize>>,
    lifecycle: Lifecycle,
}

impl Worker for Taker {
    type Body = ();

    async fn subscribe(&self) -> Result<Box<dyn Subscription<()>>> {
        Ok(Box::new(Heap(self.all)))
    }

    fn deliveries_max(&self) -> usize {
        3
    }

    async fn handle(&self, deliveries: Vec<Box<dyn Delivery<()>>>) -> Result<()> {
        let mut takes = self.takes.lock().unwrap();
        takes.push(deliveries.len());
        if takes.iter().sum::<usize>() == self.all {
            self.lifecycle.soft.cancel();
        }
        Ok(())
    }

    fn failed(&self, fault: &Fault) {
        panic!("{fault}");
    }
}

#[tokio::test]
async fn workers_take_as_many_as_they_are_told_to() {
    in_takes(3, async |all| {
        let taker = Taker { all, takes: Mutex::default(), lifecycle: Lifecycle::new() };
        serve(&taker, &BackoffSettings::default(), &taker.lifecycle).await;
        taker.takes.into_inner().unwrap()
    })
    .await;
    let fixture = fixture().await;
    let alarms =
        Alarms::new(fixture.world.needs(), payment_consumer::Settings { deadlines_max: 7, ..payment_settings() });
    assert_eq!(Worker::deliveries_max(&alarms), 7);
    let keys = Arc::new(ReceiptKeys::parse(&format!("r1:{}", "7".repeat(64))).unwrap());
    let settings = receipts::Settings { deliveries_max: 5, ..receipts::Settings::default() };
    assert_eq!(Worker::deliveries_max(&Receipts::new(fixture.world.needs(), keys, settings, 0)), 5);
    let settings = mail::Settings { events_max: 6, ..mail::Settings::default() };
    let (needs, way) = (fixture.world.needs(), Way::Log(Arc::default()));
    assert_eq!(Worker::deliveries_max(&Listening { needs, settings, way, receipts: None }), 6);
}
