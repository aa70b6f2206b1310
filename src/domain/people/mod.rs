//! Who may do what, and whose tokens are refused; by which address people are known, and how they prove that it is theirs.

pub mod address;
pub mod author;
pub mod code;
pub mod name;
pub mod pace;
pub mod session;

pub mod role;

pub use crate::domain::people::role::{Permission, Role};
use crate::domain::shared::id::BuyerId;

/// No access token is good for longer, in milliseconds.
pub const TOKEN_MS_MAX: i64 = 86_400_000;

/// For how long a second factor that was shown is fresh, in milliseconds.
pub const PROOF_MS_MAX: i64 = 600_000;

/// Tokens of this buyer and an earlier epoch are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Revoked {
    pub buyer: BuyerId,
    pub epoch: u64,
}
