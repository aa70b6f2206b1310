//! What comes into a session, and what comes out.

use std::sync::Arc;

use bytes::Bytes;
use bytestring::ByteString;

use crate::domain::shared::id::{BuyerId, ReservationId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::faces::live::close::Close;

/// The moment of an input: on the process's own watch, and by the ledger.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    pub ms: u64,
    pub at: Timestamp,
}

/// A sale's counters, made once for all sockets that watch it.
#[derive(Debug, PartialEq, Eq)]
pub struct SaleWord {
    pub sale: SaleId,
    /// Grows with every change.
    pub number: u64,
    pub text: ByteString,
}

/// Who it is, until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pass {
    pub buyer: BuyerId,
    pub expires_at: Timestamp,
}

/// What the ledger says of the buyer in one sale.
#[derive(Debug, PartialEq, Eq)]
pub enum Truth {
    NoSuchSale,
    Nothing,
    Row { born_at: Timestamp, reservation: ReservationId, version: u64, text: ByteString },
}

/// What reaches the session from the process around it.
#[derive(Debug)]
pub enum Input {
    Entered(Result<Pass, Close>),
    Truth {
        sale: SaleId,
        truth: Truth,
    },
    Notice {
        sale: SaleId,
        reservation: ReservationId,
        version: u64,
    },
    /// Notices may have been lost.
    Missed,
    Sale(Arc<SaleWord>),
    /// More waits to be sent than may wait.
    TooSlow,
    /// The token that was shown is good no more.
    LoggedOut,
    Stop {
        come_back_in_ms: u64,
    },
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    Say(ByteString),
    Ping,
    Pong(Bytes),
    /// Verify the token, take a place in the register; the answer is [`Input::Entered`].
    Enter(String),
    Watch(SaleId),
    Unwatch(SaleId),
    /// Read the ledger; the answer is [`Input::Truth`]. `first`: it is not known yet whether there is such a sale.
    Look {
        sale: SaleId,
        first: bool,
    },
    Close(Close),
    /// Nothing more will come of it.
    Drop,
}
