//! What people do with their accounts: log out everywhere, change the password, take their data along, go.

use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::sale::best_effort::best_effort;
use crate::domain::people::Revoked;
use crate::domain::shared::id::{BuyerId, SaleId};
use crate::faces::account::AccountFace;
use crate::faces::account::accounts::{PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, change_password, prove, unchanged};
use crate::faces::account::routes::welcome::{Proved, Welcome, no_account, welcome};
use crate::faces::account::views::{
    Export, InTheWayView, LiveReservation, NotErased, PaymentView, ReservationView, UnusedOrder,
};
use crate::faces::front::routes::{Reply, path};
use crate::faces::front::views::OrderView;
use crate::faces::tokens::access::Principal;
use crate::kit::http::document::problems;
use crate::kit::http::document::shapes::text;
use crate::kit::http::problem::{CONTENT_TYPE, Kind, Problem};
use crate::ports::money::orders::OrderPlace;
use crate::ports::people::accounts::{Account, Erased, InTheWay, Unused};

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/me/password").route(web::put().to(put_password)))
        .service(path("/v1/me/export").route(web::get().to(get_export)));
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Erase)]
struct EraseBody {
    password: String,
    /// What is to become of orders whose codes are still good for admission: `keep` leaves the codes good for their bearers;
    /// they cannot be shown again.
    #[serde(default)]
    #[schema(nullable = false)]
    orders: Option<Orders>,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = EraseOrders)]
enum Orders {
    Keep,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPassword)]
struct NewPasswordBody {
    /// The old one.
    password: String,
    #[schema(schema_with = text::<PASSWORD_CHARS_MIN, PASSWORD_CHARS_MAX>)]
    new_password: String,
}

/// Log out everywhere
#[utoipa::path(
    delete,
    path = "/v1/sessions",
    operation_id = "log_out_everywhere",
    responses(
        (status = 204, description = "Every access token of before is refused: here at once, elsewhere within seconds."),
        problems::Missing,
    ),
    security(("access" = [])),
)]
pub async fn delete_sessions(req: HttpRequest, face: Data<AccountFace>) -> Reply {
    let principal = face.principal(&req)?;
    let (by, now) = (face.own_author(&req, &principal), face.clock().now());
    let revoked = face.needs().accounts.log_out_everywhere(principal.buyer, now, by.as_ref()).await?;
    face.revoke(revoked.ok_or_else(no_account)?);
    Ok(HttpResponse::NoContent().finish())
}

/// Change my password
#[utoipa::path(
    put,
    path = "/v1/me/password",
    operation_id = "change_password",
    request_body = NewPasswordBody,
    responses(
        (status = 200, description = "Changed; every older token is refused, and here is a new one.", body = Welcome),
        problems::Forbidden, problems::Missing, problems::Conflict, problems::Throttled,
    ),
    security(("access" = [])),
)]
async fn put_password(req: HttpRequest, payload: Payload, face: Data<AccountFace>) -> Reply {
    let principal = face.principal(&req)?;
    let by = face.own_author(&req, &principal);
    let Principal { buyer, proved_at, .. } = principal;
    let body: NewPasswordBody = face.body(&req, &mut payload.into_inner()).await?;
    let is_same = body.new_password == body.password;
    let account = proven(&face, &req, buyer, body.password).await?;
    if is_same {
        return Err(unchanged());
    }
    let account = change_password(face.needs(), face.pools(), account, body.new_password, by.as_ref()).await?;
    face.revoke(Revoked { buyer, epoch: account.epoch });
    let proved = proved_at.map_or(Proved::PasswordOnly, Proved::At);
    welcome(&face, &req, account, proved, HttpResponse::Ok()).await
}

/// Erase my account
///
/// Refused while a reservation is on standby, held or being paid; and, unless `orders` says `keep`, while codes of paid orders
/// are still good for admission. Those stay good for their bearers and cannot be shown again. The last owner cannot go.
#[utoipa::path(
    delete,
    path = "/v1/me",
    operation_id = "erase",
    request_body = EraseBody,
    responses(
        (status = 204, description = "The person is gone; orders stay under the buyer's number."),
        (status = 409, description = "Something is in the way.", content_type = CONTENT_TYPE, body = NotErased),
        problems::Forbidden, problems::Missing, problems::Throttled,
    ),
    security(("access" = [])),
)]
pub async fn delete_me(req: HttpRequest, payload: Payload, face: Data<AccountFace>) -> Reply {
    let principal = face.principal(&req)?;
    let (buyer, by) = (principal.buyer, face.own_author(&req, &principal));
    let body: EraseBody = face.body(&req, &mut payload.into_inner()).await?;
    let keep_orders = matches!(body.orders, Some(Orders::Keep));
    proven(&face, &req, buyer, body.password).await?;
    // Asked before, so that no receipt goes for nothing.
    let way = face.needs().accounts.in_the_way(buyer).await?;
    if !way.reservations.is_empty() || (!keep_orders && !way.orders.is_empty()) {
        return not_erased(&face, way).await;
    }
    // Before, so that a crash leaves no receipt with a name behind an account without one; and after, for what was printed meanwhile.
    let numbers = forget_receipts(&face, buyer).await?;
    match face.needs().accounts.erase(buyer, keep_orders, face.clock().now(), by.as_ref()).await? {
        Erased::Done(revoked) => {
            face.revoke(revoked);
            for number in &numbers {
                best_effort("forget", face.effort(), face.receipts().forget(number)).await;
            }
            Ok(HttpResponse::NoContent().finish())
        }
        Erased::Refused(way) => not_erased(&face, way).await,
        Erased::LastOwner => Err(Problem::new(Kind::FORBIDDEN, "the last owner cannot go; make another one before")),
        Erased::Missing => Err(no_account()),
    }
}

/// A problem that also says, for machines, what is in the way.
async fn not_erased(face: &AccountFace, way: InTheWay) -> Reply {
    let live = way.reservations.iter().map(|row| row.sale);
    let mut sales: Vec<SaleId> = live.chain(way.orders.iter().map(|unused| unused.order.sale)).collect();
    sales.sort_unstable();
    sales.dedup();
    let titles = face.needs().catalogue.titles(&sales).await?;
    let problem = if way.reservations.is_empty() {
        let detail = format!(
            "codes of {} units are still good for admission and cannot be shown again; save them and say \"keep\", \
             or have the orders refunded first",
            way.units
        );
        Problem::field("orders", Kind::CONFLICT, detail)
    } else {
        let detail = "something is held, being paid or waited for under this account; cancel it or let it end first";
        Problem::new(Kind::CONFLICT, detail)
    };
    let reservations = way.reservations.into_iter().map(|row| LiveReservation {
        reservation_id: row.id,
        sale_id: row.sale,
        sale_title: titles.get(&row.sale).cloned(),
        status: row.state.kind().name(),
        quantity: row.quantity,
    });
    let orders = way.orders.into_iter().map(|Unused { order, units }| UnusedOrder {
        sale_title: titles.get(&order.sale).cloned(),
        order_number: order.number,
        sale_id: order.sale,
        units,
    });
    let (reservations, orders) = (reservations.collect(), orders.collect());
    Err(problem.with_facts(&InTheWayView { reservations, orders, units: way.units }))
}

/// Receipts bear a name; they can be printed again, with whatever name there is then. The numbers of the orders they were of.
async fn forget_receipts(face: &AccountFace, buyer: BuyerId) -> Result<Vec<String>, Problem> {
    let (mut numbers, mut after) = (Vec::new(), None);
    loop {
        let orders = face.needs().orders.orders_after(buyer, after.as_ref(), face.settings().orders_max).await?;
        let Some(last) = orders.last() else { return Ok(numbers) };
        after = Some(OrderPlace::from(last));
        for order in orders {
            face.receipts().forget(&order.number).await?;
            numbers.push(order.number);
        }
    }
}

pub async fn proven(
    face: &AccountFace,
    req: &HttpRequest,
    buyer: BuyerId,
    password: String,
) -> Result<Account, Problem> {
    let account = face.needs().accounts.account(buyer).await?.ok_or_else(no_account)?;
    prove(face.pools(), &face.knock(req), account, password).await
}

/// Everything that is known of me
#[utoipa::path(
    get,
    path = "/v1/me/export",
    operation_id = "export",
    responses((status = 200, description = "The person's data.", body = Export), problems::Missing),
    security(("access" = [])),
)]
async fn get_export(req: HttpRequest, face: Data<AccountFace>) -> Reply {
    let buyer = face.buyer(&req)?;
    let account = face.needs().accounts.account(buyer).await?.ok_or_else(no_account)?;
    let person = face.needs().accounts.person(buyer, face.settings().person_rows_max).await?;
    let payments = person.payments.into_iter().map(|payment| PaymentView {
        payment_id: payment.id,
        reservation_id: payment.reservation,
        amount: payment.amount.into(),
        opened_at: payment.opened_at,
    });
    Ok(HttpResponse::Ok().json(Export {
        account: account.into(),
        reservations: person.reservations.into_iter().map(ReservationView::from).collect(),
        orders: person.orders.into_iter().map(OrderView::from).collect(),
        payments: payments.collect(),
    }))
}
