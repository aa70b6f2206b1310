//! The rules of the till that can be switched off, one by one, to see what they are for.

/// Each removes a counter-example; `NEEDED` says, for each, where it is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// A void of what was never opened is final. Off: it can be opened later, and captured.
    VoidIsFinal,
    /// The row is taken before the provider is asked for anything. Off: a payment is opened, and then taken.
    TakenBeforeAsked,
    /// A hold is taken by what its row is under the lock. Off: by what the group read before.
    RowAsLocked,
    /// … and by the time of the transaction. Off: by the time of that look.
    TimeAsLocked,
    /// Of two checkouts of one hold in one group the second is judged by what the first did. Off: each by the row as
    /// it was locked.
    JudgedInOrder,
    /// Every move out of Paying names its payment. Off: it asks only for Paying.
    PayingNamesPayment,
    /// A time-out of the payment provider is no decline. Off: it is taken for one.
    TimeoutIsNoDecline,
    /// A group that cannot be written is written one by one. Off: it fails as a whole.
    OneFailsAlone,
    /// A request is claimed with the hold, and where it is another's nothing is done. Off: its key is looked at by no
    /// transaction.
    RequestIsClaimed,
    /// A claim whose lease is over keeps nothing any more. Off: it keeps its answer all the same.
    OverIsOver,
    /// What costs nothing has its payment written, as captured, in the confirming transaction. Off: in one after it.
    FreeIsCaptured,
    /// A face sends a checkout only while its caller is there. Off: it sends what it has begun.
    CallerIsThere,
}

impl Rule {
    pub const ALL: [Rule; 12] = [
        Rule::VoidIsFinal,
        Rule::TakenBeforeAsked,
        Rule::RowAsLocked,
        Rule::TimeAsLocked,
        Rule::JudgedInOrder,
        Rule::PayingNamesPayment,
        Rule::TimeoutIsNoDecline,
        Rule::OneFailsAlone,
        Rule::RequestIsClaimed,
        Rule::OverIsOver,
        Rule::FreeIsCaptured,
        Rule::CallerIsThere,
    ];
}
