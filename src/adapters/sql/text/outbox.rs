//! The outbox: rows are written by the transactions they speak of, and read and marked by whoever publishes them.

use async_trait::async_trait;
use sqlx::{QueryBuilder, Row as _};

use super::dialect::{Connection, Db, Row, Store, insert_new};
use super::{Result, broken, bulk, fault, row};
use crate::domain::shared::event::Event;
use crate::domain::shared::id::EventId;
use crate::domain::shared::time::Timestamp;
use crate::ports;
use crate::ports::platform::outbox::{Backlog, Outbox};

/// One that is there already says the same.
pub async fn write(conn: &mut Connection, events: &[Event]) -> Result<()> {
    for events in bulk::pieces(events, bulk::ROWS_MAX) {
        let mut query = QueryBuilder::<Db>::new(concat!(
            "/* outbox.write */ ",
            insert_new!(),
            " INTO outbox (id, body, written_at) "
        ));
        let bodies = events.iter().map(|event| serde_json::to_string(event).map_err(broken));
        let bodies = bodies.collect::<Result<Vec<String>>>()?;
        query.push_values(events.iter().zip(bodies), |mut values, (event, body)| {
            values.push_bind(event.id.to_bytes().to_vec()).push_bind(body).push_bind(event.at.0);
        });
        query.build().execute(&mut *conn).await?;
    }
    Ok(())
}

async fn unpublished(conn: &mut Connection, max: u32) -> Result<Vec<Event>> {
    let found = sqlx::query(
        "/* outbox.unpublished */ SELECT body, number FROM outbox WHERE published_at IS NULL ORDER BY number LIMIT ?",
    )
    .bind(i64::from(max))
    .fetch_all(conn)
    .await?;
    let mut events = Vec::with_capacity(found.len());
    for found in &found {
        match serde_json::from_str(&found.try_get::<String, _>(0)?) {
            Ok(event) => events.push(event),
            Err(error) => {
                let number: i64 = found.try_get(1)?;
                tracing::error!(outbox.number = number, %error, "an event waits for a version that can read it");
            }
        }
    }
    Ok(events)
}

/// Rows are found by their ids alone: another index would lock its neighbours too, and those who write theirs would wait.
async fn mark(conn: &mut Connection, (ids, now): &(Vec<EventId>, Timestamp)) -> Result<u64> {
    let mut unmarked = 0;
    for ids in ids.chunks(bulk::ROWS_MAX) {
        let ids = || ids.iter().map(|id| id.to_bytes().to_vec());
        let mut query = QueryBuilder::<Db>::new(
            "/* outbox.unmarked */ SELECT COUNT(*) - COUNT(published_at) FROM outbox WHERE id IN ",
        );
        bulk::push_list(&mut query, ids());
        unmarked += row::number(&query.build().fetch_one(&mut *conn).await?, 0)?;
        let mut query = QueryBuilder::<Db>::new("/* outbox.mark */ UPDATE outbox SET published_at = ");
        query.push_bind(now.0).push(" WHERE id IN ");
        bulk::push_list(&mut query, ids());
        query.build().execute(&mut *conn).await?;
    }
    Ok(unmarked)
}

async fn remove(conn: &mut Connection, &(before, max): &(Timestamp, u32)) -> Result<u64> {
    let found = sqlx::query(
        "/* outbox.published */ SELECT number FROM outbox WHERE published_at < ? ORDER BY published_at LIMIT ?",
    )
    .bind(before.0)
    .bind(i64::from(max))
    .fetch_all(&mut *conn)
    .await?;
    let mut numbers = found.iter().map(|found| found.try_get(0)).collect::<Result<Vec<i64>>>()?;
    numbers.sort_unstable();
    for numbers in numbers.chunks(bulk::ROWS_MAX) {
        let mut query = QueryBuilder::<Db>::new("/* outbox.remove */ DELETE FROM outbox WHERE number IN ");
        bulk::push_list(&mut query, numbers.iter().copied());
        query.build().execute(&mut *conn).await?;
    }
    Ok(numbers.len() as u64)
}

async fn backlog(conn: &mut Connection) -> Result<Backlog> {
    let found = sqlx::query(
        "/* outbox.backlog */ SELECT (SELECT COUNT(*) FROM outbox WHERE published_at IS NULL), \
         (SELECT written_at FROM outbox WHERE published_at IS NULL ORDER BY number LIMIT 1)",
    )
    .fetch_one(conn)
    .await?;
    let oldest = |found: &Row| found.try_get::<Option<i64>, _>(1);
    Ok(Backlog { events: row::number(&found, 0)?, oldest: oldest(&found)?.map(Timestamp) })
}

#[async_trait]
impl Outbox for Store {
    async fn unpublished(&self, max: u32) -> ports::Result<Vec<Event>> {
        unpublished(&mut *self.reader().await?, max).await.map_err(fault)
    }

    async fn mark_published(&self, ids: &[EventId], now: Timestamp) -> ports::Result<u64> {
        // Everybody locks in the same order.
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        self.write("outbox.mark", (ids, now), |c, args| Box::pin(mark(c, args))).await
    }

    async fn remove_published(&self, before: Timestamp, max: u32) -> ports::Result<u64> {
        self.write("outbox.remove", (before, max), |c, args| Box::pin(remove(c, args))).await
    }

    async fn backlog(&self) -> ports::Result<Backlog> {
        backlog(&mut *self.reader().await?).await.map_err(fault)
    }

    async fn written(&self) {
        self.outbox_rows().notified().await;
    }
}
