//! What a worker has in hand between two of its calls.

use crate::state::{Answer, Core, R, Standing};

/// Revision and chain of the highest turn that a caller read.
pub type Known = (u8, u32);

/// What is told: standing and version of a row.
pub type Note = (Standing, u8);

/// Why an actor wants a restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The turnstile said STALE.
    Stale,
    /// The ledger refused an answer.
    Refused,
    /// The sweeper found it missing, of another generation, behind, or of another chain.
    Swept,
    /// The sweeper found a revision without a turn for long.
    Lost,
    /// A promotion waited for its row too long.
    Absent,
}

/// The payment provider's definite word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    Captured,
    Void,
}

/// What a worker has in hand. Between any two of its calls it may die, or sleep for as long as it likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Work {
    #[default]
    Idle,
    /// Looked at the ledger, goes to the turnstile with a batch, one or two releases (`second`), or a raise.
    Ask {
        cause: u8,
        second: Option<u8>,
        generation: u8,
        known: Known,
        /// Of a batch: at the look, these attempts' buyers had nothing live.
        free_buyers: u8,
    },
    /// Has the turnstile's answer, or two of them.
    Record {
        first: Answer,
        second: Answer,
    },
    Tell {
        batches: u8,
        notes: [Note; R],
    },
    /// Of these batches.
    Ack {
        batches: u8,
    },
    /// The sweeper looked at the ledger, goes to the turnstile.
    Compare {
        generation: u8,
        revision: u8,
        chain: u32,
    },
    /// Waits for the restore lock.
    Lock {
        carried: u8,
        reason: Reason,
    },
    /// Has the lock and looked at the ledger, goes to the turnstile.
    Judge {
        generation: u8,
        revision: u8,
        chain: u32,
        reason: Reason,
    },
    /// The first step of a restore is next: in the ledger.
    Rewrite {
        from: u8,
        reason: Reason,
    },
    /// The second step is next: in the turnstile. Without the lock, its connection broke after the first.
    Replace {
        generation: u8,
        core: Core,
        locked: bool,
    },
    /// A payment is recorded, and opened next.
    Open {
        reservation: u8,
        payment: u8,
    },
    /// It is opened; Held -> Paying next.
    Begin {
        reservation: u8,
        payment: u8,
    },
    Capture {
        reservation: u8,
        payment: u8,
    },
    /// The payment-consumer goes to void it.
    Void {
        reservation: u8,
        payment: u8,
    },
    /// The provider's word goes to the ledger.
    Settle {
        reservation: u8,
        payment: u8,
        verdict: Verdict,
    },
}
