//! Accounts of operators. Owners are locked before the account that is changed, in the order of their numbers: of two owners who
//! demote each other at once, one stays.

use async_trait::async_trait;
use serde_json::{Value, json};
use sqlx::Row as _;

use super::dialect::{Connection, Row, Store, for_update};
use super::{Result, fault, journal, people, row, second_factors};
use crate::domain::audit::journal::{Action, Subject};
use crate::domain::people::author::Author;
use crate::domain::people::{Revoked, Role};
use crate::domain::shared::id::BuyerId;
use crate::domain::shared::time::Timestamp;
use crate::ports;
use crate::ports::people::operators::{Operator, Operators, RoleSet};

#[async_trait]
impl Operators for Store {
    async fn operators_after(&self, after: Option<BuyerId>, max: u32) -> ports::Result<Vec<Operator>> {
        operators_after(&mut *self.reader().await?, after, max).await.map_err(fault)
    }

    async fn set_role_by(
        &self,
        id: BuyerId,
        role: Role,
        now: Timestamp,
        by: Option<&Author>,
    ) -> ports::Result<RoleSet> {
        let args = (id, role, now, by.cloned());
        self.write("operators.set_role", args, |c, args| Box::pin(set_role(c, args))).await
    }

    async fn reset_password_by(
        &self,
        id: BuyerId,
        hash: &str,
        now: Timestamp,
        by: Option<&Author>,
    ) -> ports::Result<Option<Revoked>> {
        let args = (id, hash.to_owned(), now, by.cloned());
        self.write("operators.reset_password", args, |c, args| Box::pin(reset_password(c, args))).await
    }
}

async fn operators_after(conn: &mut Connection, after: Option<BuyerId>, max: u32) -> Result<Vec<Operator>> {
    let found = sqlx::query(
        "/* operators.after */ SELECT id, email, role, (SELECT COUNT(*) FROM second_factors \
         WHERE account = accounts.id AND confirmed_at IS NOT NULL) AS factors \
         FROM accounts WHERE role > ? AND id > ? AND erased_at IS NULL ORDER BY id LIMIT ?",
    )
    .bind(Role::Shopper)
    .bind(after.unwrap_or(BuyerId(0)))
    .bind(max)
    .fetch_all(conn)
    .await?;
    let operator = |found: &Row| {
        let has_second_factor = row::number(found, "factors")? > 0;
        let (id, email, role) = (found.try_get("id")?, found.try_get("email")?, found.try_get("role")?);
        Ok(Operator { id, email, role, has_second_factor })
    };
    found.iter().map(operator).collect()
}

async fn set_role(
    conn: &mut Connection,
    (id, role, now, by): &(BuyerId, Role, Timestamp, Option<Author>),
) -> Result<RoleSet> {
    let (id, role, now) = (*id, *role, *now);
    if role != Role::Owner && is_last_owner(conn, id).await? {
        return Ok(RoleSet::LastOwner);
    }
    let Some(present) = role_of(conn, id).await? else { return Ok(RoleSet::Missing) };
    if present == role {
        return Ok(RoleSet::Same);
    }
    sqlx::query("/* operators.set_role */ UPDATE accounts SET role = ? WHERE id = ?")
        .bind(role)
        .bind(id)
        .execute(&mut *conn)
        .await?;
    let Some(revoked) = people::log_out(conn, &(id, now)).await? else { return Ok(RoleSet::Missing) };
    let states = [json!({ "role": present }), json!({ "role": role })];
    journal::tell(conn, by.as_ref(), Action::RoleSet, Subject::Account(id), states).await?;
    Ok(RoleSet::Done(revoked))
}

async fn reset_password(
    conn: &mut Connection,
    (id, hash, now, by): &(BuyerId, String, Timestamp, Option<Author>),
) -> Result<Option<Revoked>> {
    sqlx::query(
        "/* operators.reset_password */ UPDATE accounts SET password_hash = ? WHERE id = ? AND erased_at IS NULL",
    )
    .bind(hash)
    .bind(id)
    .execute(&mut *conn)
    .await?;
    second_factors::forget(conn, *id).await?;
    let revoked = people::log_out(conn, &(*id, *now)).await?;
    if revoked.is_some() {
        let states = [Value::Null, Value::Null];
        journal::tell(conn, by.as_ref(), Action::PasswordReset, Subject::Account(*id), states).await?;
    }
    Ok(revoked)
}

/// Locks all owners when this is one, so that it stays true.
pub async fn is_last_owner(conn: &mut Connection, id: BuyerId) -> Result<bool> {
    let found = sqlx::query("/* operators.role */ SELECT role FROM accounts WHERE id = ? AND erased_at IS NULL")
        .bind(id)
        .fetch_optional(&mut *conn)
        .await?;
    match found.map(|found| found.try_get("role")).transpose()? {
        Some(Role::Owner) => {}
        _ => return Ok(false),
    }
    let owners = sqlx::query(concat!(
        "/* operators.owners */ SELECT id FROM accounts WHERE role = ? AND erased_at IS NULL ORDER BY id",
        for_update!()
    ))
    .bind(Role::Owner)
    .fetch_all(conn)
    .await?;
    let owners = owners.iter().map(|found| found.try_get("id")).collect::<Result<Vec<BuyerId>>>()?;
    Ok(owners == [id])
}

async fn role_of(conn: &mut Connection, id: BuyerId) -> Result<Option<Role>> {
    let found = sqlx::query(concat!(
        "/* operators.locked */ SELECT role FROM accounts WHERE id = ? AND erased_at IS NULL",
        for_update!()
    ))
    .bind(id)
    .fetch_optional(conn)
    .await?;
    found.map(|found| found.try_get("role")).transpose()
}
