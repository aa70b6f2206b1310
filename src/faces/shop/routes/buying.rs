//! A buyer's reservation, and paying for it.

use std::sync::Arc;
use std::time::Instant;

use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;

use crate::app::money::checkout::{Card, Checkout as CheckedOut, Paid, check_out};
use crate::app::money::till::Wish;
use crate::app::sale::cancel::cancel;
use crate::domain::money::order::Order;
use crate::domain::sale::reservation::Kind as Status;
use crate::domain::shared::id::{AttemptId, BuyerId, ReservationId, SaleId};
use crate::faces::front::once::{By, once_with_effect};
use crate::faces::front::routes::{Reply, no_such_sale, parsed, path, query, sale_id};
use crate::faces::front::views::{OrderView, StandingView};
use crate::faces::shop::Shop;
use crate::faces::shop::metric::Metric;
use crate::faces::shop::standing::{Asked, look_or_wait, standing_of, standing_of_row};
use crate::kit::http::document::params::Key;
use crate::kit::http::document::problems::{self, Extended, Members};
use crate::kit::http::document::shapes::{described, text};
use crate::kit::http::limits;
use crate::kit::http::problem::{CONTENT_TYPE, Kind, Problem};
use crate::kit::http::with_effect::unclaimed;
use crate::ports::platform::idempotency::Answer;
use crate::problem_kinds;

problem_kinds! {
    HOLD_LAPSED = "hold_lapsed", CONFLICT, "The hold has lapsed";
    NOT_HELD = "not_held", CONFLICT, "The reservation is not held";
    CARD_DECLINED = "card_declined", PAYMENT_REQUIRED, "The card was declined";
    /// What a sale asks for, and no payment provider of ours ever takes.
    UNPAYABLE = "unpayable", UNPROCESSABLE_ENTITY, "The amount cannot be paid";
}

const CARD_CHARS_MAX: usize = 100;
const JSON: &str = "application/json";

pub fn routes(cfg: &mut ServiceConfig) {
    let reservation = path("/v1/sales/{id}/reservation")
        .route(web::get().to(get_reservation))
        .route(web::delete().to(delete_reservation));
    cfg.service(reservation)
        .service(path("/v1/checkouts").route(once_with_effect(By::Buyer, web::post().to(post_checkout))));
}

/// Where this buyer stands
#[utoipa::path(
    get,
    path = "/v1/sales/{id}/reservation",
    operation_id = "reservation",
    params(
        ("id" = SaleId, Path),
        ("attempt" = Option<AttemptId>, Query, description = "What became of this attempt."),
        ("version" = Option<u64>, Query, description = "With wait_ms: wait for a newer one."),
        (
            "wait_ms" = Option<u64>, Query, maximum = 25_000,
            description = "How long to wait for something new. Left out, an attempt's decision is waited for some seconds, and \
                anything else is answered at once.",
        ),
    ),
    responses(
        (status = 200, description = "The reservation, or what became of the attempt.", body = StandingView),
        problems::Missing,
    ),
    security(("access" = [])),
)]
async fn get_reservation(req: HttpRequest, shop: Data<Shop>) -> Reply {
    let (buyer, sale) = (shop.buyer(&req)?, sale_id(&req)?);
    let [attempt, version, wait_ms] = query(&req, ["attempt", "version", "wait_ms"])?;
    let attempt: Option<AttemptId> = parsed("attempt", attempt, "must be 32 lower-case hexadecimal digits")?;
    let version: Option<u64> = parsed("version", version, "must be a whole number")?;
    let wait_ms_max = shop.settings().wait_ms_max;
    // A client that names an attempt was answered 202 a moment ago and wants the decision: it waits for one.
    let usual_ms = attempt.map_or(0, |_| shop.settings().attempt_wait_ms.min(wait_ms_max));
    let wait_ms: u64 = parsed("wait_ms", wait_ms, "must be a whole number")?.unwrap_or(usual_ms);
    limits::within("wait_ms", wait_ms, 0..=wait_ms_max)?;
    let asked = Asked { sale, buyer, attempt, version };
    match look_or_wait(&shop, asked, wait_ms).await? {
        Some(outcome) => Ok(HttpResponse::Ok().json(standing_of(&shop, outcome).await?)),
        None => Err(nothing_there(&shop, sale).await?),
    }
}

/// Cancel what is held or waits
#[utoipa::path(
    delete,
    path = "/v1/sales/{id}/reservation",
    operation_id = "cancel",
    params(("id" = SaleId, Path)),
    responses(
        (status = 200, description = "The reservation as it is now.", body = StandingView),
        problems::Invalid, problems::Missing,
    ),
    security(("access" = [])),
)]
async fn delete_reservation(req: HttpRequest, shop: Data<Shop>) -> Reply {
    let (buyer, sale) = (shop.buyer(&req)?, sale_id(&req)?);
    let here = Shop::clone(&shop);
    let row = shop.finish(async move { cancel(&here.needs().cancel, here.effort(), sale, buyer).await }).await?;
    match row {
        Some(row) => Ok(HttpResponse::Ok().json(standing_of_row(&shop, row).await?)),
        None => Err(nothing_there(&shop, sale).await?),
    }
}

async fn nothing_there(shop: &Shop, sale: SaleId) -> Result<Problem, Problem> {
    match shop.board().sale(sale).await? {
        Some(_) => Ok(Problem::new(Kind::NOT_FOUND, "you have no reservation of this sale")),
        None => Ok(no_such_sale()),
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Checkout {
    checkout_token: String,
    #[serde(default, deserialize_with = "given")]
    #[schema(schema_with = card)]
    card: Option<String>,
}

fn card() -> Object {
    let about = "What the payment provider knows the card by. None is needed for what costs nothing.";
    described(text::<1, CARD_CHARS_MAX>(), about)
}

/// What is there is no null.
fn given<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    String::deserialize(from).map(Some)
}

/// Pay for a hold, or take what costs nothing
#[utoipa::path(
    post,
    path = "/v1/checkouts",
    operation_id = "checkout",
    params(Key),
    request_body = Checkout,
    responses(
        (status = 200, description = "It was paid before.", body = OrderView),
        (status = 201, description = "Paid.", body = OrderView),
        (status = 202, description = "It is not known yet whether money moved: ask for the reservation.", body = StandingView),
        (status = 402, description = "The card was declined; no money moved.", content_type = CONTENT_TYPE, body = Declined),
        problems::Forbidden,
    ),
    security(("access" = [])),
)]
async fn post_checkout(req: HttpRequest, payload: Payload, shop: Data<Shop>) -> Reply {
    let buyer = shop.buyer(&req)?;
    let body: Checkout = shop.body(&req, &mut payload.into_inner()).await?;
    let card = body.card.as_deref().map(|card| limits::text("card", card, CARD_CHARS_MAX)).transpose()?;
    let card = card.map(str::to_owned);
    let reservation = payable_by(&shop, &body.checkout_token, buyer)?;
    let request = unclaimed(&req).expect("the route hands on what is to be claimed");
    let asked = Some(request.asked().clone());
    let wish = Wish { reservation, buyer, is_card_given: card.is_some(), request: asked, to_answer: Arc::new(placed) };
    let began = Instant::now();
    let here = Shop::clone(&shop);
    let a_move = async move {
        let mask = |fingerprint: &str| here.keys().card_key(fingerprint);
        let card = card.as_deref().map(|token| Card { token, mask: &mask });
        check_out(here.till(), here.patience(), wish, card).await
    };
    let paid = match shop.finish(a_move).await.inspect_err(|_| request.in_doubt())? {
        CheckedOut::Elsewhere(claim) => return request.elsewhere(claim),
        CheckedOut::Here { lease, is_kept, paid } => {
            let is_again = lease.is_some_and(|lease| request.claimed(lease, is_kept));
            told_first(paid?, is_again)
        }
    };
    metrics::counter!(Metric::Checkouts.name(), "outcome" => paid.name()).increment(1);
    metrics::histogram!(Metric::CheckoutSeconds.name()).record(began.elapsed().as_secs_f64());
    reply(paid)
}

/// What is kept is what [`reply`] says of an order that was made now.
fn placed(order: &Order) -> Answer {
    let body = serde_json::to_vec(&OrderView::from(order.clone())).expect("an order's view is JSON");
    Answer::Kept { status: StatusCode::CREATED.as_u16(), content_type: JSON.to_owned(), body }
}

/// A repeat under the same key gets the answer that the first request would have got.
fn told_first(paid: Paid, is_again: bool) -> Paid {
    match paid {
        Paid::Order { order, now } => Paid::Order { order, now: now || is_again },
        other => other,
    }
}

/// The reservation that a checkout token names, when it is this buyer's.
fn payable_by(shop: &Shop, token: &str, buyer: BuyerId) -> Result<ReservationId, Problem> {
    let verified = shop.keys().verify_checkout(token, shop.clock().now());
    let named = |problem: Problem| Problem { field: Some("checkout_token".into()), ..problem };
    let (reservation, owner) = verified.map_err(named)?;
    if owner != buyer {
        return Err(Problem::field("checkout_token", Kind::FORBIDDEN, "this is another buyer's to pay for"));
    }
    Ok(reservation)
}

/// Beside a declined card.
#[derive(Serialize, ToSchema)]
#[schema(as = CardDeclined)]
struct TriesLeft {
    /// Cards that may be tried before the hold ends; with none it has ended. From the third decline on no reason is told.
    #[schema(maximum = 4)]
    tries_left: u8,
}

type Declined = Extended<TriesLeft>;

impl Members for TriesLeft {
    const KIND: Kind = CARD_DECLINED;
}

/// A decline that ended the hold has no tries left.
fn declined(why: Option<String>, tries_left: u8) -> Problem {
    let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
    let then = match tries_left {
        0 => "and the hold is over",
        _ => "the hold goes on, and another card may be tried",
    };
    Problem::field("card", CARD_DECLINED, format!("the card was declined{why}; {then}"))
        .with_facts(&TriesLeft { tries_left })
}

fn reply(paid: Paid) -> Reply {
    match paid {
        Paid::Order { order, now: true } => Ok(HttpResponse::Created().json(OrderView::from(order))),
        Paid::Order { order, now: false } => Ok(HttpResponse::Ok().json(OrderView::from(order))),
        Paid::Busy => Err(Problem::new(Kind::BUSY, "many pay at this moment; nothing was done, come again shortly")),
        Paid::Paying => Ok(HttpResponse::Accepted().json(StandingView::paying())),
        Paid::Declined { why, tries_left } => Err(declined(why, tries_left)),
        Paid::CardMissing(amount) => {
            Err(Problem::field("card", Kind::INVALID, format!("is needed: {amount} is to be paid")))
        }
        Paid::Unpayable(amount, why) => Err(Problem::new(
            UNPAYABLE,
            format!("{amount} cannot be paid here, and trying again does not help: {why}; no money moved"),
        )),
        Paid::Lapsed => Err(Problem::new(HOLD_LAPSED, "the time to pay is over; no money moved")),
        Paid::NotHeld(Some(Status::Standby)) => {
            Err(Problem::new(NOT_HELD, "the reservation is on standby; it cannot be paid for yet"))
        }
        Paid::NotHeld(Some(status)) => {
            Err(Problem::new(NOT_HELD, format!("the reservation is {}, so there is nothing to pay", status.name())))
        }
        Paid::NotHeld(None) => Err(Problem::new(NOT_HELD, "there is no such reservation of yours")),
        Paid::Refunding => Err(Problem::new(
            Kind::CONFLICT,
            "the payment came too late to become an order; the money goes back by itself, nothing needs to be done",
        )),
    }
}
