//! A payment: opened (no money moves), then captured or voided, once. Of a captured one money may go back: all of it, or in
//! parts, and never more than moved. Written down as going back is not gone back: a refund says where it stands.

use sha1::{Digest, Sha1};

use crate::domain::shared::id::{BuyerId, PaymentId, RefundId, ReservationId, SaleId};
use crate::domain::shared::money::Money;
use crate::domain::shared::time::Timestamp;

/// Where our books have a payment. The provider has the last word on whether money moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum PaymentState {
    /// Written before it is opened at the provider; whether it was is not known.
    Opened = 1,
    /// Money moved. What goes back of it are its refunds.
    Captured = 2,
    /// It never will move.
    Voided = 3,
}

impl PaymentState {
    pub const ALL: [PaymentState; 3] = [PaymentState::Opened, PaymentState::Captured, PaymentState::Voided];
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    pub id: PaymentId,
    pub reservation: ReservationId,
    pub sale: SaleId,
    pub amount: Money,
    pub state: PaymentState,
    pub opened_at: Timestamp,
}

/// Payments of one hold that may come to nothing; with the last of them the hold ends. Whoever tries stolen cards tries many.
pub const DECLINES_MAX: u8 = 5;
/// Of one buyer on one day (UTC); with each one more a hold ends at once.
pub const DECLINES_DAY_MAX: u32 = 20;
/// Of one card on one day (UTC), whoever's holds it is tried on; with each one more a hold ends at once.
pub const DECLINES_CARD_MAX: u32 = 5;
/// After more than so many the bank's reasons are not told any more.
pub const DECLINES_TOLD_MAX: u8 = 2;

/// One giving back of money, as the provider is asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refund {
    pub id: RefundId,
    pub payment: PaymentId,
    pub amount: Money,
}

/// Why money goes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// It moved, and there was nothing left that it could pay for.
    CaptureTooLate,
    /// An operator gave these units of an order back, and perhaps said why.
    Operator { units: Vec<u32>, reason: Option<String> },
    /// It was made in the provider's own dashboard. Which units that means cannot be known here.
    AtProvider,
}

/// Where a refund stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundState {
    /// The provider is to be asked for it, at this time.
    Due {
        next_at: Timestamp,
    },
    /// The provider has it, and it is pending there; it is looked at again at this time.
    Sent {
        next_at: Timestamp,
    },
    Done {
        at: Timestamp,
    },
    /// It did not go back, and is not asked for again unless an operator says so. The code is the provider's reason.
    Failed {
        at: Timestamp,
        code: String,
    },
    /// It failed, and an operator says how it was settled in another way.
    Settled {
        at: Timestamp,
        by: BuyerId,
        note: String,
    },
}

/// The same without what its arms carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum RefundKind {
    Due = 1,
    Sent = 2,
    Done = 3,
    Failed = 4,
    Settled = 5,
}

impl RefundKind {
    pub const ALL: [RefundKind; 5] =
        [RefundKind::Due, RefundKind::Sent, RefundKind::Done, RefundKind::Failed, RefundKind::Settled];

    pub fn name(self) -> &'static str {
        match self {
            RefundKind::Due => "due",
            RefundKind::Sent => "sent",
            RefundKind::Done => "done",
            RefundKind::Failed => "failed",
            RefundKind::Settled => "settled",
        }
    }

    /// Whether the provider keeps the money in this state, and goes on keeping it.
    pub fn stays(self) -> bool {
        matches!(self, RefundKind::Failed | RefundKind::Settled)
    }
}

impl std::str::FromStr for RefundKind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        RefundKind::ALL.into_iter().find(|kind| kind.name() == text).ok_or(())
    }
}

impl RefundState {
    pub fn kind(&self) -> RefundKind {
        match self {
            RefundState::Due { .. } => RefundKind::Due,
            RefundState::Sent { .. } => RefundKind::Sent,
            RefundState::Done { .. } => RefundKind::Done,
            RefundState::Failed { .. } => RefundKind::Failed,
            RefundState::Settled { .. } => RefundKind::Settled,
        }
    }
}

/// A refund as our books have it: written when it was decided, and moved by one conditional write after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundEntry {
    pub refund: Refund,
    /// The one that was paid for, or was to be.
    pub reservation: ReservationId,
    pub sale: SaleId,
    pub why: Why,
    pub made_at: Timestamp,
    /// Tries that the provider ended with a definite no. The next one needs a name of its own there.
    pub tries: u32,
    /// How often it was asked for since it was due: each wait is twice as long as the one before.
    pub asks: u32,
    pub version: u64,
    pub state: RefundState,
}

/// What the provider says to a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundAnswer {
    Done,
    /// It has it, and does not know yet how it ends.
    Sent,
    /// Nothing was done, and of this try nothing will be.
    Refused {
        code: String,
    },
    /// It took it, and ended it: no money went back.
    Failed {
        code: String,
    },
}

/// A refund as the provider has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeRefund {
    /// As we asked for it; derived from the provider's own id where we did not.
    pub id: RefundId,
    pub by_us: bool,
    pub minor: i64,
    pub answer: RefundAnswer,
}

impl MadeRefund {
    /// Whether the provider counts it as given back.
    pub fn went(&self) -> bool {
        matches!(self.answer, RefundAnswer::Done | RefundAnswer::Sent)
    }
}

/// How a refund is asked for again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefundPace {
    pub wait_ms: i64,
    pub wait_ms_max: i64,
    pub tries_max: u32,
}

impl RefundPace {
    /// Before the next ask, after so many.
    fn wait_ms(self, asks: u32) -> i64 {
        self.wait_ms.saturating_mul(1 << asks.min(40)).min(self.wait_ms_max)
    }
}

impl RefundEntry {
    /// Due from the beginning; done where nothing is to move.
    pub fn due(refund: Refund, reservation: ReservationId, sale: SaleId, why: Why, now: Timestamp) -> Self {
        let state = match refund.amount.minor {
            0 => RefundState::Done { at: now },
            _ => RefundState::Due { next_at: now },
        };
        Self { refund, reservation, sale, why, made_at: now, tries: 0, asks: 0, version: 1, state }
    }

    fn moved(&self, state: RefundState) -> Self {
        Self { state, version: self.version + 1, ..self.clone() }
    }

    fn failed(&self, code: &str, now: Timestamp) -> Self {
        let state = RefundState::Failed { at: now, code: code.to_owned() };
        Self { tries: self.tries + 1, ..self.moved(state) }
    }

    /// The process that writes this may ask the provider. Another may when the wait is over, whatever became of the first ask.
    pub fn asked(&self, pace: RefundPace, now: Timestamp) -> Option<Self> {
        let after = now.plus_ms(pace.wait_ms(self.asks));
        let state = match self.state {
            RefundState::Due { next_at } if next_at <= now => RefundState::Due { next_at: after },
            RefundState::Sent { next_at } if next_at <= now => RefundState::Sent { next_at: after },
            _ => return None,
        };
        Some(Self { asks: self.asks.saturating_add(1), ..self.moved(state) })
    }

    /// What the answer to a try makes of it; `None` when it changes nothing.
    pub fn answered(&self, answer: &RefundAnswer, pace: RefundPace, now: Timestamp) -> Option<Self> {
        let (RefundState::Due { next_at } | RefundState::Sent { next_at }) = self.state else { return None };
        match answer {
            RefundAnswer::Done => Some(self.moved(RefundState::Done { at: now })),
            RefundAnswer::Sent if self.state.kind() == RefundKind::Sent => None,
            RefundAnswer::Sent => Some(self.moved(RefundState::Sent { next_at })),
            RefundAnswer::Refused { code } if self.tries + 1 >= pace.tries_max => Some(self.failed(code, now)),
            RefundAnswer::Refused { .. } => {
                Some(Self { tries: self.tries + 1, ..self.moved(RefundState::Due { next_at }) })
            }
            RefundAnswer::Failed { code } => Some(self.failed(code, now)),
        }
    }

    /// What the provider's own list makes of it; `None` when it changes nothing. A try that failed before is no news of one
    /// that is due.
    pub fn told(&self, made: &[MadeRefund], now: Timestamp) -> Option<Self> {
        let ours = || made.iter().filter(|made| made.id == self.refund.id);
        let best = ours().find(|made| made.answer == RefundAnswer::Done).or_else(|| ours().find(|made| made.went()));
        match (best.or_else(|| ours().next()).map(|made| &made.answer)?, self.state.kind()) {
            (RefundAnswer::Done, RefundKind::Due | RefundKind::Sent | RefundKind::Failed) => {
                Some(self.moved(RefundState::Done { at: now }))
            }
            (RefundAnswer::Sent, RefundKind::Due | RefundKind::Failed) => {
                Some(self.moved(RefundState::Sent { next_at: now }))
            }
            (RefundAnswer::Failed { code }, RefundKind::Sent | RefundKind::Done) => Some(self.failed(code, now)),
            _ => None,
        }
    }

    /// By an operator: asked for once more, under a name of its own.
    pub fn retried(&self, now: Timestamp) -> Option<Self> {
        let has_failed = self.state.kind() == RefundKind::Failed;
        has_failed.then(|| Self { asks: 0, ..self.moved(RefundState::Due { next_at: now }) })
    }

    /// By an operator, who gave the money back in another way.
    pub fn settled(&self, by: BuyerId, note: &str, now: Timestamp) -> Option<Self> {
        let has_failed = self.state.kind() == RefundKind::Failed;
        has_failed.then(|| self.moved(RefundState::Settled { at: now, by, note: note.to_owned() }))
    }

    /// So much of it was given back elsewhere.
    fn less(&self, minor: i64, now: Timestamp) -> Self {
        let state = if minor == self.refund.amount.minor { RefundState::Done { at: now } } else { self.state.clone() };
        let amount = Money { minor: self.refund.amount.minor - minor, ..self.refund.amount };
        // Another amount is another try.
        Self { refund: Refund { amount, ..self.refund }, tries: self.tries + 1, ..self.moved(state) }
    }
}

/// `minor` of a payment was refunded at the provider, which has `kept_minor` left of it: what is owed of the payment is owed no
/// more, as far as it goes. First what failed, then what is due and could not go back any more. The entries that change, and how;
/// and what of the money was owed by none.
pub fn made_good(
    entries: &[RefundEntry],
    minor: i64,
    kept_minor: i64,
    now: Timestamp,
) -> (Vec<(RefundEntry, RefundEntry)>, i64) {
    let of = |kind: RefundKind| entries.iter().filter(move |entry| entry.state.kind() == kind);
    let due: i64 = of(RefundKind::Due).map(|entry| entry.refund.amount.minor).sum();
    let (mut rest, mut short) = (minor, (due - kept_minor).max(0));
    let mut changes = Vec::new();
    for entry in of(RefundKind::Failed).chain(of(RefundKind::Due)) {
        let mut less = entry.refund.amount.minor.min(rest);
        if entry.state.kind() == RefundKind::Due {
            less = less.min(short);
            short -= less;
        }
        if less > 0 {
            rest -= less;
            changes.push((entry.clone(), entry.less(less, now)));
        }
    }
    (changes, rest)
}

impl RefundId {
    /// Of a capture that could not stand: one for each payment, however often it is found.
    pub fn of_payment(payment: PaymentId) -> Self {
        Self(payment.0)
    }

    /// Of units that an operator gave back: one for each reservation that ended by it.
    pub fn of_ended(ended: ReservationId) -> Self {
        Self(ended.0)
    }

    /// Of one that was made at the provider, which calls it so.
    pub fn at_provider(theirs: &str) -> Self {
        let digest = Sha1::digest(theirs.as_bytes());
        Self::from_bytes(digest[..16].try_into().expect("a digest is 20 bytes"))
    }
}
