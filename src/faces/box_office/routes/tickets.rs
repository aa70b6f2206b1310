//! The ticket of a purchase, as a PDF.

use std::time::Duration;

use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use crate::domain::money::order::Order;
use crate::domain::sale::reservation::{Kind as Status, Outcome, Reservation};
use crate::faces::box_office::BoxOffice;
use crate::faces::box_office::purchase::PurchaseId;
use crate::faces::box_office::routes::{AGAIN_S, later, said};
use crate::faces::box_office::views::{PurchaseView, Refusals, Said, ticket_name};
use crate::faces::front::routes::{Reply, path};
use crate::kit::http::problem::{Kind, Problem};

const LATER: &str = "Not decided yet";
/// An attempt that nothing is known of may still be on its way for so long.
const PENDING_MS: u64 = 60_000;

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(path("/tickets/{purchase}").route(web::get().to(get_ticket)));
}

/// The ticket of a purchase
///
/// From the archive, or printed at once where it is not there yet. The purchase of an account needs its access token.
#[utoipa::path(
    get,
    path = "/tickets/{purchase}",
    operation_id = "box_office_ticket",
    params(("purchase" = String, Path)),
    responses(
        (status = 200, description = "The ticket.", content_type = "application/pdf", body = String),
        (status = 202, description = "Not decided yet; come again.", body = Said<PurchaseView>),
        Refusals,
    ),
    security((), ("access" = [])),
)]
async fn get_ticket(req: HttpRequest, office: Data<BoxOffice>) -> Reply {
    said(&office, &req, ticket(&req, &office).await)
}

async fn ticket(req: &HttpRequest, office: &BoxOffice) -> Reply {
    let id: PurchaseId = req.match_info().get("purchase").unwrap_or_default().parse().map_err(|()| unknown())?;
    let is_own = id.buyer.is_walk_in() || office.buyer(req).is_ok_and(|buyer| buyer == id.buyer);
    if !is_own {
        return Err(unknown());
    }
    office.pass(req)?;
    let reservations = &office.needs().reservations;
    let row = match reservations.outcome(id.sale, id.buyer, id.attempt).await? {
        Outcome::Reserved(row) => row,
        // The attempt found another purchase of this buyer's.
        Outcome::Already => reservations.reservation_of(id.sale, id.buyer).await?.ok_or_else(unknown)?,
        Outcome::Refused => return Err(Problem::new(Kind::NOT_FOUND, "nothing was bought: there was no ticket left")),
        Outcome::Pending => {
            let age_ms = (office.clock().now().0.max(0) as u64).saturating_sub(id.attempt.batch().made_ms());
            return if age_ms < PENDING_MS { Ok(later(office, &id, LATER)) } else { Err(unknown()) };
        }
    };
    match office.needs().orders.order_of(row.id).await? {
        Some(order) => printed(office, &order).await,
        None => undecided(office, &id, &row),
    }
}

fn undecided(office: &BoxOffice, id: &PurchaseId, row: &Reservation) -> Reply {
    match row.state.kind() {
        Status::Held | Status::Paying => Ok(later(office, id, LATER)),
        kind => Err(Problem::new(Kind::NOT_FOUND, format!("nothing was bought: the purchase is {}", kind.name()))),
    }
}

/// Where that takes long, the client is told to come again; it is printed all the same.
async fn printed(office: &BoxOffice, order: &Order) -> Reply {
    let receipts = office.receipts().clone();
    let within = Duration::from_millis(receipts.settings().pdf_wait_ms_max);
    let name = ticket_name(order.sale, order.units.first().copied().unwrap_or_default());
    let order = order.clone();
    let printed = office.finish(async move { receipts.pdf_soon(&order).await });
    let busy = |why: &'static str| Problem::new(Kind::BUSY, why).retry_after_s(AGAIN_S);
    let printed = tokio::time::timeout(within, printed).await;
    let printed = printed.map_err(|_| busy("the ticket is being printed; come again shortly"))?;
    let pdf = printed?.ok_or_else(|| busy("many tickets are being printed; come again shortly"))?;
    Ok(HttpResponse::Ok()
        .content_type("application/pdf")
        .insert_header((CONTENT_DISPOSITION, format!("inline; filename=\"{name}.pdf\"")))
        .body(pdf))
}

/// Another's reads like one that never was.
fn unknown() -> Problem {
    Problem::new(Kind::NOT_FOUND, "there is no such purchase")
}
