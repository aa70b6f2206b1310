//! Requests made before the clock starts: one for each buyer, all alike but for the token.

use miaosha::domain::shared::id::{BuyerId, SaleId};
use miaosha::faces::tokens::TokenKeys;

use crate::keys::admission;

/// Shoppers with accounts have small numbers; these never meet them.
pub const FIRST_BUYER: u64 = 1_000_000_000_000;

pub struct Shots {
    before: Vec<u8>,
    after: Vec<u8>,
    /// Of the same length, one behind the other.
    tokens: Vec<u8>,
    token_bytes: usize,
}

impl Shots {
    /// Attempts of `count` distinct buyers, for one unit each.
    pub fn attempts(keys: &TokenKeys, sale: u64, count: u64) -> Self {
        Self::with_body(keys, sale, count, r#"{"quantity":1}"#)
    }

    /// The same without a body: an actix-web handler that leaves a body unread costs its connection.
    pub fn empty(keys: &TokenKeys, count: u64) -> Self {
        Self::with_body(keys, 1, count, "")
    }

    fn with_body(keys: &TokenKeys, sale: u64, count: u64, body: &str) -> Self {
        let token = |number| admission(keys, BuyerId(FIRST_BUYER + number), SaleId(sale));
        let token_bytes = token(0).len();
        let mut tokens = Vec::with_capacity(token_bytes * count as usize);
        for number in 0..count {
            tokens.extend_from_slice(token(number).as_bytes());
        }
        assert_eq!(tokens.len(), token_bytes * count as usize, "buyers of as many digits have tokens of one length");
        Self {
            before: format!("POST /v1/sales/{sale}/attempts HTTP/1.1\r\nHost: shop\r\nAuthorization: Bearer ").into(),
            after: format!("\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into(),
            tokens,
            token_bytes,
        }
    }

    pub fn count(&self) -> u64 {
        (self.tokens.len() / self.token_bytes) as u64
    }

    /// Writes the request of buyer `number`, beginning anew behind the last.
    pub fn write(&self, number: u64, into: &mut Vec<u8>) {
        let at = (number % self.count()) as usize * self.token_bytes;
        into.clear();
        into.extend_from_slice(&self.before);
        into.extend_from_slice(&self.tokens[at..at + self.token_bytes]);
        into.extend_from_slice(&self.after);
    }
}
