//! Drafts, and what is corrected of sales. The sale's row is locked and then judged: a recording locks it, too, so that of a first hold and
//! another price one comes first and the other sees it.

use async_trait::async_trait;
use serde_json::{Map, Value, json};
use sqlx::{FromRow, Row as _};

use super::catalogue::{create_sale, item, lock, sales};
use super::dialect::{self, Connection, Store, ledger_time};
use super::{Result, broken, fault, journal, lists, moves, showcase};
use crate::adapters::sql::codes::Listing;
use crate::adapters::sql::stored::Number;
use crate::domain::audit::journal::{Action, Subject};
use crate::domain::people::author::Author;
use crate::domain::sale::edit::{fixed, needs_another_turnstile};
use crate::domain::sale::{Sale, SaleState};
use crate::domain::shared::id::{ItemId, RequestId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::ports;
use crate::ports::sale::catalogue::{Changed, Item, NewSale};
use crate::ports::sale::drafts::{Draft, Drafts, Edited};

#[async_trait]
impl Drafts for Store {
    async fn create_draft_once(
        &self,
        sale: &NewSale,
        request: Option<RequestId>,
        by: Option<&Author>,
    ) -> ports::Result<Option<Sale>> {
        let args = (sale.clone(), request, by.cloned());
        self.write("drafts.create", args, |c, args| Box::pin(create_sale(c, args, Listing::Draft))).await
    }

    async fn drafts_after(&self, after: Option<SaleId>, max: u32) -> ports::Result<Vec<Draft>> {
        drafts(&mut *self.reader().await?, after, max).await.map_err(fault)
    }

    async fn publish(&self, id: SaleId, by: Option<&Author>) -> ports::Result<Changed> {
        self.write("drafts.publish", (id, by.cloned()), |c, args| Box::pin(publish(c, args))).await
    }

    async fn edit(
        &self,
        to_be: &Sale,
        description: Option<&str>,
        now: Timestamp,
        by: Option<&Author>,
    ) -> ports::Result<Edited> {
        let args = (to_be.clone(), description.map(str::to_owned), now, by.cloned());
        self.write("drafts.edit", args, |c, args| Box::pin(edit(c, args))).await
    }
}

async fn drafts(conn: &mut Connection, after: Option<SaleId>, max: u32) -> Result<Vec<Draft>> {
    let rows = sqlx::query(sales!(
        "drafts.list" + ", description",
        "WHERE listing = ? AND state <> ? AND sales.id < ? ORDER BY sales.id DESC LIMIT ?"
    ))
    .bind(Listing::Draft)
    .bind(SaleState::Closed)
    .bind(after.unwrap_or(SaleId(i64::MAX as u64)))
    .bind(max)
    .fetch_all(&mut *conn)
    .await?;
    let found = rows.iter().map(|row| Ok((Sale::from_row(row)?, row.try_get("description")?)));
    let found = found.collect::<Result<Vec<(Sale, String)>>>()?;
    let ids: Vec<SaleId> = found.iter().map(|(sale, _)| sale.id).collect();
    let mut counts = moves::counts(conn, &ids).await?;
    let draft = |(sale, description)| Draft { listed: showcase::counted(sale, &mut counts), description };
    Ok(found.into_iter().map(draft).collect())
}

async fn publish(conn: &mut Connection, (id, by): &(SaleId, Option<Author>)) -> Result<Changed> {
    let Some(sale) = lock(conn, *id).await? else { return Ok(Changed::Missing) };
    if !sale.draft {
        return Ok(Changed::Sale(sale));
    }
    if sale.state == SaleState::Closed {
        return Ok(Changed::Refused { why: "a closed sale stays closed" });
    }
    sqlx::query(concat!(
        "/* drafts.publish */ UPDATE sales SET listing = ?, version = version + 1, changed_at = ",
        ledger_time!(),
        " WHERE id = ? AND listing = ?"
    ))
    .bind(Listing::Upcoming)
    .bind(*id)
    .bind(Listing::Draft)
    .execute(&mut *conn)
    .await?;
    let item = item_of(conn, &sale).await?;
    lists::index(conn, *id, sale.opens_at, &item).await?;
    let states = [json!({ "draft": true }), json!({ "draft": false })];
    journal::tell(conn, by.as_ref(), Action::SalePublished, Subject::Sale(*id), states).await?;
    Ok(Changed::Sale(Sale { draft: false, version: sale.version + 1, ..sale }))
}

async fn item_of(conn: &mut Connection, sale: &Sale) -> Result<Item> {
    item(conn, sale.item).await?.ok_or_else(|| broken("a sale has no item"))
}

async fn edit(
    conn: &mut Connection,
    (to_be, description, now, by): &(Sale, Option<String>, Timestamp, Option<Author>),
) -> Result<Edited> {
    let Some(is) = lock(conn, to_be.id).await? else { return Ok(Edited::Missing) };
    if is.version != to_be.version {
        return Ok(Edited::Stale { version: is.version });
    }
    if let Some(fixed) = fixed(&is, to_be, was_pressed(conn, is.id).await?, *now) {
        return Ok(Edited::Fixed(fixed));
    }
    let item = item_of(conn, &is).await?;
    let text = Item {
        id: item.id,
        title: to_be.title.clone(),
        description: description.clone().unwrap_or_else(|| item.description.clone()),
    };
    let is_told_otherwise = text != item;
    let text = if is_told_otherwise { Item { id: new_item(conn, &text).await?, ..text } } else { text };
    let mut to_be = Sale {
        item: text.id,
        state: is.state,
        version: is.version + 1,
        generation: is.generation,
        question_key: is.question_key,
        draft: is.draft,
        ..to_be.clone()
    };
    let states = differences(&is, &to_be);
    if states[0].is_empty() {
        return Ok(Edited::Sale(is));
    }
    if needs_another_turnstile(&is, &to_be) {
        to_be.generation += 1;
    }
    write(conn, &to_be).await?;
    if !is.draft && (is_told_otherwise || is.opens_at != to_be.opens_at) {
        lists::unindex(conn, is.id, &item).await?;
        lists::index(conn, is.id, to_be.opens_at, &text).await?;
    }
    let states = states.map(Value::Object);
    journal::tell(conn, by.as_ref(), Action::SaleEdited, Subject::Sale(is.id), states).await?;
    Ok(Edited::Sale(to_be))
}

/// Causes of batches are before those of raises and releases.
const AFTER_BATCHES: &[u8] = b"c";

/// Whether a batch of it was recorded: presses, or the house's. Of a sale whose turns are gone its certificate says so.
async fn was_pressed(conn: &mut Connection, id: SaleId) -> Result<bool> {
    let found = sqlx::query(
        "/* drafts.pressed */ SELECT id FROM sales WHERE id = ? AND (EXISTS (SELECT 1 FROM turns WHERE sale = ? AND cause < ?) \
         OR EXISTS (SELECT 1 FROM certificates WHERE sale = ? AND attempts > 0))",
    )
    .bind(id)
    .bind(id)
    .bind(AFTER_BATCHES)
    .bind(id)
    .fetch_optional(conn)
    .await?;
    Ok(found.is_some())
}

/// Others may be sold by the text that was: it stays, under its own number.
async fn new_item(conn: &mut Connection, text: &Item) -> Result<ItemId> {
    let done = sqlx::query("/* drafts.item */ INSERT INTO items (title, description) VALUES (?, ?)")
        .bind(&text.title)
        .bind(&text.description)
        .execute(conn)
        .await?;
    Ok(ItemId(dialect::inserted_id(&done)))
}

/// Before the times are written: one that was listed as over by another's clock, and closes later now, is not.
async fn write(conn: &mut Connection, to_be: &Sale) -> Result<()> {
    sqlx::query(concat!(
        "/* drafts.edit */ UPDATE sales SET listing = CASE WHEN listing = ? AND closes_at < ? THEN ? ELSE listing END, \
         item = ?, price_minor = ?, currency = ?, capacity = ?, quantity_max = ?, \
         standby_max = ?, standby_until = ?, hold_ms = ?, opens_at = ?, closes_at = ?, questions = ?, generation = ?, \
         version = ?, changed_at = ",
        ledger_time!(),
        " WHERE id = ?"
    ))
    .bind(Listing::Over)
    .bind(to_be.closes_at)
    .bind(Listing::Open)
    .bind(to_be.item)
    .bind(to_be.price.minor)
    .bind(to_be.price.currency)
    .bind(to_be.allotment.capacity)
    .bind(to_be.allotment.quantity_max)
    .bind(to_be.allotment.standby_max)
    .bind(to_be.standby_until)
    .bind(to_be.hold_ms)
    .bind(to_be.opens_at)
    .bind(to_be.closes_at)
    .bind(serde_json::to_string(&to_be.questions).map_err(broken)?)
    .bind(Number(to_be.generation))
    .bind(Number(to_be.version))
    .bind(to_be.id)
    .execute(conn)
    .await?;
    Ok(())
}

/// What differs, before and after, as the journal has it. A description is told by the item whose it is; questions are nobody's to read
/// there, and told by how many they are.
fn differences(is: &Sale, to_be: &Sale) -> [Map<String, Value>; 2] {
    let told = |sale: &Sale| {
        [
            ("title", json!(sale.title)),
            ("item", json!(sale.item)),
            ("price_minor", json!(sale.price.minor)),
            ("currency", json!(sale.price.currency.to_string())),
            ("capacity", json!(sale.allotment.capacity)),
            ("quantity_max", json!(sale.allotment.quantity_max)),
            ("standby_max", json!(sale.allotment.standby_max)),
            ("standby_until", json!(sale.standby_until)),
            ("hold_ms", json!(sale.hold_ms)),
            ("opens_at", json!(sale.opens_at.0)),
            ("closes_at", json!(sale.closes_at.0)),
            ("questions", json!(sale.questions.len())),
        ]
    };
    let mut states = [Map::new(), Map::new()];
    for ((name, before), (_, after)) in told(is).into_iter().zip(told(to_be)) {
        if before != after || (name == "questions" && is.questions != to_be.questions) {
            states[0].insert(name.to_owned(), before);
            states[1].insert(name.to_owned(), after);
        }
    }
    states
}
