//! Who comes without a code: found by name or by the order's number, and let in by choosing a unit of the order. It reads persons: so
//! every look is written down, an operator has so many a minute, and of an address no more is told than its owner knows again.

use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::receipts::ByOrder;
use crate::domain::people::Permission;
use crate::domain::people::address::masked;
use crate::domain::receipts::holder::{ASKED_CHARS_MIN, beginnings_asked};
use crate::domain::shared::id::SaleId;
use crate::faces::door::Door;
use crate::faces::door::check_ins::{gate_name, gate_or_null, judged};
use crate::faces::door::views::{AdmissionView, NotAdmitted};
use crate::faces::front::once::{By, once};
use crate::faces::front::routes::{Reply, is_order_number, no_such_sale, path, query, sale_id};
use crate::kit::http::document::params::Key;
use crate::kit::http::document::problems;
use crate::kit::http::limits;
use crate::kit::http::problem::{CONTENT_TYPE, Kind, Problem, Rule};
use crate::ports::receipts::holders::{Holder, Holders};

/// Characters of what is looked for.
const ASKED_CHARS_MAX: usize = 100;
const NAME: &str = "The beginnings of a name's words, in any order, or of an order's number: at least 3 letters or digits; 2 \
    where no spaces are written.";

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/admin/sales/{id}/holders").route(web::get().to(get_holders))).service(
        path("/v1/check-ins/by-order").route(once(By::May(Permission::CheckIn), web::post().to(post_by_order))),
    );
}

#[derive(Serialize, ToSchema)]
#[schema(as = HeldUnit)]
struct UnitView {
    unit: u32,
    /// Given back: it admits nobody any more.
    given_back: bool,
    /// How it came in; left out where it has not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    admitted: Option<AdmissionView>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Holder)]
struct HolderView {
    order_number: String,
    /// As its owner wrote it; empty where the account is gone.
    name: String,
    /// The first letters of an address, as `a…@e….org`: its owner says the rest. Empty where the account is gone.
    email: String,
    units: Vec<UnitView>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Holders)]
struct HoldersView {
    holders: Vec<HolderView>,
    /// There may be others: say more of the name.
    more: bool,
}

impl From<Holder> for HolderView {
    fn from(Holder { order, name, email, admitted }: Holder) -> Self {
        let unit = |unit: &u32| UnitView {
            unit: *unit,
            given_back: order.refunded_units.contains(unit),
            admitted: admitted.iter().find(|one| one.proof.unit == *unit).cloned().map(AdmissionView::from),
        };
        let units = order.units.iter().map(unit).collect();
        Self { order_number: order.number, name, email: masked(&email), units }
    }
}

/// Who holds what, by name
///
/// For who comes to the door without a code. An order is found by now, but for those of the last seconds. Each look is in the journal;
/// an operator has so many a minute.
#[utoipa::path(
    get,
    path = "/v1/admin/sales/{id}/holders",
    operation_id = "holders",
    params(("id" = SaleId, Path), ("name" = String, Query, min_length = 2, max_length = 100, description = NAME)),
    responses(
        (status = 200, description = "Those that were found.", body = HoldersView),
        problems::Missing, problems::Throttled,
    ),
    security(("access" = ["steward"])),
)]
async fn get_holders(req: HttpRequest, door: Data<Door>) -> Reply {
    let by = door.author(&req, Permission::Steward)?;
    let [name] = query(&req, ["name"])?;
    let name = limits::text("name", name.as_deref().unwrap_or_default(), ASKED_CHARS_MAX)?.to_owned();
    let too_little = || {
        let must = format!("must have at least {ASKED_CHARS_MIN} letters or digits");
        Problem::field("name", Kind::INVALID, must).rule(Rule::LENGTH).bounds(ASKED_CHARS_MIN, ASKED_CHARS_MAX)
    };
    let beginnings = beginnings_asked(&name).ok_or_else(too_little)?;
    let sale = sale_id(&req)?;
    door.board().sale(sale).await?.ok_or_else(no_such_sale)?;
    door.look_ups().pass(&by.actor.to_string(), by.at)?;
    let Holders { found, more } = door.receipts().holders(sale, &beginnings, &by).await?;
    let holders = found.into_iter().map(HolderView::from).collect();
    Ok(HttpResponse::Ok().json(HoldersView { holders, more }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCheckInByOrder)]
struct ByOrderBody {
    /// Whose door it is.
    sale_id: SaleId,
    order_number: String,
    unit: u32,
    #[serde(default)]
    #[schema(schema_with = gate_or_null)]
    gate: Option<String>,
}

/// Admit a person with a unit of an order, once
///
/// Without a code, and so by nothing but the operator's word: the journal tells it from a check-in with one.
#[utoipa::path(
    post,
    path = "/v1/check-ins/by-order",
    operation_id = "check_in_by_order",
    params(Key),
    request_body = ByOrderBody,
    responses(
        (status = 201, description = "Admitted.", body = AdmissionView),
        (
            status = 409,
            description = "A person was admitted with it before; or this request is under way.",
            content_type = CONTENT_TYPE,
            body = NotAdmitted,
        ),
        (status = 410, description = "The unit was given back.", content_type = CONTENT_TYPE, body = Problem),
        problems::Missing,
    ),
    security(("access" = ["check_in"])),
)]
async fn post_by_order(req: HttpRequest, payload: Payload, door: Data<Door>) -> Reply {
    let by = door.author(&req, Permission::CheckIn)?;
    let body: ByOrderBody = door.body(&req, &mut payload.into_inner()).await?;
    let ByOrderBody { sale_id, order_number, unit, gate } = body;
    let gate = gate_name("gate", gate.as_deref().unwrap_or_default())?;
    let none = || Problem::new(Kind::NOT_FOUND, "this sale has no such order with such a unit");
    if !is_order_number(&order_number) {
        return Err(none());
    }
    match door.receipts().check_in_by_order(sale_id, &order_number, unit, gate, &by).await? {
        ByOrder::Judged(outcome) => judged(&door, outcome).await,
        ByOrder::NoSuchUnit => Err(none()),
    }
}
