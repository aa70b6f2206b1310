//! The shop's tokens: access tokens say who asks, admissions that a button may be pressed, checkout tokens that a hold may be paid
//! for. Each kind has keys of its own.

pub mod access;
pub mod admission;
pub mod checkout;
pub mod revocations;

use actix_web::HttpRequest;

use crate::domain::people::Role;
use crate::domain::shared::id::{BuyerId, ReservationId};
use crate::domain::shared::time::Timestamp;
use crate::faces::tokens::access::{ACCESS, AccessClaims, Principal};
use crate::faces::tokens::admission::{ADMISSION, AdmissionClaims, AdmissionKeys, SaleAdmission};
use crate::faces::tokens::checkout::{CHECKOUT, CheckoutClaims};
use crate::kit::http::auth::{self, KeysError, SigningKeys, TokenKind, unauthorized};
use crate::kit::http::problem::Problem;

const KINDS: [TokenKind; 3] = [ACCESS, CHECKOUT, ADMISSION];

#[derive(Debug)]
pub struct TokenKeys(SigningKeys);

impl TokenKeys {
    /// Reads `access:<kid>:<64 hex>,checkout:<kid>:<64 hex>,admission:<kid>:<64 hex>,…`: at least one of each kind, no kid or secret twice.
    pub fn parse(text: &str) -> Result<Self, KeysError> {
        SigningKeys::parse(text, &KINDS).map(Self)
    }

    /// Of a person who has never logged out everywhere, and has just shown what the role takes.
    pub fn sign_access(&self, buyer: BuyerId, role: Role, now: Timestamp, ttl_ms: i64) -> String {
        let proved_at = role.needs_second_factor().then_some(now);
        self.sign_access_of(Principal { buyer, role, epoch: 0, proved_at, session: None }, now, ttl_ms)
    }

    pub fn sign_access_of(&self, principal: Principal, now: Timestamp, ttl_ms: i64) -> String {
        self.0.sign(&AccessClaims::of(principal, auth::expiry(now, ttl_ms)))
    }

    pub fn verify_access(&self, token: &str, now: Timestamp) -> Result<Principal, Problem> {
        self.0.verify::<AccessClaims>(token, now)?.principal()
    }

    /// Like [`Self::verify_access`] for who stays: until when it is good is for the caller to judge, again and again.
    pub fn verify_access_until(&self, token: &str) -> Result<(Principal, Timestamp), Problem> {
        let claims: AccessClaims = self.0.verify_ever(token)?;
        Ok((claims.principal()?, auth::until(&claims)))
    }

    /// The access token of a request.
    pub fn principal(&self, req: &HttpRequest, now: Timestamp) -> Result<Principal, Problem> {
        self.verify_access(auth::bearer(req)?, now)
    }

    pub fn sign_checkout(&self, reservation: ReservationId, buyer: BuyerId, now: Timestamp, ttl_ms: i64) -> String {
        self.0.sign(&CheckoutClaims::of(reservation, buyer, auth::expiry(now, ttl_ms)))
    }

    pub fn verify_checkout(&self, token: &str, now: Timestamp) -> Result<(ReservationId, BuyerId), Problem> {
        let claims: CheckoutClaims = self.0.verify(token, now)?;
        Ok((claims.reservation, BuyerId(claims.sub)))
    }

    pub fn sign_admission(&self, admission: &SaleAdmission) -> String {
        self.0.sign(&AdmissionClaims::from(admission))
    }

    /// For a publisher of the same process.
    pub fn for_publisher(&self) -> AdmissionKeys {
        AdmissionKeys::of(&self.0)
    }

    /// A digest that cannot be made or guessed without our keys for admissions.
    pub fn admission_digests(&self, message: &[u8]) -> Vec<[u8; 32]> {
        self.0.digests(ADMISSION, message)
    }

    /// A digest that cannot be made or guessed without our keys, by each key for access tokens; the one that signs comes first.
    pub fn digests(&self, message: &[u8]) -> Vec<[u8; 32]> {
        self.0.digests(ACCESS, message)
    }
}

/// A token never makes its bearer the house, whatever was signed.
fn bearer(sub: u64) -> Result<BuyerId, Problem> {
    let buyer = BuyerId(sub);
    if buyer.is_house() {
        return Err(unauthorized("the token's subject is reserved"));
    }
    Ok(buyer)
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}
