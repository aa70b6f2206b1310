//! The rules of a hold that can be switched off, one by one, to see what they are for.

/// Each removes a counter-example; `NEEDED` says, for each, where it is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// A payment begins at the version it was priced at. Off: at whatever is held by then.
    PaymentNamesVersion,
    /// So does the confirm of what costs nothing.
    FreeNamesVersion,
    /// What is being paid neither grows nor shrinks. Off: picks and drops ask only whose it is.
    PayingIsFixed,
    /// Every move out of Paying names its payment. Off: it asks only for Paying.
    PayingNamesPayment,
    /// Units that are the buyer's already are granted. Off: they are taken, by himself.
    MineIsGranted,
    /// A pick lapses its buyer's overdue hold first. Off: it makes that one grow.
    OverdueLapsesFirst,
    /// Growing does not lengthen a hold. Off: its time begins anew.
    GrowingKeepsTime,
    /// The wait before the next hold counts from any end but payment. Off: from a lapse alone.
    AgainCountsAnyEnd,
    /// What ended is freed in the transaction that offers it. Off: first freed, and then offered.
    FreedWithOffer,
}

impl Rule {
    pub const ALL: [Rule; 9] = [
        Rule::PaymentNamesVersion,
        Rule::FreeNamesVersion,
        Rule::PayingIsFixed,
        Rule::PayingNamesPayment,
        Rule::MineIsGranted,
        Rule::OverdueLapsesFirst,
        Rule::GrowingKeepsTime,
        Rule::AgainCountsAnyEnd,
        Rule::FreedWithOffer,
    ];
}
