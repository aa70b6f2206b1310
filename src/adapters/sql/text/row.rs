//! Rows and the domain's words for them. Whatever a row says that the domain has no word for is an error, never a guess.

use sqlx::{FromRow, Row as _};

use super::bulk::{self, Statement};
use super::dialect::{Connection, Row, for_update};
use super::{Result, broken};
use crate::adapters::sql::codes::RefundWhy;
use crate::adapters::sql::stored::{Number, Units};
use crate::domain::money::order::Order;
use crate::domain::money::payment::{Payment, Refund, RefundEntry, RefundKind, RefundState, Why};
use crate::domain::sale::Allotment;
use crate::domain::sale::reservation::{Kind, Reservation, State};
use crate::domain::shared::id::{PaymentId, ReservationId};
use crate::domain::shared::locale::Locale;
use crate::domain::shared::money::Money;
use crate::domain::shared::time::Timestamp;

/// `reservations!("name of the statement", "WHERE …")`: what a [`Reservation`] is read from.
macro_rules! reservations {
    ($name:literal, $($tail:tt)*) => {
        concat!(
            "/* ", $name, " */ SELECT id, sale, buyer, quantity, state, units, generation, arrival, lapses_at, payment, ",
            "paying_since, version, freed, created_at FROM reservations ",
            $($tail)*
        )
    };
}

/// What an [`Order`] is read from.
macro_rules! orders {
    ($name:literal, $($tail:tt)*) => {
        concat!(
            "/* ", $name, " */ SELECT number, reservation, sale, buyer, units, amount_minor, currency, payment, placed_at, ",
            "refunded, refunded_units, refunded_minor FROM orders ",
            $($tail)*
        )
    };
}

/// What a [`Payment`] is read from.
macro_rules! payments {
    ($name:literal, $($tail:tt)*) => {
        concat!(
            "/* ", $name, " */ SELECT id, reservation, sale, amount_minor, currency, state, opened_at FROM payments ",
            $($tail)*
        )
    };
}

/// What a [`RefundEntry`] is read from.
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

impl FromRow<'_, Row> for Reservation {
    fn from_row(row: &Row) -> Result<Self> {
        let units = || units(row, "units");
        let time = |column| row.try_get::<Timestamp, _>(column);
        let state = match row.try_get("state")? {
            Kind::Blocked => State::Blocked { units: units()? },
            Kind::Standby => {
                State::Standby { generation: number(row, "generation")?, arrival: number(row, "arrival")? }
            }
            Kind::Held => State::Held { units: units()?, lapses_at: time("lapses_at")? },
            Kind::Paying => State::Paying {
                units: units()?,
                lapses_at: time("lapses_at")?,
                payment: row.try_get("payment")?,
                since: time("paying_since")?,
            },
            Kind::Confirmed => State::Confirmed { units: units()?, payment: row.try_get("payment")? },
            Kind::Lapsed => State::Lapsed,
            Kind::Cancelled => State::Cancelled,
            Kind::Ended => State::Ended,
            Kind::Refunded => State::Refunded,
        };
        Ok(Reservation {
            id: row.try_get("id")?,
            sale: row.try_get("sale")?,
            buyer: row.try_get("buyer")?,
            quantity: small(row, "quantity")?,
            state,
            version: number(row, "version")?,
            freed: row.try_get("freed")?,
            created_at: time("created_at")?,
        })
    }
}

impl FromRow<'_, Row> for Order {
    fn from_row(row: &Row) -> Result<Self> {
        let amount = money(row, "amount_minor")?;
        Ok(Order {
            number: row.try_get("number")?,
            reservation: row.try_get("reservation")?,
            sale: row.try_get("sale")?,
            buyer: row.try_get("buyer")?,
            units: units(row, "units")?,
            amount,
            payment: row.try_get("payment")?,
            placed_at: row.try_get("placed_at")?,
            refunded: row.try_get("refunded")?,
            refunded_units: units(row, "refunded_units")?,
            refunded_amount: money(row, "refunded_minor")?,
        })
    }
}

impl FromRow<'_, Row> for RefundEntry {
    fn from_row(row: &Row) -> Result<Self> {
        let why = match row.try_get("why")? {
            RefundWhy::CaptureTooLate => Why::CaptureTooLate,
            RefundWhy::Operator => Why::Operator { units: units(row, "units")?, reason: row.try_get("reason")? },
            RefundWhy::AtProvider => Why::AtProvider,
        };
        Ok(RefundEntry {
            refund: Refund {
                id: row.try_get("id")?,
                payment: row.try_get("payment")?,
                amount: money(row, "amount_minor")?,
            },
            reservation: row.try_get("reservation")?,
            sale: row.try_get("sale")?,
            why,
            made_at: row.try_get("made_at")?,
            tries: small(row, "tries")?,
            asks: small(row, "asks")?,
            version: number(row, "version")?,
            state: refund_state(row)?,
        })
    }
}

fn refund_state(row: &Row) -> Result<RefundState> {
    let at = || row.try_get("ended_at");
    Ok(match row.try_get("state")? {
        RefundKind::Due => RefundState::Due { next_at: row.try_get("next_at")? },
        RefundKind::Sent => RefundState::Sent { next_at: row.try_get("next_at")? },
        RefundKind::Done => RefundState::Done { at: at()? },
        RefundKind::Failed => RefundState::Failed { at: at()?, code: row.try_get("code")? },
        RefundKind::Settled => {
            RefundState::Settled { at: at()?, by: row.try_get("settled_by")?, note: row.try_get("note")? }
        }
    })
}

impl FromRow<'_, Row> for Payment {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Payment {
            id: row.try_get("id")?,
            reservation: row.try_get("reservation")?,
            sale: row.try_get("sale")?,
            amount: money(row, "amount_minor")?,
            state: row.try_get("state")?,
            opened_at: row.try_get("opened_at")?,
        })
    }
}

/// An amount in the row's currency.
pub fn money(row: &Row, minor: &str) -> Result<Money> {
    Ok(Money { minor: row.try_get(minor)?, currency: row.try_get("currency")? })
}

pub fn allotment(row: &Row) -> Result<Allotment> {
    Ok(Allotment {
        capacity: small(row, "capacity")?,
        quantity_max: small(row, "quantity_max")?,
        standby_max: small(row, "standby_max")?,
    })
}

/// A language tag; none reads as the usual one.
pub fn locale(row: &Row, column: &str) -> Result<Locale> {
    match row.try_get::<Option<String>, _>(column)? {
        None => Ok(Locale::default()),
        Some(tag) => Locale::of_tag(&tag).ok_or_else(|| broken(format!("a {column} is {tag}"))),
    }
}

pub fn number(row: &Row, column: &str) -> Result<u64> {
    row.try_get(column).map(|Number(number)| number)
}

pub fn small<T: TryFrom<i64>>(row: &Row, column: &str) -> Result<T> {
    T::try_from(row.try_get(column)?).map_err(|_| broken(format!("the {column} is out of its range")))
}

pub fn units(row: &Row, column: &str) -> Result<Vec<u32>> {
    row.try_get(column).map(|Units(units)| units)
}

pub async fn payment(conn: &mut Connection, id: PaymentId) -> Result<Option<Payment>> {
    sqlx::query_as(payments!("ledger.payment.find", "WHERE id = ?")).bind(id).fetch_optional(conn).await
}

pub async fn fetch(conn: &mut Connection, id: ReservationId) -> Result<Option<Reservation>> {
    sqlx::query_as(reservations!("ledger.reservation", "WHERE id = ?")).bind(id).fetch_optional(conn).await
}

pub async fn fetch_locked(conn: &mut Connection, id: ReservationId) -> Result<Option<Reservation>> {
    sqlx::query_as(reservations!("ledger.reservation.lock", "WHERE id = ?", for_update!()))
        .bind(id)
        .fetch_optional(conn)
        .await
}

/// By id, those that there are.
pub async fn fetch_many(conn: &mut Connection, ids: &[ReservationId]) -> Result<Vec<Reservation>> {
    let mut found = Vec::with_capacity(ids.len());
    for ids in ids.chunks(bulk::ROWS_MAX) {
        let mut query = Statement::new(reservations!("ledger.reservations", "WHERE id IN "));
        query.push_list(ids);
        query.push(" ORDER BY id");
        found.extend(query.build_as::<Reservation>()?.fetch_all(&mut *conn).await?);
    }
    Ok(found)
}

/// The same, locked until the transaction ends.
pub async fn fetch_many_locked(conn: &mut Connection, ids: &[ReservationId]) -> Result<Vec<Reservation>> {
    let mut found = Vec::with_capacity(ids.len());
    for ids in ids.chunks(bulk::ROWS_MAX) {
        let mut query = Statement::new(reservations!("ledger.reservations.lock", "WHERE id IN "));
        query.push_list(ids);
        query.push(concat!(" ORDER BY id", for_update!()));
        found.extend(query.build_as::<Reservation>()?.fetch_all(&mut *conn).await?);
    }
    Ok(found)
}
