//! The numbers by which columns know states and kinds: statements are given the state, never its number. What is numbered in the
//! domain has the same number here, and a column's number that is none of these is an error.

use super::stored::stored;
use crate::domain::money::payment::{PaymentState, RefundKind};
use crate::domain::people::Role;
use crate::domain::sale::reservation::Kind;
use crate::domain::sale::{SaleState, StandbyUntil};
use crate::ports::receipts::admissions::Why;

macro_rules! codes {
    ($($of:ident: $($arm:ident = $code:literal),+;)*) => {
        $(stored!(
            $of as i64,
            |arm| Ok(match arm { $($of::$arm => $code),+ }),
            |code| match code {
                $($code => Ok($of::$arm),)+
                other => Err(format!(concat!(stringify!($of), " has no number {}"), other).into()),
            }
        );)*
    };
}

codes! {
    Counted: Codes = 1, PasswordLetters = 2, AddressLetters = 3, BuyersDeclines = 4, CardsDeclines = 5;
    Kind: Blocked = 0, Standby = 1, Held = 2, Paying = 3, Confirmed = 4, Lapsed = 5, Cancelled = 6, Ended = 7, Refunded = 8;
    Letter: Unsent = 1, Sent = 2, Refused = 3, Nobody = 4;
    Listing: Unlisted = 0, Upcoming = 1, Open = 2, Over = 3, Draft = 4;
    PaymentState: Opened = 1, Captured = 2, Voided = 3;
    RefundKind: Due = 1, Sent = 2, Done = 3, Failed = 4, Settled = 5;
    RefundWhy: CaptureTooLate = 1, Operator = 2, AtProvider = 3;
    Purpose: SignUp = 1, LogIn = 2, NewAddress = 3;
    Role: Shopper = 1, Owner = 2, Desk = 3, Door = 4, Viewer = 5;
    SaleState: Active = 1, Paused = 2, Closed = 3;
    SandboxState: Opened = 1, Captured = 2, Voided = 3;
    StandbyUntil: Paid = 1, Closed = 2;
    Why: Twice = 1, Revoked = 2;
}

/// Why money goes back, without what its arms carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundWhy {
    CaptureTooLate,
    Operator,
    AtProvider,
}

/// In which lists a sale is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    Unlisted,
    Upcoming,
    Open,
    Over,
    /// In none but the operators', until it is published.
    Draft,
}

/// What a code is for, without what its arms carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    SignUp,
    LogIn,
    NewAddress,
}

/// What one may have so often a day: an address its letters, a buyer and a card their declines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    Codes,
    PasswordLetters,
    AddressLetters,
    BuyersDeclines,
    CardsDeclines,
}

/// Where a letter of the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Letter {
    Unsent,
    Sent,
    Refused,
    Nobody,
}

/// Where the sandbox's own books have a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SandboxState {
    Opened,
    Captured,
    Voided,
}

#[cfg(test)]
mod tests {
    use sqlx::{Connection as _, Decode, Encode, Row as _, Sqlite, SqliteConnection, Type};

    use super::*;

    /// The number in the column, having seen that it reads as the same.
    async fn code<T>(state: T) -> i64
    where
        T: for<'a> Encode<'a, Sqlite> + for<'a> Decode<'a, Sqlite> + Type<Sqlite> + Copy + PartialEq + std::fmt::Debug,
    {
        let mut conn = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        let row = sqlx::query("SELECT ? AS state").bind(state).fetch_one(&mut conn).await.unwrap();
        assert_eq!(row.get::<T, _>("state"), state);
        row.get("state")
    }

    #[tokio::test]
    async fn numbers_are_the_domains() {
        for kind in Kind::ALL {
            assert_eq!(code(kind).await, kind as i64, "{kind:?}");
        }
        for state in PaymentState::ALL {
            assert_eq!(code(state).await, state as i64, "{state:?}");
        }
        for kind in RefundKind::ALL {
            assert_eq!(code(kind).await, kind as i64, "{kind:?}");
        }
        for why in [Why::Twice, Why::Revoked] {
            assert_eq!(code(why).await, why as i64, "{why:?}");
        }
    }

    /// Statements say `state <= Confirmed` for what is live, and what waits, is held or is paid for is between Standby and Paying.
    #[test]
    fn what_is_live_comes_first() {
        assert!(Kind::ALL.into_iter().all(|kind| kind.is_live() == (kind as u8 <= Kind::Confirmed as u8)));
        let between = (Kind::Standby as u8)..=(Kind::Paying as u8);
        let pending: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| between.contains(&(*kind as u8))).collect();
        assert_eq!(pending, [Kind::Standby, Kind::Held, Kind::Paying]);
    }

    #[tokio::test]
    async fn what_has_no_meaning_is_an_error() {
        let mut conn = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        let row = sqlx::query("SELECT 9 AS state").fetch_one(&mut conn).await.unwrap();
        assert!(row.try_get::<Kind, _>("state").is_err());
        assert!(row.try_get::<SaleState, _>("state").is_err());
    }
}
