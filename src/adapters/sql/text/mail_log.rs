//! The log of letters.

use std::slice;

use async_trait::async_trait;
use futures_util::TryFutureExt;
use sqlx::Row as _;

use super::bulk::{self, Statement};
use super::dialect::{Connection, Store, insert_new};
use super::{Result, broken, fault, row};
use crate::adapters::sql::codes::Letter;
use crate::adapters::sql::stored::Number;
use crate::domain::shared::event::Event;
use crate::domain::shared::id::EventId;
use crate::domain::shared::time::Timestamp;
use crate::ports;
use crate::ports::audit::retention::Piece;
use crate::ports::mail::log::{Claimed, Ending, MailLog, Unsent};
use crate::ports::mail::transport::kind;

/// Characters that are kept of why a letter was refused.
const WHY_MAX: usize = 200;

struct New {
    id: EventId,
    kind: &'static str,
    event: Option<String>,
    /// When it is written down, or asked for.
    kept_at: Timestamp,
    due_at: Timestamp,
    tries: u32,
}

#[async_trait]
impl MailLog for Store {
    async fn keep(&self, events: &[Event], now: Timestamp) -> ports::Result<()> {
        let written = events.iter().map(|event| {
            let text = serde_json::to_string(event).map_err(|error| fault(broken(error)))?;
            Ok(New { id: event.id, kind: kind(&event.fact), event: Some(text), kept_at: now, due_at: now, tries: 0 })
        });
        let mut letters = written.collect::<ports::Result<Vec<_>>>()?;
        // All transactions lock in the same order.
        letters.sort_unstable_by_key(|letter| letter.id);
        self.write("letters.keep", letters, |c, letters| Box::pin(keep(c, letters).map_ok(drop))).await
    }

    async fn due(&self, now: Timestamp, max: u32) -> ports::Result<Vec<Event>> {
        due(&mut *self.reader().await?, now, max).await.map_err(fault)
    }

    async fn claim(&self, id: EventId, kind: &'static str, now: Timestamp, lease_ms: i64) -> ports::Result<Claimed> {
        let new = New { id, kind, event: None, kept_at: now, due_at: now.plus_ms(lease_ms), tries: 1 };
        self.write("letters.claim", new, |c, new| Box::pin(claim(c, new))).await
    }

    async fn put_off(&self, id: EventId, tries: u32, due_at: Timestamp) -> ports::Result<()> {
        self.write("letters.put_off", (id, tries, due_at), |c, args| Box::pin(put_off(c, args))).await
    }

    async fn end(&self, id: EventId, tries: u32, ending: Ending, now: Timestamp) -> ports::Result<()> {
        self.write("letters.end", (id, tries, ending, now), |c, args| Box::pin(end(c, args))).await
    }

    async fn void_claims(&self, now: Timestamp) -> ports::Result<()> {
        self.write("letters.void_claims", now, |c, now| Box::pin(void_claims(c, *now))).await
    }

    async fn unsent(&self) -> ports::Result<Unsent> {
        unsent(&mut *self.reader().await?).await.map_err(fault)
    }
}

/// How many were not there before.
async fn keep(conn: &mut Connection, letters: &[New]) -> Result<u64> {
    let mut kept = 0;
    for letters in bulk::pieces(letters, bulk::ROWS_MAX) {
        let mut query = Statement::new(concat!(
            "/* letters.keep */ ",
            insert_new!(),
            " INTO letters (id, kind, state, event, kept_at, due_at, tries) "
        ));
        query.push_rows(letters, |values, letter| {
            values.bind(letter.id).bind(letter.kind).bind(Letter::Unsent).bind(&letter.event);
            values.bind(letter.kept_at).bind(letter.due_at).bind(letter.tries);
        });
        kept += query.build()?.execute(&mut *conn).await?.rows_affected();
    }
    Ok(kept)
}

/// In the order of their index: after a rush tens of thousands wait, and some are asked for at a time.
fn next_due(now: Timestamp, max: u32) -> Statement {
    let mut query = Statement::new("/* letters.due */ SELECT event FROM letters WHERE state = ");
    query.push_bind(Letter::Unsent).push(" AND due_at <= ").push_bind(now);
    query.push(" AND event IS NOT NULL ORDER BY due_at, kept_at, id LIMIT ").push_bind(max);
    query
}

async fn due(conn: &mut Connection, now: Timestamp, max: u32) -> Result<Vec<Event>> {
    let rows = next_due(now, max).build()?.fetch_all(conn).await?;
    let texts: Vec<String> = rows.iter().map(|row| row.try_get("event")).collect::<Result<_>>()?;
    Ok(texts.iter().filter_map(|text| read(text)).collect())
}

impl Store {
    /// How the database finds the next letters, in its own words: a test sees there that those behind them cost nothing.
    pub async fn explain_due(&self, now: Timestamp, max: u32) -> ports::Result<Vec<String>> {
        next_due(now, max).plan(&mut *self.reader().await?).await.map_err(fault)
    }
}

/// What only a newer binary can read is left to it.
fn read(text: &str) -> Option<Event> {
    serde_json::from_str(text).inspect_err(|error| tracing::error!(%error, "the event of a mail cannot be read")).ok()
}

/// Reads before it writes: of many workers that come for one letter, those that cannot have it lock nothing.
async fn claim(conn: &mut Connection, new: &New) -> Result<Claimed> {
    let found = sqlx::query("/* letters.look */ SELECT state, tries, kept_at, due_at FROM letters WHERE id = ?")
        .bind(new.id)
        .fetch_optional(&mut *conn)
        .await?;
    let Some(found) = found else {
        let mine = Claimed::Mine { tries: new.tries, kept_at: new.kept_at };
        return Ok(if keep(conn, slice::from_ref(new)).await? == 1 { mine } else { Claimed::Elsewhere });
    };
    let (tries, kept_at) = (row::small::<u32>(&found, "tries")?, found.try_get("kept_at")?);
    if found.try_get::<Letter, _>("state")? != Letter::Unsent {
        return Ok(Claimed::Done);
    }
    if found.try_get::<Timestamp, _>("due_at")? > new.kept_at {
        return Ok(Claimed::Elsewhere);
    }
    let claimed = sqlx::query(
        "/* letters.claim */ UPDATE letters SET due_at = ?, tries = tries + 1 WHERE id = ? AND state = ? \
         AND due_at <= ? AND tries = ?",
    )
    .bind(new.due_at)
    .bind(new.id)
    .bind(Letter::Unsent)
    .bind(new.kept_at)
    .bind(tries)
    .execute(conn)
    .await?;
    let mine = Claimed::Mine { tries: tries + 1, kept_at };
    Ok(if claimed.rows_affected() == 1 { mine } else { Claimed::Elsewhere })
}

async fn put_off(conn: &mut Connection, &(id, tries, due_at): &(EventId, u32, Timestamp)) -> Result<()> {
    sqlx::query("/* letters.put_off */ UPDATE letters SET due_at = ? WHERE id = ? AND state = ? AND tries = ?")
        .bind(due_at)
        .bind(id)
        .bind(Letter::Unsent)
        .bind(tries)
        .execute(conn)
        .await?;
    Ok(())
}

async fn end(conn: &mut Connection, (id, tries, ending, now): &(EventId, u32, Ending, Timestamp)) -> Result<()> {
    let (state, why) = match ending {
        Ending::Sent => (Letter::Sent, None),
        Ending::Refused { why } => (Letter::Refused, Some(why.chars().take(WHY_MAX).collect::<String>())),
        Ending::Nobody => (Letter::Nobody, None),
    };
    sqlx::query(
        "/* letters.end */ UPDATE letters SET state = ?, why = ?, done_at = ?, event = NULL WHERE id = ? \
         AND state = ? AND (tries = ? OR ?)",
    )
    .bind(state)
    .bind(why)
    .bind(now)
    .bind(id)
    .bind(Letter::Unsent)
    .bind(tries)
    .bind(state == Letter::Sent)
    .execute(conn)
    .await?;
    Ok(())
}

async fn void_claims(conn: &mut Connection, now: Timestamp) -> Result<()> {
    sqlx::query(
        "/* letters.void_claims */ UPDATE letters SET due_at = ?, tries = tries + 1 WHERE state = ? AND due_at > ?",
    )
    .bind(now)
    .bind(Letter::Unsent)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

async fn unsent(conn: &mut Connection) -> Result<Unsent> {
    let waiting = sqlx::query(
        "/* letters.unsent */ SELECT COUNT(*) AS letters, MIN(kept_at) AS oldest FROM letters WHERE state = ?",
    )
    .bind(Letter::Unsent)
    .fetch_one(&mut *conn)
    .await?;
    let Number(refused) = sqlx::query_scalar("/* letters.refused */ SELECT COUNT(*) FROM letters WHERE state = ?")
        .bind(Letter::Refused)
        .fetch_one(conn)
        .await?;
    Ok(Unsent { letters: row::number(&waiting, "letters")?, oldest: waiting.try_get("oldest")?, refused })
}

/// Letters that are done; one that is unsent has no such time.
pub async fn count_done(conn: &mut Connection, before: Timestamp, max: u32) -> Result<u64> {
    bulk::count_until(conn, bulk::count_some!("letters.done", "letters", "done_at < ?"), before, max).await
}

pub async fn remove_done(conn: &mut Connection, &(before, piece): &(Timestamp, Piece)) -> Result<u64> {
    let text = bulk::delete_some!("letters.remove", "letters", "done_at < ?", "done_at, id");
    bulk::delete_until(conn, text, before, piece.max).await
}
