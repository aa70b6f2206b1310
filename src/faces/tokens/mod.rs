//! The shop's tokens: access tokens say who asks, admissions that a button may be pressed, checkout tokens that a hold may be paid
//! for. Each kind has keys of its own. Who verifies access tokens needs nothing secret; the other two are verified by what signs them.

pub mod access;
pub mod admission;
pub mod checkout;
pub mod revocations;
mod verified;

use std::sync::Arc;

use data_encoding::HEXLOWER;

use crate::domain::people::Role;
use crate::domain::shared::id::{BuyerId, ReservationId};
use crate::domain::shared::time::Timestamp;
use crate::faces::tokens::access::{ACCESS, ACCESS_PUBLIC, AccessClaims, AccessKeys, Principal};
use crate::faces::tokens::admission::{ADMISSION, AdmissionClaims, AdmissionKeys, SaleAdmission};
use crate::faces::tokens::checkout::{CHECKOUT, CheckoutClaims};
use crate::kit::http::auth::{self, TokenKind, unauthorized};
use crate::kit::http::keys::{KeysError, SigningKeys};
use crate::kit::http::problem::Problem;

const KINDS: [TokenKind; 3] = [ACCESS, CHECKOUT, ADMISSION];

/// What signs, which gateways have and nobody else.
#[derive(Debug)]
pub struct TokenKeys {
    all: SigningKeys,
    access: AccessKeys,
}

/// What a process has of the shop's keys.
#[derive(Debug, Clone)]
pub enum Keys {
    /// It says who somebody is, and gives rights.
    Signing(Arc<TokenKeys>),
    /// It hears who asks.
    Access(Arc<AccessKeys>),
}

impl Keys {
    pub fn access(&self) -> &AccessKeys {
        match self {
            Self::Signing(keys) => &keys.access,
            Self::Access(keys) => keys,
        }
    }

    pub fn signing(&self) -> Option<&TokenKeys> {
        match self {
            Self::Signing(keys) => Some(keys),
            Self::Access(_) => None,
        }
    }
}

impl TokenKeys {
    /// Reads `access:<kid>:<64 hex>,checkout:<kid>:<64 hex>,admission:<kid>:<64 hex>,…`: at least one of each kind, no kid or digits twice.
    pub fn parse(text: &str) -> Result<Self, KeysError> {
        let all = SigningKeys::parse(text, &KINDS, &[ACCESS_PUBLIC])?;
        Ok(Self { access: AccessKeys::of(&all), all })
    }

    /// What verifies access tokens.
    pub fn access(&self) -> &AccessKeys {
        &self.access
    }

    /// Of a person who has never logged out everywhere, and has just shown what the role takes.
    pub fn sign_access(&self, buyer: BuyerId, role: Role, now: Timestamp, ttl_ms: i64) -> String {
        let proved_at = role.needs_second_factor().then_some(now);
        self.sign_access_of(Principal { buyer, role, epoch: 0, proved_at, session: None }, now, ttl_ms)
    }

    pub fn sign_access_of(&self, principal: Principal, now: Timestamp, ttl_ms: i64) -> String {
        self.all.sign(&AccessClaims::of(principal, auth::expiry(now, ttl_ms)))
    }

    pub fn sign_checkout(&self, reservation: ReservationId, buyer: BuyerId, now: Timestamp, ttl_ms: i64) -> String {
        self.all.sign(&CheckoutClaims::of(reservation, buyer, auth::expiry(now, ttl_ms)))
    }

    pub fn verify_checkout(&self, token: &str, now: Timestamp) -> Result<(ReservationId, BuyerId), Problem> {
        let claims: CheckoutClaims = self.all.verify(token, now)?;
        Ok((claims.reservation, BuyerId(claims.sub)))
    }

    pub fn sign_admission(&self, admission: &SaleAdmission) -> String {
        self.all.sign(&AdmissionClaims::from(admission))
    }

    /// For a publisher of the same process.
    pub fn for_publisher(&self) -> AdmissionKeys {
        AdmissionKeys::of(&self.all)
    }

    /// A digest that cannot be made or guessed without our keys for admissions.
    pub fn admission_digests(&self, message: &[u8]) -> Vec<[u8; 32]> {
        self.all.digests(ADMISSION, message)
    }

    /// A digest that cannot be made or guessed without the secrets of access tokens, by each of them; the one that signs comes first.
    pub fn digests(&self, message: &[u8]) -> Vec<[u8; 32]> {
        self.all.digests(ACCESS, message)
    }

    /// Under which a card's declines are counted. Who reads the ledger learns no card from it, and cannot try any without our keys.
    pub fn card_key(&self, fingerprint: &str) -> String {
        let digest = self.digests(format!("card\n{fingerprint}").as_bytes());
        let digest = digest.first().expect("there is a key that signs");
        format!("card {}", HEXLOWER.encode(&digest[..16]))
    }
}

/// A token never makes its bearer the house or somebody without an account, whatever was signed.
fn bearer(sub: u64) -> Result<BuyerId, Problem> {
    let buyer = BuyerId(sub);
    if buyer.is_house() || buyer.is_walk_in() {
        return Err(unauthorized("the token's subject is reserved"));
    }
    Ok(buyer)
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}
