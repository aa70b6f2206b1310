//! What happens to one so often a day, and no oftener: a letter to an address, a decline to a buyer. Days are UTC's.

use super::Result;
use super::dialect::{Connection, insert_new};
use crate::adapters::sql::codes::Counted;
use crate::domain::shared::time::Timestamp;

const DAY_MS: i64 = 86_400_000;

fn day(at: Timestamp) -> i64 {
    at.0.div_euclid(DAY_MS)
}

/// Whether there is room for one more, which is taken. The row's own lock decides between two.
pub async fn take(conn: &mut Connection, whose: &str, what: Counted, at: Timestamp, max: u32) -> Result<bool> {
    sqlx::query(concat!(
        "/* day_counts.begin */ ",
        insert_new!(),
        " INTO day_counts (day, whose, what, number) VALUES (?, ?, ?, 0)"
    ))
    .bind(day(at))
    .bind(whose)
    .bind(what)
    .execute(&mut *conn)
    .await?;
    let taken = sqlx::query(
        "/* day_counts.take */ UPDATE day_counts SET number = number + 1 \
         WHERE day = ? AND whose = ? AND what = ? AND number < ?",
    )
    .bind(day(at))
    .bind(whose)
    .bind(what)
    .bind(max)
    .execute(conn)
    .await?;
    Ok(taken.rows_affected() == 1)
}

/// Of days before the one of this time: how many went.
pub async fn forget(conn: &mut Connection, before: Timestamp, max: u32) -> Result<u64> {
    let found: Vec<(i64, String, Counted)> = sqlx::query_as(
        "/* day_counts.past */ SELECT day, whose, what FROM day_counts WHERE day < ? ORDER BY day, whose, what LIMIT ?",
    )
    .bind(day(before))
    .bind(max)
    .fetch_all(&mut *conn)
    .await?;
    for (day, whose, what) in &found {
        sqlx::query("/* day_counts.forget */ DELETE FROM day_counts WHERE day = ? AND whose = ? AND what = ?")
            .bind(day)
            .bind(whose)
            .bind(what)
            .execute(&mut *conn)
            .await?;
    }
    Ok(found.len() as u64)
}
