//! What the gateway lends to those of its routes that need an `Idempotency-Key`, and the forgetting of old keys.

use std::time::Duration;

use actix_web::{HttpRequest, Route};

use crate::http::address;
use crate::http::auth::{Principal, TokenKeys};
use crate::http::idempotency::{self, By, Keeper, Limits, Outcome};
use crate::http::problem::Problem;
use crate::ports::clock::Clock;
use crate::ports::fault::Faults;
use crate::ports::idempotency::Idempotency;
use crate::ports::{self, World};
use crate::runtime::telemetry::trace::{carried, carry};
use crate::services::gateway::Gateway;
use crate::services::gateway::metric::Metric;

/// A route whose requests cost something: done once under each key.
pub fn once<W: World>(by: By, route: Route) -> Route {
    idempotency::once::<Gateway<W>>(by, route)
}

impl<W: World> Keeper for Gateway<W> {
    type Store = W::Store;

    fn store(&self) -> &W::Store {
        self.world().store()
    }

    fn clock(&self) -> &dyn Clock {
        self.clock()
    }

    fn faults(&self) -> &dyn Faults {
        &**self.world().faults()
    }

    fn keys(&self) -> &TokenKeys {
        self.keys()
    }

    fn principal(&self, req: &HttpRequest) -> Result<Principal, Problem> {
        self.principal(req)
    }

    fn limits(&self) -> Limits {
        let settings = self.settings();
        Limits {
            body_bytes_max: settings.body_bytes_max,
            lease_ms: settings.request_lease_ms,
            ttl_ms: settings.request_ttl_ms,
        }
    }

    fn address(&self, req: &HttpRequest) -> String {
        address::network(address::client(req, self.settings().trusted_hops))
    }

    fn carried<F: Future + 'static>(work: F) -> impl Future<Output = F::Output> + 'static {
        carried(carry(), work)
    }

    fn count(&self, outcome: Outcome) {
        metrics::counter!(Metric::Requests.name(), "outcome" => outcome.name()).increment(1);
    }
}

/// Removes requests whose keys have expired, until the soft stop. What is left over counts as forgotten all the same.
pub async fn forget_old<W: World>(gateway: &Gateway<W>) {
    let pause = Duration::from_millis(gateway.settings().request_forget_ms);
    while !gateway.is_stopping() {
        if let Err(fault) = forget_all(gateway).await {
            tracing::info!(%fault, "old requests are forgotten later");
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = gateway.stopping() => {}
        }
    }
}

async fn forget_all<W: World>(gateway: &Gateway<W>) -> ports::Result<()> {
    let max = gateway.settings().request_forget_max;
    while !gateway.is_stopping() {
        let forgotten = gateway.world().store().forget(gateway.clock().now(), max).await?;
        if forgotten < u64::from(max) {
            break;
        }
    }
    Ok(())
}
