//! What routes are made of: paths, the parts of a request that they read, and what all of them say alike.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, Query};
use actix_web::{Error, HttpRequest, HttpResponse, Resource};

use crate::domain::shared::id::SaleId;
use crate::kit::http::body;
use crate::kit::http::problem::{Kind, Problem, method_not_allowed};
use crate::kit::telemetry::traced;

pub type Reply = Result<HttpResponse, Problem>;

/// A path that refuses other methods as a problem, and whose requests may be traced.
pub fn path(path: &str) -> Resource<impl Answers> {
    web::resource(path).default_service(web::to(method_not_allowed)).wrap(from_fn(seen))
}

/// What a path's requests go through.
pub trait Answers:
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

pub fn sale_id(req: &HttpRequest) -> Result<SaleId, Problem> {
    numbered_sale(body::path_number(req, "id")?).ok_or_else(no_such_sale)
}

/// The ledgers number with 63 bits.
pub fn numbered_sale(number: u64) -> Option<SaleId> {
    i64::try_from(number).is_ok().then_some(SaleId(number))
}

pub fn no_such_sale() -> Problem {
    Problem::new(Kind::NOT_FOUND, "there is no such sale")
}

/// The named parameters of the query, each at most once, and nothing else.
pub fn query<const N: usize>(req: &HttpRequest, names: [&'static str; N]) -> Result<[Option<String>; N], Problem> {
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

/// A name that the client made up, made safe to repeat in the answer.
fn printable(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(40).collect()
}

pub fn parsed<T: std::str::FromStr>(
    name: &'static str,
    text: Option<String>,
    must: &'static str,
) -> Result<Option<T>, Problem> {
    let parse = |text: String| text.parse().map_err(|_| Problem::field(name, Kind::INVALID, must));
    text.map(parse).transpose()
}

/// The order that the path names; nothing where no order could have that number.
pub fn order_number(req: &HttpRequest) -> Option<&str> {
    req.match_info().get("number").filter(|number| is_order_number(number))
}

/// What could be an order's number: three groups of four, so that nothing else reaches the ledger.
pub fn is_order_number(text: &str) -> bool {
    text.len() == 14 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-')
}
