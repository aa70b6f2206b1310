//! Units out of sale and back: an operator's decision. First the ledger, then the queue, where the house waits its turn like
//! everybody; what came of it is read from the ledger. A crash in between leaves a block under the request's id, and the same
//! request goes on with it.

use std::sync::Arc;
use std::time::Duration;

use crate::app::sale::best_effort::{Effort, wake_all};
use crate::app::sale::metric::Metric;
use crate::app::sale::{points, tell};
use crate::domain::people::author::Author;
use crate::domain::sale::block::Block;
use crate::domain::shared::id::{BatchId, RequestId, SaleId};
use crate::kit::work::backoff::{Backoff, BackoffSettings};
use crate::ports::platform::clock::Clock;
use crate::ports::platform::fault::Faults;
use crate::ports::sale::attempts::Attempts;
use crate::ports::sale::blocks::{BlockEnded, BlockMade, Blocks, NewBlock};
use crate::ports::sale::turnstile::Turnstile;
use crate::ports::{Fault, Result};

/// Between two looks at what became of it: the first, and the longest.
const LOOK_MS: u64 = 20;
const LOOK_MS_MAX: u64 = 500;

#[derive(Clone)]
pub struct Needs {
    pub turnstile: Arc<dyn Turnstile>,
    pub attempts: Arc<dyn Attempts>,
    pub blocks: Arc<dyn Blocks>,
    pub clock: Arc<dyn Clock>,
    pub faults: Arc<dyn Faults>,
    pub tell: tell::Needs,
}

#[derive(Debug, Clone)]
pub struct BlockRequest {
    pub sale: SaleId,
    pub units: u32,
    pub reason: String,
    pub request: RequestId,
    pub by: Author,
}

/// Writes the block and puts its attempts into the queue, unless they were decided before.
pub async fn submit_block(needs: &Needs, what: BlockRequest) -> Result<BlockMade> {
    let BlockRequest { sale, units: wanted, reason, request, by } = what;
    let level = needs.turnstile.look(sale).await?;
    // A block that asks for more than there is would stand in line before it is turned away.
    let asked = level.map_or(0, |level| level.free.min(wanted));
    let new = NewBlock { sale, wanted, asked, reason, request };
    let made = needs.blocks.create_block_by(&new, needs.clock.now(), Some(&by)).await?;
    needs.faults.reach(points::BLOCK_AFTER_LEDGER).await;
    match &made {
        BlockMade::Block(block) if block.decided_at.is_none() => {
            let submitted = needs.attempts.submit(block.batch()).await;
            submitted.map_err(|shed| Fault::new("broker", shed))?;
            needs.faults.reach(points::BLOCK_AFTER_SUBMIT).await;
        }
        BlockMade::NothingFree if level.is_none() => return Err(Fault::new("turnstile", "the sale is missing")),
        _ => {}
    }
    Ok(made)
}

/// The block when it is decided, or as it reads after `within`. What it was denied is given on.
pub async fn decided(needs: &Needs, effort: Effort, mut block: Block, within: Duration) -> Result<Block> {
    let outage_ms_max = within.as_millis() as u64;
    let mut looks = Backoff::new(&BackoffSettings { first_ms: LOOK_MS, wait_ms_max: LOOK_MS_MAX, outage_ms_max });
    while block.decided_at.is_none() && looks.wait().await {
        if let Some(now) = needs.blocks.block(block.sale, block.id).await? {
            block = now;
        }
    }
    if block.decided_at.is_some() && block.units < block.asked {
        wake_all(&needs.tell, effort, block.sale, &block.reservations()).await;
    }
    if block.decided_at.is_some() {
        metrics::counter!(Metric::Blocks.name(), "what" => "made").increment(1);
    }
    Ok(block)
}

/// All of its units go to the next on standby, or back on sale.
pub async fn end_block(needs: &Needs, effort: Effort, sale: SaleId, id: BatchId, by: &Author) -> Result<Option<Block>> {
    let ended = needs.blocks.end_block_by(sale, id, needs.clock.now(), Some(by)).await?;
    needs.faults.reach(points::UNBLOCK_AFTER_LEDGER).await;
    let Some(BlockEnded { block, ended }) = ended else { return Ok(None) };
    if !ended.is_empty() {
        metrics::counter!(Metric::Blocks.name(), "what" => "ended").increment(1);
        wake_all(&needs.tell, effort, sale, &ended).await;
    }
    Ok(Some(block))
}
