//! Blocks. The sale's row is locked before a block is made, ended or recorded: whichever of an ending and a recording comes
//! second sees the first.

use std::collections::HashSet;

use async_trait::async_trait;
use serde_json::{Value, json};
use sqlx::{FromRow, Row as _};

use super::dialect::{Connection, Row, Store, for_update};
use super::{Result, claims, fault, journal, row};
use crate::adapters::sql::stored::Number;
use crate::domain::audit::journal::{Action, Subject};
use crate::domain::people::author::Author;
use crate::domain::sale::SaleState;
use crate::domain::sale::attempt::Batch;
use crate::domain::sale::block::Block;
use crate::domain::sale::reservation::{Kind, Reservation, State};
use crate::domain::sale::turn::Turn;
use crate::domain::shared::id::{BatchId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::ports;
use crate::ports::sale::blocks::{BlockEnded, BlockMade, Blocks, NewBlock};

/// What a [`Block`] is read from.
macro_rules! blocks {
    ($name:literal, $($tail:tt)*) => {
        concat!(
            "/* ", $name, " */ SELECT id, sale, wanted, asked, reason, made_at, decided_at, units, ended_at, party FROM blocks ",
            $($tail)*
        )
    };
}

#[async_trait]
impl Blocks for Store {
    async fn create_block_by(&self, new: &NewBlock, now: Timestamp, by: Option<&Author>) -> ports::Result<BlockMade> {
        let args = (new.clone(), now, by.cloned());
        self.write("blocks.create", args, |c, args| Box::pin(create(c, args))).await
    }

    async fn block(&self, sale: SaleId, id: BatchId) -> ports::Result<Option<Block>> {
        find(&mut *self.reader().await?, sale, id).await.map_err(fault)
    }

    async fn blocks(&self, sale: SaleId, after: Option<BatchId>, max: u32) -> ports::Result<Vec<Block>> {
        list(&mut *self.reader().await?, sale, after, max).await.map_err(fault)
    }

    async fn end_block_by(
        &self,
        sale: SaleId,
        id: BatchId,
        now: Timestamp,
        by: Option<&Author>,
    ) -> ports::Result<Option<BlockEnded>> {
        self.write("blocks.end", (sale, id, now, by.cloned()), |c, args| Box::pin(end(c, args))).await
    }
}

async fn create(conn: &mut Connection, (new, now, by): &(NewBlock, Timestamp, Option<Author>)) -> Result<BlockMade> {
    let Some((closed, party)) = lock_sale(conn, new.sale, *now).await? else { return Ok(BlockMade::Missing) };
    let found = sqlx::query_as(blocks!("blocks.made", "WHERE request = ?"))
        .bind(new.request)
        .fetch_optional(&mut *conn)
        .await?;
    if let Some(found) = found {
        return Ok(BlockMade::Block(found));
    }
    if closed {
        return Ok(BlockMade::Closed);
    }
    if new.asked == 0 {
        return Ok(BlockMade::NothingFree);
    }
    let made = Block {
        id: Block::id_of(new.request, *now),
        sale: new.sale,
        wanted: new.wanted,
        asked: new.asked,
        party,
        reason: new.reason.clone(),
        made_at: *now,
        decided_at: None,
        units: 0,
        ended_at: None,
    };
    sqlx::query(
        "/* blocks.create */ INSERT INTO blocks (id, sale, request, wanted, asked, party, reason, made_at, units) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)",
    )
    .bind(made.id)
    .bind(made.sale)
    .bind(new.request)
    .bind(made.wanted)
    .bind(made.asked)
    .bind(made.party)
    .bind(&made.reason)
    .bind(made.made_at)
    .execute(&mut *conn)
    .await?;
    let states = [Value::Null, json!({ "block": made.id, "wanted": made.wanted, "asked": made.asked })];
    journal::tell(conn, by.as_ref(), Action::BlockMade, Subject::Sale(made.sale), states).await?;
    Ok(BlockMade::Block(made))
}

/// Whether it is closed, and how many units one attempt may be for; `None` when there is no such sale.
async fn lock_sale(conn: &mut Connection, id: SaleId, now: Timestamp) -> Result<Option<(bool, u8)>> {
    let found = sqlx::query(concat!(
        "/* blocks.sale */ SELECT state, closes_at, quantity_max FROM sales WHERE id = ?",
        for_update!()
    ))
    .bind(id)
    .fetch_optional(conn)
    .await?;
    let closed = |found: Row| {
        let is_over = found.try_get::<Timestamp, _>("closes_at")? <= now;
        let closed = found.try_get::<SaleState, _>("state")? == SaleState::Closed || is_over;
        Ok((closed, row::small(&found, "quantity_max")?))
    };
    found.map(closed).transpose()
}

async fn find(conn: &mut Connection, sale: SaleId, id: BatchId) -> Result<Option<Block>> {
    sqlx::query_as(blocks!("blocks.block", "WHERE id = ? AND sale = ?")).bind(id).bind(sale).fetch_optional(conn).await
}

/// Ids grow with time.
async fn list(conn: &mut Connection, sale: SaleId, after: Option<BatchId>, max: u32) -> Result<Vec<Block>> {
    sqlx::query_as(blocks!("blocks.list", "WHERE sale = ? AND ended_at IS NULL AND id < ? ORDER BY id DESC LIMIT ?"))
        .bind(sale)
        .bind(after.unwrap_or(BatchId(u128::MAX)))
        .bind(max)
        .fetch_all(conn)
        .await
}

async fn end(
    conn: &mut Connection,
    (sale, id, now, by): &(SaleId, BatchId, Timestamp, Option<Author>),
) -> Result<Option<BlockEnded>> {
    let (sale, id, now) = (*sale, *id, *now);
    if lock_sale(conn, sale, now).await?.is_none() {
        return Ok(None);
    }
    let Some(found) = find(conn, sale, id).await? else { return Ok(None) };
    if found.ended_at.is_some() {
        return Ok(Some(BlockEnded { block: found, ended: Vec::new() }));
    }
    sqlx::query("/* blocks.end */ UPDATE blocks SET ended_at = ? WHERE id = ?")
        .bind(now)
        .bind(id)
        .execute(&mut *conn)
        .await?;
    let mut rows = row::fetch_many_locked(conn, &found.reservations()).await?;
    rows.retain(|row| row.state.kind() == Kind::Blocked);
    let ended = claims::end(conn, sale, rows, State::Cancelled, now).await?;
    let states = [json!({ "block": id, "units": found.units }), json!({ "block": id, "units": 0 })];
    journal::tell(conn, by.as_ref(), Action::BlockEnded, Subject::Sale(sale), states).await?;
    let block = Block { ended_at: Some(now), ..found };
    Ok(Some(BlockEnded { block, ended: ended.into_iter().map(|row| row.id).collect() }))
}

fn is_of_the_house(batch: &Batch) -> bool {
    batch.attempts.iter().any(|attempt| attempt.buyer.is_house())
}

/// Of the turns' blocks, those that have not ended. The caller holds the lock of the sale's row.
pub async fn open_among(conn: &mut Connection, turns: &[&Turn]) -> Result<HashSet<BatchId>> {
    let mut open = HashSet::new();
    for turn in turns {
        let Turn::Batch { batch, .. } = turn else { continue };
        if is_of_the_house(batch)
            && let Some(block) = find(conn, batch.sale, batch.id).await?
            && block.ended_at.is_none()
        {
            open.insert(batch.id);
        }
    }
    Ok(open)
}

/// Writes down what blocks got, in the transaction that creates their rows. One that got nothing has ended.
pub async fn decided(conn: &mut Connection, turns: &[&Turn], born: &[Reservation], now: Timestamp) -> Result<()> {
    for turn in turns {
        let Turn::Batch { batch, .. } = turn else { continue };
        if !is_of_the_house(batch) {
            continue;
        }
        let is_its = |row: &&Reservation| row.state.kind() == Kind::Blocked && BatchId(row.id.0 & !0xffff) == batch.id;
        let units: usize = born.iter().filter(is_its).map(|row| row.state.units().len()).sum();
        sqlx::query(
            "/* blocks.decided */ UPDATE blocks SET decided_at = ?, units = ?, ended_at = COALESCE(ended_at, ?) WHERE id = ?",
        )
        .bind(now)
        .bind(Number(units as u64))
        .bind((units == 0).then_some(now))
        .bind(batch.id)
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

impl FromRow<'_, Row> for Block {
    fn from_row(found: &Row) -> Result<Self> {
        Ok(Block {
            id: found.try_get("id")?,
            sale: found.try_get("sale")?,
            wanted: row::small(found, "wanted")?,
            asked: row::small(found, "asked")?,
            reason: found.try_get("reason")?,
            made_at: found.try_get("made_at")?,
            decided_at: found.try_get("decided_at")?,
            units: row::small(found, "units")?,
            ended_at: found.try_get("ended_at")?,
            party: row::small(found, "party")?,
        })
    }
}
