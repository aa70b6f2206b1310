//! A gateway with both of its socket listeners on loopback ports, and clients for them.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actix_web::{App, rt};
use futures_util::future::FutureExt;
use miaosha::adapters::folder::FolderArchive;
use miaosha::adapters::memory::places::MemoryPlaces;
use miaosha::adapters::memory::signals::MemorySignals;
use miaosha::adapters::memory::tries::MemoryTries;
use miaosha::adapters::memory::turnstile::MemoryTurnstile;
use miaosha::adapters::rabbit::{RabbitBroker, RabbitConfig};
use miaosha::adapters::sql::sqlite::SqliteStore;
use miaosha::adapters::sqlite_queue::SqliteQueue;
use miaosha::domain::sale::notice::Notice;
use miaosha::domain::shared::id::{ReservationId, SaleId};
use miaosha::faces::front::Settings;
use miaosha::faces::front::settings::sockets;
use miaosha::kit::http::connections::Connections;
use miaosha::kit::http::server::{self, ServerSettings};
use miaosha::kit::work::lifecycle::Lifecycle;
use miaosha::wire::gateway::routes;
use miaosha::wire::world::{Backends, Signals, World};
use serde_json::json;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::{Request, Response};

use crate::gateway::fixture::{Fixture, settings};
use crate::support::clock::ManualClock;
use crate::support::faults::StopAt;
use crate::support::servers::{rabbit_url, unique_name};
pub use crate::support::socket::{Client, knock, knock_from, until};

#[derive(Clone, Copy, Debug)]
pub enum Way {
    Shop,
    Lean,
}

pub struct Line {
    pub fixture: Fixture,
    pub address: SocketAddr,
    pub server: Option<actix_web::dev::ServerHandle>,
    pub lean: Option<tokio::task::JoinHandle<std::io::Result<()>>>,
}

pub fn rules() -> sockets::Settings {
    sockets::Settings { sale_updates_per_s_max: 20, drain_spread_ms: 50, ..sockets::Settings::default() }
}

async fn world(folder: &Path, clock: Arc<ManualClock>, stops: Arc<StopAt>, signals: impl Signals) -> World {
    let store = Arc::new(SqliteStore::open(&folder.join("ledger.db"), Lifecycle::new().tasks()).await.unwrap());
    store.migrate().await.unwrap();
    World::new(Backends {
        turnstile: Arc::new(MemoryTurnstile::new()),
        places: Arc::new(MemoryPlaces::new()),
        tries: Arc::new(MemoryTries::new()),
        payments: Arc::new(store.sandbox(&Lifecycle::new()).with_wait(Duration::ZERO)),
        store,
        queue: Arc::new(SqliteQueue::open(&folder.join("queue.db"), 2, 1_000, Lifecycle::new().tasks()).await.unwrap()),
        signals: Arc::new(signals),
        archive: Arc::new(FolderArchive::new(&folder.join("archive"))),
        clock,
        faults: stops,
    })
}

pub async fn over_memory(way: Way, rules: sockets::Settings) -> Line {
    let settings = with(rules);
    let fixture =
        Fixture::make(settings, |folder, clock, stops| world(folder, clock, stops, MemorySignals::new()).boxed_local())
            .await;
    Line::open(fixture, way).await
}

/// Where nobody's address is a proxy's.
pub async fn over_memory_without_proxies(way: Way, rules: sockets::Settings) -> Line {
    let settings = Settings { trusted_proxies: "".parse().unwrap(), ..with(rules) };
    let fixture =
        Fixture::make(settings, |folder, clock, stops| world(folder, clock, stops, MemorySignals::new()).boxed_local())
            .await;
    Line::open(fixture, way).await
}

/// The broker's URL, or that of something between.
pub async fn over_rabbit_at(url: String, way: Way, rules: sockets::Settings) -> Line {
    let settings = with(rules);
    let config = RabbitConfig {
        at: url.into(),
        namespace: unique_name(),
        partitions: 1,
        queue_messages_max: 100,
        confirm_ms: 10_000,
    };
    let broker = RabbitBroker::connect(config, Lifecycle::new().tasks()).await.unwrap();
    let fixture =
        Fixture::make(settings, |folder, clock, stops| world(folder, clock, stops, broker).boxed_local()).await;
    Line::open(fixture, way).await
}

pub async fn over_rabbit(way: Way, rules: sockets::Settings) -> Line {
    over_rabbit_at(rabbit_url(), way, rules).await
}

pub fn with(mut rules: sockets::Settings) -> Settings {
    rules.lean.listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    rules.lean.workers = 1;
    Settings { sockets: rules, ..settings() }
}

impl Line {
    pub async fn open(fixture: Fixture, way: Way) -> Self {
        let gateway = fixture.gateway.clone();
        rt::spawn(async move { gateway.run().await });
        until(|| fixture.gateway.hears()).await;
        let gateway = fixture.gateway.clone();
        match way {
            Way::Shop => {
                let http = ServerSettings { workers: 1, unread_ms_max: 2_000, ..ServerSettings::default() };
                let server = server::bind(&http, 5_000, Connections::default(), move || {
                    let gateway = gateway.clone();
                    App::new().configure(|cfg| routes(cfg, gateway))
                });
                let (address, server) = server.unwrap();
                let handle = server.handle();
                tokio::spawn(server);
                Self { fixture, address, server: Some(handle), lean: None }
            }
            Way::Lean => {
                let live = gateway.live().clone();
                let (address, server) = live.lean(Connections::default()).unwrap().unwrap();
                let serving = tokio::spawn(async move { live.serve_lean(server).await });
                Self { fixture, address, server: None, lean: Some(serving) }
            }
        }
    }

    pub fn request(&self) -> Request {
        format!("ws://{}/ws", self.address).into_client_request().unwrap()
    }

    pub async fn knock(&self, request: Request) -> Result<(Client, Response), Error> {
        knock(self.address, request).await
    }

    pub async fn stranger(&self) -> Client {
        self.knock(self.request()).await.unwrap().0
    }

    /// A buyer who has said hello.
    pub async fn buyer(&self, buyer: u64, sales: &[SaleId]) -> Client {
        let mut client = self.stranger().await;
        client.say(json!({ "type": "hello", "token": self.fixture.shopper(buyer), "sales": sales })).await;
        client.hear("time").await;
        client
    }

    pub async fn tell(&self, id: ReservationId) {
        let notice = Notice::from(&self.fixture.row(id).await);
        self.fixture.world.notices.tell(&[notice]).await.unwrap();
    }

    /// An attempt as a consumer decides it, and tells of it.
    pub async fn attempt(&self, sale: SaleId, buyer: u64) -> ReservationId {
        let id = self.fixture.attempt(sale, buyer, 1).await;
        self.tell(id).await;
        id
    }
}
