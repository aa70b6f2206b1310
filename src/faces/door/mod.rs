//! The door: operators let units in and take that back, find holders by name, take what gates wrote down, and hand gates what they take along; and everybody reads the
//! public keys by which a receipt is verified.

mod check_ins;
mod gates;
mod holders;
mod keys;
mod part;
mod undos;
mod views;

use std::ops::Deref;
use std::sync::Arc;

use actix_web::web::{Data, ServiceConfig};

use crate::app::receipts::Receipts;
pub use crate::faces::door::part::part;
use crate::faces::front::Front;
use crate::kit::http::throttle::{Rate, Throttle};
use crate::ports::receipts::admissions::Admissions;

/// In which an operator's look-ups are counted.
const LOOK_UPS_MS: i64 = 60_000;

#[derive(Clone)]
pub struct Needs {
    pub admissions: Arc<dyn Admissions>,
}

/// One process's; clones are the same one.
#[derive(Clone)]
pub struct Door(Arc<Inner>);

struct Inner {
    front: Front,
    needs: Needs,
    receipts: Receipts,
    look_ups: Throttle,
}

impl Door {
    pub fn new(front: Front, needs: Needs, receipts: Receipts) -> Self {
        let rate = Rate { tries_max: receipts.settings().look_ups_max, window_ms: LOOK_UPS_MS };
        let look_ups = Throttle::new("look_ups", rate, front.settings().login_keys_max);
        Self(Arc::new(Inner { front, needs, receipts, look_ups }))
    }

    fn needs(&self) -> &Needs {
        &self.0.needs
    }

    fn receipts(&self) -> &Receipts {
        &self.0.receipts
    }

    fn look_ups(&self) -> &Throttle {
        &self.0.look_ups
    }
}

impl Deref for Door {
    type Target = Front;

    fn deref(&self) -> &Front {
        &self.0.front
    }
}

pub fn routes(cfg: &mut ServiceConfig, door: Door) {
    cfg.app_data(Data::new(door));
    check_ins::routes(cfg);
    gates::routes(cfg);
    holders::routes(cfg);
    keys::routes(cfg);
    undos::routes(cfg);
}
