//! Money that goes back: written with what it is for, and asked for at the provider afterwards, until it is done.

use std::collections::HashMap;

use serde_json::json;

use super::bulk::{self, Statement};
use super::dialect::{Connection, for_update, insert_new};
use super::{Result, broken, claims, journal, look, outbox, row};
use crate::adapters::sql::codes::RefundWhy;
use crate::adapters::sql::stored::{Number, Units};
use crate::domain::audit::journal::{Action, Subject};
use crate::domain::money::order::Order;
use crate::domain::money::payment::{
    MadeRefund, Payment, Refund, RefundAnswer, RefundEntry, RefundKind, RefundState, Why, made_good,
};
use crate::domain::people::author::Author;
use crate::domain::sale::reservation::{Reservation, State};
use crate::domain::shared::event::{Event, Fact, Refunded};
use crate::domain::shared::id::{BuyerId, PaymentId, RefundId, RequestId, ReservationId};
use crate::domain::shared::money::Money;
use crate::domain::shared::time::Timestamp;
use crate::ports::money::refunds::{RefundOutcome, RefundRequest, RefundedUnits};

/// The reservation's lock decides between two who give back at once: the second finds the units gone.
pub async fn refund_units(
    conn: &mut Connection,
    (what, now, by): &(RefundRequest, Timestamp, Option<Author>),
) -> Result<RefundOutcome> {
    let Some(found) = look::order(conn, &what.number).await? else { return Ok(RefundOutcome::Missing) };
    let row = row::fetch_locked(conn, found.reservation).await?;
    let row = row.ok_or_else(|| broken("an order has no reservation"))?;
    let order = must_order_locked(conn, row.id).await?;
    let left = order.left();
    let units = match chosen(&order, &left, what.units.as_deref()) {
        Ok(units) => units,
        // What this request gave back before is gone.
        Err(refused) => match of_request(conn, what.request).await? {
            Some(entry) => {
                let ended = ReservationId(entry.refund.id.0);
                return Ok(RefundOutcome::Done(Box::new(RefundedUnits { order, entry, row, ended })));
            }
            None => return Ok(refused),
        },
    };
    let amount = order.share_of(units.len());
    let states = [
        json!({ "units": left, "refunded_minor": order.refunded_amount.minor }),
        json!({ "given_back": units, "amount_minor": amount.minor, "currency": amount.currency.to_string() }),
    ];
    let told = Told { units, reason: what.reason.clone(), amount, request: what.request };
    let done = end_units(conn, order, row, amount, told, *now).await?;
    let order = Subject::Order(done.order.number.clone());
    journal::tell(conn, by.as_ref(), Action::OrderRefunded, order, states).await?;
    Ok(RefundOutcome::Done(Box::new(done)))
}

/// Which units end, why, and what is said to go back for them.
struct Told {
    units: Vec<u32>,
    reason: Option<String>,
    amount: Money,
    request: Option<RequestId>,
}

async fn end_units(
    conn: &mut Connection,
    order: Order,
    row: Reservation,
    amount: Money,
    told: Told,
    now: Timestamp,
) -> Result<RefundedUnits> {
    let left = order.left();
    if !matches!(&row.state, State::Confirmed { units, .. } if *units == left) {
        return Err(broken(format!("order {} is not what its reservation says", order.number)));
    }
    let (sale, units) = (row.sale, told.units);
    let (row, ended) = if units == left {
        let id = row.id;
        (claims::end(conn, sale, vec![row], State::Refunded, now).await?.remove(0), id)
    } else {
        claims::split(conn, row, &units, now).await?
    };
    let refund = Refund { id: RefundId::of_ended(ended), payment: order.payment, amount };
    let why = Why::Operator { units: units.clone(), reason: told.reason };
    let entry = RefundEntry::due(refund, row.id, sale, why, now);
    if !insert(conn, &entry, told.request).await? {
        return Err(broken(format!("of order {} these units went back before", order.number)));
    }
    let order = order.without(&units, amount);
    write_order(conn, &order).await?;
    outbox::write(conn, &[order_refunded(&order, &entry, units, told.amount)]).await?;
    Ok(RefundedUnits { order, entry, row, ended })
}

/// Those of the units that are asked for, in the order's own order.
fn chosen(order: &Order, left: &[u32], asked: Option<&[u32]>) -> Result<Vec<u32>, RefundOutcome> {
    if left.is_empty() {
        return Err(RefundOutcome::NothingLeft);
    }
    let Some(asked) = asked else { return Ok(left.to_vec()) };
    if let Some(place) = asked.iter().position(|unit| !order.units.contains(unit)) {
        return Err(RefundOutcome::Foreign { place });
    }
    if let Some(place) = asked.iter().position(|unit| !left.contains(unit)) {
        return Err(RefundOutcome::Refunded { place });
    }
    Ok(left.iter().filter(|unit| asked.contains(unit)).copied().collect())
}

fn order_refunded(order: &Order, entry: &RefundEntry, units: Vec<u32>, amount: Money) -> Event {
    let fact = Fact::OrderRefunded(Refunded {
        order: order.number.clone(),
        reservation: order.reservation,
        sale: order.sale,
        buyer: order.buyer,
        units,
        amount,
        left: order.left(),
    });
    Event::new(fact, entry.refund.id.0, entry.made_at)
}

/// All of a payment, which moved and could not stand; says whether it was written now.
pub async fn of_all(conn: &mut Connection, paid: &Payment, now: Timestamp) -> Result<bool> {
    let refund = Refund { id: RefundId::of_payment(paid.id), payment: paid.id, amount: paid.amount };
    let entry = RefundEntry::due(refund, paid.reservation, paid.sale, Why::CaptureTooLate, now);
    insert(conn, &entry, None).await
}

/// Where it is not written yet; says whether it was now.
async fn insert(conn: &mut Connection, entry: &RefundEntry, request: Option<RequestId>) -> Result<bool> {
    let (why, units, reason) = match &entry.why {
        Why::CaptureTooLate => (RefundWhy::CaptureTooLate, Units::default(), None),
        Why::Operator { units, reason } => (RefundWhy::Operator, Units::of(units), reason.clone()),
        Why::AtProvider => (RefundWhy::AtProvider, Units::default(), None),
    };
    let Columns { next_at, ended_at, .. } = Columns::of(&entry.state);
    let written = sqlx::query(concat!(
        "/* ledger.refund.insert */ ",
        insert_new!(),
        " INTO refunds (id, payment, reservation, sale, units, amount_minor, currency, why, reason, made_at, request, \
         state, next_at, ended_at, tries, asks, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    ))
    .bind(entry.refund.id)
    .bind(entry.refund.payment)
    .bind(entry.reservation)
    .bind(entry.sale)
    .bind(units)
    .bind(entry.refund.amount.minor)
    .bind(entry.refund.amount.currency)
    .bind(why)
    .bind(reason)
    .bind(entry.made_at)
    .bind(request)
    .bind(entry.state.kind())
    .bind(next_at)
    .bind(ended_at)
    .bind(entry.tries)
    .bind(entry.asks)
    .bind(Number(entry.version))
    .execute(conn)
    .await?;
    Ok(written.rows_affected() > 0)
}

/// A state, as its row has it.
#[derive(Default)]
struct Columns {
    next_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    code: Option<String>,
    note: Option<String>,
    settled_by: Option<BuyerId>,
}

impl Columns {
    fn of(state: &RefundState) -> Self {
        match state.clone() {
            RefundState::Due { next_at } | RefundState::Sent { next_at } => {
                Self { next_at: Some(next_at), ..Self::default() }
            }
            RefundState::Done { at } => Self { ended_at: Some(at), ..Self::default() },
            RefundState::Failed { at, code } => Self { ended_at: Some(at), code: Some(code), ..Self::default() },
            RefundState::Settled { at, by, note } => {
                Self { ended_at: Some(at), note: Some(note), settled_by: Some(by), ..Self::default() }
            }
        }
    }
}

/// By an operator: retried, or settled in another way.
pub async fn move_by(
    conn: &mut Connection,
    (change, by): &((RefundEntry, RefundEntry), Option<Author>),
) -> Result<bool> {
    if !move_from(conn, change).await? {
        return Ok(false);
    }
    let (from, to) = change;
    let is_settled = to.state.kind() == RefundKind::Settled;
    let action = if is_settled { Action::RefundSettled } else { Action::RefundRetried };
    let after = json!({ "state": to.state.kind().name(), "sale": to.sale, "amount_minor": to.refund.amount.minor });
    let states = [json!({ "state": from.state.kind().name() }), after];
    journal::tell(conn, by.as_ref(), action, Subject::Refund(to.refund.id), states).await?;
    Ok(true)
}

pub async fn move_from(conn: &mut Connection, (from, to): &(RefundEntry, RefundEntry)) -> Result<bool> {
    let Columns { next_at, ended_at, code, note, settled_by } = Columns::of(&to.state);
    let moved = sqlx::query(
        "/* ledger.refund.move */ UPDATE refunds SET amount_minor = ?, state = ?, next_at = ?, ended_at = ?, tries = ?, \
         asks = ?, code = ?, note = ?, settled_by = ?, version = ? WHERE id = ? AND version = ?",
    )
    .bind(to.refund.amount.minor)
    .bind(to.state.kind())
    .bind(next_at)
    .bind(ended_at)
    .bind(to.tries)
    .bind(to.asks)
    .bind(code)
    .bind(note)
    .bind(settled_by)
    .bind(Number(to.version))
    .bind(from.refund.id)
    .bind(Number(from.version))
    .execute(conn)
    .await?;
    Ok(moved.rows_affected() == 1)
}

/// Refunds of one payment that operators made at the provider.
pub struct Made {
    pub payment: PaymentId,
    pub made: Vec<MadeRefund>,
    pub kept_minor: i64,
    pub now: Timestamp,
}

/// The same lock as for giving back: units that go meanwhile are gone, or still there.
pub async fn made(conn: &mut Connection, Made { payment, made, kept_minor, now }: &Made) -> Result<()> {
    let paid = row::payment(conn, *payment).await?.ok_or_else(|| broken("a payment was never recorded"))?;
    let row = row::fetch_locked(conn, paid.reservation).await?;
    let row = row.ok_or_else(|| broken("a payment has no reservation"))?;
    let mut order = order_locked(conn, row.id).await?.filter(|order| order.payment == *payment);
    for one in made {
        let refund = Refund { id: one.id, payment: *payment, amount: Money { minor: one.minor, ..paid.amount } };
        let state = match one.answer {
            RefundAnswer::Sent => RefundState::Sent { next_at: *now },
            _ => RefundState::Done { at: *now },
        };
        let owed = of_payment_locked(conn, &paid).await?;
        let entry = RefundEntry { state, ..RefundEntry::due(refund, row.id, row.sale, Why::AtProvider, *now) };
        if !insert(conn, &entry, None).await? {
            continue;
        }
        let (changes, rest) = made_good(&owed, one.minor, *kept_minor, *now);
        for change in changes {
            move_from(conn, &change).await?;
        }
        if let Some(order) = order.as_mut() {
            order.refunded_amount.minor += rest;
        }
    }
    let Some(order) = order else { return Ok(()) };
    write_order(conn, &order).await?;
    let stands = matches!(row.state, State::Confirmed { payment: with, .. } if with == *payment);
    if *kept_minor > 0 || !stands || order.refunded {
        return Ok(());
    }
    let back: i64 = of_payment_locked(conn, &paid)
        .await?
        .iter()
        .filter(|entry| entry.why == Why::AtProvider)
        .map(|entry| entry.refund.amount.minor)
        .sum();
    let amount = order.share_of(order.left().len());
    let reason = Some("given back at the payment provider".to_owned());
    let told = Money { minor: back + amount.minor, ..amount };
    let told = Told { units: order.left(), reason, amount: told, request: None };
    end_units(conn, order, row, amount, told, *now).await.map(|_| ())
}

pub async fn due(conn: &mut Connection, (now, max): (Timestamp, u32)) -> Result<Vec<RefundEntry>> {
    sqlx::query_as(row::refunds!("ledger.refund.due", "WHERE next_at <= ? ORDER BY next_at, id LIMIT ?"))
        .bind(now)
        .bind(max)
        .fetch_all(conn)
        .await
}

pub async fn find(conn: &mut Connection, id: RefundId) -> Result<Option<RefundEntry>> {
    sqlx::query_as(row::refunds!("ledger.refund.find", "WHERE id = ?")).bind(id).fetch_optional(conn).await
}

pub async fn of(conn: &mut Connection, reservations: &[ReservationId]) -> Result<Vec<RefundEntry>> {
    let mut entries = Vec::new();
    for ids in reservations.chunks(bulk::ROWS_MAX) {
        let mut query = Statement::new(row::refunds!("ledger.refund.of", "WHERE reservation IN "));
        query.push_list(ids);
        entries.extend(query.build_as::<RefundEntry>()?.fetch_all(&mut *conn).await?);
    }
    entries.sort_by_key(|entry| (entry.made_at, entry.refund.id));
    Ok(entries)
}

async fn of_payment_locked(conn: &mut Connection, paid: &Payment) -> Result<Vec<RefundEntry>> {
    sqlx::query_as(row::refunds!(
        "ledger.refund.of_payment.lock",
        "WHERE payment = ? ORDER BY made_at, id",
        for_update!()
    ))
    .bind(paid.id)
    .fetch_all(conn)
    .await
}

/// A page of those in this state; the place is where the last one ended.
pub async fn in_state(
    conn: &mut Connection,
    (kind, after, max): (RefundKind, Option<RefundId>, u32),
) -> Result<Vec<(RefundEntry, Option<String>)>> {
    let place = match after {
        Some(id) => find(conn, id).await?.map(|entry| (entry.made_at, id)),
        None => None,
    };
    let (made_at, id) = place.unwrap_or((Timestamp(i64::MIN), RefundId(0)));
    let entries: Vec<RefundEntry> = sqlx::query_as(row::refunds!(
        "ledger.refund.in_state",
        "WHERE state = ? AND (made_at > ? OR (made_at = ? AND id > ?)) ORDER BY made_at, id LIMIT ?"
    ))
    .bind(kind)
    .bind(made_at)
    .bind(made_at)
    .bind(id)
    .bind(max)
    .fetch_all(&mut *conn)
    .await?;
    let mut numbers = HashMap::new();
    for entries in entries.chunks(bulk::ROWS_MAX) {
        let ids: Vec<ReservationId> = entries.iter().map(|entry| entry.reservation).collect();
        let mut query = Statement::new(row::orders!("ledger.refund.orders", "WHERE reservation IN "));
        query.push_list(&ids);
        let orders = query.build_as::<Order>()?.fetch_all(&mut *conn).await?;
        numbers.extend(orders.into_iter().map(|order| (order.payment, order.number)));
    }
    let with_order = |entry: RefundEntry| {
        let number = numbers.get(&entry.refund.payment).cloned();
        (entry, number)
    };
    Ok(entries.into_iter().map(with_order).collect())
}

/// What this request wrote before.
async fn of_request(conn: &mut Connection, request: Option<RequestId>) -> Result<Option<RefundEntry>> {
    let Some(request) = request else { return Ok(None) };
    sqlx::query_as(row::refunds!("ledger.refund.of_request", "WHERE request = ?", for_update!()))
        .bind(request)
        .fetch_optional(conn)
        .await
}

async fn order_locked(conn: &mut Connection, reservation: ReservationId) -> Result<Option<Order>> {
    sqlx::query_as(row::orders!("ledger.refund.order.lock", "WHERE reservation = ?", for_update!()))
        .bind(reservation)
        .fetch_optional(conn)
        .await
}

async fn must_order_locked(conn: &mut Connection, reservation: ReservationId) -> Result<Order> {
    order_locked(conn, reservation).await?.ok_or_else(|| broken("an order is gone"))
}

async fn write_order(conn: &mut Connection, order: &Order) -> Result<()> {
    sqlx::query(
        "/* ledger.refund.order */ UPDATE orders SET refunded = ?, refunded_units = ?, refunded_minor = ? \
         WHERE reservation = ?",
    )
    .bind(order.refunded)
    .bind(Units::of(&order.refunded_units))
    .bind(order.refunded_amount.minor)
    .bind(order.reservation)
    .execute(conn)
    .await?;
    Ok(())
}
