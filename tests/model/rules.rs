//! The rules of the design that can be switched off, one by one, to see what they are for.

/// Each removes a counter-example; `scenarios` names, for each, where it is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Rule {
    /// The turnstile keeps a release's answer under its reservation. Off: asked again, it knows nothing of it and promotes no party.
    ReleaseRepeats,
    /// A call carries the highest revision its caller knows, and a turnstile behind that answers STALE. Off: it answers.
    RevisionCarried,
    /// STALE for an old generation means: read it again. Off: a worker that gets it restores, there and then.
    OldGenerationReads,
    /// A revision carries a chain of causes. Off: revisions are compared by number alone.
    Chained,
    /// Already done means same cause, generation, revision and chain. Off: any unique key that is taken means done.
    DoneIsExact,
    /// A turn that does not fit the chain of a recorded neighbour is refused. Off: it is recorded.
    NeighboursFit,
    /// A row is created only in its own batch's turn. Off: a promotion makes the row it does not find.
    BornInItsTurn,
    /// A promotion that waits for its row too long restores. Off: it waits.
    AbsentRestores,
    /// A promotion leaves a row that has ended as it is. Off: it holds it.
    EndedStays,
    /// A notice is made from the row. Off: from the turnstile's answer, or the turn's byte.
    NoticeFromRow,
    /// A time-out of the payment provider is no decline. Off: it is taken for one.
    TimeoutIsNoDecline,
    /// Every move out of Paying names its payment. Off: it asks only for Paying.
    PayingNamesPayment,
    /// After the close, standby ends only when nothing is held, paying or unfreed. Off: it ends with the sale.
    StandbyOutlastsHolds,
    /// While the sale is open, standby goes on though everything is paid. Off: it ends with the last payment.
    StandbyOutlastsPayment,
    /// After the close, a party that fits into what the ledger has free stays: a raise is on its way. Off: it is ended.
    StandbyOutlastsRaise,
    /// The sweeper restores a turnstile that is missing.
    SweepsMissing,
    /// … that is of another generation than the sale.
    SweepsGeneration,
    /// … that is behind the highest turn.
    SweepsBehind,
    /// … that has another chain at the revision of the highest turn.
    SweepsChain,
    /// … that went through a revision which has had no turn for long.
    SweepsLostAnswer,
    /// Both steps of a restore run under one lock. Off: restores overlap.
    OneRestorer,
    /// Who holds the lock looks first whether the generation moved. Off: it restores whatever it finds.
    HolderReads,
    /// Who holds the lock looks first whether turnstile and ledger agree by now. Off: it restores all the same.
    HolderCompares,
    /// To a holder who came for STALE, or from the sweeper's look, a turnstile ahead of the ledger agrees with it: its answer is
    /// on its way. Off: they must be equal.
    AheadIsInFlight,
    /// A call carries the chain of that highest revision too, and a turnstile that has another chain there answers STALE; who
    /// holds the lock, or sweeps, asks it the same for the highest turn. Off: only one that is behind is stale.
    ChainCarried,
    /// An operator raises the capacity in the ledger, and the sweeper then in the turnstile. Off: first in the turnstile.
    LedgerRaisesFirst,
    /// A release of units that were split from a reservation takes back those, and leaves it the others. Off: it takes all.
    PartLeavesTheRest,
    /// … and only while that reservation still has them. Off: any reservation that has them by now.
    PartIsItsOwners,
    /// What was split counts as unfreed until its release is recorded. Off: it is written as freed.
    PartIsUnfreed,
    /// What the house is denied is created ended, and counts as unfreed. Off: it is written as freed.
    DeniedIsUnfreed,
    /// An attempt that would not wait takes no place on standby. Off: it waits like any.
    AnonymousNeverWaits,
}

impl Rule {
    pub const ALL: [Rule; 31] = [
        Rule::ReleaseRepeats,
        Rule::RevisionCarried,
        Rule::OldGenerationReads,
        Rule::Chained,
        Rule::DoneIsExact,
        Rule::NeighboursFit,
        Rule::BornInItsTurn,
        Rule::AbsentRestores,
        Rule::EndedStays,
        Rule::NoticeFromRow,
        Rule::TimeoutIsNoDecline,
        Rule::PayingNamesPayment,
        Rule::StandbyOutlastsHolds,
        Rule::StandbyOutlastsPayment,
        Rule::StandbyOutlastsRaise,
        Rule::SweepsMissing,
        Rule::SweepsGeneration,
        Rule::SweepsBehind,
        Rule::SweepsChain,
        Rule::SweepsLostAnswer,
        Rule::OneRestorer,
        Rule::HolderReads,
        Rule::HolderCompares,
        Rule::AheadIsInFlight,
        Rule::ChainCarried,
        Rule::LedgerRaisesFirst,
        Rule::PartLeavesTheRest,
        Rule::PartIsItsOwners,
        Rule::PartIsUnfreed,
        Rule::DeniedIsUnfreed,
        Rule::AnonymousNeverWaits,
    ];
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules(u32);

impl Rules {
    pub const ALL: Rules = Rules(u32::MAX);

    pub const fn without(self, rule: Rule) -> Rules {
        Rules(self.0 & !(1 << rule as u8))
    }

    pub const fn has(self, rule: Rule) -> bool {
        self.0 & (1 << rule as u8) != 0
    }
}
