//! The door: operators let units in, take what gates wrote down, and hand gates what they take along; and everybody reads the
//! public keys by which a receipt is verified.

mod check_ins;
mod gates;
mod keys;
mod part;
mod views;

use std::ops::Deref;
use std::sync::Arc;

use actix_web::web::{Data, ServiceConfig};

use crate::app::receipts::Receipts;
pub use crate::faces::door::part::part;
use crate::faces::front::Front;
use crate::ports::receipts::admissions::Admissions;

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
}

impl Door {
    pub fn new(front: Front, needs: Needs, receipts: Receipts) -> Self {
        Self(Arc::new(Inner { front, needs, receipts }))
    }

    fn needs(&self) -> &Needs {
        &self.0.needs
    }

    fn receipts(&self) -> &Receipts {
        &self.0.receipts
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
    keys::routes(cfg);
}
