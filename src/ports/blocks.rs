//! Units out of sale, as the ledger remembers them. What a block got is decided like any attempt and recorded with its turn
//! ([`crate::ports::ledger::Ledger::record`]); here it is made, found and ended.

use crate::domain::block::Block;
use crate::domain::id::{BatchId, RequestId, ReservationId, SaleId};
use crate::domain::time::Timestamp;
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

pub trait Blocks: Send + Sync + 'static {
    fn create_block(&self, new: &NewBlock, now: Timestamp) -> impl Future<Output = Result<BlockMade>> + Send;

    fn block(&self, sale: SaleId, id: BatchId) -> impl Future<Output = Result<Option<Block>>> + Send;

    /// Those that have not ended, newest first: those older than `after`, at most `max`.
    fn blocks(&self, sale: SaleId, after: Option<BatchId>, max: u32)
    -> impl Future<Output = Result<Vec<Block>>> + Send;

    /// Blocked -> Cancelled, all of it. One that is not decided yet will get nothing. Ended again, nothing more becomes free.
    fn end_block(
        &self,
        sale: SaleId,
        id: BatchId,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<BlockEnded>>> + Send;
}
