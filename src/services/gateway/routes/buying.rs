//! A buyer's reservation, checkout and orders.

use std::time::Instant;

use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;

use crate::domain::id::{AttemptId, BuyerId, ReservationId, SaleId};
use crate::domain::order::Order;
use crate::domain::reservation::Kind as Status;
use crate::http::idempotency::{By, cause};
use crate::http::limits;
use crate::http::problem::{Kind, Problem};
use crate::ports::World;
use crate::ports::catalogue::Catalogue;
use crate::ports::ledger::{Ledger, OrderPlace};
use crate::services::gateway::Gateway;
use crate::services::gateway::checkout::{Paid, check_out};
use crate::services::gateway::metric::Metric;
use crate::services::gateway::once::once;
use crate::services::gateway::release::cancel;
use crate::services::gateway::routes::page::Page;
use crate::services::gateway::routes::{Reply, no_such_sale, parsed, path, query, sale_id};
use crate::services::gateway::standing::{Asked, look_or_wait};
use crate::services::gateway::views::{ListedOrderView, OrderView, StandingView};

const CARD_CHARS_MAX: usize = 100;

pub fn routes<W: World>(cfg: &mut ServiceConfig) {
    let reservation = path("/v1/sales/{id}/reservation")
        .route(web::get().to(get_reservation::<W>))
        .route(web::delete().to(delete_reservation::<W>));
    cfg.service(reservation)
        .service(path("/v1/checkouts").route(once::<W>(By::Buyer, web::post().to(post_checkout::<W>))))
        .service(path("/v1/orders").route(web::get().to(get_orders::<W>)))
        .service(path("/v1/orders/{number}").route(web::get().to(get_order::<W>)));
}

async fn get_reservation<W: World>(req: HttpRequest, gateway: Data<Gateway<W>>) -> Reply {
    let (buyer, sale) = (gateway.buyer(&req)?, sale_id(&req)?);
    let [attempt, version, wait_ms] = query(&req, ["attempt", "version", "wait_ms"])?;
    let attempt: Option<AttemptId> = parsed("attempt", attempt, "must be 32 lower-case hexadecimal digits")?;
    let version: Option<u64> = parsed("version", version, "must be a whole number")?;
    let wait_ms_max = gateway.settings().wait_ms_max;
    // Whoever was told 202 a moment ago asks for a decision, and not whether there is one.
    let usual_ms = attempt.map_or(0, |_| gateway.settings().attempt_wait_ms.min(wait_ms_max));
    let wait_ms: u64 = parsed("wait_ms", wait_ms, "must be a whole number")?.unwrap_or(usual_ms);
    limits::within("wait_ms", wait_ms, 0..=wait_ms_max)?;
    let asked = Asked { sale, buyer, attempt, version };
    match look_or_wait(&gateway, asked, wait_ms).await? {
        Some(outcome) => Ok(HttpResponse::Ok().json(StandingView::of_outcome(&gateway, outcome).await?)),
        None => Err(nothing_there(&gateway, sale).await?),
    }
}

async fn delete_reservation<W: World>(req: HttpRequest, gateway: Data<Gateway<W>>) -> Reply {
    let (buyer, sale) = (gateway.buyer(&req)?, sale_id(&req)?);
    let here = Gateway::clone(&gateway);
    let row = gateway.finish(async move { cancel(here.world(), here.settings(), sale, buyer).await }).await?;
    match row {
        Some(row) => Ok(HttpResponse::Ok().json(StandingView::of_row(&gateway, row).await?)),
        None => Err(nothing_there(&gateway, sale).await?),
    }
}

async fn nothing_there<W: World>(gateway: &Gateway<W>, sale: SaleId) -> Result<Problem, Problem> {
    match gateway.board().sale(gateway.world(), sale).await? {
        Some(_) => Ok(Problem::new(Kind::NotFound, "you have no reservation of this sale")),
        None => Ok(no_such_sale()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Checkout {
    checkout_token: String,
    /// Left out for what costs nothing.
    #[serde(default, deserialize_with = "given")]
    card: Option<String>,
}

/// What is there is no null.
fn given<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    String::deserialize(from).map(Some)
}

async fn post_checkout<W: World>(req: HttpRequest, payload: Payload, gateway: Data<Gateway<W>>) -> Reply {
    let buyer = gateway.buyer(&req)?;
    let body: Checkout = gateway.body(&req, &mut payload.into_inner()).await?;
    let card = body.card.as_deref().map(|card| limits::text("card", card, CARD_CHARS_MAX)).transpose()?;
    let card = card.map(str::to_owned);
    let reservation = payable_by(&gateway, &body.checkout_token, buyer)?;
    let began = Instant::now();
    let here = Gateway::clone(&gateway);
    let a_move = async move { check_out(here.world(), here.settings(), reservation, buyer, card.as_deref()).await };
    let paid = gateway.finish(a_move).await?;
    metrics::counter!(Metric::Checkouts.name(), "outcome" => paid.name()).increment(1);
    metrics::histogram!(Metric::CheckoutSeconds.name()).record(began.elapsed().as_secs_f64());
    reply(told_first(paid, cause(&req).is_some_and(|cause| cause.is_again)))
}

/// Whoever asks again under the same key gets the answer that the first one did not live to hear.
fn told_first(paid: Paid, is_again: bool) -> Paid {
    match paid {
        Paid::Order { order, now } => Paid::Order { order, now: now || is_again },
        other => other,
    }
}

/// The reservation that a checkout token names, when it is this buyer's.
fn payable_by<W: World>(gateway: &Gateway<W>, token: &str, buyer: BuyerId) -> Result<ReservationId, Problem> {
    let verified = gateway.keys().verify_checkout(token, gateway.clock().now());
    let named = |problem: Problem| Problem { field: Some("checkout_token".into()), ..problem };
    let (reservation, owner) = verified.map_err(named)?;
    if owner != buyer {
        return Err(Problem::field("checkout_token", Kind::Forbidden, "this is somebody else's to pay for"));
    }
    Ok(reservation)
}

fn reply(paid: Paid) -> Reply {
    match paid {
        Paid::Order { order, now: true } => Ok(HttpResponse::Created().json(OrderView::from(order))),
        Paid::Order { order, now: false } => Ok(HttpResponse::Ok().json(OrderView::from(order))),
        Paid::Paying => Ok(HttpResponse::Accepted().json(StandingView::paying())),
        Paid::Declined { why, lapses_at } => {
            let then = match lapses_at {
                Some(_) => "the hold goes on, and another card may be tried",
                None => "and the time to pay is over",
            };
            Err(Problem::field("card", Kind::CardDeclined, format!("the card was declined ({why}); {then}")))
        }
        Paid::CardMissing(amount) => {
            Err(Problem::field("card", Kind::Invalid, format!("is needed: {amount} is to be paid")))
        }
        Paid::Unpayable(amount, why) => Err(Problem::new(
            Kind::Unpayable,
            format!("{amount} cannot be paid here, and trying again does not help: {why}; no money moved"),
        )),
        Paid::Lapsed => Err(Problem::new(Kind::HoldLapsed, "the time to pay is over; no money moved")),
        Paid::NotHeld(Some(Status::Standby)) => {
            Err(Problem::new(Kind::NotHeld, "the reservation is on standby; it cannot be paid for yet"))
        }
        Paid::NotHeld(Some(status)) => Err(Problem::new(
            Kind::NotHeld,
            format!("the reservation is {}, so there is nothing to pay", status.name()),
        )),
        Paid::NotHeld(None) => Err(Problem::new(Kind::NotHeld, "there is no such reservation of yours")),
        Paid::MoneyGoesBack => Err(Problem::new(
            Kind::Conflict,
            "the payment came too late to become an order; the money goes back by itself, nothing needs to be done",
        )),
    }
}

async fn get_orders<W: World>(req: HttpRequest, gateway: Data<Gateway<W>>) -> Reply {
    let buyer = gateway.buyer(&req)?;
    let [limit, after] = query(&req, ["limit", "after"])?;
    let page: Page<OrderPlace> = Page::asked(limit, after, gateway.settings().orders_max)?;
    let store = gateway.world().store();
    let mut orders = store.orders_after(buyer, page.after.as_ref(), page.reach()).await?;
    let next = page.cut(&mut orders, |order| OrderPlace::from(order));
    let mut sales: Vec<SaleId> = orders.iter().map(|order| order.sale).collect();
    sales.sort_unstable();
    sales.dedup();
    let titles = store.titles(&sales).await?;
    let given_back: Vec<ReservationId> =
        orders.iter().filter(|order| order.refunded_amount.minor > 0).map(|order| order.reservation).collect();
    let refunds = store.refunds_of(&given_back).await?;
    let views: Vec<_> = orders.into_iter().map(|order| ListedOrderView::new(order, &refunds, &titles)).collect();
    Ok(page.answer(&req, next).json(views))
}

async fn get_order<W: World>(req: HttpRequest, gateway: Data<Gateway<W>>) -> Reply {
    let order = own_order(&gateway, &req).await?;
    let refunds = gateway.world().store().refunds_of(&[order.reservation]).await?;
    Ok(HttpResponse::Ok().json(OrderView::with_refunds(order, &refunds)))
}

/// The order that the path names, for its buyer.
pub async fn own_order<W: World>(gateway: &Gateway<W>, req: &HttpRequest) -> Result<Order, Problem> {
    let buyer = gateway.buyer(req)?;
    // Another buyer's order reads like one that never was.
    let number = req.match_info().get("number").filter(|number| is_order_number(number));
    let order = match number {
        Some(number) => gateway.world().store().order(number).await?.filter(|order| order.buyer == buyer),
        None => None,
    };
    order.ok_or_else(|| Problem::new(Kind::NotFound, "you have no such order"))
}

/// What could be one: three groups of four, so that nothing else reaches the ledger.
pub(super) fn is_order_number(text: &str) -> bool {
    text.len() == 14 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-')
}
