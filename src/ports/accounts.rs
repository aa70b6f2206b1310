//! People who may log in. The kernel knows buyers only by an opaque number.

use crate::domain::id::BuyerId;
use crate::domain::locale::Locale;
use crate::ports::Result;

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Shopper,
    Operator,
}

#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    pub id: BuyerId,
    pub name: String,
    /// Lower case.
    pub email: String,
    /// Argon2id, in PHC form.
    pub password_hash: String,
    pub role: Role,
    /// What this person is written to in.
    pub locale: Locale,
}

pub trait Accounts: Send + Sync + 'static {
    /// `None` when the address is taken.
    fn create_account(
        &self,
        name: &str,
        email: &str,
        password_hash: &str,
        role: Role,
        locale: Locale,
    ) -> impl Future<Output = Result<Option<Account>>> + Send;

    fn account(&self, id: BuyerId) -> impl Future<Output = Result<Option<Account>>> + Send;

    fn account_by_email(&self, email: &str) -> impl Future<Output = Result<Option<Account>>> + Send;
}
