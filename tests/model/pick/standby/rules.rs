//! The rules of standby by areas that can be switched off, one by one, to see what they are for.

/// Each removes a counter-example; `NEEDED` says, for each, where it is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Joining and freeing lock the map row before they read. Off: they read, and then write.
    LockFirst,
    /// Who joins is offered what is free. Off: joining only waits.
    JoiningChooses,
    /// What ended is freed in the transaction that offers it. Off: first freed, then offered.
    FreedWithOffer,
    /// After as many offers as a transaction makes, the rest stays unfreed. Off: all is freed with the first offer.
    RestStaysUnfreed,
    /// The first party that fits is offered. Off: the last.
    InOrder,
    /// A party whose buyer has an open hold is passed over. Off: its offer fails, and so does the transaction.
    OpenIsPassedOver,
    /// A party that can never fit any more is ended. Off: it waits.
    NeverFitsIsEnded,
    /// A payment that ends a buyer's open hold runs the chooser: his party was passed over until then. Off: it frees
    /// nothing, and nobody looks.
    PaidIsOffered,
    /// A seat that is freed while somebody waits for its area is for parties for a while. Off: it is open to all.
    FreedIsForParties,
}

impl Rule {
    pub const ALL: [Rule; 9] = [
        Rule::LockFirst,
        Rule::JoiningChooses,
        Rule::FreedWithOffer,
        Rule::RestStaysUnfreed,
        Rule::InOrder,
        Rule::OpenIsPassedOver,
        Rule::NeverFitsIsEnded,
        Rule::PaidIsOffered,
        Rule::FreedIsForParties,
    ];
}
