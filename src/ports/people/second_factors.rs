//! What an operator shows beside the password: the secret that an authenticator has, too, and codes for the day when it is lost. A
//! secret counts when a code of it was seen. What is kept of a recovery code is its digest.

use async_trait::async_trait;

use crate::domain::people::Revoked;
use crate::domain::people::author::Author;
use crate::domain::shared::id::BuyerId;
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;

/// No `Debug`: whoever has the secret has every code.
#[derive(Clone, PartialEq, Eq)]
pub struct SecondFactor {
    pub secret: Vec<u8>,
    pub is_confirmed: bool,
    /// The last step whose code was used; those up to it are over.
    pub used: u64,
}

pub type Digest = [u8; 32];

/// A secret, by the step of a code of it, which is used with that; and the codes for its loss.
#[derive(Clone, Copy)]
pub struct Confirmation<'c> {
    pub secret: &'c [u8],
    pub step: u64,
    pub recovery: &'c [Digest],
}

/// How often a code may be tried that turns out wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TryLimit {
    pub tries_max: u32,
    pub window_ms: i64,
}

#[async_trait]
pub trait SecondFactors: Send + Sync + 'static {
    async fn second_factor(&self, id: BuyerId) -> Result<Option<SecondFactor>>;

    /// In the place of one that was never confirmed. `false`, and nothing done, where one is confirmed.
    async fn offer_second_factor(&self, id: BuyerId, secret: &[u8]) -> Result<bool>;

    /// Logs out everywhere, too. `None`, and nothing done, unless this secret is the one that was offered last and is not confirmed.
    async fn confirm_second_factor(
        &self,
        id: BuyerId,
        what: Confirmation<'_>,
        now: Timestamp,
        by: Option<&Author>,
    ) -> Result<Option<Revoked>>;

    /// Counts a try, before it is judged: of many at once no more are let through. `false` when it is one too many.
    async fn try_second_factor(&self, id: BuyerId, limit: TryLimit, now: Timestamp) -> Result<bool>;

    /// `false` when this step, or a later one, was used before. Forgets the tries.
    async fn use_step(&self, id: BuyerId, step: u64) -> Result<bool>;

    /// `false` when there is no such code, or not any more. Forgets the tries.
    async fn use_recovery(&self, id: BuyerId, digest: &Digest) -> Result<bool>;
}
