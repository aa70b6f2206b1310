//! People who may log in. The kernel knows buyers only by an opaque number.

use async_trait::async_trait;

use crate::domain::money::order::Order;
use crate::domain::money::payment::Payment;
use crate::domain::people::author::Author;
use crate::domain::people::{Revoked, Role};
use crate::domain::sale::reservation::Reservation;
use crate::domain::shared::id::BuyerId;
use crate::domain::shared::locale::Locale;
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;

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

/// An order with units that were neither given back nor used: the holder of their codes gets in.
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
    /// Nor here: nobody could make another one.
    LastOwner,
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

/// Where a log-out stands among all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogOutPlace {
    pub at: Timestamp,
    pub buyer: BuyerId,
}

impl LogOutPlace {
    /// Before whatever happened at that time.
    pub fn before(at: Timestamp) -> Self {
        Self { at, buyer: BuyerId(0) }
    }
}

/// An account that was erased is one that never was.
#[async_trait]
pub trait Accounts: Send + Sync + 'static {
    /// `None` when the address is taken. In the journal, where somebody made it for another.
    async fn create_account(
        &self,
        name: &str,
        email: &str,
        password_hash: &str,
        role: Role,
        locale: Locale,
        by: Option<&Author>,
    ) -> Result<Option<Account>>;

    async fn account(&self, id: BuyerId) -> Result<Option<Account>>;

    async fn account_by_email(&self, email: &str) -> Result<Option<Account>>;

    /// `None` when there is no such account. In the journal, where it is an operator's.
    async fn log_out_everywhere(&self, id: BuyerId, now: Timestamp, by: Option<&Author>) -> Result<Option<Revoked>>;

    /// From one hash to another. Logs out everywhere, too. `false` when the old one is not the account's any more.
    async fn change_password(
        &self,
        id: BuyerId,
        hashes: [&str; 2],
        now: Timestamp,
        by: Option<&Author>,
    ) -> Result<bool>;

    /// The next ones after this place, oldest first.
    async fn log_outs_after(&self, after: LogOutPlace, max: u32) -> Result<Vec<(LogOutPlace, Revoked)>>;

    /// What [`Accounts::erase`] would refuse for, `keep_orders` not being said.
    async fn in_the_way(&self, id: BuyerId) -> Result<InTheWay>;

    /// Name, address, password and language are gone, and every token with them. Orders stay under the buyer's number, and
    /// their codes go on letting in: it takes their owner's consent, `keep_orders`, where any of them still would. Refused
    /// in any case while something is on standby, held or being paid.
    async fn erase(&self, id: BuyerId, keep_orders: bool, now: Timestamp, by: Option<&Author>) -> Result<Erased>;

    /// At most so many of each.
    async fn person(&self, id: BuyerId, max: u32) -> Result<Person>;
}
