//! A gateway with both of its socket listeners on loopback ports, and clients for them.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::{App, rt};
use futures_util::future::FutureExt;
use futures_util::{SinkExt, StreamExt};
use miaosha::adapters::folder::FolderArchive;
use miaosha::adapters::memory::signals::MemorySignals;
use miaosha::adapters::memory::turnstile::MemoryTurnstile;
use miaosha::adapters::rabbit::{RabbitBroker, RabbitConfig};
use miaosha::adapters::sql::sqlite::SqliteStore;
use miaosha::adapters::sqlite_queue::SqliteQueue;
use miaosha::bound_server;
use miaosha::domain::sale::notice::Notice;
use miaosha::domain::shared::id::{ReservationId, SaleId};
use miaosha::faces::gateway::Settings;
use miaosha::faces::gateway::routes;
use miaosha::faces::gateway::sockets;
use miaosha::kit::http::server::ServerSettings;
use miaosha::kit::work::lifecycle::Lifecycle;
use miaosha::wire::world::{Backends, Signals, World};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::gateway::bed::{Bed, settings};
use crate::support::clock::ManualClock;
use crate::support::faults::StopAt;
use crate::support::servers::{rabbit_url, unique_name};

/// Far longer than anything here takes on a quiet machine.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug)]
pub enum Way {
    Shop,
    Lean,
}

pub struct Line {
    pub bed: Bed,
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
        payments: Arc::new(store.sandbox().with_wait(Duration::ZERO)),
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
    let bed =
        Bed::make(settings, |folder, clock, stops| world(folder, clock, stops, MemorySignals::new()).boxed_local())
            .await;
    Line::open(bed, way).await
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
    let bed = Bed::make(settings, |folder, clock, stops| world(folder, clock, stops, broker).boxed_local()).await;
    Line::open(bed, way).await
}

pub async fn over_rabbit(way: Way, rules: sockets::Settings) -> Line {
    over_rabbit_at(rabbit_url(), way, rules).await
}

fn with(mut rules: sockets::Settings) -> Settings {
    rules.lean.listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    rules.lean.workers = 1;
    Settings { sockets: rules, ..settings() }
}

impl Line {
    pub async fn open(bed: Bed, way: Way) -> Self {
        let gateway = bed.gateway.clone();
        rt::spawn(async move { gateway.run().await });
        until(|| bed.gateway.hears()).await;
        let gateway = bed.gateway.clone();
        match way {
            Way::Shop => {
                let http = ServerSettings { workers: 1, unread_ms_max: 2_000, ..ServerSettings::default() };
                let server = bound_server!(&http, 5_000, move || {
                    let gateway = gateway.clone();
                    App::new().configure(|cfg| routes(cfg, gateway))
                })
                .unwrap();
                let address = server.addrs()[0];
                let server = server.run();
                let handle = server.handle();
                tokio::spawn(server);
                Self { bed, address, server: Some(handle), lean: None }
            }
            Way::Lean => {
                let (address, server) = gateway.lean().unwrap().unwrap();
                let serving = tokio::spawn(async move { gateway.serve_lean(server).await });
                Self { bed, address, server: None, lean: Some(serving) }
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
        client.say(json!({ "type": "hello", "token": self.bed.shopper(buyer), "sales": sales })).await;
        client.hear("time").await;
        client
    }

    pub async fn tell(&self, id: ReservationId) {
        let notice = Notice::from(&self.bed.row(id).await);
        self.bed.world.notices.tell(&[notice]).await.unwrap();
    }

    /// An attempt as a consumer decides it, and tells of it.
    pub async fn attempt(&self, sale: SaleId, buyer: u64) -> ReservationId {
        let id = self.bed.attempt(sale, buyer, 1).await;
        self.tell(id).await;
        id
    }
}

pub async fn knock(address: SocketAddr, request: Request) -> Result<(Client, Response), Error> {
    let stream = TcpStream::connect(address).await.unwrap();
    let config = WebSocketConfig::default().read_buffer_size(4_096).write_buffer_size(0);
    let (socket, response) = client_async_with_config(request, stream, Some(config)).await?;
    Ok((Client { socket }, response))
}

pub struct Client {
    pub socket: WebSocketStream<TcpStream>,
}

impl Client {
    pub async fn say(&mut self, word: Value) {
        self.send(Message::text(word.to_string())).await;
    }

    /// Into a connection that the other side may have ended already.
    pub async fn send(&mut self, message: Message) {
        let _ = self.socket.send(message).await;
    }

    pub async fn next(&mut self) -> Option<Result<Message, Error>> {
        tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("something is heard in time")
    }

    /// The next message of this type; others are passed over.
    #[track_caller]
    pub fn hear<'a>(&'a mut self, kind: &'a str) -> impl Future<Output = Value> + 'a {
        let place = std::panic::Location::caller();
        let until = Instant::now() + PATIENCE;
        async move {
            loop {
                // Heartbeats alone do not keep the hope alive.
                assert!(Instant::now() < until, "{place}: no {kind} is heard in time");
                match self.next().await {
                    Some(Ok(Message::Text(text))) => {
                        let word: Value = serde_json::from_str(&text).unwrap();
                        if word["type"] == kind {
                            return word;
                        }
                        assert_ne!(word["type"], "bye", "{place}: {word}");
                    }
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    other => panic!("{place}: {other:?} instead of {kind}"),
                }
            }
        }
    }

    pub async fn status(&mut self) -> Value {
        self.hear("status").await
    }

    /// A sale's counters, once this one reads like this.
    pub async fn counters_with(&mut self, key: &str, value: impl Into<Value>) -> Value {
        let value = value.into();
        loop {
            let counters = self.hear("sale").await;
            if counters[key] == value {
                return counters;
            }
        }
    }

    /// Everything that is told before the answer to this ping, of this type.
    pub async fn before_pong(&mut self, kind: &str) -> Vec<Value> {
        self.say(json!({ "type": "ping" })).await;
        let mut heard = Vec::new();
        loop {
            match self.next().await {
                Some(Ok(Message::Text(text))) => {
                    let word: Value = serde_json::from_str(&text).unwrap();
                    match word["type"].as_str().unwrap() {
                        "pong" => return heard,
                        word_kind if word_kind == kind => heard.push(word),
                        _ => {}
                    }
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("{other:?} instead of pong"),
            }
        }
    }

    /// The code of the close, and the `bye` before it, if one was said.
    pub async fn closed(&mut self) -> (u16, Value) {
        let mut bye = Value::Null;
        loop {
            match self.next().await {
                Some(Ok(Message::Text(text))) => {
                    let word: Value = serde_json::from_str(&text).unwrap();
                    if word["type"] == "bye" {
                        bye = word;
                    }
                }
                Some(Ok(Message::Close(frame))) => return (frame.unwrap().code.into(), bye),
                Some(Ok(_)) => {}
                other => panic!("{other:?} instead of a close"),
            }
        }
    }
}

pub async fn until(mut is_so: impl FnMut() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("it becomes so in time");
}
