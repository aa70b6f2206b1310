//! The log of letters.

use async_trait::async_trait;
use sqlx::Row as _;

use super::dialect::{Connection, Store, insert_new};
use super::{Result, broken, fault, row};
use crate::domain::shared::event::Event;
use crate::domain::shared::id::EventId;
use crate::domain::shared::time::Timestamp;
use crate::ports;
use crate::ports::mail::log::{Claimed, Ending, MailLog, Unsent};
use crate::ports::mail::transport::kind;

const UNSENT: i64 = 1;
const SENT: i64 = 2;
const REFUSED: i64 = 3;
const NOBODY: i64 = 4;
/// Characters that are kept of why a letter was refused.
const WHY_MAX: usize = 200;

struct New {
    id: EventId,
    kind: &'static str,
    event: Option<String>,
    now: Timestamp,
}

#[async_trait]
impl MailLog for Store {
    async fn keep(&self, events: &[Event], now: Timestamp) -> ports::Result<()> {
        let written = events.iter().map(|event| {
            let text = serde_json::to_string(event).map_err(|error| fault(broken(error)))?;
            Ok(New { id: event.id, kind: kind(&event.fact), event: Some(text), now })
        });
        let letters = written.collect::<ports::Result<Vec<_>>>()?;
        self.write("letters.keep", letters, |c, letters| Box::pin(keep_all(c, letters))).await
    }

    async fn due(&self, now: Timestamp, max: u32) -> ports::Result<Vec<Event>> {
        due(&mut *self.reader().await?, now, max).await.map_err(fault)
    }

    async fn claim(&self, id: EventId, kind: &'static str, now: Timestamp, lease_ms: i64) -> ports::Result<Claimed> {
        let new = New { id, kind, event: None, now };
        self.write("letters.claim", (new, lease_ms), |c, args| Box::pin(claim(c, args))).await
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

async fn keep_all(conn: &mut Connection, letters: &[New]) -> Result<()> {
    for letter in letters {
        keep(conn, letter, letter.now, 0).await?;
    }
    Ok(())
}

/// Whether it was not there before.
async fn keep(conn: &mut Connection, letter: &New, due_at: Timestamp, tries: i64) -> Result<bool> {
    let kept = sqlx::query(concat!(
        "/* letters.keep */ ",
        insert_new!(),
        " INTO letters (id, kind, state, event, kept_at, due_at, tries) VALUES (?, ?, 1, ?, ?, ?, ?)"
    ))
    .bind(letter.id.to_bytes().to_vec())
    .bind(letter.kind)
    .bind(letter.event.clone())
    .bind(letter.now.0)
    .bind(due_at.0)
    .bind(tries)
    .execute(conn)
    .await?;
    Ok(kept.rows_affected() == 1)
}

async fn due(conn: &mut Connection, now: Timestamp, max: u32) -> Result<Vec<Event>> {
    let found = sqlx::query(
        "/* letters.due */ SELECT event FROM letters WHERE state = 1 AND due_at <= ? AND event IS NOT NULL \
         ORDER BY due_at, kept_at, id LIMIT ?",
    )
    .bind(now.0)
    .bind(i64::from(max))
    .fetch_all(conn)
    .await?;
    let texts = found.iter().map(|found| found.try_get(0)).collect::<Result<Vec<String>>>()?;
    Ok(texts.iter().filter_map(|text| read(text)).collect())
}

/// What only a newer binary can read is left to it.
fn read(text: &str) -> Option<Event> {
    serde_json::from_str(text).inspect_err(|error| tracing::error!(%error, "a letter's event cannot be read")).ok()
}

/// Looks before it writes: of many who come for one letter, those who cannot have it lock nothing.
async fn claim(conn: &mut Connection, (new, lease_ms): &(New, i64)) -> Result<Claimed> {
    let until = new.now.plus_ms(*lease_ms);
    let found = sqlx::query("/* letters.look */ SELECT state, tries, kept_at, due_at FROM letters WHERE id = ?")
        .bind(new.id.to_bytes().to_vec())
        .fetch_optional(&mut *conn)
        .await?;
    let Some(found) = found else {
        let mine = Claimed::Mine { tries: 1, kept_at: new.now };
        return Ok(if keep(conn, new, until, 1).await? { mine } else { Claimed::Elsewhere });
    };
    let (tries, kept_at) = (row::small::<u32>(&found, 1)?, Timestamp(found.try_get(2)?));
    if row::small::<i64>(&found, 0)? != UNSENT {
        return Ok(Claimed::Done);
    }
    if found.try_get::<i64, _>(3)? > new.now.0 {
        return Ok(Claimed::Elsewhere);
    }
    let claimed = sqlx::query(
        "/* letters.claim */ UPDATE letters SET due_at = ?, tries = tries + 1 \
         WHERE id = ? AND state = 1 AND due_at <= ? AND tries = ?",
    )
    .bind(until.0)
    .bind(new.id.to_bytes().to_vec())
    .bind(new.now.0)
    .bind(i64::from(tries))
    .execute(conn)
    .await?;
    let mine = Claimed::Mine { tries: tries + 1, kept_at };
    Ok(if claimed.rows_affected() == 1 { mine } else { Claimed::Elsewhere })
}

async fn put_off(conn: &mut Connection, &(id, tries, due_at): &(EventId, u32, Timestamp)) -> Result<()> {
    sqlx::query("/* letters.put_off */ UPDATE letters SET due_at = ? WHERE id = ? AND state = 1 AND tries = ?")
        .bind(due_at.0)
        .bind(id.to_bytes().to_vec())
        .bind(i64::from(tries))
        .execute(conn)
        .await?;
    Ok(())
}

async fn end(conn: &mut Connection, (id, tries, ending, now): &(EventId, u32, Ending, Timestamp)) -> Result<()> {
    let (state, why) = match ending {
        Ending::Sent => (SENT, None),
        Ending::Refused { why } => (REFUSED, Some(why.chars().take(WHY_MAX).collect::<String>())),
        Ending::Nobody => (NOBODY, None),
    };
    sqlx::query(
        "/* letters.end */ UPDATE letters SET state = ?, why = ?, done_at = ?, event = NULL \
         WHERE id = ? AND state = 1 AND (tries = ? OR ? = 2)",
    )
    .bind(state)
    .bind(why)
    .bind(now.0)
    .bind(id.to_bytes().to_vec())
    .bind(i64::from(*tries))
    .bind(state)
    .execute(conn)
    .await?;
    Ok(())
}

async fn void_claims(conn: &mut Connection, now: Timestamp) -> Result<()> {
    sqlx::query(
        "/* letters.void_claims */ UPDATE letters SET due_at = ?, tries = tries + 1 WHERE state = 1 AND due_at > ?",
    )
    .bind(now.0)
    .bind(now.0)
    .execute(conn)
    .await?;
    Ok(())
}

async fn unsent(conn: &mut Connection) -> Result<Unsent> {
    let waiting = sqlx::query("/* letters.unsent */ SELECT COUNT(*), MIN(kept_at) FROM letters WHERE state = 1")
        .fetch_one(&mut *conn)
        .await?;
    let refused =
        sqlx::query("/* letters.refused */ SELECT COUNT(*) FROM letters WHERE state = 3").fetch_one(conn).await?;
    Ok(Unsent {
        letters: row::number(&waiting, 0)?,
        oldest: waiting.try_get::<Option<i64>, _>(1)?.map(Timestamp),
        refused: row::number(&refused, 0)?,
    })
}
