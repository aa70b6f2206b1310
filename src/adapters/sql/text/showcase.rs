//! Sales as every client sees them. Where the reads go is the dialect's: to a copy, if it has one.
//!
//! A page is read along an index that is in the order of the list, from its place on: the last page like the first. What a list is
//! of stands in that index, too, so that nothing is passed over but what changed its state a moment ago. With words the index is
//! theirs, of the longest; what has it and not the others, or is of another state, is passed over. A draft is in no list: it has no words
//! and a listing of its own, and the list of all passes it over.

use super::bulk::Statement;
use super::dialect::{Connection, Row, Store, by_index, by_primary, in_this_order};
use super::moves::Counts;
use super::{Result, catalogue, fault, moves, restore};
use crate::adapters::sql::codes::Listing;
use crate::domain::sale::{Sale, SaleState};
use crate::domain::shared::id::{ItemId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::ports;
use crate::ports::sale::catalogue::Item;
use crate::ports::sale::restoring::SaleTotals;
use crate::ports::sale::showcase::{ListedSale, ListedState, SaleList, SaleOrder, Showcase};
use async_trait::async_trait;
use sqlx::Row as _;
use std::collections::HashMap;

#[async_trait]
impl Showcase for Store {
    async fn sale_shown(&self, id: SaleId) -> ports::Result<Option<Sale>> {
        self.shown(id, |conn, id| Box::pin(catalogue::fetch(conn, *id))).await
    }

    async fn sales_shown(&self, list: &SaleList, now: Timestamp, max: u32) -> ports::Result<Vec<ListedSale>> {
        let args = (list.clone(), now, max);
        self.shown(args, |conn, (list, now, max)| Box::pin(listed(conn, list, *now, *max))).await
    }

    async fn item_shown(&self, id: ItemId) -> ports::Result<Option<Item>> {
        self.shown(id, |conn, id| Box::pin(catalogue::item(conn, *id))).await
    }

    async fn standing_shown(&self, id: SaleId) -> ports::Result<Option<SaleTotals>> {
        self.shown(id, |conn, id| Box::pin(restore::standing(conn, *id))).await
    }
}

impl Store {
    /// How the database finds a page of this list, in its own words: a test sees there that the last one costs what the first does.
    pub async fn explain_list(&self, list: &SaleList, now: Timestamp, max: u32) -> ports::Result<Vec<String>> {
        let mut conn = self.reader().await?;
        let mut words = Vec::new();
        for page in pages(list, now, max) {
            words.extend(page.plan(&mut conn).await.map_err(fault)?);
        }
        Ok(words)
    }
}

async fn listed(conn: &mut Connection, list: &SaleList, now: Timestamp, max: u32) -> Result<Vec<ListedSale>> {
    let mut places = Vec::new();
    for page in pages(list, now, max) {
        let found = page.build()?.fetch_all(&mut *conn).await?;
        places.extend(found.iter().map(place).collect::<Result<Vec<_>>>()?);
    }
    match list.order {
        SaleOrder::Newest { .. } => places.sort_unstable_by_key(|&(_, sale)| std::cmp::Reverse(sale)),
        SaleOrder::Opening { .. } => places.sort_unstable(),
    }
    places.truncate(max as usize);
    let ids: Vec<SaleId> = places.into_iter().map(|(_, sale)| sale).collect();
    let mut counts = moves::counts(conn, &ids).await?;
    let sales = catalogue::fetch_many(conn, &ids).await?;
    let mut sales: HashMap<SaleId, Sale> = sales.into_iter().map(|sale| (sale.id, sale)).collect();
    let shown = ids.into_iter().filter_map(|id| Some(counted(sales.remove(&id)?, &mut counts)));
    Ok(shown.collect())
}

/// Takes its own counts out of them.
pub fn counted(sale: Sale, counts: &mut HashMap<SaleId, Counts>) -> ListedSale {
    let counts = counts.remove(&sale.id).unwrap_or_default();
    let taken = counts.sold + counts.pending + counts.blocked;
    ListedSale { sale, sold: counts.sold as u32, taken: taken as u32, standby: counts.standby as u32 }
}

fn place(found: &Row) -> Result<(Timestamp, SaleId)> {
    Ok((found.try_get("opens_at")?, found.try_get("sale")?))
}

/// Statements that together find the page; each gives places in the list's order, as many as the page has at most.
fn pages(list: &SaleList, now: Timestamp, max: u32) -> Vec<Statement> {
    let mut words = list.words.clone();
    words.sort_unstable_by_key(|word| std::cmp::Reverse(word.chars().count()));
    let mut pages = match (words.split_first(), list.state) {
        (Some((first, others)), _) => vec![of_words(list, first, others, now)],
        (None, None) => vec![of_all(list.order)],
        (None, Some(ListedState::Open)) => vec![of_open(list.order, now), of_open_late(list.order, now)],
        (None, Some(ListedState::Upcoming)) => vec![of_upcoming(list.order, now)],
    };
    for page in &mut pages {
        behind_and_in_order(page, list);
        page.push(" LIMIT ").push_bind(max);
    }
    pages
}

/// The words' own table has the places, under the same names but for the sale's.
fn of_words(list: &SaleList, first: &str, others: &[String], now: Timestamp) -> Statement {
    let mut page = Statement::new(match list.order {
        SaleOrder::Newest { .. } => {
            concat!(
                "/* showcase.found */ SELECT w.sale AS sale, w.opens_at AS opens_at FROM sale_words w ",
                by_primary!()
            )
        }
        SaleOrder::Opening { .. } => {
            concat!(
                "/* showcase.found.opening */ SELECT w.sale AS sale, w.opens_at AS opens_at FROM sale_words w ",
                by_index!("sale_words_opens")
            )
        }
    });
    for (number, word) in others.iter().enumerate() {
        page.push(format_args!(
            " {} sale_words o{number} ON o{number}.sale = w.sale AND o{number}.word = ",
            in_this_order!()
        ));
        page.push_bind(word);
    }
    if list.state.is_some() {
        page.push(concat!(" ", in_this_order!(), " sales ON sales.id = w.sale"));
    }
    page.push(" WHERE w.word = ").push_bind(first);
    match list.state {
        None => {}
        Some(ListedState::Open) => {
            page.push(" AND sales.state <> ").push_bind(SaleState::Closed);
            page.push(" AND sales.opens_at <= ").push_bind(now).push(" AND sales.closes_at > ").push_bind(now);
        }
        Some(ListedState::Upcoming) => {
            page.push(" AND sales.state <> ")
                .push_bind(SaleState::Closed)
                .push(" AND sales.opens_at > ")
                .push_bind(now);
        }
    }
    page
}

/// `places!("name of the statement", "index")`: places of sales along this index.
macro_rules! places {
    ($name:literal, $index:literal) => {
        concat!("/* ", $name, " */ SELECT id AS sale, opens_at FROM sales ", by_index!($index))
    };
}

fn of_all(order: SaleOrder) -> Statement {
    let mut page = Statement::new(match order {
        SaleOrder::Newest { .. } => {
            concat!("/* showcase.all */ SELECT id AS sale, opens_at FROM sales ", by_primary!())
        }
        SaleOrder::Opening { .. } => places!("showcase.all.opening", "sales_opens"),
    });
    page.push(" WHERE id > 0 AND listing <> ").push_bind(Listing::Draft);
    page
}

fn of_open(order: SaleOrder, now: Timestamp) -> Statement {
    let mut page = Statement::new(match order {
        SaleOrder::Newest { .. } => places!("showcase.open", "sales_listing"),
        SaleOrder::Opening { .. } => places!("showcase.open.opening", "sales_listing_opens"),
    });
    page.push(" WHERE listing = ").push_bind(Listing::Open).push(" AND closes_at > ").push_bind(now);
    page
}

/// Those that opened since the lists were kept last.
fn of_open_late(order: SaleOrder, now: Timestamp) -> Statement {
    let mut page = Statement::new(match order {
        SaleOrder::Newest { .. } => places!("showcase.late", "sales_listing_opens"),
        SaleOrder::Opening { .. } => places!("showcase.late.opening", "sales_listing_opens"),
    });
    page.push(" WHERE listing = ").push_bind(Listing::Upcoming).push(" AND opens_at <= ").push_bind(now);
    page.push(" AND closes_at > ").push_bind(now);
    page
}

fn of_upcoming(order: SaleOrder, now: Timestamp) -> Statement {
    let mut page = Statement::new(match order {
        SaleOrder::Newest { .. } => places!("showcase.upcoming", "sales_listing"),
        SaleOrder::Opening { .. } => places!("showcase.upcoming.opening", "sales_listing_opens"),
    });
    page.push(" WHERE listing = ").push_bind(Listing::Upcoming).push(" AND opens_at > ").push_bind(now);
    page
}

fn behind_and_in_order(page: &mut Statement, list: &SaleList) {
    let (sale, opens_at) = if list.words.is_empty() { ("id", "opens_at") } else { ("w.sale", "w.opens_at") };
    match list.order {
        SaleOrder::Newest { after } => {
            if let Some(after) = after {
                page.push(format_args!(" AND {sale} < ")).push_bind(after);
            }
            page.push(format_args!(" ORDER BY {sale} DESC"));
        }
        SaleOrder::Opening { after } => {
            if let Some((at, after)) = after {
                page.push(format_args!(" AND {opens_at} >= ")).push_bind(at);
                page.push(format_args!(" AND ({opens_at} > ")).push_bind(at);
                page.push(format_args!(" OR {sale} > ")).push_bind(after).push(")");
            }
            page.push(format_args!(" ORDER BY {opens_at}, {sale}"));
        }
    }
}
