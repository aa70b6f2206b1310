//! People who may log in. The kernel knows buyers only by an opaque number.

use crate::domain::id::BuyerId;
use crate::domain::locale::Locale;
use crate::domain::order::Order;
use crate::domain::payment::Payment;
use crate::domain::reservation::Reservation;
use crate::domain::time::Timestamp;
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
    /// Access tokens of an earlier one are refused.
    pub epoch: u64,
}

/// No access token is good for longer, in milliseconds.
pub const TOKEN_MS_MAX: i64 = 86_400_000;
/// Accounts whose tokens were revoked while one may still be good: as many are known everywhere, the newest first.
pub const REVOKED_MAX: u32 = 4_096;

/// Tokens of this buyer and an earlier epoch are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Revoked {
    pub buyer: BuyerId,
    pub epoch: u64,
}

/// An order with units that were neither given back nor used: whoever has their codes gets in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unused {
    pub order: Order,
    pub units: Vec<u32>,
}

/// What would be lost with an account. At most [`IN_THE_WAY_MAX`] of each are named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InTheWay {
    /// On standby, held or being paid, oldest first.
    pub reservations: Vec<Reservation>,
    /// Newest first.
    pub orders: Vec<Unused>,
    /// Units of all such orders, of those that are not named as well.
    pub units: u64,
}

pub const IN_THE_WAY_MAX: usize = 100;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Erased {
    Done(Revoked),
    /// Nothing was erased.
    Refused(InTheWay),
    Missing,
}

/// What is known of a buyer beside the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub reservations: Vec<Reservation>,
    pub orders: Vec<Order>,
    /// Those that became orders.
    pub payments: Vec<Payment>,
}

/// An account that was erased is one that never was.
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

    /// `None` when there is no such account.
    fn log_out_everywhere(&self, id: BuyerId, now: Timestamp) -> impl Future<Output = Result<Option<Revoked>>> + Send;

    /// Logs out everywhere, too. `false` when the old hash is not the account's any more.
    fn change_password(
        &self,
        id: BuyerId,
        old_hash: &str,
        new_hash: &str,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool>> + Send;

    /// Later than this, the newest first.
    fn revoked_since(&self, since: Timestamp, max: u32) -> impl Future<Output = Result<Vec<Revoked>>> + Send;

    /// What [`Accounts::erase`] would refuse for, `keep_orders` not being said.
    fn in_the_way(&self, id: BuyerId) -> impl Future<Output = Result<InTheWay>> + Send;

    /// Name, address, password and language are gone, and every token with them. Orders stay under the buyer's number, and
    /// their codes go on letting in: it takes a word of their owner, `keep_orders`, where any of them still would. Refused
    /// whatever is said while something is on standby, held or being paid.
    fn erase(&self, id: BuyerId, keep_orders: bool, now: Timestamp) -> impl Future<Output = Result<Erased>> + Send;

    /// At most so many of each.
    fn person(&self, id: BuyerId, max: u32) -> impl Future<Output = Result<Person>> + Send;
}
