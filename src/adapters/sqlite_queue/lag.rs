//! How many rows wait, as this process counts them.

use std::sync::atomic::Ordering;

use async_trait::async_trait;

use super::{SqliteQueue, fault};
use crate::ports::Result;
use crate::ports::platform::lag::{Depth, Depths};

#[async_trait]
impl Depths for SqliteQueue {
    async fn depths(&self) -> Result<Vec<Depth>> {
        let parked =
            sqlx::query_scalar::<_, i64>("SELECT (SELECT count(*) FROM parked) + (SELECT count(*) FROM parked_events)");
        let parked = parked.fetch_one(&self.0.readers).await.map_err(fault)?;
        let attempts = self.0.parts.iter().enumerate().map(|(part, rows)| Depth {
            queue: format!("attempts.{part}"),
            messages: rows.messages.load(Ordering::Acquire),
        });
        let events = self.0.lines.iter().map(super::events::Line::depth);
        let parked = Depth { queue: "parked".to_owned(), messages: parked as u64 };
        Ok(attempts.chain(events).chain([parked]).collect())
    }
}
