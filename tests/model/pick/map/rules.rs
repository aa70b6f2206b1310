//! The rules of the live map that can be switched off, one by one, to see what they are for.

/// Each removes a counter-example; `NEEDED` says, for each, where it is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// A notice at or below the gateway's revision is dropped. Off: what arrives last stands.
    RevisionOrders,
    /// Above a gap the log is read. Off: the notice is applied.
    GapReads,
    /// A gateway asks for the revision once in a while. Off: it lives on notices alone.
    RevisionAsked,
    /// Whose revision is below the log's end reads a snapshot. Off: it reads what is left of the log.
    CutLogIsNoLog,
    /// A snapshot's seats and revision are read at one moment. Off: first the seats, and then the revision.
    OneSnapshot,
    /// What is read is at least of the revision that the gateway has. Off: a replica may say anything.
    ReadsNoLess,
    /// A client says what it has, and is not answered with less. Off: it takes what its new gateway has.
    NobodyAnswersWithLess,
    /// Who restores a ledger raises its epoch, which goes before the revision. Off: only its revisions go back.
    EpochRaised,
}

impl Rule {
    pub const ALL: [Rule; 8] = [
        Rule::RevisionOrders,
        Rule::GapReads,
        Rule::RevisionAsked,
        Rule::CutLogIsNoLog,
        Rule::OneSnapshot,
        Rule::ReadsNoLess,
        Rule::NobodyAnswersWithLess,
        Rule::EpochRaised,
    ];
}
