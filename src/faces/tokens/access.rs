//! Access tokens: who asks, and what they may do.

use serde::{Deserialize, Serialize};

use crate::domain::people::Role;
use crate::domain::shared::id::BuyerId;
use crate::faces::tokens::{bearer, is_zero};
use crate::kit::http::auth::{Claims, Issuer, TokenKind, from_text, to_text};
use crate::kit::http::problem::{Kind, Problem};

pub const ACCESS: TokenKind = TokenKind { name: "access", typ: "access+jwt" };

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Principal {
    pub buyer: BuyerId,
    pub role: Role,
    /// A log-out everywhere ends the earlier ones.
    pub epoch: u64,
}

impl Principal {
    pub fn operator(self) -> Result<Self, Problem> {
        match self.role {
            Role::Operator => Ok(self),
            Role::Shopper => Err(Problem::new(Kind::FORBIDDEN, "only operators may do this")),
        }
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
    pub exp: i64,
}

impl Claims for AccessClaims {
    const KIND: TokenKind = ACCESS;

    fn exp(&self) -> i64 {
        self.exp
    }
}

impl AccessClaims {
    pub fn of(Principal { buyer, role, epoch }: Principal, exp: i64) -> Self {
        Self { iss: Issuer::Miaosha, aud: Audience::Access, sub: buyer.0, role, epoch, exp }
    }

    pub fn principal(&self) -> Result<Principal, Problem> {
        Ok(Principal { buyer: bearer(self.sub)?, role: self.role, epoch: self.epoch })
    }
}
