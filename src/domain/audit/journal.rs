//! The journal: who did what, when, from where, to what, how it was before and how it is after. Entries are numbered without holes
//! from 1, and each one's digest covers the one before, so that none can be changed, left out or put in between without every later
//! digest telling. Absent: any way to change or remove one.
//!
//! The actions and the subjects' kinds have constant names here. No person's name or address is ever in an entry: accounts are told
//! by their numbers, and what operators typed in their own words stays in the rows it was typed for.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::domain::people::author::{Actor, Author};
use crate::domain::seating::PlanHash;
use crate::domain::shared::id::{BuyerId, ItemId, RefundId, RequestId, SaleId};
use crate::domain::shared::time::Timestamp;

/// Characters of a subject.
pub const SUBJECT_CHARS_MAX: usize = 64;

macro_rules! actions {
    ($($(#[$doc:meta])* $arm:ident = $name:literal,)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Action {
            $($(#[$doc])* $arm,)*
        }

        impl Action {
            pub const ALL: &'static [Action] = &[$(Action::$arm),*];

            pub fn name(self) -> &'static str {
                match self {
                    $(Action::$arm => $name),*
                }
            }
        }
    };
}

actions! {
    AccountMade = "account.made",
    RoleSet = "account.role_set",
    /// An operator's password, and with it the second factor.
    PasswordReset = "account.password_reset",
    /// By the operator whose account it is; so are those that follow.
    PasswordSet = "account.password_set",
    AddressSet = "account.address_set",
    /// With new recovery codes.
    SecondFactorSet = "account.second_factor_set",
    /// One log-in.
    SessionEnded = "account.session_ended",
    /// All log-ins.
    LoggedOut = "account.logged_out",
    AccountErased = "account.erased",
    ItemMade = "item.made",
    /// A seating plan.
    PlanKept = "plan.kept",
    SaleMade = "sale.made",
    SalePublished = "sale.published",
    SaleEdited = "sale.edited",
    SalePaused = "sale.paused",
    SaleResumed = "sale.resumed",
    SaleClosed = "sale.closed",
    SaleRaised = "sale.raised",
    /// The turnstile is made anew from the ledger.
    RestoreBegun = "restore.begun",
    RestoreEnded = "restore.ended",
    /// Whether it may be decided from a consumer's memory.
    FallbackSet = "fallback.set",
    BlockMade = "block.made",
    BlockEnded = "block.ended",
    OrderRefunded = "order.refunded",
    RefundRetried = "refund.retried",
    RefundSettled = "refund.settled",
    CheckedIn = "check_in.made",
    CheckInUndone = "check_in.undone",
    /// Without a code: by the order, that its holder named.
    CheckedInByOrder = "check_in.by_order",
    /// Persons were read; what was typed is not in it.
    HoldersSought = "holders.sought",
    /// What a gate wrote down offline.
    CheckInsMerged = "check_in.merged",
    ExportBegun = "export.begun",
    ExportEnded = "export.ended",
    ReplayBegun = "replay.begun",
    ReplayEnded = "replay.ended",
    CleanupBegun = "cleanup.begun",
    CleanupEnded = "cleanup.ended",
    TendBegun = "tend.begun",
    TendEnded = "tend.ended",
}

impl Action {
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.name() == name)
    }
}

/// What was done something to, as `kind:name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    Account(BuyerId),
    Item(ItemId),
    /// By the first half of its hash, which is as long as a subject may be; the whole of it is in `after`.
    Plan(PlanHash),
    Sale(SaleId),
    Order(String),
    Refund(RefundId),
    /// All parked messages.
    Parked,
    /// All kept receipts.
    Receipts,
    /// The journal itself, when it leaves as a list.
    Journal,
    /// Whatever is over, when it is removed by hand.
    WhatIsOver,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Account(id) => write!(f, "account:{id}"),
            Subject::Item(id) => write!(f, "item:{id}"),
            Subject::Plan(hash) => write!(f, "plan:{:.32}", hash.to_string()),
            Subject::Sale(id) => write!(f, "sale:{id}"),
            Subject::Order(number) => write!(f, "order:{number}"),
            Subject::Refund(id) => write!(f, "refund:{id}"),
            Subject::Parked => f.write_str("parked"),
            Subject::Receipts => f.write_str("receipts"),
            Subject::Journal => f.write_str("journal"),
            Subject::WhatIsOver => f.write_str("over"),
        }
    }
}

/// What is to be written. `before` and `after` are small JSON objects, or empty where there is nothing to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub author: Author,
    pub action: Action,
    pub subject: Subject,
    pub before: String,
    pub after: String,
}

/// SHA-256 over an entry and the digest before it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// Before the first entry.
    pub const BEGIN: Digest = Digest([0; 32]);
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An entry as it lies in the ledger. Action and role are words here: entries are kept for ever, and some are older, or newer, than
/// whoever reads them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// From 1, without holes.
    pub number: u64,
    pub at: Timestamp,
    pub actor: Actor,
    /// Empty for a shell.
    pub role: String,
    pub network: String,
    pub request: RequestId,
    pub action: String,
    pub subject: String,
    pub before: String,
    pub after: String,
    pub digest: Digest,
}

impl Recorded {
    /// The next one after the head of the chain.
    pub fn next(head: Head, entry: &Entry) -> Self {
        let Entry { author, action, subject, before, after } = entry;
        let mut next = Self {
            number: head.number + 1,
            at: author.at,
            actor: author.actor,
            role: author.role.map(|role| role.name().to_owned()).unwrap_or_default(),
            network: author.network.clone(),
            request: author.request,
            action: action.name().to_owned(),
            subject: subject.to_string(),
            before: before.clone(),
            after: after.clone(),
            digest: Digest::BEGIN,
        };
        next.digest = next.digest_after(head.digest);
        next
    }

    pub fn head(&self) -> Head {
        Head { number: self.number, digest: self.digest }
    }

    /// What its digest has to be. Each part goes in behind its length: no two entries are the same bytes.
    pub fn digest_after(&self, before: Digest) -> Digest {
        let mut hash = Sha256::new();
        hash.update(before.0);
        hash.update(self.number.to_be_bytes());
        hash.update(self.at.0.to_be_bytes());
        hash.update(self.request.0.to_be_bytes());
        let actor = self.actor.to_string();
        for word in [&actor, &self.role, &self.network, &self.action, &self.subject, &self.before, &self.after] {
            hash.update((word.len() as u64).to_be_bytes());
            hash.update(word.as_bytes());
        }
        Digest(hash.finalize().into())
    }
}

/// How far the journal has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    pub number: u64,
    pub digest: Digest,
}

impl Head {
    pub const BEGIN: Head = Head { number: 0, digest: Digest::BEGIN };

    /// The head after this entry, if it is the one that follows; else what is wrong.
    pub fn then(self, entry: &Recorded) -> Result<Head, Break> {
        let wanted = self.number + 1;
        if entry.number != wanted {
            return Err(Break::Missing { number: wanted });
        }
        if entry.digest_after(self.digest) != entry.digest {
            return Err(Break::Changed { number: wanted });
        }
        Ok(entry.head())
    }
}

/// The first place where the journal is not as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Break {
    #[error("entry {number} is missing")]
    Missing { number: u64 },
    /// This one, or the digest of the one before.
    #[error("entry {number} is not what its digest covers")]
    Changed { number: u64 },
    #[error("the head says entry {number}, and another digest than that entry has")]
    Head { number: u64 },
    #[error("entry {number} is behind the head")]
    Beyond { number: u64 },
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::domain::people::Role;

    fn entry(after: &str) -> Entry {
        let author = Author {
            actor: Actor::Account(BuyerId(7)),
            role: Some(Role::Desk),
            network: "192.0.2.0".to_owned(),
            request: RequestId(9),
            at: Timestamp(1_000),
        };
        let (action, subject) = (Action::SaleRaised, Subject::Sale(SaleId(3)));
        Entry { author, action, subject, before: r#"{"capacity":1}"#.to_owned(), after: after.to_owned() }
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for action in Action::ALL {
            assert_eq!(Action::of_name(action.name()), Some(*action));
            assert!(action.name().len() <= 32, "{action:?}");
        }
        let names: HashSet<_> = Action::ALL.iter().map(|action| action.name()).collect();
        assert_eq!(names.len(), Action::ALL.len());
        assert_eq!(Action::of_name("sale.sold"), None);
        let longest = [
            Subject::Refund(RefundId(u128::MAX)).to_string(),
            Subject::Order("ABCD-EFGH-JKLM".to_owned()).to_string(),
            Subject::Sale(SaleId(u64::MAX)).to_string(),
            Subject::Plan(PlanHash([255; 32])).to_string(),
        ];
        assert!(longest.iter().all(|subject| subject.len() <= SUBJECT_CHARS_MAX));
    }

    #[test]
    fn a_chain_holds_until_something_in_it_is_another() {
        let first = Recorded::next(Head::BEGIN, &entry(r#"{"capacity":2}"#));
        let second = Recorded::next(first.head(), &entry(r#"{"capacity":3}"#));
        assert_eq!((first.number, second.number), (1, 2));
        assert_eq!(Head::BEGIN.then(&first).and_then(|head| head.then(&second)), Ok(second.head()));
        assert_eq!(Head::BEGIN.then(&second), Err(Break::Missing { number: 1 }));
        let changed: [fn(&mut Recorded); 9] = [
            |entry| entry.at = Timestamp(1_001),
            |entry| entry.actor = Actor::Shell,
            |entry| entry.role = "owner".to_owned(),
            |entry| entry.network = "192.0.3.0".to_owned(),
            |entry| entry.request = RequestId(10),
            |entry| entry.action = "sale.closed".to_owned(),
            |entry| entry.subject = "sale:4".to_owned(),
            |entry| entry.before = String::new(),
            |entry| entry.after = r#"{"capacity":2,"by":1}"#.to_owned(),
        ];
        for change in changed {
            let mut other = first.clone();
            change(&mut other);
            assert_eq!(Head::BEGIN.then(&other), Err(Break::Changed { number: 1 }), "{other:?}");
            // And made good in itself, it breaks the next one.
            other.digest = other.digest_after(Digest::BEGIN);
            let head = Head::BEGIN.then(&other).unwrap();
            assert_eq!(head.then(&second), Err(Break::Changed { number: 2 }), "{other:?}");
        }
    }

    /// What moves from one word into the next is something else.
    #[test]
    fn parts_do_not_run_into_each_other() {
        let first = Recorded::next(Head::BEGIN, &entry("{}"));
        let moved = Recorded { before: first.before.clone() + &first.after, after: String::new(), ..first.clone() };
        assert_ne!(first.digest_after(Digest::BEGIN), moved.digest_after(Digest::BEGIN));
    }
}
