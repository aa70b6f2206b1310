//! Moves that have to do with money. Every one out of Paying names the payment in its condition.

use super::bulk::Statement;
use super::dialect::{Connection, for_update};
use super::{Result, broken, claims, day_counts, outbox, refund, row, till};
use crate::adapters::sql::codes::Counted;
use crate::domain::money::order::Order;
use crate::domain::money::payment::{DECLINES_CARD_MAX, DECLINES_DAY_MAX, DECLINES_MAX, Payment, PaymentState};
use crate::domain::sale::reservation::{Kind, Reservation, State};
use crate::domain::shared::event::{Event, Fact, Purchase, Returned};
use crate::domain::shared::id::{PaymentId, ReservationId};
use crate::domain::shared::time::Timestamp;
use crate::ports::money::paying::Confirmed;

pub async fn confirm(
    conn: &mut Connection,
    (id, payment, number, now): &(ReservationId, PaymentId, String, Timestamp),
) -> Result<Confirmed> {
    let confirmed = sqlx::query(
        "/* ledger.confirm */ UPDATE reservations SET state = ?, version = version + 1, updated_at = ? WHERE id = ? \
         AND state = ? AND payment = ?",
    )
    .bind(Kind::Confirmed)
    .bind(now)
    .bind(id)
    .bind(Kind::Paying)
    .bind(payment)
    .execute(&mut *conn)
    .await?
    .rows_affected();
    let row = row::fetch(conn, *id).await?.ok_or_else(|| broken("there is no such reservation to confirm"))?;
    if confirmed == 1 {
        let paid = must_fetch_payment(conn, *payment).await?;
        let order = Order::placed(&row, &paid, number, *now);
        settle(conn, *payment, PaymentState::Captured).await?;
        till::insert_orders(conn, std::slice::from_ref(&order)).await?;
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

pub fn order_paid(order: &Order) -> Event {
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

/// How a payment came to nothing.
pub enum Void {
    /// Nobody tried anything with it: it is not counted.
    Unopened,
    Unknown,
    /// A card was declined, which is told from others by this, where it can be.
    Declined(Option<String>),
}

pub async fn voided(
    conn: &mut Connection,
    (id, payment, void, now): &(ReservationId, PaymentId, Void, Timestamp),
) -> Result<Option<Reservation>> {
    let mut row = row::fetch_locked(conn, *id).await?;
    if let Some(unpaid) = row.take_if(|row| row.pays_with(*payment)) {
        row = not_paid(conn, unpaid, void, *now).await?;
    }
    settle(conn, *payment, PaymentState::Voided).await?;
    Ok(row)
}

/// Held again, unless it is late, or was once too often: of this hold, or of its buyer or the card today.
async fn not_paid(
    conn: &mut Connection,
    unpaid: Reservation,
    void: &Void,
    now: Timestamp,
) -> Result<Option<Reservation>> {
    let counts = u8::from(!matches!(void, Void::Unopened));
    let mut is_over = false;
    if counts > 0 {
        let buyer = format!("buyer {}", unpaid.buyer);
        is_over |= !day_counts::take(conn, &buyer, Counted::BuyersDeclines, now, DECLINES_DAY_MAX).await?;
    }
    if let Void::Declined(Some(card)) = void {
        is_over |= !day_counts::take(conn, card, Counted::CardsDeclines, now, DECLINES_CARD_MAX).await?;
    }
    let held = sqlx::query(
        "/* ledger.voided.held */ UPDATE reservations SET state = ?, payment = NULL, paying_since = NULL, \
         declines = declines + ?, version = version + 1, updated_at = ? \
         WHERE id = ? AND state = ? AND lapses_at > ? AND declines < ? AND NOT ?",
    )
    .bind(Kind::Held)
    .bind(counts)
    .bind(now)
    .bind(unpaid.id)
    .bind(Kind::Paying)
    .bind(now)
    .bind(DECLINES_MAX - counts)
    .bind(is_over)
    .execute(&mut *conn)
    .await?;
    match held.rows_affected() {
        1 => row::fetch(conn, unpaid.id).await,
        _ => Ok(claims::end(conn, unpaid.sale, vec![unpaid], State::Lapsed, now).await?.into_iter().next()),
    }
}

pub async fn declines(conn: &mut Connection, id: ReservationId) -> Result<u8> {
    let found = sqlx::query("/* ledger.declines */ SELECT declines FROM reservations WHERE id = ?")
        .bind(id)
        .fetch_optional(conn)
        .await?;
    found.map_or(Ok(0), |found| row::small(&found, "declines"))
}

/// Moves a payment, where it may move there from what it is.
async fn settle(conn: &mut Connection, payment: PaymentId, to: PaymentState) -> Result<()> {
    let mut query = Statement::new("/* ledger.payment.settle */ UPDATE payments SET state = ");
    query.push_bind(to).push(" WHERE id = ").push_bind(payment);
    // That it was captured is the provider's word, whatever we believed.
    if to != PaymentState::Captured {
        query.push(" AND state = ").push_bind(PaymentState::Opened);
    }
    query.build()?.execute(conn).await?;
    Ok(())
}

async fn must_fetch_payment(conn: &mut Connection, id: PaymentId) -> Result<Payment> {
    let found = sqlx::query_as(row::payments!("ledger.payment.lock", "WHERE id = ?", for_update!()))
        .bind(id)
        .fetch_optional(conn)
        .await?;
    found.ok_or_else(|| broken("a payment was never recorded"))
}

async fn order_of(conn: &mut Connection, reservation: ReservationId) -> Result<Option<Order>> {
    sqlx::query_as(row::orders!("ledger.confirm.order", "WHERE reservation = ?"))
        .bind(reservation)
        .fetch_optional(conn)
        .await
}
