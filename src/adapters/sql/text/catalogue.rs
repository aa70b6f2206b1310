//! Items and sales.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use serde_json::{Value, json};
use sqlx::{FromRow, Row as _};

use super::bulk::{self, Statement};
use super::dialect::{self, Connection, Row, Store, for_update, ledger_time};
use super::{Result, broken, fault, is_duplicate, journal, lists, rounds, row};
use crate::adapters::sql::codes::Listing;
use crate::domain::audit::journal::{Action, Subject};
use crate::domain::people::author::Author;
use crate::domain::sale::reservation::Kind;
use crate::domain::sale::{Allotment, Sale, SaleState};
use crate::domain::shared::id::{ItemId, RequestId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::ports;
use crate::ports::sale::catalogue::{Catalogue, Changed, Item, Moved, NewItem, NewSale, RoundPlace};

/// What a [`Sale`] is read from.
macro_rules! sales {
    ($name:literal, $($tail:tt)*) => {
        sales!($name + "", $($tail)*)
    };
    // With columns of their items beside.
    ($name:literal + $more:literal, $($tail:tt)*) => {
        concat!(
            "/* ", $name, " */ SELECT sales.id AS sale, item, title, price_minor, currency, capacity, quantity_max, ",
            "standby_max, hold_ms, opens_at, closes_at, state, version, generation, questions, question_key, standby_until, ",
            "listing", $more,
            " FROM sales JOIN items ON items.id = sales.item ",
            $($tail)*
        )
    };
}
pub(super) use sales;

#[async_trait]
impl Catalogue for Store {
    async fn create_item_once(
        &self,
        item: &NewItem,
        request: Option<RequestId>,
        by: Option<&Author>,
    ) -> ports::Result<Item> {
        let args = (item.clone(), request, by.cloned());
        self.write("catalogue.create_item", args, |c, args| Box::pin(create_item(c, args))).await
    }

    async fn item(&self, id: ItemId) -> ports::Result<Option<Item>> {
        item(&mut *self.reader().await?, id).await.map_err(fault)
    }

    async fn create_sale_once(
        &self,
        sale: &NewSale,
        request: Option<RequestId>,
        by: Option<&Author>,
    ) -> ports::Result<Option<Sale>> {
        let args = (sale.clone(), request, by.cloned());
        self.write("catalogue.create_sale", args, |c, args| Box::pin(create_sale(c, args, Listing::Upcoming))).await
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
            self.write("catalogue.keep_lists", (due, now), |c, args| Box::pin(lists::update(c, args))).await?;
        }
        Ok(count)
    }

    async fn set_state_by(&self, id: SaleId, state: SaleState, by: Option<&Author>) -> ports::Result<Changed> {
        let args = (id, state, by.cloned());
        self.write("catalogue.set_state", args, |c, args| Box::pin(set_state(c, args))).await
    }

    async fn raise_by(&self, id: SaleId, capacity: u32, by: Option<&Author>) -> ports::Result<Changed> {
        let args = (id, capacity, by.cloned());
        self.write("catalogue.raise", args, |c, args| Box::pin(raise(c, args))).await
    }
}

async fn create_item(
    conn: &mut Connection,
    (item, request, by): &(NewItem, Option<RequestId>, Option<Author>),
) -> Result<Item> {
    let NewItem { title, description } = item.clone();
    let inserted =
        sqlx::query("/* catalogue.create_item */ INSERT INTO items (title, description, request) VALUES (?, ?, ?)")
            .bind(&title)
            .bind(&description)
            .bind(request)
            .execute(&mut *conn)
            .await;
    match inserted {
        Err(error) if is_duplicate(&error) => made_item(conn, *request).await,
        Err(error) => Err(error),
        Ok(done) => {
            let id = ItemId(dialect::inserted_id(&done));
            let states = [Value::Null, json!({ "title": title })];
            journal::tell(conn, by.as_ref(), Action::ItemMade, Subject::Item(id), states).await?;
            Ok(Item { id, title, description })
        }
    }
}

async fn made_item(conn: &mut Connection, request: Option<RequestId>) -> Result<Item> {
    let found = sqlx::query(concat!(
        "/* catalogue.made_item */ SELECT id, title, description FROM items WHERE request = ?",
        for_update!()
    ))
    .bind(request)
    .fetch_one(conn)
    .await?;
    let (title, description) = (found.try_get("title")?, found.try_get("description")?);
    Ok(Item { id: found.try_get("id")?, title, description })
}

pub async fn item(conn: &mut Connection, id: ItemId) -> Result<Option<Item>> {
    let found = sqlx::query("/* catalogue.item */ SELECT title, description FROM items WHERE id = ?")
        .bind(id)
        .fetch_optional(conn)
        .await?;
    let item = |found: Row| Ok(Item { id, title: found.try_get("title")?, description: found.try_get("description")? });
    found.map(item).transpose()
}

/// A draft is found by no words.
pub async fn create_sale(
    conn: &mut Connection,
    (sale, request, by): &(NewSale, Option<RequestId>, Option<Author>),
    listing: Listing,
) -> Result<Option<Sale>> {
    let Some(item) = item(conn, sale.item).await? else { return Ok(None) };
    let inserted = sqlx::query(concat!(
        "/* catalogue.create_sale */ INSERT INTO sales (item, price_minor, currency, capacity, quantity_max, \
         standby_max, hold_ms, opens_at, closes_at, state, version, generation, questions, question_key, \
         standby_until, request, listing, changed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 1, ?, ?, ?, ?, ?, ",
        ledger_time!(),
        ")"
    ))
    .bind(sale.item)
    .bind(sale.price.minor)
    .bind(sale.price.currency)
    .bind(sale.allotment.capacity)
    .bind(sale.allotment.quantity_max)
    .bind(sale.allotment.standby_max)
    .bind(sale.hold_ms)
    .bind(sale.opens_at)
    .bind(sale.closes_at)
    .bind(SaleState::Active)
    .bind(serde_json::to_string(&sale.questions).map_err(broken)?)
    .bind(sale.question_key)
    .bind(sale.standby_until)
    .bind(request)
    .bind(listing)
    .execute(&mut *conn)
    .await;
    match inserted {
        Err(error) if is_duplicate(&error) => made_sale(conn, *request).await,
        Err(error) => Err(error),
        Ok(done) => {
            let id = SaleId(dialect::inserted_id(&done));
            if listing != Listing::Draft {
                lists::index(conn, id, sale.opens_at, &item).await?;
            }
            let states = [Value::Null, told(sale, listing)];
            journal::tell(conn, by.as_ref(), Action::SaleMade, Subject::Sale(id), states).await?;
            fetch(conn, id).await
        }
    }
}

/// A new sale, as the journal has it; its questions are nobody's to read there.
fn told(sale: &NewSale, listing: Listing) -> Value {
    let NewSale { item, price, allotment, hold_ms, opens_at, closes_at, .. } = sale;
    let Allotment { capacity, quantity_max, standby_max } = allotment;
    json!({
        "item": item, "price_minor": price.minor, "currency": price.currency.to_string(), "capacity": capacity,
        "quantity_max": quantity_max, "standby_max": standby_max, "hold_ms": hold_ms, "opens_at": opens_at.0,
        "closes_at": closes_at.0, "draft": listing == Listing::Draft,
    })
}

/// Committed after this transaction looked first, perhaps: only a locking read sees it.
async fn made_sale(conn: &mut Connection, request: Option<RequestId>) -> Result<Option<Sale>> {
    sqlx::query_as(sales!("catalogue.made_sale", "WHERE sales.request = ?", for_update!()))
        .bind(request)
        .fetch_optional(conn)
        .await
}

pub async fn fetch(conn: &mut Connection, id: SaleId) -> Result<Option<Sale>> {
    sqlx::query_as(sales!("catalogue.sale", "WHERE sales.id = ?")).bind(id).fetch_optional(conn).await
}

pub async fn fetch_many(conn: &mut Connection, ids: &[SaleId]) -> Result<Vec<Sale>> {
    let mut sales = Vec::with_capacity(ids.len());
    for ids in ids.chunks(bulk::ROWS_MAX) {
        let mut query = Statement::new(sales!("catalogue.sales_of", "WHERE sales.id IN "));
        query.push_list(ids);
        query.push(" ORDER BY sales.id");
        sales.extend(query.build_as::<Sale>()?.fetch_all(&mut *conn).await?);
    }
    Ok(sales)
}

/// Numbers are given in the order of making, and the table lies in their order.
pub async fn newest(conn: &mut Connection, after: Option<SaleId>, max: u32) -> Result<Vec<Sale>> {
    sqlx::query_as(sales!("catalogue.sales", "WHERE sales.id < ? ORDER BY sales.id DESC LIMIT ?"))
        .bind(after.unwrap_or(SaleId(i64::MAX as u64)))
        .bind(max)
        .fetch_all(conn)
        .await
}

async fn titles(conn: &mut Connection, sales: &[SaleId]) -> Result<HashMap<SaleId, String>> {
    let mut titles = HashMap::with_capacity(sales.len());
    for sales in sales.chunks(bulk::ROWS_MAX) {
        let mut query = Statement::new(
            "/* catalogue.titles */ SELECT sales.id AS sale, title FROM sales JOIN items ON items.id = sales.item \
             WHERE sales.id IN ",
        );
        query.push_list(sales);
        for found in query.build()?.fetch_all(&mut *conn).await? {
            titles.insert(found.try_get("sale")?, found.try_get("title")?);
        }
    }
    Ok(titles)
}

async fn that_matter(conn: &mut Connection, now: Timestamp) -> Result<Vec<Sale>> {
    sqlx::query_as(sales!(
        "catalogue.sales_that_matter",
        "WHERE (state <> ? AND closes_at > ?) \
         OR EXISTS (SELECT 1 FROM reservations r WHERE r.sale = sales.id AND r.state BETWEEN ? AND ?) \
         OR sales.id IN (SELECT r.sale FROM reservations r WHERE r.unfreed_since IS NOT NULL) \
         ORDER BY sales.id"
    ))
    .bind(SaleState::Closed)
    .bind(now)
    .bind(Kind::Standby)
    .bind(Kind::Paying)
    .fetch_all(conn)
    .await
}

/// The sale as it is, locked.
pub async fn lock(conn: &mut Connection, id: SaleId) -> Result<Option<Sale>> {
    let locked = sqlx::query(concat!("/* catalogue.lock */ SELECT id FROM sales WHERE id = ?", for_update!()))
        .bind(id)
        .fetch_optional(&mut *conn)
        .await?;
    if locked.is_none() { Ok(None) } else { fetch(conn, id).await }
}

async fn set_state(conn: &mut Connection, (id, state, by): &(SaleId, SaleState, Option<Author>)) -> Result<Changed> {
    let (id, state) = (*id, *state);
    let Some(sale) = lock(conn, id).await? else { return Ok(Changed::Missing) };
    if sale.state == state {
        return Ok(Changed::Sale(sale));
    }
    if sale.state == SaleState::Closed {
        return Ok(Changed::Refused { why: "a closed sale stays closed" });
    }
    sqlx::query(concat!(
        "/* catalogue.set_state */ UPDATE sales SET state = ?, listing = COALESCE(?, listing), version = version + 1, \
         changed_at = ",
        ledger_time!(),
        " WHERE id = ?"
    ))
    .bind(state)
    // A draft that is given up is in no list either.
    .bind((state == SaleState::Closed && !sale.draft).then_some(Listing::Over))
    .bind(id)
    .execute(&mut *conn)
    .await?;
    let (action, after) = told_state(state);
    let states = [json!({ "state": told_state(sale.state).1 }), json!({ "state": after })];
    journal::tell(conn, by.as_ref(), action, Subject::Sale(id), states).await?;
    Ok(Changed::Sale(Sale { state, version: sale.version + 1, ..sale }))
}

/// How it came about, and its name.
fn told_state(state: SaleState) -> (Action, &'static str) {
    match state {
        SaleState::Active => (Action::SaleResumed, "active"),
        SaleState::Paused => (Action::SalePaused, "paused"),
        SaleState::Closed => (Action::SaleClosed, "closed"),
    }
}

async fn raise(conn: &mut Connection, (id, capacity, by): &(SaleId, u32, Option<Author>)) -> Result<Changed> {
    let (id, capacity) = (*id, *capacity);
    let Some(sale) = lock(conn, id).await? else { return Ok(Changed::Missing) };
    if sale.allotment.capacity == capacity {
        return Ok(Changed::Sale(sale));
    }
    if sale.state == SaleState::Closed {
        return Ok(Changed::Refused { why: "a closed sale stays closed" });
    }
    // A raise is a turn, once for each capacity: a sale that has one has no smaller capacity any more.
    if sale.draft {
        return Ok(Changed::Refused { why: "the capacity of a draft is corrected, not raised" });
    }
    if capacity < sale.allotment.capacity {
        return Ok(Changed::Refused { why: "capacity only grows" });
    }
    sqlx::query(concat!(
        "/* catalogue.raise */ UPDATE sales SET capacity = ?, version = version + 1, changed_at = ",
        ledger_time!(),
        " WHERE id = ?"
    ))
    .bind(capacity)
    .bind(id)
    .execute(&mut *conn)
    .await?;
    let states = [json!({ "capacity": sale.allotment.capacity }), json!({ "capacity": capacity })];
    journal::tell(conn, by.as_ref(), Action::SaleRaised, Subject::Sale(id), states).await?;
    let allotment = Allotment { capacity, ..sale.allotment };
    Ok(Changed::Sale(Sale { allotment, version: sale.version + 1, ..sale }))
}

impl FromRow<'_, Row> for Sale {
    fn from_row(found: &Row) -> Result<Self> {
        Ok(Self {
            id: found.try_get("sale")?,
            item: found.try_get("item")?,
            title: found.try_get("title")?,
            price: row::money(found, "price_minor")?,
            allotment: row::allotment(found)?,
            hold_ms: found.try_get("hold_ms")?,
            opens_at: found.try_get("opens_at")?,
            closes_at: found.try_get("closes_at")?,
            state: found.try_get("state")?,
            version: row::number(found, "version")?,
            generation: row::number(found, "generation")?,
            questions: serde_json::from_str(found.try_get("questions")?).map_err(broken)?,
            question_key: found.try_get("question_key")?,
            standby_until: found.try_get("standby_until")?,
            draft: found.try_get::<Listing, _>("listing")? == Listing::Draft,
        })
    }
}
