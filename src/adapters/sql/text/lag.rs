//! The oldest work of each kind.

use async_trait::async_trait;
use sqlx::Row as _;

use super::dialect::{Connection, Store};
use super::{Result, fault, row};
use crate::domain::money::payment::RefundKind;
use crate::domain::sale::reservation::Kind;
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
        "/* lag.lags */ SELECT (SELECT MIN(lapses_at) FROM reservations WHERE state = ?) AS lapses_at, \
         (SELECT MIN(unfreed_since) FROM reservations) AS unfreed_since, \
         (SELECT MIN(paying_since) FROM reservations WHERE state = ?) AS paying_since, \
         (SELECT MIN(made_at) FROM refunds WHERE state = ?) AS refund_due_since, \
         (SELECT COUNT(*) FROM refunds WHERE state = ?) AS refunds_failed",
    )
    .bind(Kind::Held)
    .bind(Kind::Paying)
    .bind(RefundKind::Due)
    .bind(RefundKind::Failed)
    .fetch_one(conn)
    .await?;
    Ok(Lags {
        lapses_at: found.try_get("lapses_at")?,
        unfreed_since: found.try_get("unfreed_since")?,
        paying_since: found.try_get("paying_since")?,
        refund_due_since: found.try_get("refund_due_since")?,
        refunds_failed: row::number(&found, "refunds_failed")?,
    })
}
