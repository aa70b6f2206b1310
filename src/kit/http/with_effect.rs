//! `Idempotency-Key` where the effect is one transaction: the handler claims its request in it, and keeps its answer in it, so that
//! neither costs a commit of its own. To its caller it is as [`idempotency`](super::idempotency) has it.
//!
//! Wrapped around a route, this reads the key and the body, and hands what is to be claimed to the handler as an [`Unclaimed`]. The
//! handler says what its transaction answered. What it refuses before that is claimed here, since who asks again under a key is told
//! what was told before, whatever is so now.

use std::cell::Cell;
use std::rc::Rc;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse, ResponseError, Route};

use crate::kit::http::idempotency::{AFTER_EFFECT, Keeper, Outcome, keep, keeper_of, outcome, read, to_its_end, told};
use crate::kit::http::problem::Problem;
use crate::ports::platform::idempotency::{Asked, Claim, Lease};

/// A request that its handler claims itself.
#[derive(Clone)]
pub struct Unclaimed(Rc<Inner>);

struct Inner {
    asked: Asked,
    stands: Cell<Stands>,
}

#[derive(Clone, Copy)]
enum Stands {
    /// The handler has not come to it.
    Unasked,
    /// It asked, and got no answer: whether it has the claim is not known.
    Doubtful,
    Elsewhere(Outcome),
    Ours {
        lease: Lease,
        is_kept: bool,
    },
}

impl Unclaimed {
    pub fn asked(&self) -> &Asked {
        &self.0.asked
    }

    /// The transaction got no answer.
    pub fn in_doubt(&self) {
        self.0.stands.set(Stands::Doubtful);
    }

    /// The transaction claimed it, and perhaps kept its answer. Says whether an earlier try began, and it is not known how far it came.
    pub fn claimed(&self, lease: Lease, is_kept: bool) -> bool {
        self.0.stands.set(Stands::Ours { lease, is_kept });
        lease.is_again()
    }

    /// The transaction found it claimed: what its caller is told.
    pub fn elsewhere(&self, claim: Claim) -> Result<HttpResponse, Problem> {
        self.0.stands.set(Stands::Elsewhere(outcome(&claim)));
        told(claim)
    }
}

/// Of a request whose route is wrapped.
pub fn unclaimed(req: &HttpRequest) -> Option<Unclaimed> {
    req.extensions().get::<Unclaimed>().cloned()
}

/// A route whose requests need a key, and whose handler claims them.
pub fn with_effect<K: Keeper>(by: K::By, route: Route) -> Route {
    route.wrap(from_fn(move |req, next| carry_out::<K>(by, req, next)))
}

async fn carry_out<K: Keeper>(
    by: K::By,
    mut req: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let keeper: K = keeper_of(&req);
    let asked = match read(&keeper, by, &mut req).await {
        Ok(asked) => asked,
        Err(problem) => return Ok(req.into_response(problem.error_response())),
    };
    let request = Unclaimed(Rc::new(Inner { asked, stands: Cell::new(Stands::Unasked) }));
    req.extensions_mut().insert(request.clone());
    let (http, keeps) = (req.request().clone(), keeper.clone());
    let work = async move {
        let answered = next.call(req).await?;
        Ok(settle(&keeps, &request, answered).await)
    };
    to_its_end(&keeper, http, work).await
}

/// Brings what is left of the claim to its end.
async fn settle<K: Keeper>(
    keeper: &K,
    Unclaimed(request): &Unclaimed,
    answered: ServiceResponse<BoxBody>,
) -> ServiceResponse<BoxBody> {
    let Inner { asked, stands } = &**request;
    match stands.get() {
        Stands::Elsewhere(outcome) => keeper.count(outcome),
        Stands::Ours { lease, is_kept } => {
            keeper.count(outcome(&Claim::Yours(lease)));
            if !is_kept {
                return keep(keeper, asked.key, lease, answered).await;
            }
            keeper.faults().reach(AFTER_EFFECT).await;
        }
        Stands::Doubtful => {
            // Only where it was this one that claimed it.
            let lease = Lease { request: asked.request, attempt: 1 };
            if let Err(fault) = keeper.store().let_go(asked.key, lease).await {
                tracing::info!(%fault, "an idempotency claim could not be released; its lease runs out");
            }
        }
        Stands::Unasked if answered.status().is_client_error() => return refused(keeper, asked, answered).await,
        Stands::Unasked => {}
    }
    answered
}

/// The handler refused it at first sight: unless it was answered before, nothing is left of it.
async fn refused<K: Keeper>(keeper: &K, asked: &Asked, answered: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let claim = match keeper.store().claim(asked).await {
        Ok(claim) => claim,
        Err(fault) => {
            let (req, _) = answered.into_parts();
            return ServiceResponse::new(req, Problem::from(fault).error_response());
        }
    };
    keeper.count(outcome(&claim));
    match claim {
        Claim::Yours(lease) => keep(keeper, asked.key, lease, answered).await,
        elsewhere => {
            let (req, _) = answered.into_parts();
            let response = told(elsewhere).unwrap_or_else(|problem| problem.error_response());
            ServiceResponse::new(req, response)
        }
    }
}
