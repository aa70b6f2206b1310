//! Everything that can differ between two moments of the till's model.

/// Holds; checkouts, each with a payment of its own, by the same number; gateways; requests' keys.
pub const HOLDS: usize = 2;
pub const CHECKOUTS: usize = 3;
pub const GATEWAYS: usize = 2;
pub const KEYS: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Standing {
    #[default]
    Held,
    Paying,
    Confirmed,
    Lapsed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Row {
    pub standing: Standing,
    /// `lapses_at <= now`.
    pub overdue: bool,
    /// The payment that a Paying or Confirmed row names.
    pub payment: u8,
}

impl Row {
    pub fn names(&self, payment: usize) -> bool {
        matches!(self.standing, Standing::Paying | Standing::Confirmed) && self.payment as usize == payment
    }

    pub fn becomes(&mut self, standing: Standing, payment: usize) {
        (self.standing, self.payment) = (standing, payment as u8);
    }

    /// Out of Paying, with no money.
    pub fn goes_back(&mut self) {
        self.becomes(if self.overdue { Standing::Lapsed } else { Standing::Held }, 0);
    }
}

/// What the ledger has written of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Written {
    #[default]
    Nothing,
    Recorded,
    Void,
    Captured,
}

/// A payment at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Money {
    #[default]
    Unheard,
    Open,
    Captured,
    Dead,
}

/// What a caller is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// With this payment.
    Order(u8),
    Declined,
    Lapsed,
    /// Not known yet.
    Paying,
    /// Its request is being carried out elsewhere.
    InFlight,
    Fault,
}

impl Answer {
    /// Who asks again under the same key is told the same.
    pub fn is_definite(self) -> bool {
        matches!(self, Answer::Order(_) | Answer::Declined | Answer::Lapsed)
    }
}

/// Of a request's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Claim {
    #[default]
    Free,
    /// By a checkout, until its lease is over.
    Taken(u8),
    Kept(Answer),
}

/// How far a checkout is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Work {
    #[default]
    Unsent,
    /// For the next group that begins.
    Waiting,
    /// Its group has looked at the row: what is to be said of it, where it cannot be paid.
    Planned {
        says: Option<Answer>,
    },
    Open,
    /// Opened before the row is taken, with that rule off.
    Take,
    Capture,
    /// Captured: for the next group that finishes.
    Finish,
    /// Declined, or taken for it: to be written.
    Decline,
    /// Opening failed: to be voided.
    Unopened,
    /// Voided: to be written.
    GiveBack,
    /// Free, and its payment is written after its order, with that rule off.
    Note,
    /// To be kept, and told.
    Say(Answer),
    Told(Answer),
    /// Its gateway died.
    Lost,
}

impl Work {
    pub fn is_over(self) -> bool {
        matches!(self, Work::Unsent | Work::Told(_) | Work::Lost)
    }
}

/// What the payment-consumer has in hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Payer {
    #[default]
    Idle,
    Void(u8),
    Settle {
        payment: u8,
        is_captured: bool,
    },
}

/// How often something may still happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Budget {
    /// A gateway or the payment-consumer dies.
    pub crashes: u8,
    /// The provider does not answer in time.
    pub timeouts: u8,
    /// A claim's lease ends while its holder is only slow.
    pub slow: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct State {
    pub rows: [Row; HOLDS],
    pub written: [Written; CHECKOUTS],
    pub claims: [Claim; KEYS],
    pub money: [Money; CHECKOUTS],
    /// Bits: a call whose caller got no answer, and whose effect may still come.
    pub late_opens: u8,
    pub late_captures: u8,
    pub work: [Work; CHECKOUTS],
    pub payer: Payer,
    /// Bits: a face's checkout whose caller hung up before it was sent.
    pub gone: u8,
    pub left: Budget,
    pub broken: Option<Broken>,
}

/// By the design's numbers, and what no number has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Broken {
    /// 7. A capture that its hold does not name, and so a second charge of a hold; an order without a captured payment.
    Money,
    /// 8. A payment begins when the hold's time is over.
    Deadline,
    /// Two payments of one hold are open at the provider.
    TwoAtOnce,
    /// A checkout fails for what is wrong with another one.
    Alone,
    /// What was kept under a key is replaced by something else.
    Once,
    /// An order of a caller who had hung up before it was asked for.
    Unasked,
}
