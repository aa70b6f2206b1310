//! The fleet behind nginx, as a page sees it while a part of it crashes: the page says so, keeps the buyer's place, and heals.

use miaosha::domain::sale::{Allotment, Question};
use tokio::sync::Mutex;

use super::fixture::{Site, story_of};
use super::words::Tongue;
use crate::nginx::front::Fleet;
use crate::support::fleet::Offer;
use crate::support::proxy::{Proxy, by_proxy};
use crate::support::redis::Server as Redis;
use crate::support::servers::rabbit_url;

struct BehindNginx {
    fleet: Fleet,
    /// What kills it, kills all of its memory.
    redis: Mutex<Redis>,
    broker: Proxy,
}

impl Site for BehindNginx {
    fn url(&self) -> String {
        format!("http://{}", self.fleet.front.address)
    }
}

impl BehindNginx {
    async fn open() -> Self {
        let (redis, (rabbit, broker)) = (Redis::start().await, by_proxy(&rabbit_url()).await);
        let offer = Offer {
            allotment: Allotment { capacity: 5, quantity_max: 1, standby_max: 5 },
            hold_ms: 600_000,
            questions: vec![Question { prompt: "2 + 2 = ?".into(), answer: "4".into() }],
        };
        Self { fleet: Fleet::open(&redis.url(), &rabbit, offer).await, redis: Mutex::new(redis), broker }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_dies_is_said_and_waited_for() {
    story_of("broker-dies", BehindNginx::open, async |fixture| {
        let window = fixture.window(Tongue::English).await;
        let words = window.words();
        fixture.shop.fleet.person("ivy", "correct horse").await;
        window.log_in("ivy@example.org", "correct horse").await;
        window.shows("header nav", "ivy").await;
        window.go(&format!("/sales/{}", fixture.shop.fleet.sale)).await;
        window.face("ask").await;
        window.hears().await;

        // Nothing is taken that might be lost; it is sent again by itself.
        fixture.shop.broker.close();
        window.attempt("4").await;
        window.face("sending").await;
        window.shows(".ticket .slow", words.say("face.sending_again")).await;
        window.picture("broker-away").await;
        fixture.shop.broker.open();
        window.face("held").await;

        // What is held can be paid for without it.
        fixture.shop.broker.close();
        window.press_form().await;
        window.face("confirmed").await;
        window.reload().await;
        window.face("confirmed").await;
        fixture.shop.broker.open();
        window.hears().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turnstile_that_dies_is_said_and_waited_for() {
    story_of("redis-dies", BehindNginx::open, async |fixture| {
        let windows = [fixture.window(Tongue::English).await, fixture.window(Tongue::Chinese).await];
        for (window, name) in windows.iter().zip(["jon", "kim"]) {
            fixture.shop.fleet.person(name, "correct horse").await;
            window.log_in(&format!("{name}@example.org"), "correct horse").await;
            window.shows("header nav", name).await;
            window.go(&format!("/sales/{}", fixture.shop.fleet.sale)).await;
            window.face("ask").await;
            window.hears().await;
        }
        let [before, meanwhile] = &windows;
        before.attempt("4").await;
        before.face("held").await;

        // Taken for good, and not yet decided; also after a reload.
        fixture.shop.redis.lock().await.kill();
        meanwhile.attempt("4").await;
        for _ in 0..2 {
            meanwhile.face("pending").await;
            meanwhile.shows(".ticket .slow", meanwhile.words().say("face.pending_long")).await;
            meanwhile.picture("turnstile-away").await;
            meanwhile.reload().await;
        }
        // Who holds something neither loses it nor has to wait.
        before.reload().await;
        before.face("held").await;
        before.press_form().await;
        before.face("confirmed").await;

        // It comes back without a memory, and is told everything by the ledger.
        fixture.shop.redis.lock().await.start_again().await;
        meanwhile.face("held").await;
        meanwhile.press_form().await;
        meanwhile.face("confirmed").await;
    })
    .await;
}
