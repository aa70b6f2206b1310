//! Rows and the domain's words for them. Whatever a row says that the domain has no word for is an error, never a guess.

use sqlx::Row as _;

use super::dialect::{Connection, Row, for_update};
use super::{Result, broken, bulk};
use crate::domain::money::order::Order;
use crate::domain::money::payment::{Payment, PaymentState, Refund, RefundEntry, RefundKind, RefundState, Why};
use crate::domain::sale::reservation::{Kind, Reservation, State};
use crate::domain::sale::turn::Cause;
use crate::domain::shared::id::{BatchId, BuyerId, PaymentId, RefundId, ReservationId, SaleId};
use crate::domain::shared::money::{Currency, Money};
use crate::domain::shared::time::Timestamp;

/// `reservations!("name of the statement", "WHERE …")`: what [`reservation`] reads.
macro_rules! reservations {
    ($name:literal, $($tail:tt)*) => {
        concat!(
            "/* ", $name, " */ SELECT id, sale, buyer, quantity, state, units, generation, arrival, lapses_at, payment, ",
            "paying_since, version, freed, created_at FROM reservations ",
            $($tail)*
        )
    };
}

/// What [`order`] reads.
macro_rules! orders {
    ($name:literal, $($tail:tt)*) => {
        concat!(
            "/* ", $name, " */ SELECT number, reservation, sale, buyer, units, amount_minor, currency, payment, placed_at, ",
            "refunded, refunded_units, refunded_minor FROM orders ",
            $($tail)*
        )
    };
}

/// What [`payment`] reads.
macro_rules! payments {
    ($name:literal, $($tail:tt)*) => {
        concat!(
            "/* ", $name, " */ SELECT id, reservation, sale, amount_minor, currency, state, opened_at FROM payments ",
            $($tail)*
        )
    };
}

/// What [`refund`] reads.
macro_rules! refunds {
    ($name:literal, $($tail:tt)*) => {
        concat!(
            "/* ", $name, " */ SELECT id, payment, amount_minor, currency, reservation, sale, units, why, reason, made_at, ",
            "state, next_at, ended_at, tries, asks, version, code, note, settled_by FROM refunds ",
            $($tail)*
        )
    };
}

pub(super) use {orders, payments, refunds, reservations};

/// Why money goes back, as a refund's row has it.
pub const COULD_NOT_STAND: i64 = 1;
pub const OPERATOR: i64 = 2;
pub const AT_PROVIDER: i64 = 3;

pub fn reservation(row: &Row) -> Result<Reservation> {
    let kind = code(row, 4, Kind::from_code)?;
    let units = || units(row, 5);
    let time = |column: usize| row.try_get(column).map(Timestamp);
    let payment = || id(row, 9).map(PaymentId::from_bytes);
    let state = match kind {
        Kind::Blocked => State::Blocked { units: units()? },
        Kind::Standby => State::Standby { generation: number(row, 6)?, arrival: number(row, 7)? },
        Kind::Held => State::Held { units: units()?, lapses_at: time(8)? },
        Kind::Paying => State::Paying { units: units()?, lapses_at: time(8)?, payment: payment()?, since: time(10)? },
        Kind::Confirmed => State::Confirmed { units: units()?, payment: payment()? },
        Kind::Lapsed => State::Lapsed,
        Kind::Cancelled => State::Cancelled,
        Kind::Ended => State::Ended,
        Kind::Refunded => State::Refunded,
    };
    Ok(Reservation {
        id: reservation_id(row, 0)?,
        sale: SaleId(number(row, 1)?),
        buyer: BuyerId(number(row, 2)?),
        quantity: small(row, 3)?,
        state,
        version: number(row, 11)?,
        freed: row.try_get::<i64, _>(12)? != 0,
        created_at: time(13)?,
    })
}

pub fn order(row: &Row) -> Result<Order> {
    let amount = money(row, 5)?;
    Ok(Order {
        number: row.try_get(0)?,
        reservation: reservation_id(row, 1)?,
        sale: SaleId(number(row, 2)?),
        buyer: BuyerId(number(row, 3)?),
        units: units(row, 4)?,
        amount,
        payment: PaymentId::from_bytes(id(row, 7)?),
        placed_at: Timestamp(row.try_get(8)?),
        refunded: row.try_get::<i64, _>(9)? != 0,
        refunded_units: units(row, 10)?,
        refunded_amount: Money { minor: row.try_get(11)?, currency: amount.currency },
    })
}

pub fn refund(row: &Row) -> Result<RefundEntry> {
    let why = match row.try_get(7)? {
        COULD_NOT_STAND => Why::CaptureTooLate,
        OPERATOR => Why::Operator { units: units(row, 6)?, reason: row.try_get(8)? },
        AT_PROVIDER => Why::AtProvider,
        other => return Err(broken(format!("money goes back because of {other}"))),
    };
    Ok(RefundEntry {
        refund: Refund {
            id: RefundId::from_bytes(id(row, 0)?),
            payment: PaymentId::from_bytes(id(row, 1)?),
            amount: money(row, 2)?,
        },
        reservation: reservation_id(row, 4)?,
        sale: SaleId(number(row, 5)?),
        why,
        made_at: Timestamp(row.try_get(9)?),
        tries: small(row, 13)?,
        asks: small(row, 14)?,
        version: number(row, 15)?,
        state: refund_state(row)?,
    })
}

fn refund_state(row: &Row) -> Result<RefundState> {
    let time = |column: usize| row.try_get(column).map(Timestamp);
    Ok(match code(row, 10, RefundKind::from_code)? {
        RefundKind::Due => RefundState::Due { next_at: time(11)? },
        RefundKind::Sent => RefundState::Sent { next_at: time(11)? },
        RefundKind::Done => RefundState::Done { at: time(12)? },
        RefundKind::Failed => RefundState::Failed { at: time(12)?, code: row.try_get(16)? },
        RefundKind::Settled => {
            RefundState::Settled { at: time(12)?, by: BuyerId(number(row, 18)?), note: row.try_get(17)? }
        }
    })
}

pub fn payment(row: &Row) -> Result<Payment> {
    Ok(Payment {
        id: PaymentId::from_bytes(id(row, 0)?),
        reservation: reservation_id(row, 1)?,
        sale: SaleId(number(row, 2)?),
        amount: money(row, 3)?,
        state: code(row, 5, PaymentState::from_code)?,
        opened_at: Timestamp(row.try_get(6)?),
    })
}

/// An amount and, in the next column, its currency.
pub fn money(row: &Row, column: usize) -> Result<Money> {
    let currency: Currency = row.try_get::<String, _>(column + 1)?.parse().map_err(broken)?;
    Ok(Money { minor: row.try_get(column)?, currency })
}

pub fn id(row: &Row, column: usize) -> Result<[u8; 16]> {
    row.try_get::<Vec<u8>, _>(column)?.try_into().map_err(|_| broken("an id is 16 bytes long"))
}

pub fn reservation_id(row: &Row, column: usize) -> Result<ReservationId> {
    id(row, column).map(ReservationId::from_bytes)
}

/// Numbers of 64 bits are stored by their bit pattern.
pub fn number(row: &Row, column: usize) -> Result<u64> {
    row.try_get::<i64, _>(column).map(|number| number as u64)
}

pub fn small<T: TryFrom<i64>>(row: &Row, column: usize) -> Result<T> {
    T::try_from(row.try_get(column)?).map_err(|_| broken("a number is out of its range"))
}

pub fn code<T>(row: &Row, column: usize, from: impl Fn(u8) -> Option<T>) -> Result<T> {
    from(small(row, column)?).ok_or_else(|| broken("a code has no meaning"))
}

pub fn units_bytes(units: &[u32]) -> Vec<u8> {
    units.iter().flat_map(|unit| unit.to_be_bytes()).collect()
}

pub fn units(row: &Row, column: usize) -> Result<Vec<u32>> {
    units_from(&row.try_get::<Vec<u8>, _>(column)?)
}

fn units_from(bytes: &[u8]) -> Result<Vec<u32>> {
    if !bytes.len().is_multiple_of(4) {
        return Err(broken("units are 4 bytes each"));
    }
    Ok(bytes.chunks_exact(4).map(|unit| u32::from_be_bytes(unit.try_into().expect("4 bytes"))).collect())
}

pub fn cause_bytes(cause: &Cause) -> Vec<u8> {
    let (kind, number) = match cause {
        Cause::Batch(id) => (b'b', id.0),
        Cause::Release(id) => (b'r', id.0),
        Cause::Raise(capacity) => (b'c', u128::from(*capacity)),
    };
    [&[kind], &number.to_be_bytes()[..]].concat()
}

pub fn cause(row: &Row, column: usize) -> Result<Cause> {
    let bytes: Vec<u8> = row.try_get(column)?;
    let (kind, number) = bytes.split_first().ok_or_else(|| broken("cause"))?;
    let number = u128::from_be_bytes(number.try_into().map_err(|_| broken("cause"))?);
    match kind {
        b'b' => Ok(Cause::Batch(BatchId(number))),
        b'r' => Ok(Cause::Release(ReservationId(number))),
        b'c' => Ok(Cause::Raise(u32::try_from(number).map_err(|_| broken("cause"))?)),
        _ => Err(broken("cause")),
    }
}

pub async fn fetch(conn: &mut Connection, id: ReservationId) -> Result<Option<Reservation>> {
    let found = sqlx::query(reservations!("ledger.reservation", "WHERE id = ?"))
        .bind(id.to_bytes().to_vec())
        .fetch_optional(conn)
        .await?;
    found.as_ref().map(reservation).transpose()
}

pub async fn fetch_locked(conn: &mut Connection, id: ReservationId) -> Result<Option<Reservation>> {
    let found = sqlx::query(reservations!("ledger.reservation.lock", "WHERE id = ?", for_update!()))
        .bind(id.to_bytes().to_vec())
        .fetch_optional(conn)
        .await?;
    found.as_ref().map(reservation).transpose()
}

/// By id, those that there are.
pub async fn fetch_many(conn: &mut Connection, ids: &[ReservationId]) -> Result<Vec<Reservation>> {
    let mut found = Vec::with_capacity(ids.len());
    for ids in ids.chunks(bulk::ROWS_MAX) {
        let mut query = sqlx::QueryBuilder::new(reservations!("ledger.reservations", "WHERE id IN "));
        bulk::push_ids(&mut query, ids);
        query.push(" ORDER BY id");
        for row in query.build().fetch_all(&mut *conn).await? {
            found.push(reservation(&row)?);
        }
    }
    Ok(found)
}

/// The same, locked until the transaction ends.
pub async fn fetch_many_locked(conn: &mut Connection, ids: &[ReservationId]) -> Result<Vec<Reservation>> {
    let mut found = Vec::with_capacity(ids.len());
    for ids in ids.chunks(bulk::ROWS_MAX) {
        let mut query = sqlx::QueryBuilder::new(reservations!("ledger.reservations.lock", "WHERE id IN "));
        bulk::push_ids(&mut query, ids);
        query.push(concat!(" ORDER BY id", for_update!()));
        for row in query.build().fetch_all(&mut *conn).await? {
            found.push(reservation(&row)?);
        }
    }
    Ok(found)
}
