//! Buying: one call holds a unit and confirms it, as long as its caller is there.

use std::sync::Arc;
use std::time::Instant;

use actix_web::http::header::AUTHORIZATION;
use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;

use crate::app::money::checkout::{Card, Checkout, Paid, check_out};
use crate::app::money::till::Wish;
use crate::app::sale::at_once::{Comes, Hold};
use crate::domain::money::order::Order;
use crate::domain::sale::Phase;
use crate::domain::shared::id::{AttemptId, BuyerId, SaleId};
use crate::faces::box_office::BoxOffice;
use crate::faces::box_office::metric::Metric;
use crate::faces::box_office::purchase::{PurchaseId, buyer_of, checked_key};
use crate::faces::box_office::routes::{event, later, said};
use crate::faces::box_office::views::{PurchaseView, Refusals, Said, Unsold};
use crate::faces::front::routes::{Reply, path};
use crate::kit::http::body;
use crate::kit::http::document::shapes::{described, text};
use crate::kit::http::idempotency::HEADER;
use crate::kit::http::limits;
use crate::kit::http::problem::{Kind, Problem};
use crate::kit::work::chance::chance;
use crate::ports::platform::idempotency::Answer;
use crate::problem_kinds;

problem_kinds! {
    SOLD_OUT = "sold_out", CONFLICT, "Sold out";
    NOT_ON_SALE = "not_on_sale", CONFLICT, "The event is not on sale now";
    NOT_BOUGHT = "not_bought", CONFLICT, "There is no ticket";
    CARD_REFUSED = "card_refused", PAYMENT_REQUIRED, "The card was declined";
    NOT_PAYABLE = "not_payable", UNPROCESSABLE_ENTITY, "The price cannot be paid";
}

const CARD_CHARS_MAX: usize = 100;
const LATER: &str = "Not decided yet: ask for the ticket, or send the same again";

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(path("/buy/{event}").route(web::post().to(post_buy)));
}

/// No body is needed for what costs nothing.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = BoxOfficeOrder)]
struct Wanted {
    #[schema(schema_with = card)]
    card: Option<String>,
}

fn card() -> Object {
    described(text::<1, CARD_CHARS_MAX>(), "What the payment provider knows the card by.")
}

/// Buy a ticket
///
/// Each call is a purchase of one ticket. Under an `Idempotency-Key` (16 to 255 visible ASCII characters, made up at random) all calls for
/// an event are the same purchase; so are all calls with the access token of one account. A purchase is confirmed while its caller is
/// there: who leaves before the answer has none, and sends the same call under the same key to have it. 202 says that it is not decided
/// yet, and where its ticket will be.
#[utoipa::path(
    post,
    path = "/buy/{event}",
    operation_id = "box_office_buy",
    params(("event" = SaleId, Path)),
    request_body(content = Option<Wanted>),
    responses(
        (status = 200, description = "Bought, now or before.", body = Said<PurchaseView>),
        (status = 202, description = "Not decided yet, or not known yet whether money moved.", body = Said<PurchaseView>),
        Refusals, Unsold,
    ),
    security((), ("access" = [])),
)]
async fn post_buy(req: HttpRequest, payload: Payload, office: Data<BoxOffice>) -> Reply {
    let began = Instant::now();
    let (outcome, reply) = match buy(&req, payload, &office).await {
        Ok((outcome, answer)) => (outcome, Ok(answer)),
        Err(problem) => (problem.kind.name(), Err(problem)),
    };
    metrics::counter!(Metric::Purchases.name(), "outcome" => outcome).increment(1);
    metrics::histogram!(Metric::PurchaseSeconds.name()).record(began.elapsed().as_secs_f64());
    said(&office, &req, reply)
}

/// What costs nothing to look at is looked at first, and who asks too often reaches neither queue nor ledger.
async fn buy(req: &HttpRequest, payload: Payload, office: &BoxOffice) -> Result<(&'static str, HttpResponse), Problem> {
    let caller = caller(office, req)?;
    office.pass(req)?;
    let shown = event(office, req).await?;
    let card = read_card(office, req, payload).await?;
    let (sale, price) = (shown.sale.id, shown.sale.price);
    if card.is_none() && !price.is_zero() {
        return Err(Problem::field("card", Kind::INVALID, format!("is needed: {price} is to be paid")));
    }
    let (buyer, comes) = caller.buyer(sale);
    let named = |attempt: AttemptId| PurchaseId { sale, attempt, buyer };
    let reservation = match office.0.counter.hold(&shown, buyer, comes, office.clock().now()).await? {
        Hold::Reserved(reservation) => reservation,
        Hold::Pending(attempt) => return Ok(("pending", later(office, &named(attempt), LATER))),
        Hold::SoldOut if office.own_settings().compat => {
            return Err(Problem::new(Kind::NOT_FOUND, "No tickets available"));
        }
        Hold::SoldOut => return Err(Problem::new(SOLD_OUT, "No tickets available")),
        Hold::NotOpen(phase) => return Err(Problem::new(NOT_ON_SALE, why_not(phase))),
        Hold::Busy => return Err(Problem::new(Kind::BUSY, "more come than can be taken in; come again shortly")),
    };
    // Who leaves while they wait here is not sold anything.
    let _place = office.0.places.acquire().await.map_err(|_| Problem::new(Kind::UNAVAILABLE, "the till is closed"))?;
    let here = BoxOffice::clone(office);
    let is_card_given = card.is_some();
    // There is no request to be kept an answer of: the buyer's number finds the purchase again.
    let to_answer = Arc::new(|_: &Order| Answer::Anew);
    let wish = Wish { reservation, buyer, is_card_given, request: None, to_answer };
    let a_move = async move {
        let mask = |fingerprint: &str| here.keys().card_key(fingerprint);
        let card = card.as_deref().map(|token| Card { token, mask: &mask });
        match check_out(&here.0.till, here.patience(), wish, card).await? {
            Checkout::Here { paid, .. } => paid,
            // No request is claimed, so none can be another's.
            Checkout::Elsewhere(_) => Ok(Paid::Busy),
        }
    };
    let paid = office.finish(a_move).await?;
    Ok((paid.name(), answer(office, &named(reservation.into()), paid)?))
}

/// Who asks, as far as it is known before the event is.
enum Caller {
    Account(BuyerId),
    Key(String),
    Stranger,
}

impl Caller {
    fn buyer(&self, sale: SaleId) -> (BuyerId, Comes) {
        match self {
            Caller::Account(buyer) => (*buyer, Comes::Known),
            Caller::Key(key) => (buyer_of(sale, key), Comes::Again),
            Caller::Stranger => (BuyerId::walk_in(u64::from_be_bytes(chance())), Comes::New),
        }
    }
}

fn caller(office: &BoxOffice, req: &HttpRequest) -> Result<Caller, Problem> {
    let key = checked_key(req.headers().get_all(HEADER).map(|value| value.as_bytes()))?;
    if req.headers().contains_key(AUTHORIZATION) {
        return Ok(Caller::Account(office.buyer(req)?));
    }
    Ok(key.map_or(Caller::Stranger, |key| Caller::Key(key.to_owned())))
}

async fn read_card(office: &BoxOffice, req: &HttpRequest, payload: Payload) -> Result<Option<String>, Problem> {
    let bytes = body::read_any(req.headers(), &mut payload.into_inner(), office.settings().body_bytes_max).await?;
    if bytes.is_empty() {
        return Ok(None);
    }
    let wanted: Wanted = body::parse(&bytes)?;
    let card = wanted.card.as_deref().map(|card| limits::text("card", card, CARD_CHARS_MAX)).transpose()?;
    Ok(card.map(str::to_owned))
}

fn why_not(phase: Phase) -> &'static str {
    match phase {
        Phase::Scheduled => "the event is not on sale yet",
        Phase::Paused => "the event is paused; it may go on",
        Phase::Closed | Phase::Open => "the event is over",
    }
}

fn answer(office: &BoxOffice, id: &PurchaseId, paid: Paid) -> Reply {
    let not_bought = |why: &'static str| Err(Problem::new(NOT_BOUGHT, why));
    match paid {
        Paid::Order { order, .. } => {
            let unit = order.units.first().copied().unwrap_or_default();
            let fallback = office.fallback().is_active_for(id.sale);
            Ok(Said::ok("Ticket purchased", PurchaseView::ticket(id, fallback, unit, &order.number)))
        }
        Paid::Paying => Ok(later(office, id, LATER)),
        Paid::Busy => Err(Problem::new(Kind::BUSY, "many pay at this moment; come again shortly")),
        Paid::Declined { why, tries_left } => {
            let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
            let then = if tries_left == 0 { "and the hold is over" } else { "and no money moved" };
            Err(Problem::field("card", CARD_REFUSED, format!("the card was declined{why}, {then}")))
        }
        Paid::CardMissing(amount) => {
            Err(Problem::field("card", Kind::INVALID, format!("is needed: {amount} is to be paid")))
        }
        Paid::Unpayable(amount, why) => {
            Err(Problem::new(NOT_PAYABLE, format!("{amount} cannot be paid here: {why}; no money moved")))
        }
        Paid::Lapsed => not_bought("it took too long, and the ticket went back; buy again"),
        Paid::Refunding => not_bought("the payment came too late; the money goes back by itself"),
        Paid::NotHeld(Some(kind)) => Err(Problem::new(NOT_BOUGHT, format!("this purchase is {}", kind.name()))),
        Paid::NotHeld(None) => not_bought("there is no such purchase"),
    }
}
