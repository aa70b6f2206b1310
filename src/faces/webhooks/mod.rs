//! Where others call us: today the payment provider. What it says is a hint only; what is done is asked of it.

pub mod metric;
mod part;
mod routes;

use std::ops::Deref;
use std::sync::Arc;

use actix_web::web::{Data, ServiceConfig};

use crate::app::money;
use crate::faces::front::Front;
pub use crate::faces::webhooks::part::part;
use crate::ports::money::payments::Payments;

#[derive(Clone)]
pub struct Needs {
    pub payments: Arc<dyn Payments>,
    pub money: money::Needs,
}

/// One process's; clones are the same one.
#[derive(Clone)]
pub struct Webhooks(Arc<Inner>);

struct Inner {
    front: Front,
    needs: Needs,
}

impl Webhooks {
    pub fn new(front: Front, needs: Needs) -> Self {
        metric::describe();
        Self(Arc::new(Inner { front, needs }))
    }

    fn needs(&self) -> &Needs {
        &self.0.needs
    }
}

impl Deref for Webhooks {
    type Target = Front;

    fn deref(&self) -> &Front {
        &self.0.front
    }
}

pub fn routes(cfg: &mut ServiceConfig, webhooks: Webhooks) {
    cfg.app_data(Data::new(webhooks));
    routes::routes(cfg);
}
