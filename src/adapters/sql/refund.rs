//! Money that goes back: written with what it is for, and asked for at the provider afterwards, until it is done.

use super::dialect::{Connection, for_update, insert_new};
use super::{Result, broken, claims, look, outbox, row};
use crate::domain::event::{Event, Fact, Refunded};
use crate::domain::id::{RefundId, RequestId, ReservationId};
use crate::domain::order::Order;
use crate::domain::payment::{Payment, Refund, RefundEntry, Why};
use crate::domain::reservation::State;
use crate::domain::time::Timestamp;
use crate::ports::ledger::{GiveBack, Given, GivenBack};

/// The reservation's lock decides between two who give back at once: the second finds the units gone.
pub async fn give_back(conn: &mut Connection, (what, now): &(GiveBack, Timestamp)) -> Result<GivenBack> {
    let Some(found) = look::order(conn, &what.number).await? else { return Ok(GivenBack::Missing) };
    let row = row::fetch_locked(conn, found.reservation).await?;
    let row = row.ok_or_else(|| broken("an order has no reservation"))?;
    let order = order_locked(conn, &what.number).await?;
    let left = order.left();
    let units = match chosen(&order, &left, what.units.as_deref()) {
        Ok(units) => units,
        // What this request gave back before is gone.
        Err(refused) => match of_request(conn, what.request).await? {
            Some(entry) => {
                let ended = ReservationId(entry.refund.id.0);
                return Ok(GivenBack::Done(Box::new(Given { order, entry, row, ended })));
            }
            None => return Ok(refused),
        },
    };
    if !matches!(&row.state, State::Confirmed { units, .. } if *units == left) {
        return Err(broken(format!("order {} is not what its reservation says", order.number)));
    }
    let sale = row.sale;
    let (row, ended) = if units == left {
        let id = row.id;
        (claims::end(conn, sale, vec![row], State::Refunded, *now).await?.remove(0), id)
    } else {
        claims::split(conn, row, &units, *now).await?
    };
    let amount = order.share_of(units.len());
    let entry = RefundEntry {
        refund: Refund { id: RefundId::of_ended(ended), payment: order.payment, amount },
        reservation: row.id,
        sale,
        why: Why::Operator { units: units.clone(), reason: what.reason.clone() },
        made_at: *now,
        // Nothing moves for nothing.
        done_at: (amount.minor == 0).then_some(*now),
    };
    if !insert(conn, &entry, what.request).await? {
        return Err(broken(format!("of order {} these units went back before", order.number)));
    }
    let order = order.without(&units, amount);
    write_order(conn, &order).await?;
    outbox::write(conn, &[order_refunded(&order, &entry, units)]).await?;
    Ok(GivenBack::Done(Box::new(Given { order, entry, row, ended })))
}

/// Those of the units that are asked for, in the order's own order.
fn chosen(order: &Order, left: &[u32], asked: Option<&[u32]>) -> Result<Vec<u32>, GivenBack> {
    if left.is_empty() {
        return Err(GivenBack::NothingLeft);
    }
    let Some(asked) = asked else { return Ok(left.to_vec()) };
    if let Some(place) = asked.iter().position(|unit| !order.units.contains(unit)) {
        return Err(GivenBack::Foreign { place });
    }
    if let Some(place) = asked.iter().position(|unit| !left.contains(unit)) {
        return Err(GivenBack::Refunded { place });
    }
    Ok(left.iter().filter(|unit| asked.contains(unit)).copied().collect())
}

fn order_refunded(order: &Order, entry: &RefundEntry, units: Vec<u32>) -> Event {
    let fact = Fact::OrderRefunded(Refunded {
        order: order.number.clone(),
        reservation: order.reservation,
        sale: order.sale,
        buyer: order.buyer,
        units,
        amount: entry.refund.amount,
        left: order.left(),
    });
    Event::new(fact, entry.refund.id.0, entry.made_at)
}

/// All of a payment, which moved and could not stand; says whether it was written now.
pub async fn of_all(conn: &mut Connection, paid: &Payment, now: Timestamp) -> Result<bool> {
    let entry = RefundEntry {
        refund: Refund { id: RefundId::of_payment(paid.id), payment: paid.id, amount: paid.amount },
        reservation: paid.reservation,
        sale: paid.sale,
        why: Why::CouldNotStand,
        made_at: now,
        done_at: (paid.amount.minor == 0).then_some(now),
    };
    insert(conn, &entry, None).await
}

/// Where it is not written yet; says whether it was now.
async fn insert(conn: &mut Connection, entry: &RefundEntry, request: Option<RequestId>) -> Result<bool> {
    let (why, units, reason) = match &entry.why {
        Why::CouldNotStand => (row::COULD_NOT_STAND, Vec::new(), None),
        Why::Operator { units, reason } => (row::OPERATOR, row::units_bytes(units), reason.clone()),
    };
    let written = sqlx::query(concat!(
        "/* ledger.refund.insert */ ",
        insert_new!(),
        " INTO refunds (id, payment, reservation, sale, units, amount_minor, currency, why, reason, made_at, done_at, \
         request) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    ))
    .bind(entry.refund.id.to_bytes().to_vec())
    .bind(entry.refund.payment.to_bytes().to_vec())
    .bind(entry.reservation.to_bytes().to_vec())
    .bind(entry.sale.0 as i64)
    .bind(units)
    .bind(entry.refund.amount.minor)
    .bind(entry.refund.amount.currency.to_string())
    .bind(why)
    .bind(reason)
    .bind(entry.made_at.0)
    .bind(entry.done_at.map(|at| at.0))
    .bind(request.map(|request| request.to_bytes().to_vec()))
    .execute(conn)
    .await?;
    Ok(written.rows_affected() > 0)
}

pub async fn done(conn: &mut Connection, &(id, now): &(RefundId, Timestamp)) -> Result<()> {
    sqlx::query("/* ledger.refund.done */ UPDATE refunds SET done_at = ? WHERE id = ? AND done_at IS NULL")
        .bind(now.0)
        .bind(id.to_bytes().to_vec())
        .execute(conn)
        .await?;
    Ok(())
}

pub async fn due(conn: &mut Connection, max: u32) -> Result<Vec<RefundEntry>> {
    let found = sqlx::query(row::refunds!("ledger.refund.due", "WHERE done_at IS NULL ORDER BY made_at, id LIMIT ?"))
        .bind(i64::from(max))
        .fetch_all(conn)
        .await?;
    found.iter().map(row::refund).collect()
}

pub async fn of(conn: &mut Connection, reservation: ReservationId) -> Result<Vec<RefundEntry>> {
    let found = sqlx::query(row::refunds!("ledger.refund.of", "WHERE reservation = ? ORDER BY made_at, id"))
        .bind(reservation.to_bytes().to_vec())
        .fetch_all(conn)
        .await?;
    found.iter().map(row::refund).collect()
}

/// What this request wrote before.
async fn of_request(conn: &mut Connection, request: Option<RequestId>) -> Result<Option<RefundEntry>> {
    let Some(request) = request else { return Ok(None) };
    let found = sqlx::query(row::refunds!("ledger.refund.of_request", "WHERE request = ?", for_update!()))
        .bind(request.to_bytes().to_vec())
        .fetch_optional(conn)
        .await?;
    found.as_ref().map(row::refund).transpose()
}

async fn order_locked(conn: &mut Connection, number: &str) -> Result<Order> {
    let found = sqlx::query(row::orders!("ledger.refund.order.lock", "WHERE number = ?", for_update!()))
        .bind(number.to_owned())
        .fetch_one(conn)
        .await?;
    row::order(&found)
}

async fn write_order(conn: &mut Connection, order: &Order) -> Result<()> {
    sqlx::query(
        "/* ledger.refund.order */ UPDATE orders SET refunded = ?, refunded_units = ?, refunded_minor = ? \
         WHERE reservation = ?",
    )
    .bind(i64::from(order.refunded))
    .bind(row::units_bytes(&order.refunded_units))
    .bind(order.refunded_amount.minor)
    .bind(order.reservation.to_bytes().to_vec())
    .execute(conn)
    .await?;
    Ok(())
}
