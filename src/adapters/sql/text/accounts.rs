//! People who may log in.

use async_trait::async_trait;
use serde_json::{Value, json};
use sqlx::{FromRow, Row as _};

use super::dialect::{self, Connection, Row, Store};
use super::{Result, broken, fault, is_duplicate, journal, people, row};
use crate::domain::audit::journal::{Action, Subject};
use crate::domain::people::address::Address;
use crate::domain::people::author::Author;
use crate::domain::people::{Revoked, Role};
use crate::domain::shared::id::BuyerId;
use crate::domain::shared::locale::Locale;
use crate::domain::shared::time::Timestamp;
use crate::ports;
use crate::ports::people::accounts::{Account, Accounts, Erased, InTheWay, LogOutPlace, Person};

/// What an [`Account`] is read from.
macro_rules! accounts {
    ($name:literal, $tail:literal) => {
        concat!("/* ", $name, " */ SELECT id, name, email, password_hash, role, locale, epoch FROM accounts ", $tail)
    };
}

#[async_trait]
impl Accounts for Store {
    async fn create_account(
        &self,
        name: &str,
        email: &str,
        password_hash: &str,
        role: Role,
        locale: Locale,
        by: Option<&Author>,
    ) -> ports::Result<Option<Account>> {
        let account = Account {
            id: BuyerId(0),
            name: name.to_owned(),
            email: email.to_owned(),
            password_hash: password_hash.to_owned(),
            role,
            locale,
            epoch: 0,
        };
        self.write("accounts.create", (account, by.cloned()), |c, args| Box::pin(create_by(c, args))).await
    }

    async fn account(&self, id: BuyerId) -> ports::Result<Option<Account>> {
        by_id(&mut *self.reader().await?, id).await.map_err(fault)
    }

    async fn account_by_email(&self, email: &str) -> ports::Result<Option<Account>> {
        by_canonical(&mut *self.reader().await?, &Address::canonical_of(email)).await.map_err(fault)
    }

    async fn log_out_everywhere(
        &self,
        id: BuyerId,
        now: Timestamp,
        by: Option<&Author>,
    ) -> ports::Result<Option<Revoked>> {
        self.write("accounts.log_out", (id, now, by.cloned()), |c, args| Box::pin(people::log_out_by(c, args))).await
    }

    async fn change_password(
        &self,
        id: BuyerId,
        [old, new]: [&str; 2],
        now: Timestamp,
        by: Option<&Author>,
    ) -> ports::Result<bool> {
        let args = (id, [old.to_owned(), new.to_owned()], now, by.cloned());
        self.write("accounts.change_password", args, |c, args| Box::pin(people::change_password(c, args))).await
    }

    async fn log_outs_after(&self, after: LogOutPlace, max: u32) -> ports::Result<Vec<(LogOutPlace, Revoked)>> {
        people::log_outs_after(&mut *self.reader().await?, after, max).await.map_err(fault)
    }

    async fn in_the_way(&self, id: BuyerId) -> ports::Result<InTheWay> {
        people::in_the_way(&mut *self.at_once().await?, id).await.map_err(fault)
    }

    async fn erase(
        &self,
        id: BuyerId,
        keep_orders: bool,
        now: Timestamp,
        by: Option<&Author>,
    ) -> ports::Result<Erased> {
        let args = (id, keep_orders, now, by.cloned());
        self.write("accounts.erase", args, |c, args| Box::pin(people::erase(c, args))).await
    }

    async fn person(&self, id: BuyerId, max: u32) -> ports::Result<Person> {
        people::person(&mut *self.at_once().await?, id, max).await.map_err(fault)
    }
}

async fn create_by(conn: &mut Connection, (account, by): &(Account, Option<Author>)) -> Result<Option<Account>> {
    let made = create(conn, account).await?;
    if let Some(Account { id, role, .. }) = &made {
        let states = [Value::Null, json!({ "role": role })];
        journal::tell(conn, by.as_ref(), Action::AccountMade, Subject::Account(*id), states).await?;
    }
    Ok(made)
}

/// `None` when the mailbox has one already.
pub async fn create(conn: &mut Connection, account: &Account) -> Result<Option<Account>> {
    let written = sqlx::query(
        "/* accounts.create */ INSERT INTO accounts (name, email, canonical, password_hash, role, locale) \
         VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(&account.name)
    .bind(&account.email)
    .bind(Address::canonical_of(&account.email))
    .bind(&account.password_hash)
    .bind(account.role)
    .bind(account.locale.tag())
    .execute(conn)
    .await;
    match written {
        Err(error) if is_duplicate(&error) => Ok(None),
        Err(error) => Err(error),
        Ok(done) => {
            let id = BuyerId(dialect::inserted_id(&done));
            match id.is_house() {
                true => Err(broken("the numbers for accounts are used up")),
                false => Ok(Some(Account { id, ..account.clone() })),
            }
        }
    }
}

pub async fn by_id(conn: &mut Connection, id: BuyerId) -> Result<Option<Account>> {
    sqlx::query_as(accounts!("accounts.account", "WHERE id = ? AND erased_at IS NULL"))
        .bind(id)
        .fetch_optional(conn)
        .await
}

pub async fn by_canonical(conn: &mut Connection, canonical: &str) -> Result<Option<Account>> {
    sqlx::query_as(accounts!("accounts.by_canonical", "WHERE canonical = ? AND erased_at IS NULL"))
        .bind(canonical)
        .fetch_optional(conn)
        .await
}

impl FromRow<'_, Row> for Account {
    fn from_row(found: &Row) -> Result<Self> {
        Ok(Account {
            id: found.try_get("id")?,
            name: found.try_get("name")?,
            email: found.try_get("email")?,
            password_hash: found.try_get("password_hash")?,
            role: found.try_get("role")?,
            locale: row::locale(found, "locale")?,
            epoch: row::number(found, "epoch")?,
        })
    }
}
