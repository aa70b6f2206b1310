//! Second factors, and the codes that stand in for them.

use async_trait::async_trait;
use serde_json::json;
use sqlx::Row as _;

use super::dialect::{Connection, Row, Store, for_update};
use super::{Result, fault, people, row};
use crate::adapters::sql::stored::Number;
use crate::domain::audit::journal::Action;
use crate::domain::people::Revoked;
use crate::domain::people::author::Author;
use crate::domain::shared::id::BuyerId;
use crate::domain::shared::time::Timestamp;
use crate::ports;
use crate::ports::people::second_factors::{Confirmation, Digest, SecondFactor, SecondFactors, TryLimit};

/// What a secret is confirmed with.
struct Confirming {
    id: BuyerId,
    secret: Vec<u8>,
    step: u64,
    recovery: Vec<Digest>,
    now: Timestamp,
    by: Option<Author>,
}

#[async_trait]
impl SecondFactors for Store {
    async fn second_factor(&self, id: BuyerId) -> ports::Result<Option<SecondFactor>> {
        read(&mut *self.reader().await?, id).await.map_err(fault)
    }

    async fn offer_second_factor(&self, id: BuyerId, secret: &[u8]) -> ports::Result<bool> {
        self.write("second_factors.offer", (id, secret.to_vec()), |c, args| Box::pin(offer(c, args))).await
    }

    async fn confirm_second_factor(
        &self,
        id: BuyerId,
        Confirmation { secret, step, recovery }: Confirmation<'_>,
        now: Timestamp,
        by: Option<&Author>,
    ) -> ports::Result<Option<Revoked>> {
        let (secret, recovery) = (secret.to_vec(), recovery.to_vec());
        let what = Confirming { id, secret, step, recovery, now, by: by.cloned() };
        self.write("second_factors.confirm", what, |c, what| Box::pin(confirm(c, what))).await
    }

    async fn try_second_factor(&self, id: BuyerId, limit: TryLimit, now: Timestamp) -> ports::Result<bool> {
        self.write("second_factors.try", (id, limit, now), |c, args| Box::pin(try_once(c, args))).await
    }

    async fn use_step(&self, id: BuyerId, step: u64) -> ports::Result<bool> {
        self.write("second_factors.use", (id, step), |c, args| Box::pin(use_step(c, args))).await
    }

    async fn use_recovery(&self, id: BuyerId, digest: &Digest) -> ports::Result<bool> {
        self.write("recovery_codes.use", (id, *digest), |c, args| Box::pin(use_recovery(c, args))).await
    }
}

async fn read(conn: &mut Connection, id: BuyerId) -> Result<Option<SecondFactor>> {
    let found = sqlx::query(
        "/* second_factors.read */ SELECT secret, confirmed_at, used FROM second_factors WHERE account = ?",
    )
    .bind(id)
    .fetch_optional(conn)
    .await?;
    found.as_ref().map(factor).transpose()
}

fn factor(found: &Row) -> Result<SecondFactor> {
    Ok(SecondFactor {
        secret: found.try_get("secret")?,
        is_confirmed: found.try_get::<Option<Timestamp>, _>("confirmed_at")?.is_some(),
        used: row::number(found, "used")?,
    })
}

async fn offer(conn: &mut Connection, (id, secret): &(BuyerId, Vec<u8>)) -> Result<bool> {
    if locked(conn, *id).await?.is_some_and(|known| known.is_confirmed) {
        return Ok(false);
    }
    forget(conn, *id).await?;
    sqlx::query("/* second_factors.offer */ INSERT INTO second_factors (account, secret, used) VALUES (?, ?, 0)")
        .bind(*id)
        .bind(secret.as_slice())
        .execute(conn)
        .await?;
    Ok(true)
}

async fn confirm(conn: &mut Connection, what: &Confirming) -> Result<Option<Revoked>> {
    let is_it = |known: &SecondFactor| !known.is_confirmed && known.secret == what.secret;
    if !locked(conn, what.id).await?.as_ref().is_some_and(is_it) {
        return Ok(None);
    }
    sqlx::query(
        "/* second_factors.confirm */ UPDATE second_factors SET confirmed_at = ?, used = ?, tries = 0, tries_since = 0 \
         WHERE account = ?",
    )
    .bind(what.now)
    .bind(Number(what.step))
    .bind(what.id)
    .execute(&mut *conn)
    .await?;
    for digest in &what.recovery {
        sqlx::query("/* recovery_codes.add */ INSERT INTO recovery_codes (account, digest) VALUES (?, ?)")
            .bind(what.id)
            .bind(digest.as_slice())
            .execute(&mut *conn)
            .await?;
    }
    let revoked = people::log_out(conn, &(what.id, what.now)).await?;
    let codes = json!({ "recovery_codes": what.recovery.len() });
    people::own(conn, what.by.as_ref(), Action::SecondFactorSet, what.id, codes).await?;
    Ok(revoked)
}

async fn locked(conn: &mut Connection, id: BuyerId) -> Result<Option<SecondFactor>> {
    // Two that set one up at once have no row to wait for each other at, but the account's.
    sqlx::query(concat!("/* second_factors.account */ SELECT id FROM accounts WHERE id = ?", for_update!()))
        .bind(id)
        .fetch_optional(&mut *conn)
        .await?;
    let found = sqlx::query(concat!(
        "/* second_factors.locked */ SELECT secret, confirmed_at, used FROM second_factors WHERE account = ?",
        for_update!()
    ))
    .bind(id)
    .fetch_optional(conn)
    .await?;
    found.as_ref().map(factor).transpose()
}

async fn try_once(
    conn: &mut Connection,
    &(id, TryLimit { tries_max, window_ms }, now): &(BuyerId, TryLimit, Timestamp),
) -> Result<bool> {
    let since = now.plus_ms(-window_ms);
    let again = sqlx::query(
        "/* second_factors.try_anew */ UPDATE second_factors SET tries = 1, tries_since = ? \
         WHERE account = ? AND tries_since <= ?",
    )
    .bind(now)
    .bind(id)
    .bind(since)
    .execute(&mut *conn)
    .await?;
    if again.rows_affected() == 1 {
        return Ok(tries_max > 0);
    }
    let counted = sqlx::query(
        "/* second_factors.try */ UPDATE second_factors SET tries = tries + 1 WHERE account = ? AND tries < ?",
    )
    .bind(id)
    .bind(tries_max)
    .execute(conn)
    .await?;
    Ok(counted.rows_affected() == 1)
}

async fn use_step(conn: &mut Connection, &(id, step): &(BuyerId, u64)) -> Result<bool> {
    let used = sqlx::query(
        "/* second_factors.use */ UPDATE second_factors SET used = ?, tries = 0, tries_since = 0 WHERE account = ? AND used < ?",
    )
    .bind(Number(step))
    .bind(id)
    .bind(Number(step))
    .execute(conn)
    .await?;
    Ok(used.rows_affected() == 1)
}

async fn use_recovery(conn: &mut Connection, (id, digest): &(BuyerId, Digest)) -> Result<bool> {
    let used = sqlx::query("/* recovery_codes.use */ DELETE FROM recovery_codes WHERE account = ? AND digest = ?")
        .bind(*id)
        .bind(digest.as_slice())
        .execute(&mut *conn)
        .await?;
    if used.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query(
        "/* second_factors.forget_tries */ UPDATE second_factors SET tries = 0, tries_since = 0 WHERE account = ?",
    )
    .bind(*id)
    .execute(conn)
    .await?;
    Ok(true)
}

/// The account is as if it never had any.
pub async fn forget(conn: &mut Connection, id: BuyerId) -> Result<()> {
    sqlx::query("/* second_factors.forget */ DELETE FROM second_factors WHERE account = ?")
        .bind(id)
        .execute(&mut *conn)
        .await?;
    sqlx::query("/* recovery_codes.forget */ DELETE FROM recovery_codes WHERE account = ?")
        .bind(id)
        .execute(conn)
        .await?;
    Ok(())
}
