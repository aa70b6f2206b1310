//! The routes, by who calls them. A handler reads what is asked, calls one function, and says what came of it.

mod account;
mod blocks;
mod buying;
mod catalogue;
pub mod check_ins;
pub mod document;
mod operators;
mod orders;
mod page;
mod people;
mod receipts;
mod refunds;
mod reports;
mod running;
mod shop;
mod sockets;
mod webhooks;

use actix_web::body::BoxBody;
use actix_web::dev::{Payload, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, Query, ServiceConfig};
use actix_web::{Error, HttpRequest, HttpResponse, Resource};
use serde::de::DeserializeOwned;

use crate::domain::shared::id::{BuyerId, SaleId};
use crate::faces::gateway::Gateway;
use crate::faces::tokens::access::Principal;
use crate::kit::http::body;
use crate::kit::http::problem::{Kind, Problem, method_not_allowed};
use crate::kit::telemetry::traced;

type Reply = Result<HttpResponse, Problem>;

/// The gateway's paths. Each is a whole path, so that another service may have its own beside them.
pub fn routes(cfg: &mut ServiceConfig, gateway: Gateway) {
    cfg.app_data(web::Data::new(gateway));
    people::routes(cfg);
    account::routes(cfg);
    catalogue::routes(cfg);
    buying::routes(cfg);
    operators::routes(cfg);
    running::routes(cfg);
    blocks::routes(cfg);
    shop::routes(cfg);
    orders::routes(cfg);
    refunds::routes(cfg);
    receipts::routes(cfg);
    check_ins::routes(cfg);
    reports::routes(cfg);
    sockets::routes(cfg);
    webhooks::routes(cfg);
    document::routes(cfg);
}

/// A path that refuses other methods as a problem, and whose requests may be traced.
fn path(path: &str) -> Resource<impl Answers> {
    web::resource(path).default_service(web::to(method_not_allowed)).wrap(from_fn(seen))
}

/// What a path's requests go through.
trait Answers:
    ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse, Error = Error, InitError = ()> + 'static
{
}

impl<T> Answers for T where
    T: ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse, Error = Error, InitError = ()> + 'static
{
}

async fn seen(req: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse, Error> {
    let route = req.match_pattern();
    let mut span = traced::server_span(req.method(), route.as_deref().unwrap_or_default(), req.headers());
    let answer = span.around(next.call(req)).await;
    if let Ok(answer) = &answer {
        traced::record_status(&mut span, answer.status());
    }
    answer
}

impl Gateway {
    /// Who asks, by a token that is good and was not logged out.
    pub(in crate::faces::gateway) fn principal(&self, req: &HttpRequest) -> Result<Principal, Problem> {
        self.revocations().check(self.keys().principal(req, self.clock().now())?)
    }

    fn buyer(&self, req: &HttpRequest) -> Result<BuyerId, Problem> {
        Ok(self.principal(req)?.buyer)
    }

    fn operator(&self, req: &HttpRequest) -> Result<Principal, Problem> {
        self.principal(req)?.operator()
    }

    async fn body<T: DeserializeOwned>(&self, req: &HttpRequest, payload: &mut Payload) -> Result<T, Problem> {
        body::json(req, payload, self.settings().body_bytes_max).await
    }
}

fn sale_id(req: &HttpRequest) -> Result<SaleId, Problem> {
    let id = body::path_number(req, "id")?;
    // The ledgers number with 63 bits.
    if i64::try_from(id).is_err() {
        return Err(no_such_sale());
    }
    Ok(SaleId(id))
}

fn no_such_sale() -> Problem {
    Problem::new(Kind::NOT_FOUND, "there is no such sale")
}

/// The named parameters of the query, each at most once, and nothing else.
fn query<const N: usize>(req: &HttpRequest, names: [&'static str; N]) -> Result<[Option<String>; N], Problem> {
    let pairs = Query::<Vec<(String, String)>>::from_query(req.query_string())
        .map_err(|_| Problem::field("query", Kind::INVALID, "the query cannot be read"))?;
    let mut values = [const { None }; N];
    for (name, value) in pairs.into_inner() {
        let place = names.iter().position(|known| *known == name);
        let place = place.ok_or_else(|| Problem::field(printable(&name), Kind::INVALID, "is not known here"))?;
        if values[place].replace(value).is_some() {
            return Err(Problem::field(names[place], Kind::INVALID, "must be given once"));
        }
    }
    Ok(values)
}

/// A name somebody made up, to be said back to them.
fn printable(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(40).collect()
}

fn parsed<T: std::str::FromStr>(
    name: &'static str,
    text: Option<String>,
    must: &'static str,
) -> Result<Option<T>, Problem> {
    let parse = |text: String| text.parse().map_err(|_| Problem::field(name, Kind::INVALID, must));
    text.map(parse).transpose()
}
