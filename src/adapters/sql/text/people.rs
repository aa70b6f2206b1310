//! Leaving: log-out everywhere, a new password, a person's data, and their erasure.

use serde_json::Value;
use sqlx::Row as _;

use super::bulk::Statement;
use super::dialect::{Connection, Row, for_update};
use super::{Result, day_counts, ended, holders, journal, look, operators, outbox, row, second_factors};
use crate::adapters::sql::codes::Counted;
use crate::adapters::sql::stored::Number;
use crate::domain::audit::journal::{Action, Subject};
use crate::domain::money::order::Order;
use crate::domain::people::Revoked;
use crate::domain::people::author::Author;
use crate::domain::sale::reservation::{Kind, Reservation};
use crate::domain::shared::event::{Event, Fact, PasswordChanged};
use crate::domain::shared::id::BuyerId;
use crate::domain::shared::time::Timestamp;
use crate::ports::money::orders::OrderPlace;
use crate::ports::people::accounts::{Erased, IN_THE_WAY_MAX, InTheWay, LogOutPlace, Person, Unused};

/// Orders that are read at once.
const ORDERS_PAGE: u32 = 500;
/// Letters of one kind about one's own account that go to an address on one day.
const NOTICES_DAY_MAX: u32 = 10;

pub async fn log_out(conn: &mut Connection, &(id, now): &(BuyerId, Timestamp)) -> Result<Option<Revoked>> {
    sqlx::query(
        "/* accounts.log_out */ UPDATE accounts SET epoch = epoch + 1, epoch_at = ? WHERE id = ? AND erased_at IS NULL",
    )
    .bind(now)
    .bind(id)
    .execute(&mut *conn)
    .await?;
    epoch(conn, id).await
}

pub async fn log_out_by(
    conn: &mut Connection,
    (id, now, by): &(BuyerId, Timestamp, Option<Author>),
) -> Result<Option<Revoked>> {
    let revoked = log_out(conn, &(*id, *now)).await?;
    if revoked.is_some() {
        own(conn, by.as_ref(), Action::LoggedOut, *id, Value::Null).await?;
    }
    Ok(revoked)
}

/// What operators did to their own accounts; for shoppers there is no author.
pub async fn own(conn: &mut Connection, by: Option<&Author>, action: Action, id: BuyerId, after: Value) -> Result<()> {
    journal::tell(conn, by, action, Subject::Account(id), [Value::Null, after]).await
}

/// Says whether the password was still the one that was known.
pub async fn change_password(
    conn: &mut Connection,
    (id, [old, new], now, by): &(BuyerId, [String; 2], Timestamp, Option<Author>),
) -> Result<bool> {
    let changed = set_password(conn, *id, old, new, *now).await?;
    if changed {
        tell_of_password(conn, *id, *now).await?;
        own(conn, by.as_ref(), Action::PasswordSet, *id, Value::Null).await?;
    }
    Ok(changed)
}

/// Logs out everywhere, too.
async fn set_password(conn: &mut Connection, id: BuyerId, old: &str, new: &str, now: Timestamp) -> Result<bool> {
    let done = sqlx::query(
        "/* accounts.change_password */ UPDATE accounts SET password_hash = ?, epoch = epoch + 1, epoch_at = ? \
         WHERE id = ? AND password_hash = ? AND erased_at IS NULL",
    )
    .bind(new)
    .bind(now)
    .bind(id)
    .bind(old)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The owner hears of it. By the epoch, of which each password has one.
pub async fn tell_of_password(conn: &mut Connection, id: BuyerId, now: Timestamp) -> Result<()> {
    let Some(Revoked { epoch, .. }) = epoch(conn, id).await? else { return Ok(()) };
    let Some(canonical) = canonical(conn, id).await? else { return Ok(()) };
    let fact = Fact::PasswordChanged(PasswordChanged { buyer: id });
    notice(conn, &canonical, Counted::PasswordLetters, Event::new(fact, epoch.into(), now)).await
}

/// A letter about one's own account to this address, unless there were too many of its kind on that day.
pub async fn notice(conn: &mut Connection, canonical: &str, kind: Counted, event: Event) -> Result<()> {
    if day_counts::take(conn, canonical, kind, event.at, NOTICES_DAY_MAX).await? {
        outbox::write(conn, &[event]).await?;
    }
    Ok(())
}

async fn canonical(conn: &mut Connection, id: BuyerId) -> Result<Option<String>> {
    sqlx::query_scalar("/* accounts.canonical */ SELECT canonical FROM accounts WHERE id = ? AND erased_at IS NULL")
        .bind(id)
        .fetch_optional(conn)
        .await
}

pub async fn epoch(conn: &mut Connection, id: BuyerId) -> Result<Option<Revoked>> {
    let found = sqlx::query(concat!(
        "/* accounts.epoch */ SELECT epoch FROM accounts WHERE id = ? AND erased_at IS NULL",
        for_update!()
    ))
    .bind(id)
    .fetch_optional(conn)
    .await?;
    found.map(|found| Ok(Revoked { buyer: id, epoch: row::number(&found, "epoch")? })).transpose()
}

pub async fn log_outs_after(
    conn: &mut Connection,
    after: LogOutPlace,
    max: u32,
) -> Result<Vec<(LogOutPlace, Revoked)>> {
    let found = sqlx::query(
        "/* accounts.log_outs_after */ SELECT id, epoch, epoch_at FROM accounts \
         WHERE epoch_at >= ? AND (epoch_at > ? OR id > ?) ORDER BY epoch_at, id LIMIT ?",
    )
    .bind(after.at)
    .bind(after.at)
    .bind(after.buyer)
    .bind(max)
    .fetch_all(conn)
    .await?;
    let log_out = |found: &Row| {
        let (buyer, at) = (found.try_get("id")?, found.try_get("epoch_at")?);
        Ok((LogOutPlace { at, buyer }, Revoked { buyer, epoch: row::number(found, "epoch")? }))
    };
    found.iter().map(log_out).collect()
}

pub async fn in_the_way(conn: &mut Connection, id: BuyerId) -> Result<InTheWay> {
    // By sale, since that is how a buyer's live reservation is found.
    let reservations = sqlx::query_as(row::reservations!(
        "accounts.live",
        "WHERE sale IN (SELECT sales.id FROM sales) AND buyer = ? AND live = 1 AND state <= ? ORDER BY created_at, id LIMIT ?"
    ))
    .bind(id)
    .bind(Kind::Paying)
    .bind(Number(IN_THE_WAY_MAX as u64))
    .fetch_all(&mut *conn)
    .await?;
    let mut way = InTheWay { reservations, ..<_>::default() };
    let mut after: Option<OrderPlace> = None;
    loop {
        let orders = look::orders(conn, id, after.as_ref(), ORDERS_PAGE).await?;
        after = orders.last().filter(|_| orders.len() == ORDERS_PAGE as usize).map(OrderPlace::from);
        for order in orders.into_iter().filter(|order| !order.refunded) {
            let units = unused(conn, &order).await?;
            way.units += units.len() as u64;
            if !units.is_empty() && way.orders.len() < IN_THE_WAY_MAX {
                way.orders.push(Unused { order, units });
            }
        }
        if after.is_none() {
            return Ok(way);
        }
    }
}

/// Units of the order that are still good for admission.
async fn unused(conn: &mut Connection, order: &Order) -> Result<Vec<u32>> {
    let mut units = order.left();
    if units.is_empty() {
        return Ok(units);
    }
    let mut query = Statement::new("/* accounts.used */ SELECT unit FROM admissions WHERE sale = ");
    query.push_bind(order.sale).push(" AND reservation = ").push_bind(order.reservation);
    query.push(" AND unit IN ");
    query.push_list(&units);
    for found in query.build()?.fetch_all(conn).await? {
        let used: u32 = row::small(&found, "unit")?;
        units.retain(|unit| *unit != used);
    }
    Ok(units)
}

/// The row stays, so that its number is never given to another account; what it said of the person goes.
pub async fn erase(
    conn: &mut Connection,
    (id, keep_orders, now, by): &(BuyerId, bool, Timestamp, Option<Author>),
) -> Result<Erased> {
    let (id, keep_orders, now) = (*id, *keep_orders, *now);
    if operators::is_last_owner(conn, id).await? {
        return Ok(Erased::LastOwner);
    }
    let Some(known) = epoch(conn, id).await? else { return Ok(Erased::Missing) };
    let way = in_the_way(conn, id).await?;
    if !way.reservations.is_empty() || (!keep_orders && !way.orders.is_empty()) {
        return Ok(Erased::Refused(way));
    }
    second_factors::forget(conn, id).await?;
    holders::forget_name(conn, id).await?;
    sqlx::query(
        "/* accounts.erase */ UPDATE accounts SET name = '', email = ?, canonical = ?, password_hash = '', \
         locale = NULL, epoch = epoch + 1, epoch_at = ?, erased_at = ? WHERE id = ?",
    )
    // No address, and no two alike.
    .bind(format!("erased {id}"))
    .bind(format!("erased {id}"))
    .bind(now)
    .bind(now)
    .bind(id)
    .execute(&mut *conn)
    .await?;
    sqlx::query("/* accounts.erase_codes */ DELETE FROM codes WHERE account = ?").bind(id).execute(&mut *conn).await?;
    sqlx::query("/* accounts.erase_sessions */ DELETE FROM sessions WHERE account = ?")
        .bind(id)
        .execute(&mut *conn)
        .await?;
    own(conn, by.as_ref(), Action::AccountErased, id, Value::Null).await?;
    Ok(Erased::Done(Revoked { epoch: known.epoch + 1, ..known }))
}

pub async fn person(conn: &mut Connection, id: BuyerId, max: u32) -> Result<Person> {
    let mut reservations: Vec<Reservation> = sqlx::query_as(row::reservations!(
        "accounts.reservations",
        "WHERE sale IN (SELECT sales.id FROM sales) AND buyer = ? ORDER BY created_at, id LIMIT ?"
    ))
    .bind(id)
    .bind(max)
    .fetch_all(&mut *conn)
    .await?;
    reservations.extend(ended::of_buyer(conn, id, max).await?);
    reservations.sort_by_key(|row| (row.created_at, row.id));
    reservations.truncate(max as usize);
    let orders = sqlx::query_as(row::orders!("accounts.orders", "WHERE buyer = ? ORDER BY placed_at, number LIMIT ?"))
        .bind(id)
        .bind(max)
        .fetch_all(&mut *conn)
        .await?;
    let payments = sqlx::query_as(row::payments!(
        "accounts.payments",
        "WHERE id IN (SELECT orders.payment FROM orders WHERE orders.buyer = ?) ORDER BY opened_at, id LIMIT ?"
    ))
    .bind(id)
    .bind(max)
    .fetch_all(conn)
    .await?;
    Ok(Person { reservations, orders, payments })
}
