//! Requests by the key of their caller.

use async_trait::async_trait;
use sqlx::Row as _;

use super::dialect::{Connection, Row, Store, for_update, insert_new};
use super::{Result, broken, bulk, row};
use crate::adapters::sql::stored::Number;
use crate::domain::shared::time::Timestamp;
use crate::ports;
use crate::ports::platform::idempotency::{Answer, Asked, Claim, Fingerprint, Idempotency, Key, Lease};

/// In the column of statuses: done, and its answer is made anew.
const ANEW: i64 = 0;

#[async_trait]
impl Idempotency for Store {
    async fn claim(&self, asked: &Asked) -> ports::Result<Claim> {
        self.write("requests.claim", asked.clone(), |c, asked| Box::pin(claim(c, asked))).await
    }

    async fn keep(&self, key: Key, lease: Lease, answer: &Answer) -> ports::Result<bool> {
        self.write("requests.keep", (key, lease, answer.clone()), |c, args| Box::pin(keep(c, args))).await
    }

    async fn let_go(&self, key: Key, lease: Lease) -> ports::Result<()> {
        self.write("requests.let_go", (key, lease), |c, args| Box::pin(let_go(c, args))).await
    }

    async fn withdraw(&self, key: Key, lease: Lease) -> ports::Result<()> {
        self.write("requests.withdraw", (key, lease), |c, args| Box::pin(withdraw(c, args))).await
    }

    async fn forget(&self, now: Timestamp, max: u32) -> ports::Result<u64> {
        self.write("requests.forget", (now, max), |c, args| Box::pin(forget(c, args))).await
    }
}

struct Found {
    fingerprint: Fingerprint,
    lease: Lease,
    leased_until: Timestamp,
    expires_at: Timestamp,
    answer: Option<Answer>,
}

async fn claim(conn: &mut Connection, asked: &Asked) -> Result<Claim> {
    let first = Lease { request: asked.request, attempt: 1 };
    if insert(conn, asked).await? {
        return Ok(Claim::Yours(first));
    }
    // Removed in this very moment: the next try finds nothing.
    let Some(found) = fetch_locked(conn, asked.key).await? else { return Ok(Claim::InFlight) };
    if found.expires_at <= asked.now {
        begin_anew(conn, asked).await?;
        return Ok(Claim::Yours(first));
    }
    if !asked.fingerprints.contains(&found.fingerprint) {
        return Ok(Claim::OtherPayload);
    }
    if let Some(answer) = found.answer {
        return Ok(Claim::Done { lease: found.lease, answer });
    }
    if found.leased_until > asked.now {
        return Ok(Claim::InFlight);
    }
    let lease = Lease { attempt: found.lease.attempt + 1, ..found.lease };
    sqlx::query("/* requests.take_over */ UPDATE requests SET attempt = ?, leased_until = ? WHERE id = ?")
        .bind(Number(lease.attempt))
        .bind(asked.leased_until)
        .bind(asked.key)
        .execute(conn)
        .await?;
    Ok(Claim::Yours(lease))
}

fn written(asked: &Asked) -> Result<Fingerprint> {
    asked.fingerprints.first().copied().ok_or_else(|| broken("a request without a fingerprint"))
}

/// Whether it was the first with this key.
async fn insert(conn: &mut Connection, asked: &Asked) -> Result<bool> {
    let done = sqlx::query(concat!(
        "/* requests.insert */ ",
        insert_new!(),
        " INTO requests (id, fingerprint, request, attempt, leased_until, expires_at) VALUES (?, ?, ?, 1, ?, ?)"
    ))
    .bind(asked.key)
    .bind(written(asked)?)
    .bind(asked.request)
    .bind(asked.leased_until)
    .bind(asked.expires_at)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Over what has expired.
async fn begin_anew(conn: &mut Connection, asked: &Asked) -> Result<()> {
    sqlx::query(
        "/* requests.begin_anew */ UPDATE requests SET fingerprint = ?, request = ?, attempt = 1, leased_until = ?, \
         expires_at = ?, status = NULL, content_type = NULL, body = NULL WHERE id = ?",
    )
    .bind(written(asked)?)
    .bind(asked.request)
    .bind(asked.leased_until)
    .bind(asked.expires_at)
    .bind(asked.key)
    .execute(conn)
    .await?;
    Ok(())
}

async fn fetch_locked(conn: &mut Connection, key: Key) -> Result<Option<Found>> {
    let found = sqlx::query(concat!(
        "/* requests.fetch */ SELECT fingerprint, request, attempt, leased_until, expires_at, status, content_type, body ",
        "FROM requests WHERE id = ?",
        for_update!()
    ))
    .bind(key)
    .fetch_optional(conn)
    .await?;
    found.as_ref().map(read).transpose()
}

fn read(found: &Row) -> Result<Found> {
    let answer = match found.try_get("status")? {
        None => None,
        Some(ANEW) => Some(Answer::Anew),
        Some(status) => Some(Answer::Kept {
            status: u16::try_from(status).map_err(|_| broken(format!("an answer's status is {status}")))?,
            content_type: found.try_get("content_type")?,
            body: found.try_get("body")?,
        }),
    };
    Ok(Found {
        fingerprint: found.try_get("fingerprint")?,
        lease: Lease { request: found.try_get("request")?, attempt: row::number(found, "attempt")? },
        leased_until: found.try_get("leased_until")?,
        expires_at: found.try_get("expires_at")?,
        answer,
    })
}

async fn keep(conn: &mut Connection, (key, lease, answer): &(Key, Lease, Answer)) -> Result<bool> {
    let (status, content_type, body) = match answer {
        Answer::Anew => (ANEW, None, None),
        Answer::Kept { status, content_type, body } => {
            (i64::from(*status), Some(content_type.clone()), Some(body.clone()))
        }
    };
    let done = sqlx::query(
        "/* requests.keep */ UPDATE requests SET status = ?, content_type = ?, body = ? \
         WHERE id = ? AND request = ? AND attempt = ? AND status IS NULL",
    )
    .bind(status)
    .bind(content_type)
    .bind(body)
    .bind(key)
    .bind(lease.request)
    .bind(Number(lease.attempt))
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

async fn let_go(conn: &mut Connection, (key, lease): &(Key, Lease)) -> Result<()> {
    sqlx::query(
        "/* requests.let_go */ UPDATE requests SET leased_until = 0 \
         WHERE id = ? AND request = ? AND attempt = ? AND status IS NULL",
    )
    .bind(key)
    .bind(lease.request)
    .bind(Number(lease.attempt))
    .execute(conn)
    .await?;
    Ok(())
}

/// Of a later one an earlier one may still sleep: its effect is under this id, so the id stays.
async fn withdraw(conn: &mut Connection, args: &(Key, Lease)) -> Result<()> {
    let (key, lease) = args;
    if lease.is_again() {
        return let_go(conn, args).await;
    }
    sqlx::query(
        "/* requests.withdraw */ DELETE FROM requests WHERE id = ? AND request = ? AND attempt = 1 AND status IS NULL",
    )
    .bind(key)
    .bind(lease.request)
    .execute(conn)
    .await?;
    Ok(())
}

async fn forget(conn: &mut Connection, &(now, max): &(Timestamp, u32)) -> Result<u64> {
    let text = bulk::delete_some!("requests.forget", "requests", "expires_at <= ?", "expires_at");
    bulk::delete_until(conn, text, now, max).await
}
