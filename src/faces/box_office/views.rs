//! What the box office answers: names as clients of small shops know them.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use serde::Serialize;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response};
use utoipa::{IntoResponses, ToSchema};

use crate::app::sale::catalogue_cache::CachedSale;
use crate::domain::sale::Phase;
use crate::domain::shared::id::SaleId;
use crate::domain::shared::time::Timestamp;
use crate::faces::box_office::purchase::PurchaseId;
use crate::faces::front::views::MoneyView;
use crate::kit::http::problem::{CONTENT_TYPE, Problem};

/// Every good answer.
#[derive(Serialize, ToSchema)]
#[schema(as = BoxOfficeAnswer)]
pub struct Said<T> {
    /// Always false; of what is refused, true.
    error: bool,
    message: String,
    data: T,
}

impl<T: Serialize> Said<T> {
    pub fn new(message: impl Into<String>, data: T) -> Self {
        Self { error: false, message: message.into(), data }
    }

    pub fn ok(message: &str, data: T) -> HttpResponse {
        HttpResponse::Ok().json(Self::new(message, data))
    }
}

/// Beside what every problem says.
#[derive(Serialize)]
struct Refusal<'a> {
    error: bool,
    message: &'a str,
    data: Nothing,
}

/// What was sold.
#[derive(Serialize)]
struct Nothing {
    /// As [`PurchaseView::fallback`].
    fallback: bool,
}

/// A problem as clients of small shops read it, too.
pub fn refusal(problem: Problem, fallback: bool) -> Problem {
    let message = problem.detail.clone();
    problem.with_facts(&Refusal { error: true, message: &message, data: Nothing { fallback } })
}

/// How the calls of shoppers are refused.
pub struct Refusals;

/// How a purchase is refused beside.
pub struct Unsold;

impl IntoResponses for Refusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refused([
            (400, "The request is not valid."),
            (404, "There is no such event or purchase."),
            (413, "The body is too large."),
            (429, "Too many calls; come again later."),
            (500, "Something went wrong here."),
            (503, "Too busy, or a server this needs is away; come again."),
        ])
    }
}

impl IntoResponses for Unsold {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refused([
            (401, "The token is not valid."),
            (402, "The card was declined; no money moved."),
            (409, "Sold out, or not on sale now."),
            (422, "The price can never be paid here."),
        ])
    }
}

fn refused<const N: usize>(statuses: [(u16, &str); N]) -> BTreeMap<String, RefOr<Response>> {
    let told = |(status, about): (u16, &str)| {
        let content = ContentBuilder::new().schema(Some(refusal_shape())).build();
        let response = ResponseBuilder::new().description(about).content(CONTENT_TYPE, content).build();
        (status.to_string(), response.into())
    };
    statuses.into_iter().map(told).collect()
}

fn refusal_shape() -> Schema {
    let typed = |kind| ObjectBuilder::new().schema_type(kind);
    let data = ObjectBuilder::new().property("fallback", typed(Type::Boolean)).required("fallback");
    let beside = ObjectBuilder::new()
        .property("error", typed(Type::Boolean).description(Some("Always true.")))
        .property("message", typed(Type::String).description(Some("The problem's detail.")))
        .property("data", data);
    AllOfBuilder::new().item(Ref::from_schema_name("Problem")).item(beside).into()
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = BoxOfficeEvent)]
pub struct EventView {
    event_id: SaleId,
    name: String,
    price: MoneyView,
    /// Tickets in all.
    total: u32,
    /// As the ledger has it, a moment old.
    sold: u32,
    /// Neither sold, held nor out of sale; a moment old.
    remaining: u32,
    phase: Phase,
}

impl EventView {
    pub fn new(shown: &CachedSale, now: Timestamp) -> Self {
        Self {
            event_id: shown.sale.id,
            name: shown.sale.title.clone(),
            price: shown.sale.price.into(),
            total: shown.sale.allotment.capacity,
            sold: shown.sold,
            remaining: shown.left,
            phase: shown.sale.phase(now),
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = BoxOfficeEvents)]
pub struct EventsView {
    pub events: Vec<EventView>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = BoxOfficePurchase)]
pub struct PurchaseView {
    /// `ticket-<event>-<number>`; null where it is not known yet whether there is one.
    #[schema(required)]
    pub ticket: Option<String>,
    /// Whether the event is decided from memory at this moment, because the turnstile is away. What was bought is bought either way.
    fallback: bool,
    event_id: SaleId,
    /// Whoever knows it may have the ticket.
    purchase_id: String,
    /// Where its PDF is.
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub order_number: Option<String>,
}

impl PurchaseView {
    pub fn new(id: &PurchaseId, fallback: bool) -> Self {
        let (purchase_id, url) = (id.to_string(), id.url());
        Self { ticket: None, fallback, event_id: id.sale, purchase_id, url, order_number: None }
    }

    pub fn ticket(id: &PurchaseId, fallback: bool, unit: u32, order_number: &str) -> Self {
        let ticket = Some(ticket_name(id.sale, unit));
        Self { ticket, order_number: Some(order_number.to_owned()), ..Self::new(id, fallback) }
    }
}

pub fn ticket_name(sale: SaleId, unit: u32) -> String {
    format!("ticket-{sale}-{unit}")
}

/// Which parts answer.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = BoxOfficeParts)]
pub struct PartsView {
    /// Decides who gets a unit: Redis in a fleet, memory in the shop of one process.
    pub turnstile: bool,
    /// What was sold.
    pub ledger: bool,
    /// On which attempts travel.
    pub queue: bool,
}

impl PartsView {
    pub fn all_answer(self) -> bool {
        self.turnstile && self.ledger && self.queue
    }
}

/// Selling from memory while the turnstile is away.
#[derive(Serialize, ToSchema)]
#[schema(as = BoxOfficeFallback)]
pub struct FallbackView {
    /// Whether any event is decided from memory; without it purchases wait in the queue, and are answered 202 and later.
    active: bool,
    /// Which.
    events: Vec<SaleId>,
}

impl FallbackView {
    pub fn new(events: Vec<SaleId>) -> Self {
        Self { active: !events.is_empty(), events }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = BoxOfficeHealth)]
pub struct HealthView {
    pub parts: PartsView,
    pub fallback: FallbackView,
}

/// By the events' numbers.
#[derive(Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = BoxOfficeMetrics)]
pub struct MetricsView {
    pub tickets_sold: BTreeMap<String, u32>,
    pub tickets_remaining: BTreeMap<String, u32>,
    /// Times that an event began to be decided from memory, as seen by the process that answers, since it began.
    pub fallback_activations: u64,
    /// Calls that failed in the process that answers, since it began.
    pub errors: u64,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = BoxOfficeSeeded)]
pub struct SeededView {
    pub fallback: FallbackView,
    /// What a turnstile that is restored from the ledger would have to give, by the events' numbers.
    pub tickets_remaining: BTreeMap<String, u32>,
}
