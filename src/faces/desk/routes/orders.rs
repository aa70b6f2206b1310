//! What operators see of an order, and giving back what was paid for it.

use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::schema::{Array, Object, Type};

use crate::app::money::refund_units::refund_units;
use crate::domain::money::order::Order;
use crate::domain::people::Permission;
use crate::domain::sale::PARTY_MAX;
use crate::domain::shared::id::RequestId;
use crate::faces::desk::Desk;
use crate::faces::desk::views::{RefundView, WholeOrderView};
use crate::faces::front::once::{By, once};
use crate::faces::front::routes::{Reply, order_number, path};
use crate::kit::http::document::params::Key;
use crate::kit::http::document::problems;
use crate::kit::http::document::shapes::{list, or_null, text};
use crate::kit::http::idempotency::cause;
use crate::kit::http::limits;
use crate::kit::http::problem::{Kind, Problem, Rule};
use crate::ports::money::refunds::{RefundOutcome, RefundRequest};

const REASON_CHARS_MAX: usize = 500;

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/admin/orders/{number}").route(web::get().to(get_order))).service(
        path("/v1/admin/orders/{number}/refunds").route(once(By::May(Permission::Refund), web::post().to(post_refund))),
    );
}

/// An order, and what was given back of it
#[utoipa::path(
    get,
    path = "/v1/admin/orders/{number}",
    operation_id = "whole_order",
    params(("number" = String, Path, min_length = 14, max_length = 14)),
    responses((status = 200, description = "The order.", body = WholeOrderView), problems::Missing),
    security(("access" = ["read"])),
)]
async fn get_order(req: HttpRequest, desk: Data<Desk>) -> Reply {
    desk.may(&req, Permission::Read)?;
    let number = number(&req)?;
    let order = desk.needs().orders.order(number).await?.ok_or_else(no_such_order)?;
    Ok(HttpResponse::Ok().json(whole(&desk, order).await?))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewRefund)]
struct RefundBody {
    #[serde(default)]
    #[schema(schema_with = units)]
    units: Option<Vec<u32>>,
    #[serde(default)]
    #[schema(schema_with = reason)]
    reason: Option<String>,
}

fn units() -> Array {
    let mut units = list::<u32, { PARTY_MAX as usize }>();
    units.schema_type = [Type::Array, Type::Null].into_iter().collect();
    units.description = Some("Without them, all that are left.".to_owned());
    units
}

fn reason() -> Object {
    or_null(text::<1, REASON_CHARS_MAX>())
}

#[derive(Serialize, ToSchema)]
struct Refunded {
    refund: RefundView,
    order: WholeOrderView,
}

impl RefundBody {
    fn checked(self, number: String, request: Option<RequestId>) -> Result<RefundRequest, Problem> {
        if let Some(units) = &self.units {
            let count = format!("must name from 1 to {PARTY_MAX} units, or be left out for all that are left");
            if units.is_empty() || units.len() > usize::from(PARTY_MAX) {
                let problem = Problem::field("units", Kind::INVALID, count).rule(Rule::COUNT);
                return Err(problem.bounds(1, PARTY_MAX));
            }
            if let Some(place) = (1..units.len()).find(|&place| units[..place].contains(&units[place])) {
                return Err(at(place, Kind::INVALID, "must be named once", Rule::REPEATED));
            }
        }
        let reason = self.reason.map(|reason| limits::text("reason", &reason, REASON_CHARS_MAX).map(str::to_owned));
        Ok(RefundRequest { number, units: self.units, reason: reason.transpose()?, request })
    }
}

/// Give back all of an order, or some units
#[utoipa::path(
    post,
    path = "/v1/admin/orders/{number}/refunds",
    operation_id = "refund",
    params(("number" = String, Path, min_length = 14, max_length = 14), Key),
    request_body = RefundBody,
    responses(
        (
            status = 201,
            description = "Given back: the units go to the next in line, the money as soon as the provider can.",
            body = Refunded,
        ),
        problems::Missing,
    ),
    security(("access" = ["refund"])),
)]
async fn post_refund(req: HttpRequest, payload: Payload, desk: Data<Desk>) -> Reply {
    let by = desk.author(&req, Permission::Refund)?;
    let number = number(&req)?;
    let body: RefundBody = desk.body(&req, &mut payload.into_inner()).await?;
    let what = body.checked(number.to_owned(), cause(&req).map(|cause| cause.request))?;
    let here = Desk::clone(&desk);
    let a_move = async move { refund_units(&here.needs().money, here.effort(), &what, &by).await };
    match desk.finish(a_move).await? {
        RefundOutcome::Done(given) => {
            let (refund, order) = (given.entry.into(), whole(&desk, given.order).await?);
            Ok(HttpResponse::Created().json(Refunded { refund, order }))
        }
        RefundOutcome::NothingLeft => {
            let detail = "every unit of this order was refunded before";
            Err(Problem::field("units", Kind::CONFLICT, detail).rule(Rule::DONE))
        }
        RefundOutcome::Refunded { place } => {
            Err(at(place, Kind::CONFLICT, "this unit was refunded before", Rule::DONE))
        }
        RefundOutcome::Foreign { place } => {
            Err(at(place, Kind::INVALID, "this unit is none of the order's", Rule::NO_SUCH))
        }
        RefundOutcome::Missing => Err(no_such_order()),
    }
}

async fn whole(desk: &Desk, order: Order) -> Result<WholeOrderView, Problem> {
    let refunds = desk.needs().refunds.refunds_of(&[order.reservation]).await?;
    Ok(WholeOrderView::new(order, refunds))
}

fn at(place: usize, kind: Kind, detail: &'static str, rule: Rule) -> Problem {
    Problem::field(format!("units[{place}]"), kind, detail).rule(rule)
}

fn number(req: &HttpRequest) -> Result<&str, Problem> {
    order_number(req).ok_or_else(no_such_order)
}

fn no_such_order() -> Problem {
    Problem::new(Kind::NOT_FOUND, "there is no such order")
}
