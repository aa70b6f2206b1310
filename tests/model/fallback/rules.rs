//! The rules of the fallback that can be switched off, one by one, to see what they are for.

/// Each removes a counter-example; `NEEDED` says, for each, where it is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Who falls back moves the ledger to the next generation. Off: its memory is of the generation that Redis may
    /// still have.
    NextGeneration,
    /// What is recorded is of the ledger's generation. Off: any answer whose chain fits is recorded.
    RecordCompares,
    /// The broker gives a sale's batches to one consumer. Off: to both.
    OneActive,
    /// The number of partitions stays. Off: another number, and the sale's later batches are another consumer's.
    PartitionsStay,
    /// A turnstile in memory of another generation than the sale's is dropped. Off: it is asked, and goes back to
    /// Redis like any.
    OldMemoryIsNone,
    /// While a lease is valid, others leave the sale's releases, restores and feed to its holder. Off: they do not
    /// look at it.
    LeaseIsLeft,
    /// When it has run out anybody may restore. Off: only its holder ends it.
    LeaseEnds,
    /// Its end is the ledger's time plus its length. Off: the holder's clock says when.
    LeaseByLedgerTime,
    /// The restore lock is held while restoring. Off: for as long as the memory is the sale's turnstile.
    LockWhileRestoring,
    /// Who has fallen back releases what has ended. Off: that is left to the payment-consumer, as with Redis.
    ReleasesItself,
    /// The way back is an ordinary restore from the ledger. Off: the memory is copied into Redis, as the next
    /// generation.
    ReturnRestores,
    /// To the feed, a turnstile of another generation than the sale's is none. Off: what it says is told.
    OtherGenerationIsNone,
}

impl Rule {
    pub const ALL: [Rule; 12] = [
        Rule::NextGeneration,
        Rule::RecordCompares,
        Rule::OneActive,
        Rule::PartitionsStay,
        Rule::OldMemoryIsNone,
        Rule::LeaseIsLeft,
        Rule::LeaseEnds,
        Rule::LeaseByLedgerTime,
        Rule::LockWhileRestoring,
        Rule::ReleasesItself,
        Rule::ReturnRestores,
        Rule::OtherGenerationIsNone,
    ];
}
