//! What a buyer did in a sale, as an admission is judged by it.

use async_trait::async_trait;
use sqlx::Row as _;

use super::dialect::{Connection, Store};
use super::{Result, fault};
use crate::domain::sale::admission::EndedHold;
use crate::domain::sale::reservation::Kind;
use crate::domain::shared::id::{BuyerId, SaleId};
use crate::ports;
use crate::ports::sale::past::{BuyerPast, Past};

#[async_trait]
impl Past for Store {
    async fn past(&self, sale: SaleId, buyer: BuyerId, max: u32) -> ports::Result<BuyerPast> {
        past(&mut *self.reader().await?, sale, buyer, max).await.map_err(fault)
    }
}

/// What was a hold has a time to lapse, also after its end. Nothing else is among the rows, or cheap ones would hide dear ones.
async fn past(conn: &mut Connection, sale: SaleId, buyer: BuyerId, max: u32) -> Result<BuyerPast> {
    let found = sqlx::query(
        "/* ledger.past */ SELECT state, updated_at, lapses_at FROM reservations \
         WHERE sale = ? AND buyer = ? AND split_of IS NULL AND (live = 1 OR (state IN (?, ?) AND lapses_at IS NOT NULL)) \
         ORDER BY live DESC, updated_at DESC, id DESC LIMIT ?",
    )
    .bind(sale)
    .bind(buyer)
    .bind(Kind::Lapsed)
    .bind(Kind::Cancelled)
    .bind(max.saturating_add(1))
    .fetch_all(conn)
    .await?;
    let mut past = BuyerPast::default();
    for row in found {
        let kind: Kind = row.try_get("state")?;
        if kind.is_live() {
            past.has_live = true;
            continue;
        }
        let (ended_at, lapses_at) = (row.try_get("updated_at")?, row.try_get("lapses_at")?);
        past.ended.push(EndedHold { ended_at, lapses_at, is_cancelled: kind == Kind::Cancelled });
    }
    past.ended.truncate(max as usize);
    Ok(past)
}
