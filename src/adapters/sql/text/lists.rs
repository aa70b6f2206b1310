//! What makes lists of sales quick: the words of each, and whether it opens later, has opened, or is over. The words are written with
//! the sale; the other is kept up to date from time to time, and no reader relies on it.

use sqlx::QueryBuilder;

use super::dialect::{Connection, Db, by_index, insert_new};
use super::{Result, bulk, catalogue, row};
use crate::domain::sale::search::words_of;
use crate::domain::shared::id::SaleId;
use crate::domain::shared::time::Timestamp;
use crate::ports::sale::catalogue::Item;

/// What a sale's `listing` says.
const UNLISTED: u64 = 0;
const UPCOMING: u64 = 1;
const OPEN: u64 = 2;
const OVER: u64 = 3;

/// Those whose `listing` is not what it should be, and what it should be; of those that are not listed yet, that.
pub async fn due(conn: &mut Connection, now: Timestamp, max: u32) -> Result<Vec<(SaleId, u64)>> {
    let found = sqlx::query(concat!(
        "/* lists.due */ SELECT id, 0 FROM sales ",
        by_index!("sales_listing"),
        " WHERE listing = 0 UNION ALL SELECT id, 2 FROM sales ",
        by_index!("sales_listing_opens"),
        " WHERE listing = 1 AND opens_at <= ? AND closes_at > ? UNION ALL SELECT id, 3 FROM sales ",
        by_index!("sales_listing_closes"),
        " WHERE listing = 1 AND closes_at <= ? UNION ALL SELECT id, 3 FROM sales ",
        by_index!("sales_listing_closes"),
        " WHERE listing = 2 AND closes_at <= ? LIMIT ?"
    ))
    .bind(now.0)
    .bind(now.0)
    .bind(now.0)
    .bind(now.0)
    .bind(i64::from(max))
    .fetch_all(conn)
    .await?;
    found.iter().map(|found| Ok((SaleId(row::number(found, 0)?), row::number(found, 1)?))).collect()
}

/// Where a sale was closed meanwhile it stays so.
pub async fn update(conn: &mut Connection, due: &[(SaleId, u64)]) -> Result<()> {
    for &(sale, _) in due.iter().filter(|(_, to)| *to == UNLISTED) {
        list(conn, sale).await?;
    }
    for to in [OPEN, OVER] {
        let sales: Vec<i64> = due.iter().filter(|(_, of)| *of == to).map(|(sale, _)| sale.0 as i64).collect();
        for sales in sales.chunks(bulk::ROWS_MAX) {
            let mut query = QueryBuilder::<Db>::new("/* lists.update */ UPDATE sales SET listing = ");
            query.push_bind(to as i64).push(" WHERE listing < ").push_bind(to as i64).push(" AND id IN ");
            bulk::push_list(&mut query, sales.iter().copied());
            query.build().execute(&mut *conn).await?;
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
    sqlx::query("/* lists.list */ UPDATE sales SET listing = CASE WHEN state = 3 THEN ? ELSE ? END WHERE listing = 0 AND id = ?")
        .bind(OVER as i64)
        .bind(UPCOMING as i64)
        .bind(id.0 as i64)
        .execute(conn)
        .await?;
    Ok(())
}

/// By which words it is found.
pub async fn index(conn: &mut Connection, sale: SaleId, opens_at: Timestamp, item: &Item) -> Result<()> {
    let words: Vec<String> = words_of(&item.title, &item.description).into_iter().collect();
    for words in bulk::pieces(&words, bulk::ROWS_MAX) {
        let mut query = QueryBuilder::<Db>::new(concat!(
            "/* lists.index */ ",
            insert_new!(),
            " INTO sale_words (word, sale, opens_at) "
        ));
        query.push_values(words, |mut values, word| {
            values.push_bind(word.clone()).push_bind(sale.0 as i64).push_bind(opens_at.0);
        });
        query.build().execute(&mut *conn).await?;
    }
    Ok(())
}
