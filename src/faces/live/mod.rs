//! What happens, as it happens: sockets, and notices for every socket and request that waits in this process.
//!
//! What a socket says and is told is [`session`]'s; here is what carries it. It moves nothing: what is told was read from the
//! ledger.

mod broadcaster;
pub mod close;
mod compare;
mod connection;
mod look;
pub mod mailbox;
pub mod metric;
mod notices;
mod part;
mod read_coalescer;
mod routes;
pub mod session;
mod strangers;
mod topic;
mod turns;
mod wheel;

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::dev::{RequestHead, Server};
use actix_web::web::{Data, ServiceConfig};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::domain::shared::id::SaleId;
use crate::faces::front::Front;
use crate::faces::front::settings::sockets::Settings;
use crate::faces::live::broadcaster::TopicBroadcaster;
use crate::faces::live::connection::Connection;
use crate::faces::live::metric::Metric;
pub use crate::faces::live::part::part;
use crate::faces::live::read_coalescer::ReadCoalescer;
use crate::faces::live::strangers::{StrangerPlace, Strangers};
use crate::kit::http::connections::Connections;
use crate::kit::http::problem::{Kind, Problem};
use crate::kit::socket::handshake;
use crate::kit::socket::lean;
use crate::kit::socket::{Socket, Welcome};
use crate::ports::money::orders::Orders;
use crate::ports::sale::notices::Notices;
use crate::ports::sale::reservations::Reservations;

/// Where sockets are asked for, on either listener.
pub const PATH: &str = "/ws";

#[derive(Clone)]
pub struct Needs {
    pub notices: Arc<dyn Notices>,
    pub reservations: Arc<dyn Reservations>,
    /// The number of what was bought.
    pub orders: Arc<dyn Orders>,
}

/// One process's; clones are the same one.
#[derive(Clone)]
pub struct Live(Arc<Inner>);

struct Inner {
    front: Front,
    needs: Needs,
    crowd: TopicBroadcaster,
    looks: ReadCoalescer,
    places: Arc<Semaphore>,
    strangers: Strangers,
    /// Notices may have been lost, of sales not known: every socket looks in a moment, once for several such signals.
    missed: AtomicBool,
}

impl Live {
    pub fn new(front: Front, needs: Needs) -> Self {
        metric::describe();
        let settings = &front.settings().sockets;
        let looks = ReadCoalescer::new(settings.looks_max);
        let places = Arc::new(Semaphore::new(settings.sockets_max as usize));
        let strangers = Strangers::new(settings.strangers_max as usize, settings.strangers_per_network_max as usize);
        let (crowd, missed) = (TopicBroadcaster::default(), AtomicBool::new(false));
        Self(Arc::new(Inner { front, needs, crowd, looks, places, strangers, missed }))
    }

    /// Receives notices, tells sockets and compares what they were told, until the soft stop.
    pub async fn run(&self) {
        tokio::join!(notices::hear(self), self.tell(), compare::compare(self));
    }

    fn needs(&self) -> &Needs {
        &self.0.needs
    }

    fn rules(&self) -> &Settings {
        &self.settings().sockets
    }

    fn crowd(&self) -> &TopicBroadcaster {
        &self.0.crowd
    }

    fn looks(&self) -> &ReadCoalescer {
        &self.0.looks
    }
}

impl Deref for Live {
    type Target = Front;

    fn deref(&self) -> &Front {
        &self.0.front
    }
}

pub fn routes(cfg: &mut ServiceConfig, live: Live) {
    cfg.app_data(Data::new(live));
    routes::routes(cfg);
}

/// What a request brought to its socket.
pub struct Guest {
    place: Place,
    token: Option<String>,
}

/// A socket's place among all, and among strangers until it has said whose it is.
pub struct Place {
    _of_all: OwnedSemaphorePermit,
    of_strangers: Option<StrangerPlace>,
}

impl Place {
    fn becomes_known(&mut self) {
        self.of_strangers = None;
    }
}

impl Welcome for Live {
    type Guest = Guest;

    const PROTOCOL: &'static str = "miaosha.v1";

    fn welcome(&self, head: &RequestHead) -> Result<Guest, Problem> {
        let settings = self.rules();
        let refused = |why: &'static str, problem| {
            metrics::counter!(Metric::SocketsRefused.name(), "why" => why).increment(1);
            Err(problem)
        };
        if !handshake::is_origin_welcome(head, &settings.origins) {
            let problem = Problem::field("Origin", Kind::FORBIDDEN, "pages of this origin may not open a socket");
            return refused("origin", problem);
        }
        if self.is_stopping() {
            return refused("stopping", Problem::new(Kind::BUSY, "this process is about to stop"));
        }
        let token = handshake::token(head);
        let verified = token.and_then(|token| self.access().verify_until(token).ok());
        let is_known = verified.is_some_and(|(_, expires_at)| self.clock().now() < expires_at);
        let of_strangers = if is_known { None } else { self.0.strangers.enter(self.counted_client(head)) };
        if !is_known && of_strangers.is_none() {
            let detail = "there is no room for another socket that does not say whose it is";
            return refused("strangers", Problem::new(Kind::BUSY, detail));
        }
        match self.0.places.clone().try_acquire_owned() {
            Ok(of_all) => {
                let place = Place { _of_all: of_all, of_strangers };
                Ok(Guest { place, token: token.map(str::to_owned) })
            }
            Err(_) => refused("full", Problem::new(Kind::BUSY, "there is no room for another socket")),
        }
    }

    fn message_bytes_max(&self) -> usize {
        self.rules().message_bytes_max
    }

    fn start<S: Socket + 'static>(&self, guest: Guest, socket: S) {
        let connection = Connection::new(self.clone(), guest.place, guest.token, socket);
        self.lifecycle().finish_local("sockets.connection", connection);
    }
}

impl Live {
    /// Sockets that are open now, strangers included.
    pub fn sockets_open(&self) -> usize {
        self.rules().sockets_max as usize - self.0.places.available_permits()
    }

    /// Binds the lean listener, if there is to be one.
    pub fn lean(&self, connections: Connections) -> std::io::Result<Option<(SocketAddr, Server)>> {
        let settings = &self.rules().lean;
        let listen = settings.listen.map(|listen| lean::bind(settings, listen, connections, PATH, self.clone()));
        listen.transpose()
    }

    /// Serves the lean listener until the soft stop, and until its sockets have gone; at the hard stop it drops them.
    pub async fn serve_lean(&self, server: Server) -> std::io::Result<()> {
        let handle = server.handle();
        let stop = async {
            self.stopping().await;
            handle.pause().await;
            tokio::select! {
                _ = self.0.places.acquire_many(self.rules().sockets_max) => {}
                () = self.lifecycle().hard.cancelled() => {}
            }
            handle.stop(false).await;
        };
        tokio::pin!(server);
        tokio::select! {
            ended = &mut server => ended,
            () = stop => server.await,
        }
    }

    /// Tells the counters of watched sales, and while no notices come, makes every socket look; until the soft stop.
    async fn tell(&self) {
        let rules = self.rules();
        let pause = rules.between_sale_updates();
        let mut blind = Instant::now();
        while !self.is_stopping() {
            broadcaster::tell(self).await;
            if self.0.missed.swap(false, Ordering::AcqRel) {
                self.registry().missed();
                self.registry().requests_missed(None);
            }
            if self.hears() {
                blind = Instant::now();
            } else if blind.elapsed() >= Duration::from_millis(rules.blind_look_ms) {
                blind = Instant::now();
                self.registry().missed();
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.stopping() => {}
            }
        }
    }

    /// Notices of this sale may have been lost.
    fn look_again(&self, sale: SaleId) {
        self.crowd().missed(sale);
        self.registry().requests_missed(Some(sale));
    }
}
