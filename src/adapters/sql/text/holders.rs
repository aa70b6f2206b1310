//! Holders by name. A look reads along the words of one sale that begin with the longest beginning, until so many are found as are
//! shown; the other beginnings are looked up order by order. Where many begin so and few of them have the others, that is many: so it
//! is read beside the writer, and only that it was read is written, before anything of it is told. Absent: any statement that goes by
//! all orders of a sale.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use serde_json::{Value, json};
use sqlx::Row as _;

use super::bulk::{self, Statement};
use super::dialect::{Connection, Row, Store, by_index, by_primary, for_update, in_this_order, insert_new};
use super::{Result, fault, journal, row};
use crate::domain::audit::journal::{Action, Subject};
use crate::domain::money::order::Order;
use crate::domain::people::author::Author;
use crate::domain::receipts::Admission;
use crate::domain::receipts::holder::{words_of_name, words_of_number};
use crate::domain::shared::id::{BuyerId, ReservationId, SaleId};
use crate::ports;
use crate::ports::receipts::holders::{Holder, HolderSearch, Holders};

/// Rows read for each holder that is shown: some words of one order may begin alike.
const ROWS_EACH: u32 = 4;

#[async_trait]
impl HolderSearch for Store {
    async fn holders(&self, sale: SaleId, beginnings: &[String], max: u32, by: &Author) -> ports::Result<Holders> {
        let holders = find(&mut *self.at_once().await?, sale, beginnings, max).await.map_err(fault)?;
        let numbers: Vec<String> = holders.found.iter().map(|holder| holder.order.number.clone()).collect();
        let args = (sale, json!({ "orders": numbers }), by.clone());
        self.write("holders.sought", args, |c, args| Box::pin(sought(c, args))).await?;
        Ok(holders)
    }

    async fn keep_holders(&self, max: u32) -> ports::Result<u32> {
        let due = due(&mut *self.reader().await?, max).await.map_err(fault)?;
        let count = due.len() as u32;
        if count > 0 {
            self.write("holders.keep", due, |c, due| Box::pin(index(c, due))).await?;
        }
        Ok(count)
    }
}

impl Store {
    /// How the database finds holders, in its own words: a test sees there that a look reads little of a large sale.
    pub async fn explain_holders(&self, sale: SaleId, beginnings: &[String], max: u32) -> ports::Result<Vec<String>> {
        found(sale, beginnings, max).plan(&mut *self.reader().await?).await.map_err(fault)
    }
}

async fn sought(conn: &mut Connection, (sale, orders, by): &(SaleId, Value, Author)) -> Result<()> {
    let states = [Value::Null, orders.clone()];
    journal::tell(conn, Some(by), Action::HoldersSought, Subject::Sale(*sale), states).await
}

async fn find(conn: &mut Connection, sale: SaleId, beginnings: &[String], max: u32) -> Result<Holders> {
    let rows = found(sale, beginnings, max).build()?.fetch_all(&mut *conn).await?;
    let mut ids: Vec<ReservationId> = Vec::new();
    for row in &rows {
        let id = row.try_get("reservation")?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    let more = ids.len() > max as usize || rows.len() == reach(max) as usize;
    ids.truncate(max as usize);
    let found = told(conn, sale, &ids).await?;
    Ok(Holders { found, more })
}

fn reach(max: u32) -> u32 {
    (max + 1) * ROWS_EACH
}

/// Along the words' key; an order with two such words is found twice.
fn found(sale: SaleId, beginnings: &[String], max: u32) -> Statement {
    let mut look = Statement::new(concat!(
        "/* holders.found */ SELECT w.reservation AS reservation FROM holder_words w ",
        by_primary!()
    ));
    let (first, others) = beginnings.split_first().map_or(("", [].as_slice()), |(first, others)| (first, others));
    for (number, other) in others.iter().enumerate() {
        look.push(format_args!(" {} holder_words o{number} ", in_this_order!()));
        look.push(concat!(by_index!("holder_words_order"), " ON "));
        look.push(format_args!("o{number}.sale = w.sale AND o{number}.reservation = w.reservation"));
        begins(&mut look, &format!("o{number}.word"), other);
    }
    look.push(" WHERE w.sale = ").push_bind(sale);
    begins(&mut look, "w.word", first);
    look.push(" ORDER BY w.word, w.reservation LIMIT ").push_bind(reach(max));
    look
}

/// As a range: no pattern is read, whatever was typed.
fn begins(look: &mut Statement, column: &str, beginning: &str) {
    look.push(format_args!(" AND {column} >= ")).push_bind(beginning.to_owned());
    look.push(format_args!(" AND {column} < ")).push_bind(format!("{beginning}{}", char::MAX));
}

/// In the order of these.
async fn told(conn: &mut Connection, sale: SaleId, ids: &[ReservationId]) -> Result<Vec<Holder>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = Statement::new(row::orders!("holders.orders", "WHERE reservation IN "));
    query.push_list(ids);
    let orders: Vec<Order> = query.build_as()?.fetch_all(&mut *conn).await?;
    let buyers: Vec<BuyerId> = orders.iter().map(|order| order.buyer).collect();
    let people = people(conn, &buyers).await?;
    let units: Vec<u32> = orders.iter().flat_map(|order| order.units.clone()).collect();
    let mut admitted = admitted(conn, sale, &units).await?;
    let mut holders: HashMap<ReservationId, Holder> = HashMap::with_capacity(orders.len());
    for order in orders {
        let (name, email) = people.get(&order.buyer).cloned().unwrap_or_default();
        let admitted = admitted.remove(&order.reservation).unwrap_or_default();
        holders.insert(order.reservation, Holder { order, name, email, admitted });
    }
    Ok(ids.iter().filter_map(|id| holders.remove(id)).collect())
}

async fn people(conn: &mut Connection, buyers: &[BuyerId]) -> Result<HashMap<BuyerId, (String, String)>> {
    let mut query =
        Statement::new("/* holders.people */ SELECT id, name, email FROM accounts WHERE erased_at IS NULL AND id IN ");
    query.push_list(buyers);
    let found = query.build()?.fetch_all(conn).await?;
    found.iter().map(|found| Ok((found.try_get("id")?, (found.try_get("name")?, found.try_get("email")?)))).collect()
}

/// By the units' key: a unit that was sold again has another reservation.
async fn admitted(
    conn: &mut Connection,
    sale: SaleId,
    units: &[u32],
) -> Result<BTreeMap<ReservationId, Vec<Admission>>> {
    let mut query = Statement::new(
        "/* holders.admitted */ SELECT sale, unit, reservation, admitted_at, gate, device, sequence FROM admissions \
         WHERE sale = ",
    );
    query.push_bind(sale).push(" AND unit IN ");
    query.push_list(units);
    query.push(" ORDER BY unit");
    let mut admitted: BTreeMap<ReservationId, Vec<Admission>> = BTreeMap::new();
    for admission in query.build_as::<Admission>()?.fetch_all(conn).await? {
        admitted.entry(admission.proof.reservation).or_default().push(admission);
    }
    Ok(admitted)
}

/// An order as it is given its words.
struct Due {
    reservation: ReservationId,
    number: String,
    sale: SaleId,
    buyer: BuyerId,
}

async fn due(conn: &mut Connection, max: u32) -> Result<Vec<Due>> {
    let found = sqlx::query(concat!(
        "/* holders.due */ SELECT reservation, number, sale, buyer FROM orders ",
        by_index!("orders_findable"),
        " WHERE findable = 0 ORDER BY reservation LIMIT ?"
    ))
    .bind(max)
    .fetch_all(conn)
    .await?;
    let due = |found: &Row| {
        let (reservation, number) = (found.try_get("reservation")?, found.try_get("number")?);
        Ok(Due { reservation, number, sale: found.try_get("sale")?, buyer: found.try_get("buyer")? })
    };
    found.iter().map(due).collect()
}

/// The accounts are locked first, as an erasure locks its own: either it finds the words here, or no name is found here.
async fn index(conn: &mut Connection, due: &[Due]) -> Result<()> {
    let mut buyers: Vec<BuyerId> = due.iter().map(|order| order.buyer).collect();
    buyers.sort_unstable();
    buyers.dedup();
    let names = locked_names(conn, &buyers).await?;
    let mut rows: Vec<(&Due, String, bool)> = Vec::new();
    for order in due {
        let name = names.get(&order.buyer).map_or("", String::as_str);
        rows.extend(words_of_name(name).into_iter().map(|word| (order, word, true)));
        rows.extend(words_of_number(&order.number).into_iter().map(|word| (order, word, false)));
    }
    for rows in bulk::pieces(&rows, bulk::ROWS_MAX) {
        let mut query = Statement::new(concat!(
            "/* holders.index */ ",
            insert_new!(),
            " INTO holder_words (sale, word, reservation, of_name) "
        ));
        query.push_rows(rows, |values, (order, word, of_name)| {
            values.bind(order.sale).bind(word).bind(order.reservation).bind(*of_name);
        });
        query.build()?.execute(&mut *conn).await?;
    }
    for orders in due.chunks(bulk::ROWS_MAX) {
        let mut query = Statement::new("/* holders.kept */ UPDATE orders SET findable = 1 WHERE reservation IN ");
        query.push_list(orders.iter().map(|order| order.reservation));
        query.build()?.execute(&mut *conn).await?;
    }
    Ok(())
}

async fn locked_names(conn: &mut Connection, buyers: &[BuyerId]) -> Result<HashMap<BuyerId, String>> {
    let mut names = HashMap::with_capacity(buyers.len());
    for buyers in buyers.chunks(bulk::ROWS_MAX) {
        let mut query =
            Statement::new("/* holders.names */ SELECT id, name FROM accounts WHERE erased_at IS NULL AND id IN ");
        query.push_list(buyers);
        query.push(concat!(" ORDER BY id", for_update!()));
        for found in query.build()?.fetch_all(&mut *conn).await? {
            names.insert(found.try_get("id")?, found.try_get("name")?);
        }
    }
    Ok(names)
}

/// The person goes; the numbers of the orders go on finding them.
pub async fn forget_name(conn: &mut Connection, buyer: BuyerId) -> Result<()> {
    let found = sqlx::query("/* holders.of_buyer */ SELECT sale, reservation FROM orders WHERE buyer = ?")
        .bind(buyer)
        .fetch_all(&mut *conn)
        .await?;
    for found in &found {
        sqlx::query("/* holders.forget */ DELETE FROM holder_words WHERE sale = ? AND reservation = ? AND of_name = 1")
            .bind(found.try_get::<SaleId, _>("sale")?)
            .bind(found.try_get::<ReservationId, _>("reservation")?)
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}
