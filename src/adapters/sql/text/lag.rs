//! The oldest work of each kind.

use async_trait::async_trait;
use sqlx::Row as _;

use super::dialect::{Connection, Store};
use super::{Result, fault, row};
use crate::domain::shared::time::Timestamp;
use crate::ports;
use crate::ports::platform::lag::{Lagging, Lags};

#[async_trait]
impl Lagging for Store {
    async fn lags(&self) -> ports::Result<Lags> {
        lags(&mut *self.reader().await?).await.map_err(fault)
    }
}

/// Each is the first entry of an index.
async fn lags(conn: &mut Connection) -> Result<Lags> {
    let found = sqlx::query(
        "/* lag.lags */ SELECT (SELECT MIN(lapses_at) FROM reservations WHERE state = 2), \
         (SELECT MIN(unfreed_since) FROM reservations), \
         (SELECT MIN(paying_since) FROM reservations WHERE state = 3), \
         (SELECT MIN(made_at) FROM refunds WHERE state = 1), \
         (SELECT COUNT(*) FROM refunds WHERE state = 4)",
    )
    .fetch_one(conn)
    .await?;
    let at = |column: usize| Ok::<_, sqlx::Error>(found.try_get::<Option<i64>, _>(column)?.map(Timestamp));
    Ok(Lags {
        lapses_at: at(0)?,
        unfreed_since: at(1)?,
        paying_since: at(2)?,
        refund_due_since: at(3)?,
        refunds_failed: row::number(&found, 4)?,
    })
}
