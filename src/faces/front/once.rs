//! What is lent to routes that need an `Idempotency-Key`, and the forgetting of old keys.

use actix_web::{HttpRequest, Route};

use crate::domain::people::Permission;
use crate::faces::front::Front;
use crate::faces::front::metric::Metric;
use crate::kit::http::idempotency::{self, Keeper, Limits, Outcome};
use crate::kit::http::problem::Problem;
use crate::kit::http::with_effect;
use crate::kit::telemetry::trace::{carried, carry};
use crate::ports::platform::clock::Clock;
use crate::ports::platform::fault::Faults;
use crate::ports::platform::idempotency::Idempotency;

/// Who may call a route, and whose its keys are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Buyer,
    /// An operator with this permission.
    May(Permission),
}

/// A route whose requests cost something: done once under each key.
pub fn once(by: By, route: Route) -> Route {
    idempotency::once::<Front>(by, route)
}

/// A route whose handler claims its request in the transaction of its effect.
pub fn once_with_effect(by: By, route: Route) -> Route {
    with_effect::with_effect::<Front>(by, route)
}

impl Keeper for Front {
    type By = By;

    fn store(&self) -> &dyn Idempotency {
        &*self.0.needs.idempotency
    }

    fn clock(&self) -> &dyn Clock {
        self.clock()
    }

    fn faults(&self) -> &dyn Faults {
        &*self.0.needs.faults
    }

    fn caller(&self, by: By, req: &HttpRequest) -> Result<String, Problem> {
        let buyer = match by {
            By::Buyer => self.buyer(req)?,
            By::May(permission) => self.may(req, permission)?.buyer,
        };
        Ok(format!("buyer {buyer}"))
    }

    fn digests(&self, message: &[u8]) -> Vec<[u8; 32]> {
        self.keys().digests(message)
    }

    fn limits(&self) -> Limits {
        let settings = self.settings();
        Limits {
            body_bytes_max: settings.body_bytes_max,
            lease_ms: settings.request_lease_ms,
            ttl_ms: settings.request_ttl_ms,
        }
    }

    async fn finish<T: 'static>(&self, work: impl Future<Output = T> + 'static) -> Option<T> {
        self.0.lifecycle.finish_local("request", carried(carry(), work)).await.ok()
    }

    fn count(&self, outcome: Outcome) {
        metrics::counter!(Metric::Requests.name(), "outcome" => outcome.name()).increment(1);
    }
}

/// Removes requests whose keys have expired.
pub async fn forget_old(front: &Front) {
    front.forget("requests", |max| front.0.needs.idempotency.forget(front.clock().now(), max)).await;
}
