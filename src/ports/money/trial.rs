//! The rules of the built-in provider: what becomes of each card, wherever its books are.

use crate::domain::shared::money::Money;
use crate::ports::money::payments::Unpayable;

/// What it knows; every other card is declined.
const CARDS: [&str; 4] = ["ok", "declined", "timeout", "late"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trial {
    Captured,
    Declined {
        why: &'static str,
    },
    /// No answer in time, and nothing was done.
    Silent,
    /// No answer in time, and it was captured.
    Late,
}

impl Trial {
    pub fn of(card: &str) -> Self {
        match card {
            "ok" => Trial::Captured,
            "declined" => Trial::Declined { why: "card declined" },
            "timeout" => Trial::Silent,
            "late" => Trial::Late,
            _ => Trial::Declined { why: "unknown card" },
        }
    }

    /// It takes every currency, and from the smallest unit on as much as its books can say.
    pub fn takes(amount: Money) -> Result<(), Unpayable> {
        match amount.minor {
            1.. => Ok(()),
            _ => Err(Unpayable::TooLittle { least: Money { minor: 1, ..amount } }),
        }
    }

    /// What a card is told from others by. The names that it knows are for everybody to try things with, and are no one card.
    pub fn fingerprint(card: &str) -> Option<String> {
        (!CARDS.contains(&card)).then(|| card.to_owned())
    }
}
