//! Checkout tokens: the right to pay for a hold.

use serde::{Deserialize, Serialize};

use crate::domain::shared::id::{BuyerId, ReservationId};
use crate::kit::http::auth::{Claims, Issuer, Signature, TokenKind, from_text, to_text};

pub const CHECKOUT: TokenKind = TokenKind { name: "checkout", typ: "checkout+jwt", signature: Signature::Shared };

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Audience {
    #[serde(rename = "checkout")]
    Checkout,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CheckoutClaims {
    pub iss: Issuer,
    pub aud: Audience,
    #[serde(serialize_with = "to_text", deserialize_with = "from_text")]
    pub sub: u64,
    pub reservation: ReservationId,
    pub exp: i64,
}

impl Claims for CheckoutClaims {
    const KIND: TokenKind = CHECKOUT;

    fn exp(&self) -> i64 {
        self.exp
    }
}

impl CheckoutClaims {
    pub fn of(reservation: ReservationId, buyer: BuyerId, exp: i64) -> Self {
        Self { iss: Issuer::Miaosha, aud: Audience::Checkout, sub: buyer.0, reservation, exp }
    }
}
