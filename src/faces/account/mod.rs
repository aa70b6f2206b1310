//! People and their accounts: signing up, logging in and out, changing a password, taking one's data along, going. A password is
//! checked in a bounded pool, and tries are counted; what is sold is none of its business.

pub mod accounts;
mod devices;
mod login_limiter;
pub mod mailed;
pub mod metric;
mod part;
pub mod passwords;
mod proof;
mod routes;
mod views;

use std::ops::Deref;
use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::web::{Data, ServiceConfig};

use crate::app::people::{codes, second_factor};
use crate::app::receipts::Receipts;
use crate::domain::people::TOKEN_MS_MAX;
use crate::faces::account::login_limiter::{LoginAttempt, LoginLimiter};
pub use crate::faces::account::part::part;
use crate::faces::account::passwords::Pools;
use crate::faces::front::Front;
use crate::ports::money::orders::Orders;
use crate::ports::people::accounts::Accounts;
use crate::ports::people::codes::Codes;
use crate::ports::people::sessions::Sessions;
use crate::ports::people::tries::Tries;
use crate::ports::platform::clock::Clock;
use crate::ports::sale::catalogue::Catalogue;

#[derive(Clone)]
pub struct Needs {
    pub accounts: Arc<dyn Accounts>,
    pub codes: Arc<dyn Codes>,
    pub sessions: Arc<dyn Sessions>,
    pub tries: Arc<dyn Tries>,
    /// Whose receipts bear a name that goes.
    pub orders: Arc<dyn Orders>,
    /// Titles of what is in the way of going.
    pub catalogue: Arc<dyn Catalogue>,
    pub clock: Arc<dyn Clock>,
    pub second_factor: second_factor::Needs,
}

/// One process's; clones are the same one.
#[derive(Clone)]
pub struct AccountFace(Arc<Inner>);

struct Inner {
    front: Front,
    needs: Needs,
    receipts: Receipts,
    pools: Pools,
    limiter: LoginLimiter,
}

impl AccountFace {
    pub fn new(front: Front, needs: Needs, receipts: Receipts) -> Self {
        metric::describe();
        let settings = front.settings();
        let pools = Pools::new(settings.hash_jobs_max, settings.hash_waiting_max, front.runtime());
        let limiter = LoginLimiter::new(settings);
        Self(Arc::new(Inner { front, needs, receipts, pools, limiter }))
    }

    /// Passwords hashed since the start.
    pub fn hashes(&self) -> u64 {
        self.0.pools.hashes()
    }

    /// Forgets old codes and log-ins, until the soft stop.
    pub async fn run(&self) {
        let (needs, now) = (self.needs(), || self.clock().now());
        // Ends are read for as long as a token may be good.
        let is_over = || now().plus_ms(-TOKEN_MS_MAX);
        tokio::join!(
            self.forget("codes", |max| codes::forget(&*needs.codes, max, now())),
            self.forget("sessions", |max| needs.sessions.forget_sessions(is_over(), max)),
        );
    }

    fn needs(&self) -> &Needs {
        &self.0.needs
    }

    fn receipts(&self) -> &Receipts {
        &self.0.receipts
    }

    fn pools(&self) -> &Pools {
        &self.0.pools
    }

    /// The login attempt of the client that sent this request.
    fn knock(&self, req: &HttpRequest) -> LoginAttempt<'_> {
        LoginAttempt {
            limiter: &self.0.limiter,
            tries: &*self.needs().tries,
            address: self.network(req),
            now: self.clock().now(),
        }
    }
}

impl Deref for AccountFace {
    type Target = Front;

    fn deref(&self) -> &Front {
        &self.0.front
    }
}

pub fn routes(cfg: &mut ServiceConfig, account: AccountFace) {
    cfg.app_data(Data::new(account));
    routes::codes::routes(cfg);
    routes::people::routes(cfg);
    routes::own::routes(cfg);
    routes::second_factor::routes(cfg);
    routes::sessions::routes(cfg);
}
