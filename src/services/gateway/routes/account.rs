//! What people do with their accounts: log out everywhere, change the password, take their data along, go.

use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;

use crate::domain::id::{BuyerId, PaymentId, ReservationId, SaleId};
use crate::domain::reservation::Reservation;
use crate::domain::time::Timestamp;
use crate::http::problem::{Kind, Problem};
use crate::ports::World;
use crate::ports::accounts::{Account, Accounts, Erased, Revoked};
use crate::services::gateway::Gateway;
use crate::services::gateway::accounts::{User, change_password, prove};
use crate::services::gateway::effort::try_to;
use crate::services::gateway::routes::people::{no_account, welcome};
use crate::services::gateway::routes::{Reply, path};
use crate::services::gateway::views::{MoneyView, OrderView};

pub fn routes<W: World>(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/me/password").route(web::put().to(put_password::<W>)))
        .service(path("/v1/me/export").route(web::get().to(get_export::<W>)));
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PasswordBody {
    password: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPasswordBody {
    password: String,
    new_password: String,
}

pub async fn delete_sessions<W: World>(req: HttpRequest, gateway: Data<Gateway<W>>) -> Reply {
    let buyer = gateway.buyer(&req)?;
    let revoked = gateway.world().store().log_out_everywhere(buyer, gateway.clock().now()).await?;
    gateway.revoke(revoked.ok_or_else(no_account)?);
    Ok(HttpResponse::NoContent().finish())
}

async fn put_password<W: World>(req: HttpRequest, payload: Payload, gateway: Data<Gateway<W>>) -> Reply {
    let buyer = gateway.buyer(&req)?;
    let body: NewPasswordBody = gateway.body(&req, &mut payload.into_inner()).await?;
    let account = proven(&gateway, &req, buyer, body.password).await?;
    let account = change_password(gateway.world(), gateway.passwords(), account, body.new_password).await?;
    gateway.revoke(Revoked { buyer, epoch: account.epoch });
    Ok(welcome(&gateway, account, HttpResponse::Ok()))
}

/// Units that are held or waited for are let go first, by whoever holds them: nothing is given away in passing.
pub async fn delete_me<W: World>(req: HttpRequest, payload: Payload, gateway: Data<Gateway<W>>) -> Reply {
    let buyer = gateway.buyer(&req)?;
    let body: PasswordBody = gateway.body(&req, &mut payload.into_inner()).await?;
    proven(&gateway, &req, buyer, body.password).await?;
    // Before, so that a crash leaves no receipt with a name behind an account without one; and after, for what was printed meanwhile.
    let numbers = forget_receipts(&gateway, buyer).await?;
    match gateway.world().store().erase(buyer, gateway.clock().now()).await? {
        Erased::Done(revoked) => {
            gateway.revoke(revoked);
            for number in &numbers {
                try_to("forget", gateway.settings(), gateway.receipts().forget(number)).await;
            }
            Ok(HttpResponse::NoContent().finish())
        }
        Erased::Live => {
            let detail = "something is held, paid for or waited for under this account; cancel it or let it end first";
            Err(Problem::new(Kind::Conflict, detail))
        }
        Erased::Missing => Err(no_account()),
    }
}

/// Receipts bear a name; they can be printed again, with whatever name there is then. The numbers of the orders they were of.
async fn forget_receipts<W: World>(gateway: &Gateway<W>, buyer: BuyerId) -> Result<Vec<String>, Problem> {
    let person = gateway.world().store().person(buyer, gateway.settings().person_rows_max).await?;
    let numbers: Vec<String> = person.orders.into_iter().map(|order| order.number).collect();
    for number in &numbers {
        gateway.receipts().forget(number).await?;
    }
    Ok(numbers)
}

async fn proven<W: World>(
    gateway: &Gateway<W>,
    req: &HttpRequest,
    buyer: BuyerId,
    password: String,
) -> Result<Account, Problem> {
    let account = gateway.world().store().account(buyer).await?.ok_or_else(no_account)?;
    prove(gateway.passwords(), &gateway.knock(req), account, password).await
}

#[derive(serde::Serialize)]
struct ReservationView {
    reservation_id: ReservationId,
    sale_id: SaleId,
    quantity: u8,
    units: Vec<u32>,
    status: &'static str,
    created_at: Timestamp,
}

impl From<Reservation> for ReservationView {
    fn from(row: Reservation) -> Self {
        Self {
            reservation_id: row.id,
            sale_id: row.sale,
            quantity: row.quantity,
            units: row.state.units().to_vec(),
            status: row.state.kind().name(),
            created_at: row.created_at,
        }
    }
}

#[derive(serde::Serialize)]
struct PaymentView {
    payment_id: PaymentId,
    reservation_id: ReservationId,
    amount: MoneyView,
    opened_at: Timestamp,
}

#[derive(serde::Serialize)]
struct Export {
    account: User,
    reservations: Vec<ReservationView>,
    orders: Vec<OrderView>,
    payments: Vec<PaymentView>,
}

async fn get_export<W: World>(req: HttpRequest, gateway: Data<Gateway<W>>) -> Reply {
    let buyer = gateway.buyer(&req)?;
    let store = gateway.world().store();
    let account = store.account(buyer).await?.ok_or_else(no_account)?;
    let person = store.person(buyer, gateway.settings().person_rows_max).await?;
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
