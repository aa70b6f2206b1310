//! Moves that have to do with money. Every one out of Paying names the payment in its condition.

use super::dialect::{Connection, for_update};
use super::{Result, broken, claims, is_duplicate, outbox, refund, row};
use crate::domain::money::order::Order;
use crate::domain::money::payment::{Payment, PaymentState};
use crate::domain::sale::reservation::{Reservation, State};
use crate::domain::shared::event::{Event, Fact, Purchase, Returned};
use crate::domain::shared::id::{BuyerId, PaymentId, ReservationId};
use crate::domain::shared::money::Money;
use crate::domain::shared::time::Timestamp;
use crate::ports::money::paying::{BeginPayment, Confirmed, FreeOrder};

pub async fn opened(conn: &mut Connection, payment: &Payment) -> Result<()> {
    let written = sqlx::query(
        "/* ledger.payment.opened */ INSERT INTO payments \
         (id, reservation, sale, amount_minor, currency, state, opened_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(payment.id.to_bytes().to_vec())
    .bind(payment.reservation.to_bytes().to_vec())
    .bind(payment.sale.0 as i64)
    .bind(payment.amount.minor)
    .bind(payment.amount.currency.to_string())
    .bind(payment.state as i64)
    .bind(payment.opened_at.0)
    .execute(conn)
    .await;
    match written {
        Err(error) if is_duplicate(&error) => Ok(()),
        other => other.map(|_| ()),
    }
}

pub async fn find(conn: &mut Connection, id: PaymentId) -> Result<Option<Payment>> {
    let found = sqlx::query(row::payments!("ledger.payment.find", "WHERE id = ?"))
        .bind(id.to_bytes().to_vec())
        .fetch_optional(conn)
        .await?;
    found.as_ref().map(row::payment).transpose()
}

/// A payment that was never recorded cannot be swept up, and begins nothing.
pub async fn begin(
    conn: &mut Connection,
    &(id, buyer, payment, now): &(ReservationId, BuyerId, PaymentId, Timestamp),
) -> Result<BeginPayment> {
    sqlx::query(
        "/* ledger.begin_paying */ UPDATE reservations \
         SET state = 3, payment = ?, paying_since = ?, version = version + 1, updated_at = ? \
         WHERE id = ? AND buyer = ? AND state = 2 AND lapses_at > ? \
         AND EXISTS (SELECT 1 FROM payments WHERE payments.id = ? AND payments.reservation = ?)",
    )
    .bind(payment.to_bytes().to_vec())
    .bind(now.0)
    .bind(now.0)
    .bind(id.to_bytes().to_vec())
    .bind(buyer.0 as i64)
    .bind(now.0)
    .bind(payment.to_bytes().to_vec())
    .bind(id.to_bytes().to_vec())
    .execute(&mut *conn)
    .await?;
    let row = row::fetch(conn, id).await?.filter(|row| row.buyer == buyer);
    Ok(match row {
        Some(row) if pays_with(&row, payment) => BeginPayment::Paying(row),
        row => BeginPayment::Refused(row),
    })
}

fn pays_with(row: &Reservation, with: PaymentId) -> bool {
    matches!(row.state, State::Paying { payment, .. } if payment == with)
}

pub async fn confirm(
    conn: &mut Connection,
    (id, payment, number, now): &(ReservationId, PaymentId, String, Timestamp),
) -> Result<Confirmed> {
    let confirmed = sqlx::query(
        "/* ledger.confirm */ UPDATE reservations SET state = 4, version = version + 1, updated_at = ? \
         WHERE id = ? AND state = 3 AND payment = ?",
    )
    .bind(now.0)
    .bind(id.to_bytes().to_vec())
    .bind(payment.to_bytes().to_vec())
    .execute(&mut *conn)
    .await?
    .rows_affected();
    let row = row::fetch(conn, *id).await?.ok_or_else(|| broken("there is no such reservation to confirm"))?;
    if confirmed == 1 {
        let paid = must_fetch_payment(conn, *payment).await?;
        let order = new_order(&row, &paid, number, *now);
        insert_order(conn, &order).await?;
        settle(conn, *payment, PaymentState::Captured).await?;
        outbox::write(conn, &[order_paid(&order)]).await?;
        return Ok(Confirmed::Order(order));
    }
    if let Some(order) = order_of(conn, *id).await?.filter(|order| order.payment == *payment) {
        return Ok(Confirmed::Order(order));
    }
    let paid = must_fetch_payment(conn, *payment).await?;
    settle(conn, *payment, PaymentState::Captured).await?;
    if refund::of_all(conn, &paid, *now).await? {
        outbox::write(conn, &[payment_returned(&row, &paid, *now)]).await?;
    }
    Ok(Confirmed::RefundDue(row))
}

/// The hold's own condition decides, as it does for [`begin`].
pub async fn confirm_free(
    conn: &mut Connection,
    (payment, buyer, number, now): &(Payment, BuyerId, String, Timestamp),
) -> Result<FreeOrder> {
    if !payment.amount.is_zero() || payment.state != PaymentState::Captured {
        return Err(broken("only a payment of 0 is captured without a provider"));
    }
    let confirmed = sqlx::query(
        "/* ledger.confirm_free */ UPDATE reservations SET state = 4, payment = ?, version = version + 1, updated_at = ? \
         WHERE id = ? AND buyer = ? AND state = 2 AND lapses_at > ?",
    )
    .bind(payment.id.to_bytes().to_vec())
    .bind(now.0)
    .bind(payment.reservation.to_bytes().to_vec())
    .bind(buyer.0 as i64)
    .bind(now.0)
    .execute(&mut *conn)
    .await?
    .rows_affected();
    let row = row::fetch(conn, payment.reservation).await?.filter(|row| row.buyer == *buyer);
    let Some(row) = row else { return Ok(FreeOrder::Refused(None)) };
    if confirmed == 1 {
        let order = new_order(&row, payment, number, *now);
        opened(conn, payment).await?;
        insert_order(conn, &order).await?;
        outbox::write(conn, &[order_paid(&order)]).await?;
        return Ok(FreeOrder::Order(order));
    }
    // Whose commit was not heard of asks again.
    let order = order_of(conn, row.id).await?.filter(|order| order.payment == payment.id);
    Ok(order.map_or(FreeOrder::Refused(Some(row)), FreeOrder::Order))
}

fn new_order(row: &Reservation, paid: &Payment, number: &str, now: Timestamp) -> Order {
    Order {
        number: number.to_owned(),
        reservation: row.id,
        sale: row.sale,
        buyer: row.buyer,
        units: row.state.units().to_vec(),
        amount: paid.amount,
        payment: paid.id,
        placed_at: now,
        refunded: false,
        refunded_units: Vec::new(),
        refunded_amount: Money { minor: 0, currency: paid.amount.currency },
    }
}

fn order_paid(order: &Order) -> Event {
    let fact = Fact::OrderPaid(Purchase {
        order: order.number.clone(),
        reservation: order.reservation,
        sale: order.sale,
        buyer: order.buyer,
        units: order.units.clone(),
        amount: order.amount,
    });
    Event::new(fact, order.payment.0, order.placed_at)
}

fn payment_returned(row: &Reservation, payment: &Payment, now: Timestamp) -> Event {
    let (reservation, sale, buyer) = (row.id, row.sale, row.buyer);
    let fact =
        Fact::PaymentReturned(Returned { reservation, sale, buyer, payment: payment.id, amount: payment.amount });
    Event::new(fact, payment.id.0, now)
}

pub async fn voided(
    conn: &mut Connection,
    &(id, payment, now): &(ReservationId, PaymentId, Timestamp),
) -> Result<Option<Reservation>> {
    sqlx::query(
        "/* ledger.voided.held */ UPDATE reservations \
         SET state = 2, payment = NULL, paying_since = NULL, version = version + 1, updated_at = ? \
         WHERE id = ? AND state = 3 AND payment = ? AND lapses_at > ?",
    )
    .bind(now.0)
    .bind(id.to_bytes().to_vec())
    .bind(payment.to_bytes().to_vec())
    .bind(now.0)
    .execute(&mut *conn)
    .await?;
    let mut row = row::fetch_locked(conn, id).await?;
    if let Some(late) = row.take_if(|row| pays_with(row, payment)) {
        row = claims::end(conn, late.sale, vec![late], State::Lapsed, now).await?.into_iter().next();
    }
    settle(conn, payment, PaymentState::Voided).await?;
    Ok(row)
}

/// Moves a payment, where it may move there from what it is.
async fn settle(conn: &mut Connection, payment: PaymentId, to: PaymentState) -> Result<()> {
    let sql = match to {
        PaymentState::Opened => unreachable!("a payment is opened once"),
        // The provider said that money moved, whatever we believed.
        PaymentState::Captured => "/* ledger.payment.captured */ UPDATE payments SET state = 2 WHERE id = ?",
        PaymentState::Voided => "/* ledger.payment.voided */ UPDATE payments SET state = 3 WHERE id = ? AND state = 1",
    };
    sqlx::query(sql).bind(payment.to_bytes().to_vec()).execute(conn).await?;
    Ok(())
}

async fn must_fetch_payment(conn: &mut Connection, id: PaymentId) -> Result<Payment> {
    let found = sqlx::query(row::payments!("ledger.payment.lock", "WHERE id = ?", for_update!()))
        .bind(id.to_bytes().to_vec())
        .fetch_optional(conn)
        .await?;
    row::payment(&found.ok_or_else(|| broken("a payment was never recorded"))?)
}

async fn order_of(conn: &mut Connection, reservation: ReservationId) -> Result<Option<Order>> {
    let found = sqlx::query(row::orders!("ledger.confirm.order", "WHERE reservation = ?"))
        .bind(reservation.to_bytes().to_vec())
        .fetch_optional(conn)
        .await?;
    found.as_ref().map(row::order).transpose()
}

async fn insert_order(conn: &mut Connection, order: &Order) -> Result<()> {
    sqlx::query(
        "/* ledger.confirm.insert */ INSERT INTO orders \
         (reservation, number, sale, buyer, units, amount_minor, currency, payment, placed_at, refunded) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
    )
    .bind(order.reservation.to_bytes().to_vec())
    .bind(order.number.clone())
    .bind(order.sale.0 as i64)
    .bind(order.buyer.0 as i64)
    .bind(row::units_bytes(&order.units))
    .bind(order.amount.minor)
    .bind(order.amount.currency.to_string())
    .bind(order.payment.to_bytes().to_vec())
    .bind(order.placed_at.0)
    .execute(conn)
    .await?;
    Ok(())
}
