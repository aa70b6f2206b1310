//! The fleet behind nginx, as a page sees it while a part of it dies: the page says so, keeps the buyer's place, and heals.

use miaosha::domain::sale::{Allotment, Question};
use miaosha::domain::shared::id::SaleId;
use tempfile::TempDir;
use tokio::sync::Mutex;

use super::stage::{House, story_of};
use super::words::Tongue;
use crate::nginx::front::{Behind, Front};
use crate::support::fleet::{self, CONSUMER, GATEWAY, Offer, PAYMENT_CONSUMER, PUBLISHER, Part};
use crate::support::proxy::{Proxy, by_proxy};
use crate::support::servers::{rabbit_url, unique_name};
use crate::turnstile::server::Server as Redis;

struct Fleet {
    front: Front,
    /// What kills it, kills all of its memory.
    redis: Mutex<Redis>,
    broker: Proxy,
    sale: SaleId,
    _parts: [Part; 4],
    _folder: TempDir,
}

impl House for Fleet {
    fn url(&self) -> String {
        format!("http://{}", self.front.address)
    }
}

impl Fleet {
    async fn open() -> Self {
        let (redis, namespace) = (Redis::start().await, unique_name());
        let (rabbit, broker) = by_proxy(&rabbit_url()).await;
        let (mysql, store) = fleet::database().await;
        let offer = Offer {
            allotment: Allotment { capacity: 5, quantity_max: 1, standby_max: 5 },
            hold_ms: 600_000,
            questions: vec![Question { prompt: "2 + 2 = ?".into(), answer: "4".into() }],
        };
        let sale = fleet::sale(&store, &redis.url(), &namespace, offer).await;
        let folder = TempDir::new().unwrap();
        let (mut environment, _) = fleet::environment(&namespace, folder.path());
        environment.extend([
            ("MIAOSHA__REDIS__URL", redis.url()),
            ("MIAOSHA__RABBIT__URL", rabbit),
            ("MIAOSHA__MYSQL__URL", mysql),
            ("MIAOSHA__GATEWAY__TRUSTED_HOPS", "1".to_owned()),
        ]);
        let parts = [PUBLISHER, GATEWAY, CONSUMER, PAYMENT_CONSUMER].map(|program| Part::start(program, &environment));
        for part in &parts {
            part.comes_to_be_ready().await;
        }
        let [publisher, gateway] = [&parts[0], &parts[1]].map(|part| part.http.to_string());
        let behind = Behind { publishers: &[&publisher], gateways: &[&gateway], sockets: &gateway };
        let front = Front::before(behind).await;
        Self { front, redis: Mutex::new(redis), broker, sale, _parts: parts, _folder: folder }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_dies_is_said_and_waited_for() {
    story_of("broker-dies", Fleet::open, async |stage| {
        let window = stage.window(Tongue::English).await;
        let words = window.words();
        window.go(&format!("/sales/{}", stage.shop.sale)).await;
        window.sign_up("ivy").await;
        window.face("ask").await;
        window.hears().await;

        // Nothing is taken that might be lost; it is sent again by itself.
        stage.shop.broker.close();
        window.attempt("4").await;
        window.face("sending").await;
        window.shows(".ticket .slow", words.say("face.sending_again")).await;
        window.picture("broker-away").await;
        stage.shop.broker.open();
        window.face("held").await;

        // What is held can be paid for without it.
        stage.shop.broker.close();
        window.press_form().await;
        window.face("confirmed").await;
        window.reload().await;
        window.face("confirmed").await;
        stage.shop.broker.open();
        window.hears().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turnstile_that_dies_is_said_and_waited_for() {
    story_of("redis-dies", Fleet::open, async |stage| {
        let windows = [stage.window(Tongue::English).await, stage.window(Tongue::Chinese).await];
        for (window, name) in windows.iter().zip(["jon", "kim"]) {
            window.go(&format!("/sales/{}", stage.shop.sale)).await;
            window.sign_up(name).await;
            window.face("ask").await;
            window.hears().await;
        }
        let [before, meanwhile] = &windows;
        before.attempt("4").await;
        before.face("held").await;

        // Taken for good, and not yet decided; also after a reload.
        stage.shop.redis.lock().await.kill();
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
        stage.shop.redis.lock().await.start_again().await;
        meanwhile.face("held").await;
        meanwhile.press_form().await;
        meanwhile.face("confirmed").await;
    })
    .await;
}
