//! The desk: what operators do and see. Items and sales, units out of sale, orders and refunds, figures and lists, audits, parked
//! messages, kept receipts, and the journal of who did what. Every call of it wants an operator's token.

mod edit;
mod exports;
mod journal;
mod leaving;
pub mod metric;
mod pace;
mod part;
mod report;
mod requests;
mod routes;
mod views;

use std::ops::Deref;
use std::sync::Arc;

use actix_web::web::{Data, ServiceConfig};
use tokio::sync::{Mutex, Semaphore};

use crate::app::audit;
use crate::app::money;
use crate::app::receipts::Receipts;
use crate::app::sale::blocks;
use crate::app::sale::feed;
use crate::app::seating;
use crate::faces::desk::pace::Paces;
pub use crate::faces::desk::part::part;
use crate::faces::front::Front;
use crate::ports::audit::auditing::Auditing;
use crate::ports::audit::journal::Journal;
use crate::ports::audit::reports::Reports;
use crate::ports::money::orders::Orders;
use crate::ports::money::payments::Payments;
use crate::ports::money::refunds::Refunds;
use crate::ports::platform::clock::Clock;
use crate::ports::platform::parked::Parked;
use crate::ports::sale::blocks::Blocks;
use crate::ports::sale::catalogue::Catalogue;
use crate::ports::sale::drafts::Drafts;
use crate::ports::sale::restoring::Restoring;
use crate::ports::sale::turnstile::Turnstile;

#[derive(Clone)]
pub struct Needs {
    pub turnstile: Arc<dyn Turnstile>,
    pub parked: Arc<dyn Parked>,
    pub orders: Arc<dyn Orders>,
    pub refunds: Arc<dyn Refunds>,
    pub restoring: Arc<dyn Restoring>,
    pub auditing: Arc<dyn Auditing>,
    pub journal: Arc<dyn Journal>,
    pub catalogue: Arc<dyn Catalogue>,
    pub drafts: Arc<dyn Drafts>,
    pub blocks: Arc<dyn Blocks>,
    pub reports: Arc<dyn Reports>,
    /// What may be put on sale can be paid.
    pub payments: Arc<dyn Payments>,
    pub clock: Arc<dyn Clock>,
    pub money: money::Needs,
    pub announce: feed::Needs,
    pub audit: audit::Needs,
    pub blocking: blocks::Needs,
    pub seating: seating::Needs,
}

/// One process's; clones are the same one.
#[derive(Clone)]
pub struct Desk(Arc<Inner>);

struct Inner {
    front: Front,
    needs: Needs,
    receipts: Receipts,
    /// An audit reads everything of a sale: one at a time.
    auditing: Mutex<()>,
    paces: Paces,
    /// One for each list that may be made now.
    exports: Arc<Semaphore>,
    /// A large plan takes a moment of a core, and memory: one is read at a time.
    reading: Arc<Semaphore>,
}

impl Desk {
    pub fn new(front: Front, needs: Needs, receipts: Receipts) -> Self {
        metric::describe();
        let exports = Arc::new(Semaphore::new(front.settings().exports_max));
        let (auditing, reading) = (Mutex::default(), Arc::new(Semaphore::new(1)));
        Self(Arc::new(Inner { front, needs, receipts, auditing, paces: Paces::new(), exports, reading }))
    }

    fn needs(&self) -> &Needs {
        &self.0.needs
    }

    fn receipts(&self) -> &Receipts {
        &self.0.receipts
    }

    fn auditing(&self) -> &Mutex<()> {
        &self.0.auditing
    }

    fn paces(&self) -> &Paces {
        &self.0.paces
    }

    fn reading(&self) -> &Arc<Semaphore> {
        &self.0.reading
    }

    fn exports(&self) -> Arc<Semaphore> {
        self.0.exports.clone()
    }
}

impl Deref for Desk {
    type Target = Front;

    fn deref(&self) -> &Front {
        &self.0.front
    }
}

pub fn routes(cfg: &mut ServiceConfig, desk: Desk) {
    cfg.app_data(Data::new(desk));
    routes::sales::routes(cfg);
    routes::drafts::routes(cfg);
    routes::parked::routes(cfg);
    routes::running::routes(cfg);
    routes::blocks::routes(cfg);
    routes::orders::routes(cfg);
    routes::refunds::routes(cfg);
    routes::receipts::routes(cfg);
    routes::reports::routes(cfg);
    routes::plans::routes(cfg);
    routes::journal::routes(cfg);
}
