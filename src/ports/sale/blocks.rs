//! Units out of sale, as the ledger remembers them. What a block got is decided like any attempt and recorded with its turn
//! ([`crate::ports::sale::recording::Recording::record`]); here it is made, found and ended.

use async_trait::async_trait;

use crate::domain::people::author::Author;
use crate::domain::sale::block::Block;
use crate::domain::shared::id::{BatchId, RequestId, ReservationId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;

/// What an operator asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBlock {
    pub sale: SaleId,
    pub wanted: u32,
    /// Of these, as many as were free a moment ago.
    pub asked: u32,
    pub reason: String,
    /// Made once, however often it is asked for.
    pub request: RequestId,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlockMade {
    /// Written now, or before for the same request: as it reads now.
    Block(Block),
    /// Nothing is free to take.
    NothingFree,
    /// The sale sells nothing any more.
    Closed,
    /// There is no such sale.
    Missing,
}

/// A block that has ended, and what became free by it now: reservations to be released.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockEnded {
    pub block: Block,
    pub ended: Vec<ReservationId>,
}

#[async_trait]
pub trait Blocks: Send + Sync + 'static {
    async fn create_block(&self, new: &NewBlock, now: Timestamp) -> Result<BlockMade> {
        self.create_block_by(new, now, None).await
    }

    async fn create_block_by(&self, new: &NewBlock, now: Timestamp, by: Option<&Author>) -> Result<BlockMade>;

    async fn block(&self, sale: SaleId, id: BatchId) -> Result<Option<Block>>;

    /// Those that have not ended, newest first: those older than `after`, at most `max`.
    async fn blocks(&self, sale: SaleId, after: Option<BatchId>, max: u32) -> Result<Vec<Block>>;

    async fn end_block(&self, sale: SaleId, id: BatchId, now: Timestamp) -> Result<Option<BlockEnded>> {
        self.end_block_by(sale, id, now, None).await
    }

    /// Blocked -> Cancelled, all of it. One that is not decided yet will get nothing. Ended again, nothing more becomes free.
    async fn end_block_by(
        &self,
        sale: SaleId,
        id: BatchId,
        now: Timestamp,
        by: Option<&Author>,
    ) -> Result<Option<BlockEnded>>;
}
