//! Who may do what, and whose tokens are refused.

use crate::domain::shared::id::BuyerId;

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Shopper,
    Operator,
}

/// No access token is good for longer, in milliseconds.
pub const TOKEN_MS_MAX: i64 = 86_400_000;

/// Tokens of this buyer and an earlier epoch are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Revoked {
    pub buyer: BuyerId,
    pub epoch: u64,
}
