//! A block: units that the house takes out of sale, and gives back when it ends.
//!
//! It goes through the turnstile like everybody: a batch of attempts, each by a buyer of the house and as large as any buyer's may
//! be, so that whatever comes back at once is enough for the first in line. What did not fit never waits. The sale's capacity
//! stays as it is.

use crate::domain::sale::attempt::{Attempt, Batch};
use crate::domain::shared::id::{BATCH_MAX, BatchId, BuyerId, RequestId, ReservationId, SaleId};
use crate::domain::shared::time::Timestamp;

/// Units in one block, at most: it is one batch, also where an attempt is for one unit.
pub const BLOCK_UNITS_MAX: u32 = 1_000;

const _: () = assert!(BLOCK_UNITS_MAX as usize <= BATCH_MAX);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The batch in which it is asked for.
    pub id: BatchId,
    pub sale: SaleId,
    /// Units the operator wanted.
    pub wanted: u32,
    /// Units that were free when it was made, at most as many as were wanted.
    pub asked: u32,
    /// Units of one attempt; the last one may be for fewer.
    pub party: u8,
    /// Why, for people.
    pub reason: String,
    pub made_at: Timestamp,
    /// Nothing yet: its attempts are in the queue.
    pub decided_at: Option<Timestamp>,
    /// Units that it got, which are out of sale until it ends.
    pub units: u32,
    pub ended_at: Option<Timestamp>,
}

impl Block {
    /// The same however often it is asked for under the same request.
    pub fn id_of(request: RequestId, made_at: Timestamp) -> BatchId {
        BatchId::new(made_at.0.max(0) as u64, (request.0 >> 64) as u64)
    }

    pub fn batch(&self) -> Batch {
        let party = u32::from(self.party.max(1));
        let attempt = |part: u32| {
            let quantity = (self.asked - part * party).min(party) as u8;
            Attempt { buyer: BuyerId::house(self.id, part), quantity, waits: true }
        };
        let attempts = (0..self.asked.div_ceil(party)).map(attempt).collect();
        Batch { id: self.id, sale: self.sale, attempts, traced: Vec::new() }
    }

    /// Of its attempts, whatever became of them.
    pub fn reservations(&self) -> Vec<ReservationId> {
        let parts = self.asked.div_ceil(u32::from(self.party.max(1)));
        (0..parts as usize).map(|part| self.id.attempt(part).into()).collect()
    }
}
