//! Admissions: the right to press the button of one sale, for a while. A publisher reads these and no other token, and has the keys
//! of no other: what was taken from it cannot log in, look or pay.

use serde::{Deserialize, Serialize};

use crate::domain::shared::id::{BuyerId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::faces::tokens::access::{ACCESS, ACCESS_PUBLIC};
use crate::faces::tokens::checkout::CHECKOUT;
use crate::faces::tokens::{bearer, is_zero};
use crate::kit::http::auth::{Claims, Issuer, Signature, TokenKind, from_text, to_text};
use crate::kit::http::keys::{KeysError, SigningKeys, VerifyingKeys};
use crate::kit::http::problem::Problem;
use crate::problem_kinds;

pub const ADMISSION: TokenKind = TokenKind { name: "admission", typ: "admission+jwt", signature: Signature::Shared };

problem_kinds! {
    /// Of an admission that is asked for, and of a press.
    SALE_CLOSED = "sale_closed", CONFLICT, "The sale is closed";
}

/// Who may press the button of which sale, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SaleAdmission {
    pub buyer: BuyerId,
    pub sale: SaleId,
    /// Of the access token that it was given for: a log-out everywhere ends it, too.
    pub epoch: u64,
    /// Tells one admission of a buyer from the next.
    pub given_at: Timestamp,
    /// In whole seconds. There is no leeway: it never outlives the hold that it makes.
    pub until: Timestamp,
}

impl SaleAdmission {
    /// Until the second in which `until` lies.
    pub fn new(buyer: BuyerId, sale: SaleId, epoch: u64, given_at: Timestamp, until: Timestamp) -> Self {
        let until = Timestamp(seconds(until).saturating_mul(1_000));
        Self { buyer, sale, epoch, given_at, until }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Audience {
    #[serde(rename = "admission")]
    Admission,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AdmissionClaims {
    pub iss: Issuer,
    pub aud: Audience,
    #[serde(serialize_with = "to_text", deserialize_with = "from_text")]
    pub sub: u64,
    #[serde(serialize_with = "to_text", deserialize_with = "from_text")]
    pub sale: u64,
    /// Left out where it is 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub epoch: u64,
    /// Milliseconds since 1970.
    pub n: i64,
    pub exp: i64,
}

impl Claims for AdmissionClaims {
    const KIND: TokenKind = ADMISSION;

    fn exp(&self) -> i64 {
        self.exp
    }
}

impl From<&SaleAdmission> for AdmissionClaims {
    fn from(admission: &SaleAdmission) -> Self {
        let SaleAdmission { buyer, sale, epoch, given_at, until } = *admission;
        let (iss, aud) = (Issuer::Miaosha, Audience::Admission);
        Self { iss, aud, sub: buyer.0, sale: sale.0, epoch, n: given_at.0, exp: seconds(until) }
    }
}

impl AdmissionClaims {
    fn admission(&self) -> Result<SaleAdmission, Problem> {
        let until = Timestamp(self.exp.saturating_mul(1_000));
        let (buyer, sale) = (bearer(self.sub)?, SaleId(self.sale));
        Ok(SaleAdmission { buyer, sale, epoch: self.epoch, given_at: Timestamp(self.n), until })
    }
}

/// What a publisher has.
#[derive(Debug)]
pub struct AdmissionKeys(VerifyingKeys);

impl AdmissionKeys {
    /// Reads `admission:<kid>:<64 hex>,…`, and refuses keys of the other tokens by their names.
    pub fn parse(text: &str) -> Result<Self, KeysError> {
        let others = [ACCESS.name, ACCESS_PUBLIC, CHECKOUT.name];
        SigningKeys::parse(text, &[ADMISSION], &others).map(|keys| Self::of(&keys))
    }

    pub(super) fn of(keys: &SigningKeys) -> Self {
        Self(keys.verifying(ADMISSION))
    }

    /// Whether it is over is for the caller to judge.
    pub fn verify(&self, token: &str) -> Result<SaleAdmission, Problem> {
        self.0.verify_ever::<AdmissionClaims>(token)?.admission()
    }
}

fn seconds(at: Timestamp) -> i64 {
    at.0.div_euclid(1_000)
}
