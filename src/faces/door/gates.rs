//! What gates take along, and what came of what they wrote down.

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use crate::app::receipts::Pack;
use crate::domain::people::Permission;
use crate::domain::shared::id::SaleId;
use crate::domain::shared::time::Timestamp;
use crate::faces::door::Door;
use crate::faces::door::views::ConflictView;
use crate::faces::front::page::{Cursor, Page};
use crate::faces::front::routes::{Reply, no_such_sale, path, query, sale_id};
use crate::kit::http::document::params::Pages;
use crate::kit::http::document::problems;
use crate::kit::http::problem::{Kind, Problem};
use crate::ports::receipts::admissions::{Conflict, ConflictPlace};

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/admin/sales/{id}/gate-pack").route(web::get().to(get_pack)))
        .service(path("/v1/admin/sales/{id}/check-in-conflicts").route(web::get().to(get_conflicts)));
}

/// As a page of conflicts names its last one.
impl Cursor for ConflictPlace {
    fn read(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('.').collect();
        let [recorded_at, unit, reservation, device, sequence, admitted_at] = parts.as_slice() else { return None };
        Some(Self {
            recorded_at: Timestamp(recorded_at.parse().ok()?),
            unit: unit.parse().ok()?,
            reservation: reservation.parse().ok()?,
            device: device
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                .then(|| (*device).to_owned())?,
            sequence: sequence.parse().ok().filter(|sequence| i64::try_from(*sequence).is_ok())?,
            admitted_at: Timestamp(admitted_at.parse().ok()?),
        })
    }

    fn written(&self) -> String {
        let Self { recorded_at, unit, reservation, device, sequence, admitted_at } = self;
        format!("{}.{unit}.{reservation}.{device}.{sequence}.{}", recorded_at.0, admitted_at.0)
    }
}

/// What a gate takes along
#[utoipa::path(
    get,
    path = "/v1/admin/sales/{id}/gate-pack",
    operation_id = "gate_pack",
    params(("id" = SaleId, Path)),
    responses(
        (status = 200, description = "The pack.", body = Pack),
        problems::Invalid, problems::Missing, problems::Conflict,
    ),
    security(("access" = ["check_in"])),
)]
async fn get_pack(req: HttpRequest, door: Data<Door>) -> Reply {
    door.may(&req, Permission::CheckIn)?;
    let shown = door.board().sale(sale_id(&req)?).await?.ok_or_else(no_such_sale)?;
    let pack = door.receipts().pack(shown.sale.id, shown.sale.title.clone()).await?;
    let why = "this sale has more units given back or used than a pack may name; let its gates ask the shop";
    Ok(HttpResponse::Ok().json(pack.ok_or_else(|| Problem::new(Kind::CONFLICT, why))?))
}

/// Units that came in twice, or should not have
#[utoipa::path(
    get,
    path = "/v1/admin/sales/{id}/check-in-conflicts",
    operation_id = "check_in_conflicts",
    params(("id" = SaleId, Path), Pages),
    responses(
        (status = 200, description = "A page of the list, the last recorded first.", body = Vec<ConflictView>),
        problems::Missing,
    ),
    security(("access" = ["read"])),
)]
async fn get_conflicts(req: HttpRequest, door: Data<Door>) -> Reply {
    door.may(&req, Permission::Read)?;
    let sale = sale_id(&req)?;
    let [limit, after] = query(&req, ["limit", "after"])?;
    let page: Page<ConflictPlace> = Page::asked(limit, after, door.receipts().settings().conflicts_max)?;
    let mut conflicts = door.needs().admissions.conflicts_after(sale, page.after.as_ref(), page.reach()).await?;
    let next = page.cut(&mut conflicts, |conflict| ConflictPlace::from(conflict));
    let view = |Conflict { admission, why, .. }: Conflict| ConflictView { why, admission: admission.into() };
    Ok(page.answer(&req, next).json(conflicts.into_iter().map(view).collect::<Vec<_>>()))
}
