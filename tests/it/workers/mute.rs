//! What wakes and tells takes nothing and says nothing, as a queue without a leader does: decisions go on, holds lapse, units are
//! given on, and what could not be told is said to be missed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use metrics_exporter_prometheus::PrometheusBuilder;
use miaosha::adapters::memory::signals::MemorySignals;
use miaosha::app::sale::tell;
use miaosha::domain::sale::notice::{Missed, Notice};
use miaosha::domain::sale::reservation::Kind;
use miaosha::domain::shared::id::SaleId;
use miaosha::ports::sale::deadlines::{Deadline, Deadlines};
use miaosha::ports::sale::feed::{NewsRequest, NewsStream, RequestStream, SaleFeed, SaleSnapshot};
use miaosha::ports::sale::notices::{NoticeStream, Notices};
use miaosha::ports::{Result, Subscription};
use miaosha::workers::consumer;
use miaosha::workers::consumer::Consumer;
use miaosha::workers::payment_consumer;
use miaosha::workers::payment_consumer::{Alarms, Job, Sweeper};

use super::embedded::fixture_with;
use super::fixture::{Fixture, HOLD_MS, Message, allotment, consumer_settings, payment_settings};
use crate::contract::signals::{missed, told};

/// Which of the two never comes to an end, and how often it was tried.
#[derive(Clone)]
pub(super) struct Mute {
    signals: MemorySignals,
    alarms: bool,
    notices: bool,
    tries: Arc<AtomicU64>,
}

impl Mute {
    fn new(alarms: bool, notices: bool) -> Self {
        Self { signals: MemorySignals::new(), alarms, notices, tries: Arc::default() }
    }

    async fn swallow<T>(&self) -> T {
        self.tries.fetch_add(1, Ordering::SeqCst);
        std::future::pending().await
    }
}

#[async_trait]
impl Deadlines for Mute {
    async fn schedule(&self, deadline: Deadline, hold_ms: i64) -> Result<()> {
        if self.alarms {
            return self.swallow().await;
        }
        self.signals.schedule(deadline, hold_ms).await
    }

    async fn deadlines(&self) -> Result<Box<dyn Subscription<Deadline>>> {
        self.signals.deadlines().await
    }
}

#[async_trait]
impl Notices for Mute {
    async fn tell(&self, notices: &[Notice]) -> Result<()> {
        if self.notices {
            return self.swallow().await;
        }
        self.signals.tell(notices).await
    }

    fn missed(&self, sale: SaleId) {
        self.signals.missed(sale);
    }

    async fn notices(&self) -> Result<Box<dyn NoticeStream>> {
        self.signals.notices().await
    }
}

#[async_trait]
impl SaleFeed for Mute {
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

fn briefly() -> tell::Settings {
    tell::Settings { alarm_ms_max: 20, notice_ms_max: 20 }
}

async fn in_time<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), work).await.unwrap_or_else(|_| panic!("{what} waits without end"))
}

/// Two of five get a unit, three wait; the units lapse, once by the sweeper and once by alarms, and are given on.
async fn goes_on(signals: Mute) {
    let fixture = fixture_with(signals.clone()).await;
    let fixture = fixture.with_sale(allotment(2, 3)).await;
    let mut stream = signals.signals.notices().await.unwrap();
    let consumer = consumer::Settings { tell: briefly(), ..consumer_settings() };
    let consumer = Consumer::new(fixture.world.needs(), consumer);
    let settings = payment_consumer::Settings { tell: briefly(), ..payment_settings() };
    in_time("the consumer", consumer.handle(vec![Message::of(fixture.batch(1..=5))])).await.unwrap();
    assert_eq!(kinds(&fixture).await, "held held standby standby standby");
    hears(&mut stream, &fixture, &signals, [1, 2, 3, 4, 5]).await;

    fixture.clock.advance_ms(HOLD_MS + settings.alarm_ms);
    let sweeper = Sweeper::new(fixture.world.needs(), settings.clone());
    in_time("the sweeper", sweeper.sweep_one(Job::Overdue)).await.unwrap();
    assert_eq!(kinds(&fixture).await, "lapsed lapsed held held standby");
    fixture.assert_sound().await;
    hears(&mut stream, &fixture, &signals, [1, 2, 3, 4]).await;

    fixture.clock.advance_ms(HOLD_MS);
    let ids = [fixture.row(3).await.unwrap().id, fixture.row(4).await.unwrap().id];
    let alarms = Alarms::new(fixture.world.needs(), settings);
    in_time("an alarm", alarms.handle(vec![fixture.alarm(ids)])).await.unwrap();
    assert_eq!(kinds(&fixture).await, "lapsed lapsed lapsed lapsed held");
    fixture.assert_sound().await;
    hears(&mut stream, &fixture, &signals, [3, 4, 5]).await;
    assert!(signals.tries.load(Ordering::SeqCst) > 2, "all of it was tried");
}

async fn kinds(fixture: &Fixture) -> String {
    let kinds = fixture.kinds(1..=5).await.into_values();
    kinds.map(|kind| kind.map_or("nothing", Kind::name)).collect::<Vec<_>>().join(" ")
}

/// Each of these buyers is told; or, where none can be, that notices of the sale were missed.
async fn hears<const N: usize>(
    stream: &mut Box<dyn NoticeStream>,
    fixture: &Fixture,
    signals: &Mute,
    buyers: [u64; N],
) {
    if signals.notices {
        assert_eq!(missed(stream).await, Missed::Sales(vec![(fixture.sale, 0)]));
        return;
    }
    let mut heard: Vec<u64> = Vec::new();
    while heard.len() < N {
        let notices = in_time("a notice", told(stream)).await.unwrap();
        heard.extend(notices.iter().map(|notice| notice.buyer.0));
    }
    heard.sort_unstable();
    assert_eq!(heard, buyers);
}

/// What is left out is counted. The counters are this thread's, and so are the workers.
#[tokio::test]
async fn alarms_that_are_never_confirmed_hold_nothing_up() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _here = metrics::set_default_local_recorder(&recorder);
    goes_on(Mute::new(true, false)).await;
    let counted = recorder.handle().render();
    // Two holds, two promoted by the sweeper, one by an alarm.
    assert!(counted.contains("miaosha_omissions_total{what=\"alarms\"} 5"), "{counted}");
    assert!(!counted.contains("miaosha_omissions_total{what=\"notices\"}"), "{counted}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notices_that_are_never_confirmed_hold_nothing_up() {
    goes_on(Mute::new(false, true)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_takes_nothing_holds_nothing_up() {
    goes_on(Mute::new(true, true)).await;
}
