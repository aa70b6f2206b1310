//! Sockets: buyers who are told without asking. What a socket says and hears is [`super::session`]'s; here is what carries it.

mod broadcaster;
mod compare;
mod connection;
pub mod mailbox;
mod read_coalescer;
mod settings;
mod wheel;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_web::dev::{RequestHead, Server};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::shared::id::SaleId;
use crate::faces::gateway::Gateway;
use crate::faces::gateway::metric::Metric;
use crate::faces::gateway::sockets::broadcaster::TopicBroadcaster;
use crate::faces::gateway::sockets::connection::Connection;
use crate::faces::gateway::sockets::read_coalescer::ReadCoalescer;
pub use crate::faces::gateway::sockets::settings::Settings;
use crate::kit::http::problem::{Kind, Problem};
use crate::kit::socket::handshake;
use crate::kit::socket::lean;
use crate::kit::socket::{Socket, Welcome};

/// Where sockets are asked for, on either listener.
pub const PATH: &str = "/ws";

/// What all sockets of a process share.
pub struct Sockets {
    crowd: TopicBroadcaster,
    looks: ReadCoalescer,
    places: Arc<Semaphore>,
}

impl Sockets {
    pub fn new(settings: &Settings) -> Self {
        Self {
            crowd: TopicBroadcaster::default(),
            looks: ReadCoalescer::new(settings.looks_max),
            places: Arc::new(Semaphore::new(settings.sockets_max as usize)),
        }
    }
}

/// What a request brought to its socket.
pub struct Guest {
    place: OwnedSemaphorePermit,
    token: Option<String>,
}

impl Welcome for Gateway {
    type Guest = Guest;

    const PROTOCOL: &'static str = "miaosha.v1";

    fn welcome(&self, head: &RequestHead) -> Result<Guest, Problem> {
        let settings = &self.settings().sockets;
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
        match self.sockets().places.clone().try_acquire_owned() {
            Ok(place) => Ok(Guest { place, token: handshake::token(head).map(str::to_owned) }),
            Err(_) => refused("full", Problem::new(Kind::BUSY, "there is no room for another socket")),
        }
    }

    fn message_bytes_max(&self) -> usize {
        self.settings().sockets.message_bytes_max
    }

    fn start<S: Socket + 'static>(&self, guest: Guest, socket: S) {
        let connection = Connection::new(self.clone(), guest.place, guest.token, socket);
        self.0.lifecycle.finish_local("sockets.connection", connection);
    }
}

impl Gateway {
    /// Sockets that are open now, strangers included.
    pub fn sockets_open(&self) -> usize {
        self.settings().sockets.sockets_max as usize - self.sockets().places.available_permits()
    }

    /// Binds the lean listener, if there is to be one.
    pub fn lean(&self) -> std::io::Result<Option<(SocketAddr, Server)>> {
        let settings = &self.settings().sockets.lean;
        let listen = settings.listen.map(|listen| lean::bind(settings, listen, PATH, self.clone()));
        listen.transpose()
    }

    /// Serves the lean listener until the soft stop, and until its sockets have gone; at the hard stop it drops them.
    pub async fn serve_lean(&self, server: Server) -> std::io::Result<()> {
        let handle = server.handle();
        let stop = async {
            self.stopping().await;
            handle.pause().await;
            tokio::select! {
                _ = self.sockets().places.acquire_many(self.settings().sockets.sockets_max) => {}
                () = self.0.lifecycle.hard.cancelled() => {}
            }
            handle.stop(false).await;
        };
        tokio::pin!(server);
        tokio::select! {
            ended = &mut server => ended,
            () = stop => server.await,
        }
    }

    /// Tells the counters of watched sales, and while no notices come, makes everybody look; until the soft stop.
    pub(super) async fn tell_sockets(&self) {
        let settings = &self.settings().sockets;
        let pause = settings.between_sale_updates();
        let mut blind = tokio::time::Instant::now();
        while !self.is_stopping() {
            broadcaster::tell(self).await;
            if self.0.missed.swap(false, Ordering::AcqRel) {
                self.registry().missed();
                self.registry().requests_missed(None);
            }
            if self.hears() {
                blind = tokio::time::Instant::now();
            } else if blind.elapsed() >= Duration::from_millis(settings.blind_look_ms) {
                blind = tokio::time::Instant::now();
                self.registry().missed();
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.stopping() => {}
            }
        }
    }

    /// Compares what sockets were told with the ledger, until the soft stop.
    pub(super) async fn compare_sockets(&self) {
        compare::compare(self).await;
    }

    /// Notices of this sale may have been lost.
    pub(super) fn look_again(&self, sale: SaleId) {
        self.sockets().crowd.missed(sale);
        self.registry().requests_missed(Some(sale));
    }

    pub(super) fn sockets(&self) -> &Sockets {
        &self.0.sockets
    }
}
