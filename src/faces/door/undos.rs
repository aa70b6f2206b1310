//! A let-in that was a mistake, taken back; and all that were, with who let in and who took it back.

use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::people::Permission;
use crate::domain::receipts::{Admission, Proof, Undone};
use crate::domain::shared::id::{BuyerId, ReservationId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::faces::door::Door;
use crate::faces::door::check_ins::device_name;
use crate::faces::door::views::{AdmissionView, NOT_ADMITTED, UNDO_LATE};
use crate::faces::front::once::{By, once};
use crate::faces::front::page::{Cursor, Page};
use crate::faces::front::routes::{Reply, no_such_sale, numbered_sale, path, query, sale_id};
use crate::kit::http::document::params::{Key, Pages};
use crate::kit::http::document::problems;
use crate::kit::http::problem::Problem;
use crate::ports::receipts::admissions::{Mark, Undo, UndonePlace};

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/check-ins/undo").route(once(By::May(Permission::Steward), web::post().to(post_undo))))
        .service(path("/v1/admin/sales/{id}/check-in-undos").route(web::get().to(get_undos)));
}

/// As the admission was told.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UndoCheckIn)]
struct UndoBody {
    sale_id: SaleId,
    unit: u32,
    reservation_id: ReservationId,
    admitted_at: Timestamp,
    /// Empty where the shop itself admitted the unit.
    #[serde(default)]
    device: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = UndoneCheckIn)]
struct UndoneView {
    #[serde(flatten)]
    admission: AdmissionView,
    /// The account that let in; left out where none was written down.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    admitted_by: Option<BuyerId>,
    undone_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    undone_by: Option<BuyerId>,
}

impl From<Undone> for UndoneView {
    fn from(undone: Undone) -> Self {
        let Undone { admission, admitted_by, at, by } = undone;
        Self { admission: admission.into(), admitted_by, undone_at: at, undone_by: by }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = UndoAnswer)]
struct UndoView {
    undone: UndoneView,
    /// Another admission of the same unit, which stands: left out where the unit is free again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    standing: Option<AdmissionView>,
}

/// Take a let-in back
///
/// The unit is good for an admission again. Its history keeps both. The door does it for some minutes after the let-in (ten, unless
/// it is set otherwise), the desk and owners later, too. Done again, the answer is the same. An admission of the same unit that came
/// afterwards stays; one that a gate had written down, and that had come too late for this one, stands from now on.
#[utoipa::path(
    post,
    path = "/v1/check-ins/undo",
    operation_id = "undo_check_in",
    params(Key),
    request_body = UndoBody,
    responses(
        (status = 200, description = "Taken back.", body = UndoView),
        problems::Forbidden, problems::Missing, problems::Conflict,
    ),
    security(("access" = ["steward"])),
)]
async fn post_undo(req: HttpRequest, payload: Payload, door: Data<Door>) -> Reply {
    let by = door.author(&req, Permission::Steward)?;
    let body: UndoBody = door.body(&req, &mut payload.into_inner()).await?;
    let UndoBody { sale_id, unit, reservation_id, admitted_at, device } = body;
    if !device.is_empty() {
        device_name(&device)?;
    }
    let sale = numbered_sale(sale_id.0).ok_or_else(no_such_sale)?;
    let proof = Proof { sale, unit, reservation: reservation_id };
    let mark = Mark { proof, at: admitted_at, device };
    match door.receipts().undo(&mark, &by).await? {
        Undo::Done { undone, standing } => {
            let standing = standing.map(AdmissionView::from);
            Ok(HttpResponse::Ok().json(UndoView { undone: undone.into(), standing }))
        }
        Undo::Missing(standing) => {
            let else_so = standing.map_or("", |_| "; it was admitted at another time");
            Err(Problem::new(NOT_ADMITTED, format!("unit {unit} was not admitted then{else_so}")))
        }
        Undo::TooLate(Admission { at, .. }) => {
            let minutes = by.at.since_ms(at) / 60_000;
            let why = format!("unit {unit} was admitted {minutes} minutes ago; let the desk take it back");
            Err(Problem::new(UNDO_LATE, why))
        }
    }
}

/// As a page names its last one.
impl Cursor for UndonePlace {
    fn read(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('.').collect();
        let [at, unit, reservation, admitted_at] = parts.as_slice() else { return None };
        Some(Self {
            at: Timestamp(at.parse().ok()?),
            unit: unit.parse().ok()?,
            reservation: reservation.parse().ok()?,
            admitted_at: Timestamp(admitted_at.parse().ok()?),
        })
    }

    fn written(&self) -> String {
        let Self { at, unit, reservation, admitted_at } = self;
        format!("{}.{unit}.{reservation}.{}", at.0, admitted_at.0)
    }
}

/// Let-ins that were taken back
#[utoipa::path(
    get,
    path = "/v1/admin/sales/{id}/check-in-undos",
    operation_id = "check_in_undos",
    params(("id" = SaleId, Path), Pages),
    responses(
        (status = 200, description = "A page of the list, the last first.", body = Vec<UndoneView>),
        problems::Missing,
    ),
    security(("access" = ["read"])),
)]
async fn get_undos(req: HttpRequest, door: Data<Door>) -> Reply {
    door.may(&req, Permission::Read)?;
    let sale = sale_id(&req)?;
    let [limit, after] = query(&req, ["limit", "after"])?;
    let page: Page<UndonePlace> = Page::asked(limit, after, door.receipts().settings().conflicts_max)?;
    let mut undone = door.needs().admissions.undone_after(sale, page.after.as_ref(), page.reach()).await?;
    let next = page.cut(&mut undone, |undone| UndonePlace::from(undone));
    Ok(page.answer(&req, next).json(undone.into_iter().map(UndoneView::from).collect::<Vec<_>>()))
}
