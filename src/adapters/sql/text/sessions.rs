//! Log-ins.

use async_trait::async_trait;
use serde_json::json;
use sqlx::Row as _;

use super::dialect::{Connection, Row, Store};
use super::{Result, bulk, fault, people};
use crate::adapters::sql::stored::Number;
use crate::domain::audit::journal::Action;
use crate::domain::people::author::Author;
use crate::domain::people::session::Session;
use crate::domain::shared::id::{BuyerId, SessionId};
use crate::domain::shared::time::Timestamp;
use crate::ports;
use crate::ports::people::sessions::{EndPlace, Ended, Sessions};

#[async_trait]
impl Sessions for Store {
    async fn begin_session(&self, account: BuyerId, epoch: u64, session: &Session) -> ports::Result<()> {
        self.write("sessions.begin", (account, epoch, session.clone()), |c, args| Box::pin(begin(c, args))).await
    }

    async fn sessions(&self, account: BuyerId, now: Timestamp, max: u32) -> ports::Result<Vec<Session>> {
        listed(&mut *self.reader().await?, account, now, max).await.map_err(fault)
    }

    async fn end_session(
        &self,
        account: BuyerId,
        id: SessionId,
        now: Timestamp,
        by: Option<&Author>,
    ) -> ports::Result<bool> {
        let args = (account, id, now, by.cloned());
        self.write("sessions.end", args, |c, args| Box::pin(end(c, args))).await
    }

    async fn sessions_ended_after(&self, after: EndPlace, max: u32) -> ports::Result<Vec<(EndPlace, Ended)>> {
        ended_after(&mut *self.reader().await?, after, max).await.map_err(fault)
    }

    async fn forget_sessions(&self, over_before: Timestamp, max: u32) -> ports::Result<u64> {
        self.write("sessions.forget", (over_before, max), |c, args| Box::pin(forget(c, args))).await
    }
}

async fn begin(conn: &mut Connection, (account, epoch, session): &(BuyerId, u64, Session)) -> Result<()> {
    sqlx::query(
        "/* sessions.begin */ INSERT INTO sessions (id, account, epoch, begun_at, until_at, agent, network) \
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(session.id)
    .bind(account)
    .bind(Number(*epoch))
    .bind(session.begun_at)
    .bind(session.until)
    .bind(&session.agent)
    .bind(&session.network)
    .execute(conn)
    .await?;
    Ok(())
}

/// With another epoch of the account all before are over.
async fn listed(conn: &mut Connection, account: BuyerId, now: Timestamp, max: u32) -> Result<Vec<Session>> {
    let found = sqlx::query(
        "/* sessions.listed */ SELECT id, begun_at, until_at, agent, network FROM sessions WHERE account = ? \
         AND epoch = (SELECT accounts.epoch FROM accounts WHERE accounts.id = ?) AND ended_at IS NULL AND until_at > ? \
         ORDER BY begun_at DESC, id LIMIT ?",
    )
    .bind(account)
    .bind(account)
    .bind(now)
    .bind(max)
    .fetch_all(conn)
    .await?;
    let session = |found: &Row| {
        Ok(Session {
            id: found.try_get("id")?,
            begun_at: found.try_get("begun_at")?,
            until: found.try_get("until_at")?,
            agent: found.try_get("agent")?,
            network: found.try_get("network")?,
        })
    };
    found.iter().map(session).collect()
}

async fn end(
    conn: &mut Connection,
    (account, id, now, by): &(BuyerId, SessionId, Timestamp, Option<Author>),
) -> Result<bool> {
    let ended = sqlx::query(
        "/* sessions.end */ UPDATE sessions SET ended_at = ? WHERE id = ? AND account = ? AND ended_at IS NULL \
         AND until_at > ?",
    )
    .bind(now)
    .bind(id)
    .bind(account)
    .bind(now)
    .execute(&mut *conn)
    .await?;
    if ended.rows_affected() == 0 {
        return Ok(false);
    }
    people::own(conn, by.as_ref(), Action::SessionEnded, *account, json!({ "session": id })).await?;
    Ok(true)
}

async fn ended_after(conn: &mut Connection, after: EndPlace, max: u32) -> Result<Vec<(EndPlace, Ended)>> {
    let found = sqlx::query(
        "/* sessions.ended_after */ SELECT id, account, ended_at FROM sessions \
         WHERE ended_at >= ? AND (ended_at > ? OR id > ?) ORDER BY ended_at, id LIMIT ?",
    )
    .bind(after.at)
    .bind(after.at)
    .bind(after.session)
    .bind(max)
    .fetch_all(conn)
    .await?;
    let ended = |found: &Row| {
        let (session, at) = (found.try_get("id")?, found.try_get("ended_at")?);
        Ok((EndPlace { at, session }, Ended { session, account: found.try_get("account")? }))
    };
    found.iter().map(ended).collect()
}

async fn forget(conn: &mut Connection, &(before, max): &(Timestamp, u32)) -> Result<u64> {
    let text = bulk::delete_some!("sessions.forget", "sessions", "until_at < ?", "until_at");
    bulk::delete_until(conn, text, before, max).await
}
