//! Items and sales.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use sqlx::{QueryBuilder, Row as _};

use super::dialect::{self, Connection, Db, Row, Store, for_update, ledger_time};
use super::{Result, broken, bulk, fault, is_duplicate, lists, rounds, row};
use crate::domain::sale::{Allotment, QuestionKey, Sale, SaleState, StandbyUntil};
use crate::domain::shared::id::{ItemId, RequestId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::ports;
use crate::ports::sale::catalogue::{Catalogue, Changed, Item, Moved, NewItem, NewSale, RoundPlace};

const ACTIVE: i64 = 1;
const PAUSED: i64 = 2;
pub const CLOSED: i64 = 3;
/// Of `standby_until`.
pub const UNTIL_PAID: i64 = 1;
const UNTIL_CLOSED: i64 = 2;

/// What [`sale`] reads.
macro_rules! sales {
    ($name:literal, $($tail:tt)*) => {
        concat!(
            "/* ", $name, " */ SELECT sales.id, item, title, price_minor, currency, capacity, quantity_max, standby_max, ",
            "hold_ms, opens_at, closes_at, state, version, generation, questions, question_key, standby_until ",
            "FROM sales JOIN items ON items.id = sales.item ",
            $($tail)*
        )
    };
}

#[async_trait]
impl Catalogue for Store {
    async fn create_item_once(&self, item: &NewItem, request: Option<RequestId>) -> ports::Result<Item> {
        let args = (item.clone(), request);
        self.write("catalogue.create_item", args, |c, args| Box::pin(create_item(c, args))).await
    }

    async fn item(&self, id: ItemId) -> ports::Result<Option<Item>> {
        item(&mut *self.reader().await?, id).await.map_err(fault)
    }

    async fn create_sale_once(&self, sale: &NewSale, request: Option<RequestId>) -> ports::Result<Option<Sale>> {
        let args = (sale.clone(), request);
        self.write("catalogue.create_sale", args, |c, args| Box::pin(create_sale(c, args))).await
    }

    async fn sale(&self, id: SaleId) -> ports::Result<Option<Sale>> {
        fetch(&mut *self.reader().await?, id).await.map_err(fault)
    }

    async fn sales_after(&self, after: Option<SaleId>, max: u32) -> ports::Result<Vec<Sale>> {
        newest(&mut *self.reader().await?, after, max).await.map_err(fault)
    }

    async fn titles(&self, sales: &[SaleId]) -> ports::Result<HashMap<SaleId, String>> {
        titles(&mut *self.reader().await?, sales).await.map_err(fault)
    }

    async fn sales_that_matter(&self, now: Timestamp) -> ports::Result<Vec<Sale>> {
        that_matter(&mut *self.reader().await?, now).await.map_err(fault)
    }

    async fn sales_of(&self, ids: &[SaleId]) -> ports::Result<Vec<Sale>> {
        fetch_many(&mut *self.reader().await?, ids).await.map_err(fault)
    }

    async fn sales_moved(&self, now: Timestamp, within_ms: i64) -> ports::Result<BTreeMap<SaleId, Moved>> {
        rounds::moved(&mut *self.reader().await?, now, within_ms).await.map_err(fault)
    }

    async fn sales_round(
        &self,
        after: RoundPlace,
        now: Timestamp,
        max: u32,
    ) -> ports::Result<(Vec<SaleId>, Option<RoundPlace>)> {
        rounds::part(&mut *self.reader().await?, after, now, max).await.map_err(fault)
    }

    async fn sales_in_round(&self, after: Timestamp) -> ports::Result<u64> {
        rounds::count(&mut *self.reader().await?, after).await.map_err(fault)
    }

    async fn keep_lists(&self, now: Timestamp, max: u32) -> ports::Result<u32> {
        let due = lists::due(&mut *self.reader().await?, now, max).await.map_err(fault)?;
        let count = due.len() as u32;
        if count > 0 {
            self.write("catalogue.keep_lists", due, |c, due| Box::pin(lists::update(c, due))).await?;
        }
        Ok(count)
    }

    async fn set_state(&self, id: SaleId, state: SaleState) -> ports::Result<Changed> {
        self.write("catalogue.set_state", (id, state), |c, args| Box::pin(set_state(c, args))).await
    }

    async fn raise(&self, id: SaleId, capacity: u32) -> ports::Result<Changed> {
        self.write("catalogue.raise", (id, capacity), |c, args| Box::pin(raise(c, args))).await
    }
}

async fn create_item(conn: &mut Connection, (item, request): &(NewItem, Option<RequestId>)) -> Result<Item> {
    let NewItem { title, description } = item.clone();
    let inserted =
        sqlx::query("/* catalogue.create_item */ INSERT INTO items (title, description, request) VALUES (?, ?, ?)")
            .bind(title.clone())
            .bind(description.clone())
            .bind(request.map(|request| request.to_bytes().to_vec()))
            .execute(&mut *conn)
            .await;
    match inserted {
        Err(error) if is_duplicate(&error) => made_item(conn, *request).await,
        Err(error) => Err(error),
        Ok(done) => Ok(Item { id: ItemId(dialect::inserted_id(&done)), title, description }),
    }
}

async fn made_item(conn: &mut Connection, request: Option<RequestId>) -> Result<Item> {
    let found = sqlx::query(concat!(
        "/* catalogue.made_item */ SELECT id, title, description FROM items WHERE request = ?",
        for_update!()
    ))
    .bind(request.map(|request| request.to_bytes().to_vec()))
    .fetch_one(conn)
    .await?;
    Ok(Item { id: ItemId(row::number(&found, 0)?), title: found.try_get(1)?, description: found.try_get(2)? })
}

pub async fn item(conn: &mut Connection, id: ItemId) -> Result<Option<Item>> {
    let found = sqlx::query("/* catalogue.item */ SELECT title, description FROM items WHERE id = ?")
        .bind(id.0 as i64)
        .fetch_optional(conn)
        .await?;
    found.map(|found| Ok(Item { id, title: found.try_get(0)?, description: found.try_get(1)? })).transpose()
}

async fn create_sale(conn: &mut Connection, (sale, request): &(NewSale, Option<RequestId>)) -> Result<Option<Sale>> {
    let Some(item) = item(conn, sale.item).await? else { return Ok(None) };
    let inserted = sqlx::query(concat!(
        "/* catalogue.create_sale */ INSERT INTO sales (item, price_minor, currency, capacity, quantity_max, \
         standby_max, hold_ms, opens_at, closes_at, state, version, generation, questions, question_key, standby_until, \
         request, listing, changed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 1, ?, ?, ?, ?, 1, ",
        ledger_time!(),
        ")"
    ))
    .bind(sale.item.0 as i64)
    .bind(sale.price.minor)
    .bind(sale.price.currency.to_string())
    .bind(i64::from(sale.allotment.capacity))
    .bind(i64::from(sale.allotment.quantity_max))
    .bind(i64::from(sale.allotment.standby_max))
    .bind(sale.hold_ms)
    .bind(sale.opens_at.0)
    .bind(sale.closes_at.0)
    .bind(ACTIVE)
    .bind(serde_json::to_string(&sale.questions).map_err(broken)?)
    .bind(sale.question_key.0.to_vec())
    .bind(until_code(sale.standby_until))
    .bind(request.map(|request| request.to_bytes().to_vec()))
    .execute(&mut *conn)
    .await;
    match inserted {
        Err(error) if is_duplicate(&error) => made_sale(conn, *request).await,
        Err(error) => Err(error),
        Ok(done) => {
            let id = SaleId(dialect::inserted_id(&done));
            lists::index(conn, id, sale.opens_at, &item).await?;
            fetch(conn, id).await
        }
    }
}

/// Committed after this transaction looked first, perhaps: only a locking read sees it.
async fn made_sale(conn: &mut Connection, request: Option<RequestId>) -> Result<Option<Sale>> {
    let found = sqlx::query(sales!("catalogue.made_sale", "WHERE sales.request = ?", for_update!()))
        .bind(request.map(|request| request.to_bytes().to_vec()))
        .fetch_optional(conn)
        .await?;
    found.as_ref().map(sale).transpose()
}

pub async fn fetch(conn: &mut Connection, id: SaleId) -> Result<Option<Sale>> {
    let found =
        sqlx::query(sales!("catalogue.sale", "WHERE sales.id = ?")).bind(id.0 as i64).fetch_optional(conn).await?;
    found.as_ref().map(sale).transpose()
}

pub async fn fetch_many(conn: &mut Connection, ids: &[SaleId]) -> Result<Vec<Sale>> {
    let mut sales = Vec::with_capacity(ids.len());
    for ids in ids.chunks(bulk::ROWS_MAX) {
        let mut query = QueryBuilder::<Db>::new(sales!("catalogue.sales_of", "WHERE sales.id IN "));
        bulk::push_list(&mut query, ids.iter().map(|sale| sale.0 as i64));
        query.push(" ORDER BY sales.id");
        for found in query.build().fetch_all(&mut *conn).await? {
            sales.push(sale(&found)?);
        }
    }
    Ok(sales)
}

/// Numbers are given in the order of making, and the table lies in their order.
pub async fn newest(conn: &mut Connection, after: Option<SaleId>, max: u32) -> Result<Vec<Sale>> {
    let found = sqlx::query(sales!("catalogue.sales", "WHERE sales.id < ? ORDER BY sales.id DESC LIMIT ?"))
        .bind(after.map_or(i64::MAX, |after| after.0 as i64))
        .bind(i64::from(max))
        .fetch_all(conn)
        .await?;
    found.iter().map(sale).collect()
}

async fn titles(conn: &mut Connection, sales: &[SaleId]) -> Result<HashMap<SaleId, String>> {
    let mut titles = HashMap::with_capacity(sales.len());
    for sales in sales.chunks(bulk::ROWS_MAX) {
        let mut query = QueryBuilder::<Db>::new(
            "/* catalogue.titles */ SELECT sales.id, title FROM sales JOIN items ON items.id = sales.item \
             WHERE sales.id IN ",
        );
        bulk::push_list(&mut query, sales.iter().map(|sale| sale.0 as i64));
        for found in query.build().fetch_all(&mut *conn).await? {
            titles.insert(SaleId(row::number(&found, 0)?), found.try_get(1)?);
        }
    }
    Ok(titles)
}

async fn that_matter(conn: &mut Connection, now: Timestamp) -> Result<Vec<Sale>> {
    let found = sqlx::query(sales!(
        "catalogue.sales_that_matter",
        "WHERE (state <> 3 AND closes_at > ?) \
         OR EXISTS (SELECT 1 FROM reservations r WHERE r.sale = sales.id AND r.state BETWEEN 1 AND 3) \
         OR sales.id IN (SELECT r.sale FROM reservations r WHERE r.unfreed_since IS NOT NULL) \
         ORDER BY sales.id"
    ))
    .bind(now.0)
    .fetch_all(conn)
    .await?;
    found.iter().map(sale).collect()
}

/// The sale as it is, locked.
async fn lock(conn: &mut Connection, id: SaleId) -> Result<Option<Sale>> {
    let locked = sqlx::query(concat!("/* catalogue.lock */ SELECT id FROM sales WHERE id = ?", for_update!()))
        .bind(id.0 as i64)
        .fetch_optional(&mut *conn)
        .await?;
    if locked.is_none() { Ok(None) } else { fetch(conn, id).await }
}

async fn set_state(conn: &mut Connection, &(id, state): &(SaleId, SaleState)) -> Result<Changed> {
    let Some(sale) = lock(conn, id).await? else { return Ok(Changed::Missing) };
    if sale.state == state {
        return Ok(Changed::Sale(sale));
    }
    if sale.state == SaleState::Closed {
        return Ok(Changed::Refused { why: "a closed sale stays closed" });
    }
    sqlx::query(concat!(
        "/* catalogue.set_state */ UPDATE sales SET state = ?, listing = CASE WHEN ? = 3 THEN 3 ELSE listing END, \
         version = version + 1, changed_at = ",
        ledger_time!(),
        " WHERE id = ?"
    ))
    .bind(state_code(state))
    .bind(state_code(state))
    .bind(id.0 as i64)
    .execute(conn)
    .await?;
    Ok(Changed::Sale(Sale { state, version: sale.version + 1, ..sale }))
}

async fn raise(conn: &mut Connection, &(id, capacity): &(SaleId, u32)) -> Result<Changed> {
    let Some(sale) = lock(conn, id).await? else { return Ok(Changed::Missing) };
    if sale.allotment.capacity == capacity {
        return Ok(Changed::Sale(sale));
    }
    if sale.state == SaleState::Closed {
        return Ok(Changed::Refused { why: "a closed sale stays closed" });
    }
    if capacity < sale.allotment.capacity {
        return Ok(Changed::Refused { why: "capacity only grows" });
    }
    sqlx::query(concat!(
        "/* catalogue.raise */ UPDATE sales SET capacity = ?, version = version + 1, changed_at = ",
        ledger_time!(),
        " WHERE id = ?"
    ))
    .bind(i64::from(capacity))
    .bind(id.0 as i64)
    .execute(conn)
    .await?;
    let allotment = Allotment { capacity, ..sale.allotment };
    Ok(Changed::Sale(Sale { allotment, version: sale.version + 1, ..sale }))
}

fn sale(found: &Row) -> Result<Sale> {
    Ok(Sale {
        id: SaleId(row::number(found, 0)?),
        item: ItemId(row::number(found, 1)?),
        title: found.try_get(2)?,
        price: row::money(found, 3)?,
        allotment: Allotment {
            capacity: row::small(found, 5)?,
            quantity_max: row::small(found, 6)?,
            standby_max: row::small(found, 7)?,
        },
        hold_ms: found.try_get(8)?,
        opens_at: Timestamp(found.try_get(9)?),
        closes_at: Timestamp(found.try_get(10)?),
        state: match found.try_get(11)? {
            ACTIVE => SaleState::Active,
            PAUSED => SaleState::Paused,
            CLOSED => SaleState::Closed,
            other => return Err(broken(format!("a sale's state is {other}"))),
        },
        version: row::number(found, 12)?,
        generation: row::number(found, 13)?,
        questions: serde_json::from_str(&found.try_get::<String, _>(14)?).map_err(broken)?,
        question_key: QuestionKey(
            found.try_get::<Vec<u8>, _>(15)?.try_into().map_err(|_| broken("a question key is 32 bytes long"))?,
        ),
        standby_until: match found.try_get(16)? {
            UNTIL_PAID => StandbyUntil::Paid,
            UNTIL_CLOSED => StandbyUntil::Closed,
            other => return Err(broken(format!("a sale's standby goes on until {other}"))),
        },
    })
}

fn state_code(state: SaleState) -> i64 {
    match state {
        SaleState::Active => ACTIVE,
        SaleState::Paused => PAUSED,
        SaleState::Closed => CLOSED,
    }
}

fn until_code(until: StandbyUntil) -> i64 {
    match until {
        StandbyUntil::Paid => UNTIL_PAID,
        StandbyUntil::Closed => UNTIL_CLOSED,
    }
}
