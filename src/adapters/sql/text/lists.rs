//! What makes lists of sales quick: the words of each, and whether it opens later, has opened, or is over. The words are written with
//! the sale; the other is kept up to date from time to time, and no reader relies on it.

use sqlx::Row as _;

use super::bulk::{self, Statement};
use super::dialect::{Connection, Row, by_index, insert_new};
use super::{Result, catalogue};
use crate::adapters::sql::codes::Listing;
use crate::domain::sale::SaleState;
use crate::domain::sale::search::words_of;
use crate::domain::shared::id::SaleId;
use crate::domain::shared::time::Timestamp;
use crate::ports::sale::catalogue::Item;

/// Those whose `listing` is not what it should be, and what it should be; of those that are not listed yet, that.
pub async fn due(conn: &mut Connection, now: Timestamp, max: u32) -> Result<Vec<(SaleId, Listing)>> {
    let found = sqlx::query(concat!(
        "/* lists.due */ SELECT id, listing, closes_at FROM sales ",
        by_index!("sales_listing"),
        " WHERE listing = ? UNION ALL SELECT id, listing, closes_at FROM sales ",
        by_index!("sales_listing_opens"),
        " WHERE listing = ? AND opens_at <= ? AND closes_at > ? UNION ALL SELECT id, listing, closes_at FROM sales ",
        by_index!("sales_listing_closes"),
        " WHERE listing = ? AND closes_at <= ? UNION ALL SELECT id, listing, closes_at FROM sales ",
        by_index!("sales_listing_closes"),
        " WHERE listing = ? AND closes_at <= ? LIMIT ?"
    ))
    .bind(Listing::Unlisted)
    .bind(Listing::Upcoming)
    .bind(now)
    .bind(now)
    .bind(Listing::Upcoming)
    .bind(now)
    .bind(Listing::Open)
    .bind(now)
    .bind(max)
    .fetch_all(conn)
    .await?;
    let due = |found: &Row| {
        let to = match found.try_get("listing")? {
            Listing::Unlisted => Listing::Unlisted,
            _ if found.try_get::<Timestamp, _>("closes_at")? <= now => Listing::Over,
            _ => Listing::Open,
        };
        Ok((found.try_get("id")?, to))
    };
    found.iter().map(due).collect()
}

/// Where a sale was closed meanwhile it stays so; where its times were corrected since it was found, it is left.
pub async fn update(conn: &mut Connection, (due, now): &(Vec<(SaleId, Listing)>, Timestamp)) -> Result<()> {
    for &(sale, _) in due.iter().filter(|(_, to)| *to == Listing::Unlisted) {
        list(conn, sale).await?;
    }
    for (to, since) in [(Listing::Open, " AND opens_at <= "), (Listing::Over, " AND closes_at <= ")] {
        let sales: Vec<SaleId> = due.iter().filter(|(_, of)| *of == to).map(|(sale, _)| *sale).collect();
        for sales in sales.chunks(bulk::ROWS_MAX) {
            let mut query = Statement::new("/* lists.update */ UPDATE sales SET listing = ");
            query.push_bind(to).push(" WHERE listing < ").push_bind(to).push(since).push_bind(*now).push(" AND id IN ");
            query.push_list(sales);
            query.build()?.execute(&mut *conn).await?;
        }
    }
    Ok(())
}

/// One that was made by who knew nothing of lists.
async fn list(conn: &mut Connection, id: SaleId) -> Result<()> {
    let Some(sale) = catalogue::fetch(conn, id).await? else { return Ok(()) };
    if let Some(item) = catalogue::item(conn, sale.item).await? {
        index(conn, id, sale.opens_at, &item).await?;
    }
    sqlx::query(
        "/* lists.list */ UPDATE sales SET listing = CASE WHEN state = ? THEN ? ELSE ? END WHERE listing = ? \
         AND id = ?",
    )
    .bind(SaleState::Closed)
    .bind(Listing::Over)
    .bind(Listing::Upcoming)
    .bind(Listing::Unlisted)
    .bind(id)
    .execute(conn)
    .await?;
    Ok(())
}

/// By which words it is found no more.
pub async fn unindex(conn: &mut Connection, sale: SaleId, item: &Item) -> Result<()> {
    let words: Vec<String> = words_of(&item.title, &item.description).into_iter().collect();
    for words in words.chunks(bulk::ROWS_MAX) {
        let mut query = Statement::new("/* lists.unindex */ DELETE FROM sale_words WHERE sale = ");
        query.push_bind(sale).push(" AND word IN ").push_list(words);
        query.build()?.execute(&mut *conn).await?;
    }
    Ok(())
}

/// By which words it is found.
pub async fn index(conn: &mut Connection, sale: SaleId, opens_at: Timestamp, item: &Item) -> Result<()> {
    let words: Vec<String> = words_of(&item.title, &item.description).into_iter().collect();
    for words in bulk::pieces(&words, bulk::ROWS_MAX) {
        let mut query =
            Statement::new(concat!("/* lists.index */ ", insert_new!(), " INTO sale_words (word, sale, opens_at) "));
        query.push_rows(words, |values, word| {
            values.bind(word).bind(sale).bind(opens_at);
        });
        query.build()?.execute(&mut *conn).await?;
    }
    Ok(())
}
