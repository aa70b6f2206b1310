//! Attempts travel in batches, each of one sale: a message per attempt would be the first thing to fill up.
//!
//! The wire form is binary, with its version in the first byte; a batch that can be decoded is never parked, and a bad
//! attempt in it is refused by itself.

use crate::domain::shared::id::{AttemptId, BATCH_MAX, BatchId, BuyerId, SaleId};
use crate::domain::shared::trace::Mark;

const VERSION: u8 = 1;
const HEAD_BYTES: usize = 1 + 16 + 8 + 2;
const ATTEMPT_BYTES: usize = 8 + 1;
/// Of the byte that says how many: the buyer would not wait. Who does not know it reads more units than any sale gives, and refuses.
const AT_ONCE: u8 = 0x80;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Attempt {
    pub buyer: BuyerId,
    /// Units wanted, all or nothing.
    pub quantity: u8,
    /// Whether the buyer would wait on standby. One that would not gets units at once or is refused.
    pub waits: bool,
}

impl Attempt {
    /// How many units, and in the high bit that it does not wait. The turnstile's script reads it, too.
    pub fn wish(&self) -> u8 {
        self.quantity.min(!AT_ONCE) | if self.waits { 0 } else { AT_ONCE }
    }

    fn wished(buyer: BuyerId, wish: u8) -> Self {
        Self { buyer, quantity: wish & !AT_ONCE, waits: wish & AT_ONCE == 0 }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    pub id: BatchId,
    pub sale: SaleId,
    pub attempts: Vec<Attempt>,
    /// Those that are traced. They travel beside the batch, and are not in its bytes.
    pub traced: Vec<Mark>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("the batch is of version {0}, not {VERSION}")]
    Version(u8),
    #[error("the batch's length does not fit its count of attempts")]
    Length,
    #[error("the batch's id has bits where its attempts are counted")]
    Id,
    #[error("the batch holds {0} attempts; 1 to {BATCH_MAX} are allowed")]
    Count(usize),
}

impl Batch {
    pub fn attempt_id(&self, index: usize) -> AttemptId {
        self.id.attempt(index)
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD_BYTES + self.attempts.len() * ATTEMPT_BYTES);
        bytes.push(VERSION);
        bytes.extend_from_slice(&self.id.to_bytes());
        bytes.extend_from_slice(&self.sale.0.to_be_bytes());
        let count = u16::try_from(self.attempts.len()).expect("a batch is at most BATCH_MAX long");
        bytes.extend_from_slice(&count.to_be_bytes());
        for attempt in &self.attempts {
            bytes.extend_from_slice(&attempt.buyer.0.to_be_bytes());
            bytes.push(attempt.wish());
        }
        bytes
    }

    pub fn decode(bytes: &[u8]) -> Result<Batch, DecodeError> {
        let (&version, _) = bytes.split_first().ok_or(DecodeError::Length)?;
        if version != VERSION {
            return Err(DecodeError::Version(version));
        }
        let (head, body) = bytes.split_at_checked(HEAD_BYTES).ok_or(DecodeError::Length)?;
        let id = BatchId::from_bytes(head[1..17].try_into().expect("16 bytes"));
        let sale = SaleId(u64::from_be_bytes(head[17..25].try_into().expect("8 bytes")));
        let count = usize::from(u16::from_be_bytes(head[25..27].try_into().expect("2 bytes")));
        if id.attempt(0).index() != 0 {
            return Err(DecodeError::Id);
        }
        if count == 0 || count > BATCH_MAX {
            return Err(DecodeError::Count(count));
        }
        if body.len() != count * ATTEMPT_BYTES {
            return Err(DecodeError::Length);
        }
        let attempts = body
            .chunks_exact(ATTEMPT_BYTES)
            .map(|chunk| {
                let buyer = BuyerId(u64::from_be_bytes(chunk[..8].try_into().expect("8 bytes")));
                Attempt::wished(buyer, chunk[8])
            })
            .collect();
        Ok(Batch { id, sale, attempts, traced: Vec::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_has_so_many_attempts() {
        for (count, read) in [(1, Ok(1)), (1_024, Ok(1_024)), (1_025, Err(DecodeError::Count(1_025)))] {
            let attempts = vec![Attempt { buyer: BuyerId(7), quantity: 1, waits: true }; count];
            let batch = Batch { id: BatchId::new(1, 2), sale: SaleId(1), attempts, traced: Vec::new() };
            assert_eq!(Batch::decode(&batch.encode()).map(|batch| batch.attempts.len()), read);
        }
    }

    /// A byte of before there was the bit means what it meant; with the bit it is more than anybody may ask for.
    #[test]
    fn who_would_not_wait_says_so_in_the_high_bit() {
        let wish = |quantity, waits| Attempt { buyer: BuyerId(7), quantity, waits }.wish();
        assert_eq!([wish(1, true), wish(8, true), wish(1, false), wish(8, false)], [1, 8, 129, 136]);
        assert_eq!([wish(129, true), wish(255, false)], [127, 255], "more than there is stays more than there is");
        for (quantity, waits) in [(1, true), (1, false), (8, true), (8, false), (127, false)] {
            let attempts = vec![Attempt { buyer: BuyerId(7), quantity, waits }];
            let batch = Batch { id: BatchId::new(1, 2), sale: SaleId(1), attempts, traced: Vec::new() };
            assert_eq!(Batch::decode(&batch.encode()), Ok(batch));
        }
    }
}
