//! The messages of a socket, JSON texts in both directions.

use bytestring::ByteString;
use serde::{Deserialize, Serialize};

use crate::domain::sale::Phase;
use crate::domain::shared::id::SaleId;
use crate::domain::shared::time::Timestamp;
use crate::faces::live::close::{Close, Next};

/// What a client says.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Asked {
    Hello {
        #[serde(default)]
        token: Option<String>,
        #[serde(default)]
        sales: Vec<SaleId>,
    },
    Watch {
        sale: SaleId,
    },
    Unwatch {
        sale: SaleId,
    },
    Ping {},
}

/// What it is told. A `status` is put together where its truth is read.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Told {
    Time { server_time: Timestamp },
    Pong { server_time: Timestamp },
    Refused { what: &'static str, sale: SaleId, reason: &'static str },
    Bye { reason: &'static str, code: u16, next: Next, come_back_in_ms: u64 },
    Status { sale: SaleId, status: &'static str },
}

/// The counters of a sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename = "sale")]
pub struct Counters {
    pub sale: SaleId,
    /// Of what operators decide: where it is another one, a page reads the sale anew.
    pub version: u64,
    pub state: Phase,
    pub left: u32,
    /// Everything is sold: only what is given back or added can be had.
    pub all_paid: bool,
    /// Parties that wait.
    pub standby: u32,
    /// Nothing is left, and no party may join standby any more.
    pub exhausted: bool,
}

/// Where a buyer stands: what `GET …/reservation` answers, and which sale it is about.
#[derive(Serialize)]
pub struct Status<'a, V> {
    pub r#type: &'static str,
    pub sale: SaleId,
    #[serde(flatten)]
    pub view: &'a V,
}

pub fn text(word: &impl Serialize) -> ByteString {
    serde_json::to_string(word).expect("texts and numbers are always JSON").into()
}

pub fn time(now: Timestamp) -> ByteString {
    text(&Told::Time { server_time: now })
}

pub fn pong(now: Timestamp) -> ByteString {
    text(&Told::Pong { server_time: now })
}

pub fn refused(sale: SaleId, reason: &'static str) -> ByteString {
    text(&Told::Refused { what: "watch", sale, reason })
}

/// A buyer who has no reservation of the sale.
pub fn nothing(sale: SaleId) -> ByteString {
    text(&Told::Status { sale, status: "none" })
}

pub fn bye(close: Close) -> ByteString {
    let come_back_in_ms = close.come_back_in_ms();
    text(&Told::Bye { reason: close.name(), code: close.code(), next: close.next(), come_back_in_ms })
}
