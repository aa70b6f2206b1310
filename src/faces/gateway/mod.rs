//! The gateway: everything people talk to, but for the attempts themselves.
//!
//! It decides nothing about who gets what. It reads the ledger's primary, makes the buyer's own moves (pay, cancel), each one
//! conditional write there, and passes notices on. What it answers of a reservation was read from the ledger for this very
//! request; only the catalogue may be a moment old. Here is no session state that another gateway would miss.
//!
//! A move that has begun is finished even when its buyer hangs up: it runs on the process's tracker, not on the connection.

mod accounts;
mod catalogue_cache;
pub mod close;
mod exports;
mod login_limiter;
pub mod metric;
mod notices;
mod once;
mod pace;
pub mod passwords;
mod report;
mod requests;
mod revoked;
mod routes;
pub mod session;
mod settings;
mod shapes;
pub mod sockets;
mod standing;
pub mod subscribers;
mod views;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::app::money::checkout::Patience;
use crate::app::sale::best_effort::Effort;
use crate::app::sale::{blocks, cancel};
use actix_web::HttpRequest;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};

use crate::app::audit;
use crate::app::money;
use crate::app::receipts::Receipts;
use crate::app::sale::feed as news;
use crate::app::sale::tell;
use crate::domain::people::Revoked;
use crate::faces::gateway::catalogue_cache::CatalogueCache;
use crate::faces::gateway::login_limiter::{LoginAttempt, LoginLimiter};
use crate::faces::gateway::pace::Paces;
use crate::faces::gateway::passwords::Passwords;
use crate::faces::gateway::revoked::Revocations;
pub use crate::faces::gateway::routes::document::DOCUMENT;
pub use crate::faces::gateway::routes::routes;
pub use crate::faces::gateway::settings::Settings;
use crate::faces::gateway::sockets::Sockets;
use crate::faces::gateway::subscribers::Registry;
use crate::faces::tokens::TokenKeys;
use crate::kit::http::address;
use crate::kit::http::problem::{Kind, Problem};
use crate::kit::telemetry::trace::{carried, carry};
use crate::kit::work::lifecycle::Lifecycle;
use crate::ports::Fault;
use crate::ports::audit::auditing::Auditing;
use crate::ports::audit::reports::Reports;
use crate::ports::money::orders::Orders;
use crate::ports::money::payments::Payments;
use crate::ports::money::refunds::Refunds;
use crate::ports::people::accounts::Accounts;
use crate::ports::platform::clock::{Clock, LedgerTime};
use crate::ports::platform::fault::Faults;
use crate::ports::platform::idempotency::Idempotency;
use crate::ports::platform::parked::Parked;
use crate::ports::receipts::admissions::Admissions;
use crate::ports::sale::attempts::Attempts;
use crate::ports::sale::blocks::Blocks;
use crate::ports::sale::catalogue::Catalogue;
use crate::ports::sale::notices::Notices;
use crate::ports::sale::reservations::Reservations;
use crate::ports::sale::restoring::Restoring;
use crate::ports::sale::showcase::Showcase;
use crate::ports::sale::turnstile::Turnstile;

#[derive(Clone)]
pub struct Needs {
    pub turnstile: Arc<dyn Turnstile>,
    pub attempts: Arc<dyn Attempts>,
    pub notices: Arc<dyn Notices>,
    pub parked: Arc<dyn Parked>,
    pub reservations: Arc<dyn Reservations>,
    pub orders: Arc<dyn Orders>,
    pub refunds: Arc<dyn Refunds>,
    pub restoring: Arc<dyn Restoring>,
    pub auditing: Arc<dyn Auditing>,
    pub catalogue: Arc<dyn Catalogue>,
    pub showcase: Arc<dyn Showcase>,
    pub accounts: Arc<dyn Accounts>,
    pub idempotency: Arc<dyn Idempotency>,
    pub admissions: Arc<dyn Admissions>,
    pub blocks: Arc<dyn Blocks>,
    pub reports: Arc<dyn Reports>,
    pub payments: Arc<dyn Payments>,
    pub ledger_time: Arc<dyn LedgerTime>,
    pub clock: Arc<dyn Clock>,
    pub faults: Arc<dyn Faults>,
    pub tell: tell::Needs,
    pub money: money::Needs,
    pub announce: news::Needs,
    pub audit: audit::Needs,
    pub blocking: blocks::Needs,
    pub cancel: cancel::Needs,
}

/// One process's gateway; clones are the same one.
pub struct Gateway(Arc<Inner>);

struct Inner {
    needs: Needs,
    keys: Arc<TokenKeys>,
    settings: Settings,
    lifecycle: Lifecycle,
    /// Of the process, and not of the web worker that took the request: moves outlive their connections.
    runtime: Handle,
    passwords: Passwords,
    receipts: Receipts,
    entry: LoginLimiter,
    revocations: Revocations,
    board: CatalogueCache,
    registry: Registry,
    /// An audit reads everything of a sale: one at a time.
    auditing: tokio::sync::Mutex<()>,
    paces: Paces,
    /// One for each list that may be made now.
    exports: Arc<Semaphore>,
    /// And for each search.
    searches: Semaphore,
    sockets: Sockets,
    hears: watch::Sender<bool>,
    /// Notices may have been lost, nobody knows of which sales: everybody looks in a moment, once for several such words.
    missed: AtomicBool,
    ledger_answers: AtomicBool,
}

impl Clone for Gateway {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl Gateway {
    /// Within the process's runtime: moves that outlive their connection run there.
    pub fn new(
        needs: Needs,
        keys: Arc<TokenKeys>,
        receipts: Receipts,
        settings: Settings,
        lifecycle: &Lifecycle,
    ) -> Self {
        let runtime = Handle::current();
        metric::describe();
        Self(Arc::new(Inner {
            passwords: Passwords::new(settings.hash_jobs_max, settings.hash_waiting_max, runtime.clone()),
            entry: LoginLimiter::new(&settings),
            revocations: Revocations::default(),
            board: CatalogueCache::new(settings.catalogue_age_ms_max),
            auditing: tokio::sync::Mutex::default(),
            paces: Paces::new(),
            exports: Arc::new(Semaphore::new(settings.exports_max)),
            searches: Semaphore::new(settings.searches_max),
            registry: Registry::new(settings.waits_max, settings.waits_per_buyer_max)
                .with_sockets(settings.sockets.sockets_per_buyer_max),
            sockets: Sockets::new(&settings.sockets),
            hears: watch::Sender::new(false),
            missed: AtomicBool::new(false),
            ledger_answers: AtomicBool::new(false),
            lifecycle: lifecycle.clone(),
            needs,
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

    fn needs(&self) -> &Needs {
        &self.0.needs
    }

    fn clock(&self) -> &dyn Clock {
        &*self.0.needs.clock
    }

    fn keys(&self) -> &TokenKeys {
        &self.0.keys
    }

    fn effort(&self) -> Effort {
        Effort { within: Duration::from_millis(self.0.settings.effort_ms_max) }
    }

    fn patience(&self) -> Patience {
        let capture = Duration::from_millis(self.0.settings.capture_ms_max);
        Patience { capture, effort: self.effort() }
    }

    fn settings(&self) -> &Settings {
        &self.0.settings
    }

    fn receipts(&self) -> &Receipts {
        &self.0.receipts
    }

    fn board(&self) -> &CatalogueCache {
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

    fn searches(&self) -> &Semaphore {
        &self.0.searches
    }

    fn revocations(&self) -> &Revocations {
        &self.0.revocations
    }

    /// Of whoever sends this, at the door.
    fn knock(&self, req: &HttpRequest) -> LoginAttempt<'_> {
        let address = address::network(address::client(req, self.0.settings.trusted_hops));
        LoginAttempt { entry: &self.0.entry, address, now: self.clock().now() }
    }

    /// Passwords hashed since the start.
    pub fn hashes(&self) -> u64 {
        self.0.passwords.hashes()
    }

    /// Asks the ledger who logged out everywhere; done once a second. Their sockets are closed.
    pub async fn learn_revocations(&self) -> Result<(), Fault> {
        for revoked in self.0.revocations.learn(self.needs()).await? {
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
        let task = self.0.lifecycle.finish_on(&self.0.runtime, "move", carried(carry(), a_move));
        match task.await {
            Ok(result) => Ok(result?),
            Err(error) => {
                tracing::error!(%error, "a move did not come to its end");
                Err(Problem::new(Kind::INTERNAL, "this went wrong here; what is so can be asked for"))
            }
        }
    }
}
