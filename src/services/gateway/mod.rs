//! The gateway: everything people talk to, but for the attempts themselves.
//!
//! It decides nothing about who gets what. It reads the ledger's primary, makes the buyer's own moves (pay, cancel), each one
//! conditional write there, and passes notices on. What it answers of a reservation was read from the ledger for this very
//! request; only the catalogue may be a moment old. Here is no session state that another gateway would miss.
//!
//! A move that has begun is finished even when its buyer hangs up: it runs on the process's tracker, not on the connection.

mod accounts;
mod board;
mod checkout;
pub mod close;
mod effort;
mod entry;
mod exports;
pub mod metric;
mod notices;
mod offer;
mod once;
mod pace;
pub mod passwords;
mod refund;
pub mod registry;
mod release;
mod report;
mod revoked;
mod routes;
pub mod session;
mod settings;
pub mod sockets;
mod standing;
mod views;
mod word;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::HttpRequest;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};

use crate::http::address;
use crate::http::auth::TokenKeys;
use crate::http::problem::{Kind, Problem};
use crate::ports::accounts::Revoked;
use crate::ports::clock::Clock;
use crate::ports::{Fault, World};
use crate::runtime::lifecycle::Lifecycle;
use crate::runtime::telemetry::trace::{carried, carry};
use crate::services::gateway::board::Board;
use crate::services::gateway::entry::{Entry, Knock};
use crate::services::gateway::pace::Paces;
use crate::services::gateway::passwords::Passwords;
use crate::services::gateway::registry::Registry;
use crate::services::gateway::revoked::Revocations;
pub use crate::services::gateway::routes::routes;
pub use crate::services::gateway::settings::Settings;
use crate::services::gateway::sockets::Sockets;
use crate::services::receipts::Receipts;

/// One process's gateway; clones are the same one.
pub struct Gateway<W>(Arc<Inner<W>>);

struct Inner<W> {
    world: W,
    keys: Arc<TokenKeys>,
    settings: Settings,
    lifecycle: Lifecycle,
    /// Of the process, and not of the web worker that took the request: moves outlive their connections.
    runtime: Handle,
    passwords: Passwords,
    receipts: Receipts<W>,
    entry: Entry,
    revocations: Revocations,
    board: Board,
    registry: Registry,
    /// An audit reads everything of a sale: one at a time.
    auditing: tokio::sync::Mutex<()>,
    paces: Paces,
    /// One for each list that may be made now.
    exports: Arc<Semaphore>,
    sockets: Sockets,
    hears: watch::Sender<bool>,
    /// Notices may have been lost, nobody knows of which sales: everybody looks in a moment, once for several such words.
    missed: AtomicBool,
    ledger_answers: AtomicBool,
}

impl<W> Clone for Gateway<W> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<W: World> Gateway<W> {
    /// Within the process's runtime: moves that outlive their connection run there.
    pub fn new(
        world: W,
        keys: Arc<TokenKeys>,
        receipts: Receipts<W>,
        settings: Settings,
        lifecycle: &Lifecycle,
    ) -> Self {
        let runtime = Handle::current();
        metric::describe();
        Self(Arc::new(Inner {
            passwords: Passwords::new(settings.hash_jobs_max, settings.hash_waiting_max, runtime.clone()),
            entry: Entry::new(&settings),
            revocations: Revocations::default(),
            board: Board::new(settings.catalogue_age_ms_max),
            auditing: tokio::sync::Mutex::default(),
            paces: Paces::new(),
            exports: Arc::new(Semaphore::new(settings.exports_max)),
            registry: Registry::new(settings.waits_max, settings.waits_per_buyer_max)
                .with_sockets(settings.sockets.sockets_per_buyer_max),
            sockets: Sockets::new(&settings.sockets),
            hears: watch::Sender::new(false),
            missed: AtomicBool::new(false),
            ledger_answers: AtomicBool::new(false),
            lifecycle: lifecycle.clone(),
            world,
            keys,
            receipts,
            settings,
            runtime,
        }))
    }

    /// Hears notices, looks after the parts and forgets old requests, until the soft stop.
    pub async fn run(&self) {
        let sockets = async { tokio::join!(self.tell_sockets(), self.compare_sockets()) };
        tokio::join!(notices::hear(self), notices::watch_ledger(self), once::forget_old(self), sockets);
    }

    /// The parts it needs that are away, for `/readyz`. Without a broker people still log in, look and pay, and those who wait
    /// look by themselves.
    pub fn problems(&self) -> Vec<&'static str> {
        let parts = [("ledger", self.0.ledger_answers.load(Ordering::Acquire)), ("clock", self.clock().is_sure())];
        parts.into_iter().filter(|(_, is_well)| !is_well).map(|(part, _)| part).collect()
    }

    /// Whether notices come.
    pub fn hears(&self) -> bool {
        *self.0.hears.borrow()
    }

    /// Who waits for notices; sockets register here as well.
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    fn world(&self) -> &W {
        &self.0.world
    }

    fn clock(&self) -> &dyn Clock {
        &**self.0.world.clock()
    }

    fn keys(&self) -> &TokenKeys {
        &self.0.keys
    }

    fn settings(&self) -> &Settings {
        &self.0.settings
    }

    fn receipts(&self) -> &Receipts<W> {
        &self.0.receipts
    }

    fn board(&self) -> &Board {
        &self.0.board
    }

    fn paces(&self) -> &Paces {
        &self.0.paces
    }

    fn passwords(&self) -> &Passwords {
        &self.0.passwords
    }

    fn exports(&self) -> Arc<Semaphore> {
        self.0.exports.clone()
    }

    fn revocations(&self) -> &Revocations {
        &self.0.revocations
    }

    /// Of whoever sends this, at the door.
    fn knock(&self, req: &HttpRequest) -> Knock<'_> {
        let address = address::network(address::client(req, self.0.settings.trusted_hops));
        Knock { entry: &self.0.entry, address, now: self.clock().now() }
    }

    /// Passwords hashed since the start.
    pub fn hashes(&self) -> u64 {
        self.0.passwords.hashes()
    }

    /// Asks the ledger who logged out everywhere; done once a second. Their sockets are closed.
    pub async fn learn_revocations(&self) -> Result<(), Fault> {
        for revoked in self.0.revocations.learn(self.world()).await? {
            self.registry().revoked(revoked.buyer, revoked.epoch);
        }
        Ok(())
    }

    /// What was just written: nobody here waits for the next look.
    fn revoke(&self, revoked: Revoked) {
        self.0.revocations.add(revoked);
        self.registry().revoked(revoked.buyer, revoked.epoch);
    }

    /// Whether notices come.
    fn hearing(&self) -> watch::Receiver<bool> {
        self.0.hears.subscribe()
    }

    fn is_stopping(&self) -> bool {
        self.0.lifecycle.soft.is_cancelled()
    }

    async fn stopping(&self) {
        self.0.lifecycle.soft.cancelled().await;
    }

    /// Runs a move to its end, also when the buyer is gone before; a graceful stop waits for it.
    async fn finish<T: Send + 'static>(
        &self,
        a_move: impl Future<Output = Result<T, Fault>> + Send + 'static,
    ) -> Result<T, Problem> {
        let a_move = carried(carry(), a_move);
        let task = self.0.lifecycle.tracker.spawn_on(a_move, &self.0.runtime);
        match task.await {
            Ok(result) => Ok(result?),
            Err(error) => {
                tracing::error!(%error, "a move did not come to its end");
                Err(Problem::new(Kind::Internal, "this went wrong here; what is so can be asked for"))
            }
        }
    }
}
