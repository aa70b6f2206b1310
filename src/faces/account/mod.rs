//! People and their accounts: signing up, logging in and out, changing a password, taking one's data along, going. A password is
//! checked in a bounded pool, and tries are counted; what is sold is none of its business.

pub mod accounts;
mod login_limiter;
pub mod metric;
mod part;
pub mod passwords;
mod routes;
mod views;

use std::ops::Deref;
use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::web::{Data, ServiceConfig};

use crate::app::receipts::Receipts;
use crate::faces::account::login_limiter::{LoginAttempt, LoginLimiter};
pub use crate::faces::account::part::part;
use crate::faces::account::passwords::Passwords;
use crate::faces::front::Front;
use crate::ports::money::orders::Orders;
use crate::ports::people::accounts::Accounts;
use crate::ports::platform::clock::Clock;
use crate::ports::sale::catalogue::Catalogue;

#[derive(Clone)]
pub struct Needs {
    pub accounts: Arc<dyn Accounts>,
    /// Whose receipts bear a name that goes.
    pub orders: Arc<dyn Orders>,
    /// Titles of what is in the way of going.
    pub catalogue: Arc<dyn Catalogue>,
    pub clock: Arc<dyn Clock>,
}

/// One process's; clones are the same one.
#[derive(Clone)]
pub struct AccountFace(Arc<Inner>);

struct Inner {
    front: Front,
    needs: Needs,
    receipts: Receipts,
    passwords: Passwords,
    entry: LoginLimiter,
}

impl AccountFace {
    pub fn new(front: Front, needs: Needs, receipts: Receipts) -> Self {
        metric::describe();
        let settings = front.settings();
        let passwords = Passwords::new(settings.hash_jobs_max, settings.hash_waiting_max, front.runtime().clone());
        let entry = LoginLimiter::new(settings);
        Self(Arc::new(Inner { front, needs, receipts, passwords, entry }))
    }

    /// Passwords hashed since the start.
    pub fn hashes(&self) -> u64 {
        self.0.passwords.hashes()
    }

    fn needs(&self) -> &Needs {
        &self.0.needs
    }

    fn receipts(&self) -> &Receipts {
        &self.0.receipts
    }

    fn passwords(&self) -> &Passwords {
        &self.0.passwords
    }

    /// The login attempt of the client that sent this request.
    fn knock(&self, req: &HttpRequest) -> LoginAttempt<'_> {
        LoginAttempt { entry: &self.0.entry, address: self.network(req), now: self.clock().now() }
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
    routes::people::routes(cfg);
    routes::own::routes(cfg);
}
