//! What operators see of an order, and giving back what was paid for it.

use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;

use crate::domain::id::RequestId;
use crate::domain::order::Order;
use crate::domain::sale::PARTY_MAX;
use crate::http::idempotency::{By, cause};
use crate::http::limits;
use crate::http::problem::{Kind, Problem, Rule};
use crate::ports::World;
use crate::ports::ledger::{GiveBack, GivenBack, Ledger};
use crate::services::gateway::Gateway;
use crate::services::gateway::once::once;
use crate::services::gateway::refund::give_back;
use crate::services::gateway::routes::buying::is_order_number;
use crate::services::gateway::routes::{Reply, path};
use crate::services::gateway::views::{RefundView, WholeOrderView};

const REASON_CHARS_MAX: usize = 500;

pub fn routes<W: World>(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/admin/orders/{number}").route(web::get().to(get_order::<W>))).service(
        path("/v1/admin/orders/{number}/refunds").route(once::<W>(By::Operator, web::post().to(post_refund::<W>))),
    );
}

async fn get_order<W: World>(req: HttpRequest, gateway: Data<Gateway<W>>) -> Reply {
    gateway.operator(&req)?;
    let number = number(&req)?;
    let order = gateway.world().store().order(&number).await?.ok_or_else(no_such_order)?;
    Ok(HttpResponse::Ok().json(whole(&gateway, order).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RefundBody {
    /// Without them, all that are left.
    #[serde(default)]
    units: Option<Vec<u32>>,
    #[serde(default)]
    reason: Option<String>,
}

impl RefundBody {
    fn checked(self, number: String, request: Option<RequestId>) -> Result<GiveBack, Problem> {
        if let Some(units) = &self.units {
            let count = format!("must name from 1 to {PARTY_MAX} units, or be left out for all that are left");
            if units.is_empty() || units.len() > usize::from(PARTY_MAX) {
                let problem = Problem::field("units", Kind::Invalid, count).rule(Rule::Count);
                return Err(problem.bounds(1, PARTY_MAX));
            }
            if let Some(place) = (1..units.len()).find(|&place| units[..place].contains(&units[place])) {
                return Err(at(place, Kind::Invalid, "must be named once", Rule::Repeated));
            }
        }
        let reason = self.reason.map(|reason| limits::text("reason", &reason, REASON_CHARS_MAX).map(str::to_owned));
        Ok(GiveBack { number, units: self.units, reason: reason.transpose()?, request })
    }
}

async fn post_refund<W: World>(req: HttpRequest, payload: Payload, gateway: Data<Gateway<W>>) -> Reply {
    gateway.operator(&req)?;
    let number = number(&req)?;
    let body: RefundBody = gateway.body(&req, &mut payload.into_inner()).await?;
    let what = body.checked(number, cause(&req).map(|cause| cause.request))?;
    let here = Gateway::clone(&gateway);
    let a_move = async move { give_back(here.world(), here.settings(), &what).await };
    match gateway.finish(a_move).await? {
        GivenBack::Done(given) => Ok(HttpResponse::Created().json(serde_json::json!({
            "refund": RefundView::from(given.entry), "order": whole(&gateway, given.order).await?,
        }))),
        GivenBack::NothingLeft => {
            let detail = "every unit of this order was refunded before";
            Err(Problem::field("units", Kind::Conflict, detail).rule(Rule::Done))
        }
        GivenBack::Refunded { place } => Err(at(place, Kind::Conflict, "this unit was refunded before", Rule::Done)),
        GivenBack::Foreign { place } => Err(at(place, Kind::Invalid, "this unit is none of the order's", Rule::NoSuch)),
        GivenBack::Missing => Err(no_such_order()),
    }
}

async fn whole<W: World>(gateway: &Gateway<W>, order: Order) -> Result<WholeOrderView, Problem> {
    let refunds = gateway.world().store().refunds_of(&[order.reservation]).await?;
    Ok(WholeOrderView::new(order, refunds))
}

fn at(place: usize, kind: Kind, detail: &'static str, rule: Rule) -> Problem {
    Problem::field(format!("units[{place}]"), kind, detail).rule(rule)
}

fn number(req: &HttpRequest) -> Result<String, Problem> {
    let number = req.match_info().get("number").filter(|number| is_order_number(number));
    number.map(str::to_owned).ok_or_else(no_such_order)
}

fn no_such_order() -> Problem {
    Problem::new(Kind::NotFound, "there is no such order")
}
