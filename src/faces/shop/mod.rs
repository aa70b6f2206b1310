//! The shop: what is sold, where a buyer stands, paying, orders and their receipts; and the page in the browser. The button is
//! the publisher's. It decides nothing about who gets what: a buyer's own moves are conditional writes in the ledger.

pub mod metric;
mod part;
mod plans;
mod refusals;
mod routes;
mod standing;
mod views;

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::{Data, ServiceConfig};
use tokio::sync::Semaphore;

use crate::app::money;
use crate::app::money::checkout::Patience;
use crate::app::money::till::Till;
use crate::app::receipts::Receipts;
use crate::app::sale::admission::{self, Admitting};
use crate::app::sale::cancel;
use crate::faces::front::Front;
pub use crate::faces::shop::part::part;
use crate::faces::shop::plans::KeptPlans;
use crate::ports::money::orders::Orders;
use crate::ports::money::payments::Payments;
use crate::ports::money::refunds::Refunds;
use crate::ports::sale::catalogue::Catalogue;
use crate::ports::sale::reservations::Reservations;
use crate::ports::seating::plans::Plans;

#[derive(Clone)]
pub struct Needs {
    pub reservations: Arc<dyn Reservations>,
    pub orders: Arc<dyn Orders>,
    pub refunds: Arc<dyn Refunds>,
    /// Titles of what was ordered.
    pub catalogue: Arc<dyn Catalogue>,
    /// Which currencies can be paid in.
    pub payments: Arc<dyn Payments>,
    pub plans: Arc<dyn Plans>,
    pub money: money::Needs,
    pub cancel: cancel::Needs,
    pub admission: admission::Needs,
}

/// One process's; clones are the same one.
#[derive(Clone)]
pub struct Shop(Arc<Inner>);

struct Inner {
    front: Front,
    needs: Needs,
    till: Till,
    receipts: Receipts,
    admitting: Admitting,
    /// One for each search that may read the ledger now.
    searches: Semaphore,
    plans: KeptPlans,
}

impl Shop {
    /// Within the process's runtime, in which its till works.
    pub fn new(front: Front, needs: Needs, receipts: Receipts) -> Self {
        metric::describe();
        let searches = Semaphore::new(front.settings().searches_max);
        let admitting = Admitting::new(needs.admission.clone(), front.settings().admission.clone());
        let till = Till::start(needs.money.clone(), front.lifecycle());
        Self(Arc::new(Inner { front, needs, till, receipts, admitting, searches, plans: KeptPlans::new() }))
    }

    fn needs(&self) -> &Needs {
        &self.0.needs
    }

    fn till(&self) -> &Till {
        &self.0.till
    }

    fn receipts(&self) -> &Receipts {
        &self.0.receipts
    }

    fn admitting(&self) -> &Admitting {
        &self.0.admitting
    }

    fn searches(&self) -> &Semaphore {
        &self.0.searches
    }

    fn plans(&self) -> &KeptPlans {
        &self.0.plans
    }

    fn patience(&self) -> Patience {
        let capture = Duration::from_millis(self.settings().capture_ms_max);
        Patience { capture, effort: self.effort() }
    }
}

impl Deref for Shop {
    type Target = Front;

    fn deref(&self) -> &Front {
        &self.0.front
    }
}

pub fn routes(cfg: &mut ServiceConfig, shop: Shop) {
    cfg.app_data(Data::new(shop));
    routes::catalogue::routes(cfg);
    routes::admission::routes(cfg);
    routes::buying::routes(cfg);
    routes::orders::routes(cfg);
    routes::receipts::routes(cfg);
    routes::plans::routes(cfg);
    routes::pages::routes(cfg);
}
