//! The journal. An entry is written at the end of the transaction whose effect it tells of, and the head's row is locked last, after
//! every row that the effect locks: entries come one after the other, each knows the one before, and the chain never forks. Absent: any
//! statement that changes an entry or removes one.

use async_trait::async_trait;
use serde_json::Value;
use sqlx::{FromRow, Row as _};

use super::bulk::Statement;
use super::dialect::{Connection, Row, Store, for_update};
use super::{Result, broken, fault, row};
use crate::adapters::sql::stored::Number;
use crate::domain::audit::journal::{Action, Entry, Head, Recorded, Subject};
use crate::domain::people::author::{Actor, Author};
use crate::domain::shared::id::BuyerId;
use crate::ports;
use crate::ports::audit::journal::{Journal, Wanted};

/// No account's number.
const SHELL: BuyerId = BuyerId(0);

/// What a [`Recorded`] is read from.
macro_rules! entries {
    ($name:literal, $($tail:tt)*) => {
        concat!(
            "/* ", $name, " */ SELECT number, at, actor, role, network, request, action, subject, was, became, digest ",
            "FROM journal ",
            $($tail)*
        )
    };
}

#[async_trait]
impl Journal for Store {
    async fn write_down(&self, entry: &Entry) -> ports::Result<u64> {
        self.write("journal.write", entry.clone(), |c, entry| Box::pin(write(c, entry))).await
    }

    async fn entries_before(&self, wanted: &Wanted, number: Option<u64>, max: u32) -> ports::Result<Vec<Recorded>> {
        before(&mut *self.reader().await?, wanted, number, max).await.map_err(fault)
    }

    async fn entries_after(&self, number: u64, max: u32) -> ports::Result<Vec<Recorded>> {
        after(&mut *self.reader().await?, number, max).await.map_err(fault)
    }

    async fn journal_head(&self) -> ports::Result<Head> {
        head(&mut *self.reader().await?).await.map_err(fault)
    }
}

/// What an effect says of itself, if somebody answers for it: without an author nothing is written.
pub async fn tell(
    conn: &mut Connection,
    by: Option<&Author>,
    action: Action,
    subject: Subject,
    [before, after]: [Value; 2],
) -> Result<()> {
    let Some(author) = by else { return Ok(()) };
    let text = |value: Value| if value.is_null() { String::new() } else { value.to_string() };
    let entry = Entry { author: author.clone(), action, subject, before: text(before), after: text(after) };
    write(conn, &entry).await.map(|_| ())
}

async fn write(conn: &mut Connection, entry: &Entry) -> Result<u64> {
    let found =
        sqlx::query(concat!("/* journal.lock */ SELECT number, digest FROM journal_head WHERE one = 1", for_update!()))
            .fetch_one(&mut *conn)
            .await?;
    let next = Recorded::next(head_of(&found)?, entry);
    sqlx::query(
        "/* journal.write */ INSERT INTO journal (number, at, actor, role, network, request, action, subject, was, became, \
         digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(Number(next.number))
    .bind(next.at)
    .bind(number_of(next.actor))
    .bind(&next.role)
    .bind(&next.network)
    .bind(next.request)
    .bind(&next.action)
    .bind(&next.subject)
    .bind(&next.before)
    .bind(&next.after)
    .bind(next.digest)
    .execute(&mut *conn)
    .await?;
    sqlx::query("/* journal.head */ UPDATE journal_head SET number = ?, digest = ? WHERE one = 1")
        .bind(Number(next.number))
        .bind(next.digest)
        .execute(conn)
        .await?;
    Ok(next.number)
}

async fn before(conn: &mut Connection, wanted: &Wanted, number: Option<u64>, max: u32) -> Result<Vec<Recorded>> {
    let mut query = Statement::new(entries!("journal.before", "WHERE number < "));
    query.push_bind(Number(number.unwrap_or(i64::MAX as u64)));
    if let Some(actor) = wanted.actor {
        query.push(" AND actor = ").push_bind(number_of(actor));
    }
    if let Some(action) = &wanted.action {
        query.push(" AND action = ").push_bind(action.clone());
    }
    if let Some(subject) = &wanted.subject {
        query.push(" AND subject = ").push_bind(subject.clone());
    }
    if let Some(from) = wanted.from {
        query.push(" AND at >= ").push_bind(from);
    }
    if let Some(to) = wanted.to {
        query.push(" AND at < ").push_bind(to);
    }
    query.push(" ORDER BY number DESC LIMIT ").push_bind(max);
    query.build_as::<Recorded>()?.fetch_all(conn).await
}

async fn after(conn: &mut Connection, number: u64, max: u32) -> Result<Vec<Recorded>> {
    sqlx::query_as(entries!("journal.after", "WHERE number > ? ORDER BY number LIMIT ?"))
        .bind(Number(number))
        .bind(max)
        .fetch_all(conn)
        .await
}

async fn head(conn: &mut Connection) -> Result<Head> {
    let found = sqlx::query("/* journal.read_head */ SELECT number, digest FROM journal_head WHERE one = 1")
        .fetch_optional(conn)
        .await?;
    head_of(&found.ok_or_else(|| broken("the journal has no head"))?)
}

fn head_of(found: &Row) -> Result<Head> {
    Ok(Head { number: row::number(found, "number")?, digest: found.try_get("digest")? })
}

pub fn number_of(actor: Actor) -> BuyerId {
    match actor {
        Actor::Account(id) => id,
        Actor::Shell => SHELL,
    }
}

impl FromRow<'_, Row> for Recorded {
    fn from_row(found: &Row) -> Result<Self> {
        Ok(Recorded {
            number: row::number(found, "number")?,
            at: found.try_get("at")?,
            actor: match found.try_get::<BuyerId, _>("actor")? {
                SHELL => Actor::Shell,
                account => Actor::Account(account),
            },
            role: found.try_get("role")?,
            network: found.try_get("network")?,
            request: found.try_get("request")?,
            action: found.try_get("action")?,
            subject: found.try_get("subject")?,
            before: found.try_get("was")?,
            after: found.try_get("became")?,
            digest: found.try_get("digest")?,
        })
    }
}
