//! What every face stands on: who asks, what time it is, whether the process goes on, what is done once and what is done to its
//! end; and what several faces answer with. The only room that other faces name; it names no face.
//!
//! A face holds a [`Front`] beside the ports of its own, and is used like one. Nothing here reads or moves a reservation, an
//! order or money.

pub mod document;
mod ledger;
pub mod metric;
pub mod once;
pub mod page;
pub mod routes;
pub mod settings;
mod shapes;
pub mod views;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::dev::{Payload, RequestHead};
use serde::de::DeserializeOwned;
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::app::people::log_outs::{LogOuts, SessionEnds};
use crate::app::sale::best_effort::Effort;
use crate::app::sale::catalogue_cache::{self, CatalogueCache};
use crate::app::sale::subscribers::Registry;
use crate::domain::people::author::{Actor, Author};
use crate::domain::people::{Permission, Revoked};
use crate::domain::shared::id::{BuyerId, RequestId, ReservationId};
pub use crate::faces::front::settings::Settings;
use crate::faces::tokens::access::{AccessKeys, Principal};
use crate::faces::tokens::revocations::Revocations;
use crate::faces::tokens::{Keys, TokenKeys};
use crate::kit::http::address;
use crate::kit::http::auth::bearer;
use crate::kit::http::body;
use crate::kit::http::idempotency::cause;
use crate::kit::http::problem::{Kind, Problem};
use crate::kit::telemetry::trace::{carried, carry};
use crate::kit::work::chance::chance;
use crate::kit::work::lifecycle::Lifecycle;
use crate::ports::Fault;
use crate::ports::people::accounts::Accounts;
use crate::ports::people::sessions::{Ended, Sessions};
use crate::ports::platform::clock::{Clock, LedgerTime};
use crate::ports::platform::fault::Faults;
use crate::ports::platform::idempotency::Idempotency;

#[derive(Clone)]
pub struct Needs {
    /// Who logged out.
    pub accounts: Arc<dyn Accounts>,
    /// And on which browser.
    pub sessions: Arc<dyn Sessions>,
    pub idempotency: Arc<dyn Idempotency>,
    pub ledger_time: Arc<dyn LedgerTime>,
    pub clock: Arc<dyn Clock>,
    pub faults: Arc<dyn Faults>,
    pub board: catalogue_cache::Needs,
}

/// One process's; clones are the same one.
#[derive(Clone)]
pub struct Front(Arc<Inner>);

struct Inner {
    needs: Needs,
    keys: Keys,
    settings: Settings,
    lifecycle: Lifecycle,
    /// Of the process, and not of the web worker that took the request: moves outlive their connections.
    runtime: Handle,
    revocations: Revocations,
    log_outs: LogOuts,
    session_ends: SessionEnds,
    board: CatalogueCache,
    registry: Registry,
    hears: watch::Sender<bool>,
    ledger_answers: AtomicBool,
}

impl Front {
    /// Within the process's runtime: moves that outlive their connection run there.
    pub fn new(needs: Needs, keys: Keys, settings: Settings, lifecycle: &Lifecycle) -> Self {
        metric::describe();
        Self(Arc::new(Inner {
            revocations: Revocations::default(),
            log_outs: LogOuts::default(),
            session_ends: SessionEnds::default(),
            board: CatalogueCache::new(needs.board.clone(), settings.catalogue_age_ms_max),
            registry: Registry::new(settings.waits_max, settings.waits_per_buyer_max)
                .with_sockets(settings.sockets.sockets_per_buyer_max),
            hears: watch::Sender::new(false),
            ledger_answers: AtomicBool::new(false),
            lifecycle: lifecycle.clone(),
            runtime: Handle::current(),
            needs,
            keys,
            settings,
        }))
    }

    /// Looks after the ledger and forgets old requests, until the soft stop.
    pub async fn run(&self) {
        tokio::join!(ledger::watch(self), once::forget_old(self));
    }

    /// The parts it needs that are away, for `/readyz`. Without a broker buyers still log in, look and pay, and waiting requests
    /// look by themselves.
    pub fn problems(&self) -> Vec<&'static str> {
        let parts = [("ledger", self.0.ledger_answers.load(Ordering::Acquire)), ("clock", self.clock().is_sure())];
        parts.into_iter().filter(|(_, is_well)| !is_well).map(|(part, _)| part).collect()
    }

    pub fn clock(&self) -> &dyn Clock {
        &*self.0.needs.clock
    }

    /// What verifies access tokens.
    pub fn access(&self) -> &AccessKeys {
        self.0.keys.access()
    }

    /// Of a process that answers requests. One that serves sockets alone has no route that asks for them.
    pub fn keys(&self) -> &TokenKeys {
        self.0.keys.signing().expect("whoever has routes has the keys that sign")
    }

    /// The right to pay for a hold; nothing from a process that signs nothing.
    pub fn checkout_token(&self, id: ReservationId, buyer: BuyerId, ttl_ms: i64) -> Option<String> {
        Some(self.0.keys.signing()?.sign_checkout(id, buyer, self.clock().now(), ttl_ms))
    }

    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// What every client may see of sales.
    pub fn board(&self) -> &CatalogueCache {
        &self.0.board
    }

    /// Who waits for notices, requests and sockets alike.
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    pub fn effort(&self) -> Effort {
        self.0.settings.effort()
    }
}

/// Notices.
impl Front {
    /// Whether notices come.
    pub fn hears(&self) -> bool {
        *self.0.hears.borrow()
    }

    /// The same, for who waits for it to change.
    pub fn hearing(&self) -> watch::Receiver<bool> {
        self.0.hears.subscribe()
    }

    /// Said by the face that listens for all of them.
    pub fn notices_come(&self, hears: bool) {
        self.0.hears.send_replace(hears);
    }
}

/// Who asks, and what.
impl Front {
    /// By a token that is good and was not logged out.
    pub fn principal(&self, req: &HttpRequest) -> Result<Principal, Problem> {
        self.admitted(self.access().verify(bearer(req)?, self.clock().now())?)
    }

    pub fn buyer(&self, req: &HttpRequest) -> Result<BuyerId, Problem> {
        Ok(self.principal(req)?.buyer)
    }

    /// Who asks, if they have this permission and showed what it takes; 403 if not.
    pub fn may(&self, req: &HttpRequest, permission: Permission) -> Result<Principal, Problem> {
        let principal = self.principal(req)?.may(permission)?;
        if self.settings().second_factor { principal.proved(permission, self.clock().now()) } else { Ok(principal) }
    }

    /// The same, as the journal has it. A request without a key has an id made up for it.
    pub fn author(&self, req: &HttpRequest, permission: Permission) -> Result<Author, Problem> {
        Ok(self.written_by(req, &self.may(req, permission)?))
    }

    /// Who answers for what people do to their own accounts: operators are written down, shoppers are not.
    pub fn own_author(&self, req: &HttpRequest, principal: &Principal) -> Option<Author> {
        principal.role.is_operator().then(|| self.written_by(req, principal))
    }

    fn written_by(&self, req: &HttpRequest, principal: &Principal) -> Author {
        Author {
            actor: Actor::Account(principal.buyer),
            role: Some(principal.role),
            network: self.neighbourhood(req),
            request: cause(req).map_or_else(|| RequestId::from_bytes(chance()), |cause| cause.request),
            at: self.clock().now(),
        }
    }

    /// Whether an operator asks, of whatever role.
    pub fn is_operator(&self, req: &HttpRequest) -> bool {
        self.principal(req).is_ok_and(|principal| principal.role.is_operator())
    }

    /// Where the client sits, as far as limits are concerned.
    pub fn network(&self, req: &HttpRequest) -> String {
        address::network(self.client(req.head()))
    }

    pub fn neighbourhood(&self, req: &HttpRequest) -> String {
        address::neighbourhood(self.client(req.head()))
    }

    fn client(&self, head: &RequestHead) -> Option<IpAddr> {
        address::client(head, self.settings().trusted_hops, &self.settings().trusted_proxies)
    }

    /// The same; nothing for a proxy of ours that says of nobody where he sits.
    pub fn counted_client(&self, head: &RequestHead) -> Option<IpAddr> {
        self.client(head).filter(|client| !self.settings().trusted_proxies.contain(*client))
    }

    pub async fn body<T: DeserializeOwned>(&self, req: &HttpRequest, payload: &mut Payload) -> Result<T, Problem> {
        body::json(req, payload, self.settings().body_bytes_max).await
    }

    /// Unless they logged out since their token was signed.
    pub fn admitted(&self, principal: Principal) -> Result<Principal, Problem> {
        if self.0.revocations.cover(principal.buyer, principal.epoch, principal.session) {
            let detail = "this token was logged out; log in again";
            return Err(Problem::field("Authorization", Kind::UNAUTHORIZED, detail));
        }
        Ok(principal)
    }

    /// Asks the ledger who logged out, everywhere or on one browser; done once a second. Their sockets are closed. A reading that is cut
    /// goes on the next time from where it was.
    pub async fn learn_revocations(&self) -> Result<(), Fault> {
        let (needs, now) = (&self.0.needs, self.clock().now());
        loop {
            let page = self.0.log_outs.page(&*needs.accounts, now).await?;
            for revoked in self.0.revocations.learn(&page.found, now) {
                self.registry().revoked(revoked.buyer);
            }
            self.0.log_outs.passed(page.next);
            if page.is_last {
                break;
            }
        }
        loop {
            let page = self.0.session_ends.page(&*needs.sessions, now).await?;
            page.found.into_iter().for_each(|ended| self.ended(ended));
            self.0.session_ends.passed(page.next);
            if page.is_last {
                return Ok(());
            }
        }
    }

    /// A log-in was ended: applied at once here.
    pub fn ended(&self, Ended { session, account }: Ended) {
        if self.0.revocations.learn_end(session, self.clock().now()) {
            self.registry().revoked(account);
        }
    }

    /// Applies at once what was just written, without waiting for the next look.
    pub fn revoke(&self, revoked: Revoked) {
        self.0.revocations.learn(&[revoked], self.clock().now());
        self.registry().revoked(revoked.buyer);
    }
}

/// The process.
impl Front {
    pub fn lifecycle(&self) -> &Lifecycle {
        &self.0.lifecycle
    }

    pub fn runtime(&self) -> &Handle {
        &self.0.runtime
    }

    pub fn is_stopping(&self) -> bool {
        self.0.lifecycle.soft.is_cancelled()
    }

    /// Removes what is old, a piece of so many at a time, again and again until the soft stop. What is left over is good for nothing all
    /// the same.
    pub async fn forget<F>(&self, what: &'static str, piece: impl Fn(u32) -> F)
    where
        F: Future<Output = Result<u64, Fault>>,
    {
        let max = self.settings().request_forget_max;
        let pause = Duration::from_millis(self.settings().request_forget_ms);
        while !self.is_stopping() {
            match piece(max).await {
                Ok(forgotten) if forgotten >= u64::from(max) => continue,
                Ok(_) => {}
                Err(fault) => tracing::info!(what, %fault, "removing what is old failed and is tried again"),
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.stopping() => {}
            }
        }
    }

    pub async fn stopping(&self) {
        self.0.lifecycle.soft.cancelled().await;
    }

    /// Runs a move to its end, also when the buyer is gone before; a graceful stop waits for it.
    pub async fn finish<T: Send + 'static>(
        &self,
        a_move: impl Future<Output = Result<T, Fault>> + Send + 'static,
    ) -> Result<T, Problem> {
        let task = self.0.lifecycle.finish_on(&self.0.runtime, "move", carried(carry(), a_move));
        match task.await {
            Ok(result) => Ok(result?),
            Err(error) => {
                tracing::error!(%error, "a move panicked or was cancelled");
                Err(Problem::new(Kind::INTERNAL, "this went wrong here; what is so can be asked for"))
            }
        }
    }
}
