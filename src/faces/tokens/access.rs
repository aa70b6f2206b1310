//! Access tokens: who asks, and what they may do. Who verifies them has public keys, and can sign none.

use serde::{Deserialize, Serialize};

use crate::domain::people::{PROOF_MS_MAX, Permission, Role};
use crate::domain::shared::id::{BuyerId, SessionId};
use crate::domain::shared::time::Timestamp;
use crate::faces::tokens::admission::ADMISSION;
use crate::faces::tokens::checkout::CHECKOUT;
use crate::faces::tokens::verified::Verified;
use crate::faces::tokens::{bearer, is_zero};
use crate::kit::http::auth::{self, Claims, Issuer, Signature, TokenKind, from_text, to_text};
use crate::kit::http::keys::{KeysError, SigningKeys, VerifyingKeys};
use crate::kit::http::problem::{Kind, Problem};
use crate::problem_kinds;

/// How the public keys are listed.
pub const ACCESS_PUBLIC: &str = "access-public";
pub const ACCESS: TokenKind =
    TokenKind { name: "access", typ: "access+jwt", signature: Signature::Public { listed_as: ACCESS_PUBLIC } };

problem_kinds! {
    /// Of a log-in, and of a call of operators.
    SECOND_FACTOR_NEEDED = "second_factor_needed", FORBIDDEN, "The second factor is needed";
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Principal {
    pub buyer: BuyerId,
    pub role: Role,
    /// A log-out everywhere ends the earlier ones.
    pub epoch: u64,
    /// When the second factor was shown, if it was. In whole seconds.
    pub proved_at: Option<Timestamp>,
    /// Which log-in it is of; other issuers' tokens say none.
    pub session: Option<SessionId>,
}

impl Principal {
    /// Who asks, if what this permission takes was shown beside the password.
    pub fn proved(self, permission: Permission, now: Timestamp) -> Result<Self, Problem> {
        if !self.role.needs_second_factor() {
            return Ok(self);
        }
        let is_fresh = |at: Timestamp| !permission.needs_fresh_proof() || now.since_ms(at) <= PROOF_MS_MAX;
        match self.proved_at {
            Some(at) if is_fresh(at) => Ok(self),
            Some(_) => Err(Problem::new(
                SECOND_FACTOR_NEEDED,
                "show the second factor again; this takes one of the last ten minutes",
            )),
            None => Err(Problem::new(
                SECOND_FACTOR_NEEDED,
                "set up a second factor, or show it; this takes more than a password",
            )),
        }
    }

    /// Who asks, if their role has this permission.
    pub fn may(self, permission: Permission) -> Result<Self, Problem> {
        if self.role.may(permission) {
            return Ok(self);
        }
        if !self.role.is_operator() {
            return Err(Problem::new(Kind::FORBIDDEN, "only operators may do this"));
        }
        let why = format!("this takes the permission `{}`, which the role {} has not", permission.name(), self.role);
        Err(Problem::new(Kind::FORBIDDEN, why))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Audience {
    #[serde(rename = "access")]
    Access,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AccessClaims {
    pub iss: Issuer,
    pub aud: Audience,
    #[serde(serialize_with = "to_text", deserialize_with = "from_text")]
    pub sub: u64,
    pub role: Role,
    /// Left out where it is 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub epoch: u64,
    /// When the second factor was shown, in seconds since 1970. Left out where it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proved_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    pub exp: i64,
}

impl Claims for AccessClaims {
    const KIND: TokenKind = ACCESS;

    fn exp(&self) -> i64 {
        self.exp
    }
}

impl AccessClaims {
    pub fn of(Principal { buyer, role, epoch, proved_at, session }: Principal, exp: i64) -> Self {
        let proved_at = proved_at.map(|at| at.0.div_euclid(1_000));
        Self { iss: Issuer::Miaosha, aud: Audience::Access, sub: buyer.0, role, epoch, proved_at, session, exp }
    }

    pub fn principal(&self) -> Result<Principal, Problem> {
        let proved_at = self.proved_at.map(|seconds| Timestamp(seconds.saturating_mul(1_000)));
        Ok(Principal { buyer: bearer(self.sub)?, role: self.role, epoch: self.epoch, proved_at, session: self.session })
    }
}

/// What verifies access tokens. It remembers those that it verified.
#[derive(Debug)]
pub struct AccessKeys {
    keys: VerifyingKeys,
    verified: Verified,
}

impl AccessKeys {
    /// Reads `access-public:<kid>:<64 hex>,…`, and refuses whatever signs by its name.
    pub fn parse(text: &str) -> Result<Self, KeysError> {
        let others = [ACCESS.name, CHECKOUT.name, ADMISSION.name];
        VerifyingKeys::parse(text, ACCESS, &others).map(Self::new)
    }

    pub(super) fn of(keys: &SigningKeys) -> Self {
        Self::new(keys.verifying(ACCESS))
    }

    fn new(keys: VerifyingKeys) -> Self {
        Self { keys, verified: Verified::default() }
    }

    /// As [`Self::parse`] reads them.
    pub fn listed(&self) -> String {
        self.keys.listed()
    }

    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Principal, Problem> {
        let (principal, until) = self.verify_until(token)?;
        auth::not_expired(until, now)?;
        Ok(principal)
    }

    /// Like [`Self::verify`] for who stays: until when it is good is for the caller to judge, again and again.
    pub fn verify_until(&self, token: &str) -> Result<(Principal, Timestamp), Problem> {
        self.verified.or_verify(token, || {
            let claims: AccessClaims = self.keys.verify_ever(token)?;
            Ok((claims.principal()?, auth::until(&claims)))
        })
    }
}
