//! Checkouts that begin, and end, together: few statements for all of them, each row by its own condition.
//!
//! All transactions lock in the same order: requests, reservations, payments, orders, the outbox; each by id. Rows are locked and
//! then judged, so that what is written afterwards needs no condition.

use std::collections::{BTreeSet, HashMap};

use super::bulk::{self, Statement};
use super::dialect::Connection;
use super::{Result, broken, idempotency, outbox, paying, row};
use crate::adapters::sql::stored::Units;
use crate::domain::money::order::Order;
use crate::domain::money::payment::{Payment, PaymentState};
use crate::domain::sale::reservation::{Kind, Reservation};
use crate::domain::shared::id::{BuyerId, PaymentId, ReservationId, SaleId};
use crate::domain::shared::money::Money;
use crate::domain::shared::time::Timestamp;
use crate::ports::money::paying::{Begin, Begun, Bill, Confirmed, Finish, Finished, Take, Took};
use crate::ports::platform::idempotency::{Answer, Claim, Key, Lease};

pub async fn bills(conn: &mut Connection, ids: &[ReservationId]) -> Result<Vec<Bill>> {
    let rows = row::fetch_many(conn, ids).await?;
    let sales: BTreeSet<SaleId> = rows.iter().map(|row| row.sale).collect();
    let mut prices: HashMap<SaleId, Money> = HashMap::new();
    for sales in Vec::from_iter(sales).chunks(bulk::ROWS_MAX) {
        let mut query =
            Statement::new("/* ledger.bills.prices */ SELECT id, price_minor, currency FROM sales WHERE id IN ");
        query.push_list(sales);
        for found in query.build()?.fetch_all(&mut *conn).await? {
            prices.insert(sqlx::Row::try_get(&found, "id")?, row::money(&found, "price_minor")?);
        }
    }
    let bill = |row: Reservation| {
        let price = prices.get(&row.sale).copied().ok_or_else(|| broken("a reservation is of no sale"))?;
        Ok(Bill { row, price })
    };
    rows.into_iter().map(bill).collect()
}

/// What is to be written of a group, and the rows that it is judged by.
#[derive(Default)]
struct Group {
    rows: HashMap<ReservationId, Reservation>,
    paying: Vec<Payment>,
    free: Vec<Order>,
    kept: Vec<(Key, Answer)>,
}

pub async fn begin(conn: &mut Connection, (begins, now): &(Vec<Begin>, Timestamp)) -> Result<Vec<Begun>> {
    let asked: Vec<_> = begins.iter().filter_map(|begin| begin.request.as_ref()).collect();
    let mut claims = idempotency::claim_all(conn, &asked).await?.into_iter();
    let claims: Vec<Option<Claim>> =
        begins.iter().map(|begin| begin.request.as_ref().and_then(|_| claims.next())).collect();
    let mine = |claim: &Option<Claim>| matches!(claim, None | Some(Claim::Yours(_)));
    let wanted =
        begins.iter().zip(&claims).filter(|(_, claim)| mine(claim)).filter_map(|(begin, _)| match &begin.take {
            Take::Nothing => None,
            Take::Paying { payment, .. } => Some(payment.reservation),
            Take::Free { order, .. } => Some(order.reservation),
        });
    let mut group = Group { rows: locked(conn, wanted).await?, ..Group::default() };
    let mut begun = Vec::with_capacity(begins.len());
    for (begin, claim) in begins.iter().zip(claims) {
        let lease = match claim {
            None => None,
            Some(Claim::Yours(lease)) => Some(lease),
            Some(elsewhere) => {
                begun.push(Begun::Elsewhere(elsewhere));
                continue;
            }
        };
        let took = match &begin.take {
            Take::Nothing => Took::Nothing,
            Take::Paying { payment, buyer } => group.pay(payment, *buyer, *now),
            Take::Free { order, answer } => {
                let key = begin.request.as_ref().map(|asked| asked.key);
                group.give(order, key.zip(answer.clone()), *now)?
            }
        };
        begun.push(Begun::Here { lease, took });
    }
    group.write(conn, *now).await?;
    Ok(begun)
}

impl Group {
    fn row_of(&self, id: ReservationId, buyer: BuyerId) -> Option<Reservation> {
        self.rows.get(&id).filter(|row| row.buyer == buyer).cloned()
    }

    fn pay(&mut self, payment: &Payment, buyer: BuyerId, now: Timestamp) -> Took {
        let Some(row) = self.row_of(payment.reservation, buyer) else { return Took::Refused(None) };
        if row.pays_with(payment.id) {
            return Took::Paying(row);
        }
        let Some(taken) = row.paying(payment.id, now) else { return Took::Refused(Some(row)) };
        self.rows.insert(row.id, taken.clone());
        self.paying.push(payment.clone());
        Took::Paying(taken)
    }

    fn give(&mut self, order: &Order, answer: Option<(Key, Answer)>, now: Timestamp) -> Result<Took> {
        if !order.amount.is_zero() {
            return Err(broken("only a payment of 0 is captured without a provider"));
        }
        let Some(row) = self.row_of(order.reservation, order.buyer) else { return Ok(Took::Refused(None)) };
        if !row.is_payable(now) {
            return Ok(Took::Refused(Some(row)));
        }
        if row.state.units() != order.units {
            return Err(broken("an order is of other units than its reservation"));
        }
        let taken = row.confirmed(order.payment);
        self.rows.insert(row.id, taken.clone());
        self.free.push(order.clone());
        self.kept.extend(answer);
        Ok(Took::Order(taken))
    }

    async fn write(self, conn: &mut Connection, now: Timestamp) -> Result<()> {
        let Self { mut paying, mut free, kept, .. } = self;
        paying.sort_unstable_by_key(|payment| payment.reservation);
        free.sort_unstable_by_key(|order| order.reservation);
        let taken: Vec<_> = paying.iter().map(|payment| (payment.reservation, payment.id)).collect();
        take(conn, &taken, Kind::Paying, Some(now), now).await?;
        let given: Vec<_> = free.iter().map(|order| (order.reservation, order.payment)).collect();
        take(conn, &given, Kind::Confirmed, None, now).await?;
        paying.extend(free.iter().map(captured));
        paying.sort_unstable_by_key(|payment| payment.id);
        insert_payments(conn, &paying).await?;
        insert_orders(conn, &free).await?;
        idempotency::keep_all(conn, &kept).await
    }
}

/// A payment of nothing.
fn captured(order: &Order) -> Payment {
    Payment {
        id: order.payment,
        reservation: order.reservation,
        sale: order.sale,
        amount: order.amount,
        state: PaymentState::Captured,
        opened_at: order.placed_at,
    }
}

pub async fn finish(conn: &mut Connection, (finishes, now): &(Vec<Finish>, Timestamp)) -> Result<Vec<Finished>> {
    let keeps = finishes.iter().filter_map(|finish| finish.keep.as_ref());
    let leases: Vec<(Key, Lease)> = keeps.map(|(key, lease, _)| (*key, *lease)).collect();
    let held = idempotency::lock_leases(conn, &leases).await?;
    let mut rows = locked(conn, finishes.iter().map(|finish| finish.order.reservation)).await?;
    let (mut orders, mut kept) = (Vec::with_capacity(finishes.len()), Vec::new());
    let mut is_now = Vec::with_capacity(finishes.len());
    for Finish { order, keep } in finishes {
        let row = rows.get_mut(&order.reservation).filter(|row| row.pays_with(order.payment));
        let is_kept = keep.as_ref().filter(|(key, lease, _)| row.is_some() && held.contains(&(*key, *lease)));
        is_now.push((row.is_some(), is_kept.is_some()));
        let Some(row) = row else { continue };
        *row = row.confirmed(order.payment);
        orders.push(order.clone());
        kept.extend(is_kept.map(|(key, _, answer)| (*key, answer.clone())));
    }
    orders.sort_unstable_by_key(|order| order.reservation);
    confirm(conn, &orders, *now).await?;
    let mut finished = Vec::with_capacity(finishes.len());
    for (Finish { order, .. }, (is_now, is_kept)) in finishes.iter().zip(is_now) {
        let confirmed = if is_now {
            Confirmed::Order(order.clone())
        } else {
            paying::confirm(conn, &(order.reservation, order.payment, order.number.clone(), *now)).await?
        };
        let row = rows.get(&order.reservation).cloned();
        let row = row.ok_or_else(|| broken("there is no such reservation to confirm"))?;
        finished.push(Finished { confirmed, row, is_kept });
    }
    idempotency::keep_all(conn, &kept).await?;
    Ok(finished)
}

/// Of locked rows that are being paid with these orders' payments.
async fn confirm(conn: &mut Connection, orders: &[Order], now: Timestamp) -> Result<()> {
    for orders in orders.chunks(bulk::ASSIGNED_MAX) {
        let mut query = Statement::new("/* ledger.till.confirm */ UPDATE reservations SET state = ");
        query.push_bind(Kind::Confirmed).push(", version = version + 1, updated_at = ").push_bind(now);
        query.push(" WHERE id IN ").push_list(orders.iter().map(|order| order.reservation));
        query.build()?.execute(&mut *conn).await?;
    }
    let mut payments: Vec<PaymentId> = orders.iter().map(|order| order.payment).collect();
    payments.sort_unstable();
    for payments in payments.chunks(bulk::ASSIGNED_MAX) {
        let mut query = Statement::new("/* ledger.till.captured */ UPDATE payments SET state = ");
        query.push_bind(PaymentState::Captured).push(" WHERE id IN ").push_list(payments);
        if query.build()?.execute(&mut *conn).await?.rows_affected() != payments.len() as u64 {
            return Err(broken("a payment was never recorded"));
        }
    }
    insert_orders(conn, orders).await
}

async fn locked(
    conn: &mut Connection,
    ids: impl IntoIterator<Item = ReservationId>,
) -> Result<HashMap<ReservationId, Reservation>> {
    let ids: BTreeSet<ReservationId> = ids.into_iter().collect();
    let rows = row::fetch_many_locked(conn, &Vec::from_iter(ids)).await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

async fn take(
    conn: &mut Connection,
    rows: &[(ReservationId, PaymentId)],
    to: Kind,
    paying_since: Option<Timestamp>,
    now: Timestamp,
) -> Result<()> {
    for rows in rows.chunks(bulk::ASSIGNED_MAX) {
        let mut query = Statement::new("/* ledger.till.take */ UPDATE reservations SET state = ");
        query.push_bind(to).push(", payment = ");
        query.push_by_id(rows.iter().copied());
        query.push(", paying_since = ").push_bind(paying_since);
        query.push(", version = version + 1, updated_at = ").push_bind(now).push(" WHERE id IN ");
        query.push_list(rows.iter().map(|(id, _)| id));
        query.build()?.execute(&mut *conn).await?;
    }
    Ok(())
}

async fn insert_payments(conn: &mut Connection, payments: &[Payment]) -> Result<()> {
    for payments in bulk::pieces(payments, bulk::ROWS_MAX) {
        let mut query = Statement::new(
            "/* ledger.till.payments */ INSERT INTO payments \
             (id, reservation, sale, amount_minor, currency, state, opened_at) ",
        );
        query.push_rows(payments, |values, payment| {
            values.bind(payment.id).bind(payment.reservation).bind(payment.sale);
            values.bind(payment.amount.minor).bind(payment.amount.currency);
            values.bind(payment.state).bind(payment.opened_at);
        });
        query.build()?.execute(&mut *conn).await?;
    }
    Ok(())
}

/// With what is told of them.
pub async fn insert_orders(conn: &mut Connection, orders: &[Order]) -> Result<()> {
    for orders in bulk::pieces(orders, bulk::ROWS_MAX) {
        let mut query = Statement::new(
            "/* ledger.orders */ INSERT INTO orders \
             (reservation, number, sale, buyer, units, amount_minor, currency, payment, placed_at, refunded) ",
        );
        query.push_rows(orders, |values, order| {
            values.bind(order.reservation).bind(&order.number).bind(order.sale).bind(order.buyer);
            values.bind(Units::of(&order.units)).bind(order.amount.minor).bind(order.amount.currency);
            values.bind(order.payment).bind(order.placed_at).bind(false);
        });
        query.build()?.execute(&mut *conn).await?;
    }
    outbox::write(conn, &orders.iter().map(paying::order_paid).collect::<Vec<_>>()).await
}
