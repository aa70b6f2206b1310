//! The outbox: rows are written by the transactions they speak of, and read and marked by the relay.

use async_trait::async_trait;
use sqlx::Row as _;

use super::bulk::{self, Statement};
use super::dialect::{Connection, Store, insert_new};
use super::{Result, broken, fault, row};
use crate::domain::shared::event::Event;
use crate::domain::shared::id::EventId;
use crate::domain::shared::time::Timestamp;
use crate::ports;
use crate::ports::platform::outbox::{Backlog, Outbox};

/// One that is there already says the same.
pub async fn write(conn: &mut Connection, events: &[Event]) -> Result<()> {
    for events in bulk::pieces(events, bulk::ROWS_MAX) {
        let mut query =
            Statement::new(concat!("/* outbox.write */ ", insert_new!(), " INTO outbox (id, body, written_at) "));
        let bodies = events.iter().map(|event| serde_json::to_string(event).map_err(broken));
        let bodies = bodies.collect::<Result<Vec<String>>>()?;
        query.push_rows(events.iter().zip(bodies), |values, (event, body)| {
            values.bind(event.id).bind(body).bind(event.at);
        });
        query.build()?.execute(&mut *conn).await?;
    }
    Ok(())
}

async fn unpublished(conn: &mut Connection, max: u32) -> Result<Vec<Event>> {
    let found = sqlx::query(
        "/* outbox.unpublished */ SELECT body, number FROM outbox WHERE published_at IS NULL ORDER BY number LIMIT ?",
    )
    .bind(max)
    .fetch_all(conn)
    .await?;
    let mut events = Vec::with_capacity(found.len());
    for found in &found {
        match serde_json::from_str(found.try_get("body")?) {
            Ok(event) => events.push(event),
            Err(error) => {
                let number: i64 = found.try_get("number")?;
                tracing::error!(outbox.number = number, %error, "an event cannot be read by this version and is kept");
            }
        }
    }
    Ok(events)
}

/// Rows are found by their ids alone: another index would lock its neighbours too, and their writers would wait.
async fn mark(conn: &mut Connection, (ids, now): &(Vec<EventId>, Timestamp)) -> Result<u64> {
    let mut unmarked = 0;
    for ids in ids.chunks(bulk::ROWS_MAX) {
        let mut query = Statement::new(
            "/* outbox.unmarked */ SELECT COUNT(*) - COUNT(published_at) AS unmarked FROM outbox WHERE id IN ",
        );
        query.push_list(ids);
        unmarked += row::number(&query.build()?.fetch_one(&mut *conn).await?, "unmarked")?;
        let mut query = Statement::new("/* outbox.mark */ UPDATE outbox SET published_at = ");
        query.push_bind(now).push(" WHERE id IN ");
        query.push_list(ids);
        query.build()?.execute(&mut *conn).await?;
    }
    Ok(unmarked)
}

async fn remove(conn: &mut Connection, &(before, max): &(Timestamp, u32)) -> Result<u64> {
    let mut numbers: Vec<i64> = sqlx::query_scalar(
        "/* outbox.published */ SELECT number FROM outbox WHERE published_at < ? ORDER BY published_at LIMIT ?",
    )
    .bind(before)
    .bind(max)
    .fetch_all(&mut *conn)
    .await?;
    numbers.sort_unstable();
    for numbers in numbers.chunks(bulk::ROWS_MAX) {
        let mut query = Statement::new("/* outbox.remove */ DELETE FROM outbox WHERE number IN ");
        query.push_list(numbers);
        query.build()?.execute(&mut *conn).await?;
    }
    Ok(numbers.len() as u64)
}

async fn backlog(conn: &mut Connection) -> Result<Backlog> {
    let found = sqlx::query(
        "/* outbox.backlog */ SELECT (SELECT COUNT(*) FROM outbox WHERE published_at IS NULL) AS events, \
         (SELECT written_at FROM outbox WHERE published_at IS NULL ORDER BY number LIMIT 1) AS oldest",
    )
    .fetch_one(conn)
    .await?;
    Ok(Backlog { events: row::number(&found, "events")?, oldest: found.try_get("oldest")? })
}

#[async_trait]
impl Outbox for Store {
    async fn unpublished(&self, max: u32) -> ports::Result<Vec<Event>> {
        unpublished(&mut *self.reader().await?, max).await.map_err(fault)
    }

    async fn mark_published(&self, ids: &[EventId], now: Timestamp) -> ports::Result<u64> {
        // All transactions lock in the same order.
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
