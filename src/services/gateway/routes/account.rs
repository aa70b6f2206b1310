//! What people do with their accounts: log out everywhere, change the password, take their data along, go.

use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::domain::id::{BuyerId, PaymentId, ReservationId, SaleId};
use crate::domain::reservation::Reservation;
use crate::domain::time::Timestamp;
use crate::http::problem::{Kind, Problem};
use crate::ports::World;
use crate::ports::accounts::{Account, Accounts, Erased, InTheWay, Revoked, Unused};
use crate::ports::catalogue::Catalogue;
use crate::ports::ledger::{Ledger, OrderPlace};
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
struct EraseBody {
    password: String,
    /// What is to become of orders whose codes still let somebody in.
    #[serde(default)]
    orders: Option<Orders>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Orders {
    /// They stay good for whoever has their codes, and nobody can show these again.
    Keep,
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

/// Units that are held or waited for are let go first, by whoever holds them: nothing is given away in passing. And what was paid
/// for is kept by its owner's word only, who will not be shown it again.
pub async fn delete_me<W: World>(req: HttpRequest, payload: Payload, gateway: Data<Gateway<W>>) -> Reply {
    let buyer = gateway.buyer(&req)?;
    let body: EraseBody = gateway.body(&req, &mut payload.into_inner()).await?;
    let keep_orders = matches!(body.orders, Some(Orders::Keep));
    proven(&gateway, &req, buyer, body.password).await?;
    // Asked before, so that no receipt goes for nothing.
    let way = gateway.world().store().in_the_way(buyer).await?;
    if !way.reservations.is_empty() || (!keep_orders && !way.orders.is_empty()) {
        return not_erased(&gateway, way).await;
    }
    // Before, so that a crash leaves no receipt with a name behind an account without one; and after, for what was printed meanwhile.
    let numbers = forget_receipts(&gateway, buyer).await?;
    match gateway.world().store().erase(buyer, keep_orders, gateway.clock().now()).await? {
        Erased::Done(revoked) => {
            gateway.revoke(revoked);
            for number in &numbers {
                try_to("forget", gateway.settings(), gateway.receipts().forget(number)).await;
            }
            Ok(HttpResponse::NoContent().finish())
        }
        Erased::Refused(way) => not_erased(&gateway, way).await,
        Erased::Missing => Err(no_account()),
    }
}

/// A problem that also says, for machines, what is in the way.
async fn not_erased<W: World>(gateway: &Gateway<W>, way: InTheWay) -> Reply {
    let live = way.reservations.iter().map(|row| row.sale);
    let mut sales: Vec<SaleId> = live.chain(way.orders.iter().map(|unused| unused.order.sale)).collect();
    sales.sort_unstable();
    sales.dedup();
    let titles = gateway.world().store().titles(&sales).await?;
    let problem = if way.reservations.is_empty() {
        let detail = format!(
            "codes of {} units still let somebody in, and nobody can show them again; take them along and say \"keep\", \
             or have the orders refunded first",
            way.units
        );
        Problem::field("orders", Kind::Conflict, detail)
    } else {
        let detail = "something is held, being paid or waited for under this account; cancel it or let it end first";
        Problem::new(Kind::Conflict, detail)
    };
    let reservations = way.reservations.iter().map(|row| {
        json!({
            "reservation_id": row.id, "sale_id": row.sale, "sale_title": titles.get(&row.sale),
            "status": row.state.kind().name(), "quantity": row.quantity,
        })
    });
    let orders = way.orders.iter().map(|Unused { order, units }| {
        json!({
            "order_number": order.number, "sale_id": order.sale, "sale_title": titles.get(&order.sale), "units": units,
        })
    });
    let (reservations, orders): (Vec<Value>, Vec<Value>) = (reservations.collect(), orders.collect());
    Err(problem.with("reservations", reservations).with("orders", orders).with("units", way.units))
}

/// Receipts bear a name; they can be printed again, with whatever name there is then. The numbers of the orders they were of.
async fn forget_receipts<W: World>(gateway: &Gateway<W>, buyer: BuyerId) -> Result<Vec<String>, Problem> {
    let (mut numbers, mut after) = (Vec::new(), None);
    loop {
        let orders = gateway.world().store().orders_after(buyer, after.as_ref(), gateway.settings().orders_max).await?;
        let Some(last) = orders.last() else { return Ok(numbers) };
        after = Some(OrderPlace::from(last));
        for order in orders {
            gateway.receipts().forget(&order.number).await?;
            numbers.push(order.number);
        }
    }
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
