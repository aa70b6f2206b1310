//! Blocks. The sale's row is locked before a block is made, ended or recorded: whichever of an ending and a recording comes
//! second sees the first.

use std::collections::HashSet;

use async_trait::async_trait;
use sqlx::Row as _;

use super::dialect::{Connection, Row, Store, for_update};
use super::{Result, claims, fault, row};
use crate::domain::sale::attempt::Batch;
use crate::domain::sale::block::Block;
use crate::domain::sale::reservation::{Kind, Reservation, State};
use crate::domain::sale::turn::Turn;
use crate::domain::shared::id::{BatchId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::ports;
use crate::ports::sale::blocks::{BlockEnded, BlockMade, Blocks, NewBlock};

/// What [`block`] reads.
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
    async fn create_block(&self, new: &NewBlock, now: Timestamp) -> ports::Result<BlockMade> {
        self.write("blocks.create", (new.clone(), now), |c, args| Box::pin(create(c, args))).await
    }

    async fn block(&self, sale: SaleId, id: BatchId) -> ports::Result<Option<Block>> {
        find(&mut *self.reader().await?, sale, id).await.map_err(fault)
    }

    async fn blocks(&self, sale: SaleId, after: Option<BatchId>, max: u32) -> ports::Result<Vec<Block>> {
        list(&mut *self.reader().await?, sale, after, max).await.map_err(fault)
    }

    async fn end_block(&self, sale: SaleId, id: BatchId, now: Timestamp) -> ports::Result<Option<BlockEnded>> {
        self.write("blocks.end", (sale, id, now), |c, args| Box::pin(end(c, args))).await
    }
}

async fn create(conn: &mut Connection, (new, now): &(NewBlock, Timestamp)) -> Result<BlockMade> {
    let Some((closed, party)) = lock_sale(conn, new.sale, *now).await? else { return Ok(BlockMade::Missing) };
    let found = sqlx::query(blocks!("blocks.made", "WHERE request = ?"))
        .bind(new.request.to_bytes().to_vec())
        .fetch_optional(&mut *conn)
        .await?;
    if let Some(found) = found {
        return block(&found).map(BlockMade::Block);
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
    .bind(made.id.to_bytes().to_vec())
    .bind(made.sale.0 as i64)
    .bind(new.request.to_bytes().to_vec())
    .bind(i64::from(made.wanted))
    .bind(i64::from(made.asked))
    .bind(i64::from(made.party))
    .bind(made.reason.clone())
    .bind(made.made_at.0)
    .execute(conn)
    .await?;
    Ok(BlockMade::Block(made))
}

/// Whether it is closed, and how many units one attempt may be for; `None` when there is no such sale.
async fn lock_sale(conn: &mut Connection, id: SaleId, now: Timestamp) -> Result<Option<(bool, u8)>> {
    let found = sqlx::query(concat!(
        "/* blocks.sale */ SELECT state, closes_at, quantity_max FROM sales WHERE id = ?",
        for_update!()
    ))
    .bind(id.0 as i64)
    .fetch_optional(conn)
    .await?;
    let closed = |found: Row| {
        let closed = found.try_get::<i64, _>(0)? == super::catalogue::CLOSED || found.try_get::<i64, _>(1)? <= now.0;
        Ok((closed, row::small(&found, 2)?))
    };
    found.map(closed).transpose()
}

async fn find(conn: &mut Connection, sale: SaleId, id: BatchId) -> Result<Option<Block>> {
    let found = sqlx::query(blocks!("blocks.block", "WHERE id = ? AND sale = ?"))
        .bind(id.to_bytes().to_vec())
        .bind(sale.0 as i64)
        .fetch_optional(conn)
        .await?;
    found.as_ref().map(block).transpose()
}

/// Ids grow with time.
async fn list(conn: &mut Connection, sale: SaleId, after: Option<BatchId>, max: u32) -> Result<Vec<Block>> {
    let found =
        sqlx::query(blocks!("blocks.list", "WHERE sale = ? AND ended_at IS NULL AND id < ? ORDER BY id DESC LIMIT ?"))
            .bind(sale.0 as i64)
            .bind(after.unwrap_or(BatchId(u128::MAX)).to_bytes().to_vec())
            .bind(i64::from(max))
            .fetch_all(conn)
            .await?;
    found.iter().map(block).collect()
}

async fn end(conn: &mut Connection, &(sale, id, now): &(SaleId, BatchId, Timestamp)) -> Result<Option<BlockEnded>> {
    if lock_sale(conn, sale, now).await?.is_none() {
        return Ok(None);
    }
    let Some(found) = find(conn, sale, id).await? else { return Ok(None) };
    if found.ended_at.is_some() {
        return Ok(Some(BlockEnded { block: found, ended: Vec::new() }));
    }
    sqlx::query("/* blocks.end */ UPDATE blocks SET ended_at = ? WHERE id = ?")
        .bind(now.0)
        .bind(id.to_bytes().to_vec())
        .execute(&mut *conn)
        .await?;
    let mut rows = row::fetch_many_locked(conn, &found.reservations()).await?;
    rows.retain(|row| row.state.kind() == Kind::Blocked);
    let ended = claims::end(conn, sale, rows, State::Cancelled, now).await?;
    let block = Block { ended_at: Some(now), ..found };
    Ok(Some(BlockEnded { block, ended: ended.into_iter().map(|row| row.id).collect() }))
}

fn is_of_the_house(batch: &Batch) -> bool {
    batch.attempts.iter().any(|attempt| attempt.buyer.is_house())
}

/// Of the turns' blocks, those that have not ended. Whoever has the sale's row locked may ask.
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

/// Writes down what blocks got: in the transaction of their births. One that got nothing has ended.
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
        .bind(now.0)
        .bind(units as i64)
        .bind((units == 0).then_some(now.0))
        .bind(batch.id.to_bytes().to_vec())
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

fn block(found: &Row) -> Result<Block> {
    let time = |column: usize| found.try_get::<Option<i64>, _>(column).map(|at| at.map(Timestamp));
    Ok(Block {
        id: BatchId::from_bytes(row::id(found, 0)?),
        sale: SaleId(row::number(found, 1)?),
        wanted: row::small(found, 2)?,
        asked: row::small(found, 3)?,
        reason: found.try_get(4)?,
        made_at: Timestamp(found.try_get(5)?),
        decided_at: time(6)?,
        units: row::small(found, 7)?,
        ended_at: time(8)?,
        party: row::small(found, 9)?,
    })
}
