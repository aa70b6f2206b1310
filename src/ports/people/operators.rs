//! Accounts that may do more than buy: who they are, and what becomes of them. Made like any account, by
//! [`Accounts::create_account`](super::accounts::Accounts::create_account).

use async_trait::async_trait;

use crate::domain::people::author::Author;
use crate::domain::people::{Revoked, Role};
use crate::domain::shared::id::BuyerId;
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    pub id: BuyerId,
    pub email: String,
    pub role: Role,
    pub has_second_factor: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleSet {
    Done(Revoked),
    /// It had this role before: nothing was changed, and nobody was logged out.
    Same,
    /// There would be no owner any more, and nobody to make one.
    LastOwner,
    Missing,
}

#[async_trait]
pub trait Operators: Send + Sync + 'static {
    /// The next ones after this account, by their numbers.
    async fn operators_after(&self, after: Option<BuyerId>, max: u32) -> Result<Vec<Operator>>;

    async fn set_role(&self, id: BuyerId, role: Role, now: Timestamp) -> Result<RoleSet> {
        self.set_role_by(id, role, now, None).await
    }

    /// Logs out everywhere, too: no token says the old role for longer than a log-out takes. Of any account, also of a shopper's.
    async fn set_role_by(&self, id: BuyerId, role: Role, now: Timestamp, by: Option<&Author>) -> Result<RoleSet>;

    async fn reset_password(&self, id: BuyerId, password_hash: &str, now: Timestamp) -> Result<Option<Revoked>> {
        self.reset_password_by(id, password_hash, now, None).await
    }

    /// Another password than its owner knows, and no second factor any more. Logs out everywhere, too. `None` when there is no such
    /// account.
    async fn reset_password_by(
        &self,
        id: BuyerId,
        password_hash: &str,
        now: Timestamp,
        by: Option<&Author>,
    ) -> Result<Option<Revoked>>;
}
