//! Requests by the key of their caller.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use async_trait::async_trait;
use sqlx::Row as _;

use super::bulk::Statement;
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
    if insert(conn, asked).await? {
        return Ok(Claim::Yours(first(asked)));
    }
    // Removed in this very moment: the next try finds nothing.
    let Some(mut found) = fetch_locked(conn, asked.key).await? else { return Ok(Claim::InFlight) };
    claim_again(conn, asked, &mut found).await
}

/// Each as [`claim`] would; of two with one key the first is first.
pub async fn claim_all(conn: &mut Connection, all: &[&Asked]) -> Result<Vec<Claim>> {
    if insert_all(conn, all).await? == all.len() as u64 {
        return Ok(all.iter().map(|asked| Claim::Yours(first(asked))).collect());
    }
    let mut found = fetch_all_locked(conn, all.iter().map(|asked| asked.key)).await?;
    let mut claims = Vec::with_capacity(all.len());
    for asked in all {
        claims.push(match found.get_mut(&asked.key.0) {
            None => Claim::InFlight,
            // Only who has just written it knows this id.
            Some(found) if found.lease == first(asked) && found.answer.is_none() => Claim::Yours(found.lease),
            Some(found) => claim_again(conn, asked, found).await?,
        });
    }
    Ok(claims)
}

fn first(asked: &Asked) -> Lease {
    Lease { request: asked.request, attempt: 1 }
}

/// What others wrote under this key; `found` is what is there afterwards.
async fn claim_again(conn: &mut Connection, asked: &Asked, found: &mut Found) -> Result<Claim> {
    if found.expires_at <= asked.now {
        begin_anew(conn, asked).await?;
        *found = Found {
            fingerprint: written(asked)?,
            lease: first(asked),
            leased_until: asked.leased_until,
            expires_at: asked.expires_at,
            answer: None,
        };
        return Ok(Claim::Yours(found.lease));
    }
    if !asked.fingerprints.contains(&found.fingerprint) {
        return Ok(Claim::OtherPayload);
    }
    if let Some(answer) = &found.answer {
        return Ok(Claim::Done { lease: found.lease, answer: answer.clone() });
    }
    if found.leased_until > asked.now {
        return Ok(Claim::InFlight);
    }
    found.lease.attempt += 1;
    found.leased_until = asked.leased_until;
    sqlx::query("/* requests.take_over */ UPDATE requests SET attempt = ?, leased_until = ? WHERE id = ?")
        .bind(Number(found.lease.attempt))
        .bind(asked.leased_until)
        .bind(asked.key)
        .execute(conn)
        .await?;
    Ok(Claim::Yours(found.lease))
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

/// How many of them were the first with their key.
async fn insert_all(conn: &mut Connection, all: &[&Asked]) -> Result<u64> {
    let mut rows = all.iter().map(|asked| Ok((*asked, written(asked)?))).collect::<Result<Vec<_>>>()?;
    // All transactions lock in the same order; of two with one key the first stays first.
    rows.sort_by_key(|(asked, _)| asked.key.0);
    let mut inserted = 0;
    for rows in bulk::pieces(&rows, bulk::ROWS_MAX) {
        let mut query = Statement::new(concat!(
            "/* requests.insert_all */ ",
            insert_new!(),
            " INTO requests (id, fingerprint, request, attempt, leased_until, expires_at) "
        ));
        query.push_rows(rows, |values, (asked, fingerprint)| {
            values.bind(asked.key).bind(fingerprint).bind(asked.request).bind(1_i64);
            values.bind(asked.leased_until).bind(asked.expires_at);
        });
        inserted += query.build()?.execute(&mut *conn).await?.rows_affected();
    }
    Ok(inserted)
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

async fn fetch_all_locked(
    conn: &mut Connection,
    keys: impl IntoIterator<Item = Key>,
) -> Result<HashMap<[u8; 32], Found>> {
    let keys: BTreeSet<[u8; 32]> = keys.into_iter().map(|key| key.0).collect();
    let mut all = HashMap::with_capacity(keys.len());
    for keys in Vec::from_iter(keys).chunks(bulk::ROWS_MAX) {
        let mut query = Statement::new(
            "/* requests.fetch_all */ SELECT id, fingerprint, request, attempt, leased_until, expires_at, status, \
             content_type, body FROM requests WHERE id IN ",
        );
        query.push_list(keys.iter().copied().map(Key)).push(concat!(" ORDER BY id", for_update!()));
        for found in query.build()?.fetch_all(&mut *conn).await? {
            let Key(key) = found.try_get("id")?;
            all.insert(key, read(&found)?);
        }
    }
    Ok(all)
}

/// Those of the claims that still hold, and have no answer yet.
pub async fn lock_leases(conn: &mut Connection, claims: &[(Key, Lease)]) -> Result<Vec<(Key, Lease)>> {
    let found = fetch_all_locked(conn, claims.iter().map(|(key, _)| *key)).await?;
    let holds = |(key, lease): &&(Key, Lease)| {
        found.get(&key.0).is_some_and(|found| found.lease == *lease && found.answer.is_none())
    };
    Ok(claims.iter().filter(holds).copied().collect())
}

/// A status and a type of content, and a body beside them.
type Alike<'a> = (i64, Option<&'a str>);
type Body<'a> = (Key, Option<&'a [u8]>);

/// Of claims that are locked and hold: what each is answered from now on.
pub async fn keep_all(conn: &mut Connection, kept: &[(Key, Answer)]) -> Result<()> {
    // By what they have in common.
    let mut alike: BTreeMap<Alike, Vec<Body>> = BTreeMap::new();
    for (key, answer) in kept {
        let (status, content_type, body) = columns(answer);
        alike.entry((status, content_type)).or_default().push((*key, body));
    }
    for ((status, content_type), mut answers) in alike {
        answers.sort_unstable_by_key(|(key, _)| key.0);
        for answers in answers.chunks(bulk::ASSIGNED_MAX) {
            let mut query = Statement::new("/* requests.keep_all */ UPDATE requests SET status = ");
            query.push_bind(status).push(", content_type = ").push_bind(content_type).push(", body = ");
            query.push_by_id(answers.iter().copied());
            query.push(" WHERE id IN ").push_list(answers.iter().map(|(key, _)| *key));
            query.build()?.execute(&mut *conn).await?;
        }
    }
    Ok(())
}

/// As an answer lies in its row.
fn columns(answer: &Answer) -> (i64, Option<&str>, Option<&[u8]>) {
    match answer {
        Answer::Anew => (ANEW, None, None),
        Answer::Kept { status, content_type, body } => {
            (i64::from(*status), Some(content_type.as_str()), Some(body.as_slice()))
        }
    }
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
    let (status, content_type, body) = columns(answer);
    let done = sqlx::query(
        "/* requests.keep */ UPDATE requests SET status = ?, content_type = ?, body = ? \
         WHERE id = ? AND request = ? AND attempt = ? AND status IS NULL",
    )
    .bind(status)
    .bind(content_type.map(str::to_owned))
    .bind(body.map(<[u8]>::to_vec))
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
