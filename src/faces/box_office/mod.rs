//! The box office: whoever comes gets a unit in one call, or is told at once that there is none. On paths and a port of its own, with
//! answers that small clients read: `{error, message, data}`.
//!
//! Nobody needs an account. What is sold by other conditions (sales that ask a question) is not sold here. It decides nothing about who
//! gets what: the turnstile does, as of every attempt; and what it does not confirm while its caller is there lapses soon.

mod fallback;
pub mod metric;
mod part;
mod purchase;
mod routes;
mod settings;
mod views;

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::web::{Data, ServiceConfig};
use tokio::sync::Semaphore;

use crate::app::money;
use crate::app::money::checkout::Patience;
use crate::app::money::till::{Till, WAITING_MAX};
use crate::app::receipts::Receipts;
use crate::app::sale::at_once::{self, Counter};
use crate::app::sale::catalogue_cache::TtlCache;
use crate::faces::box_office::fallback::FallbackWatch;
pub use crate::faces::box_office::part::part;
pub use crate::faces::box_office::settings::Settings;
use crate::faces::box_office::views::PartsView;
use crate::faces::front::Front;
use crate::kit::http::problem::Problem;
use crate::kit::http::throttle::{Rate, Throttle};
use crate::ports::audit::journal::Journal;
use crate::ports::money::orders::Orders;
use crate::ports::sale::attempts::Attempts;
use crate::ports::sale::fallback::Fallbacks;
use crate::ports::sale::reservations::Reservations;
use crate::ports::sale::turnstile::Turnstile;

/// In which a network has its calls.
const WINDOW_MS: i64 = 60_000;
/// How old an answer about parts may be.
const HEALTH_AGE: Duration = Duration::from_secs(1);

#[derive(Clone)]
pub struct Needs {
    pub orders: Arc<dyn Orders>,
    pub reservations: Arc<dyn Reservations>,
    /// Whether they are there.
    pub attempts: Arc<dyn Attempts>,
    pub turnstile: Arc<dyn Turnstile>,
    pub fallbacks: Arc<dyn Fallbacks>,
    pub journal: Arc<dyn Journal>,
    pub money: money::Needs,
    pub counter: at_once::Needs,
}

/// One process's; clones are the same one.
#[derive(Clone)]
pub struct BoxOffice(Arc<Inner>);

struct Inner {
    front: Front,
    needs: Needs,
    settings: Settings,
    receipts: Receipts,
    counter: Counter,
    till: Till,
    /// One for each purchase that may stand at the till, so that none is sent away from it.
    places: Semaphore,
    calls: Throttle,
    health: TtlCache<(), PartsView>,
    fallback: Arc<FallbackWatch>,
    /// Calls that failed here, since the process began.
    errors: AtomicU64,
}

impl BoxOffice {
    /// Within the process's runtime, in which its counter and its till work.
    pub fn new(front: Front, needs: Needs, receipts: Receipts, settings: Settings) -> Self {
        metric::describe();
        let rate = Rate { tries_max: settings.calls_max, window_ms: WINDOW_MS };
        Self(Arc::new(Inner {
            counter: Counter::start(needs.counter.clone(), front.lifecycle()),
            till: Till::start(needs.money.clone(), front.lifecycle()),
            places: Semaphore::new(WAITING_MAX),
            calls: Throttle::new("box-office", rate, front.settings().login_keys_max),
            health: TtlCache::new(HEALTH_AGE, 1),
            fallback: FallbackWatch::start(needs.fallbacks.clone(), front.lifecycle()),
            errors: AtomicU64::new(0),
            front,
            needs,
            settings,
            receipts,
        }))
    }

    fn needs(&self) -> &Needs {
        &self.0.needs
    }

    /// Of the box office; what all faces share is the front's.
    fn own_settings(&self) -> &Settings {
        &self.0.settings
    }

    fn receipts(&self) -> &Receipts {
        &self.0.receipts
    }

    fn patience(&self) -> Patience {
        let capture = Duration::from_millis(self.settings().capture_ms_max);
        Patience { capture, effort: self.effort() }
    }

    /// Counts a call that reads or writes the ledger for a stranger.
    fn pass(&self, req: &HttpRequest) -> Result<(), Problem> {
        self.0.calls.pass(&self.network(req), self.clock().now())
    }

    fn fallback(&self) -> &FallbackWatch {
        &self.0.fallback
    }

    fn errors(&self) -> u64 {
        self.0.errors.load(Ordering::Relaxed)
    }
}

impl Deref for BoxOffice {
    type Target = Front;

    fn deref(&self) -> &Front {
        &self.0.front
    }
}

pub fn routes(cfg: &mut ServiceConfig, office: BoxOffice) {
    cfg.app_data(Data::new(office));
    routes::events::routes(cfg);
    routes::buying::routes(cfg);
    routes::tickets::routes(cfg);
    routes::figures::routes(cfg);
    routes::admin::routes(cfg);
}
