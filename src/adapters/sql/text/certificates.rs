//! Certificates of sales that are over, and the turns that go after them.

use sqlx::{FromRow, Row as _};

use super::bulk::Statement;
use super::dialect::{Connection, Row, by_primary, for_update};
use super::{Result, broken, restore, row};
use crate::adapters::sql::stored::Number;
use crate::domain::sale::SaleState;
use crate::domain::shared::id::SaleId;
use crate::domain::shared::time::Timestamp;
use crate::ports::audit::retention::{Certificate, Piece, SaleOver};

const COLUMNS: &str = "certificates.generation AS at_generation, certificates.revision AS at_revision, attempts, taken, stood_by, \
                       already, refused, digest, certified_at, turns_removed_at, turns_gone_at, turnstile_removed_at, ended_moved_at";

/// Of a certificate that is there.
fn certificate(found: &Row, sale: SaleId) -> Result<Certificate> {
    let digest: Vec<u8> = found.try_get("digest")?;
    let mut outcomes = [0; 4];
    for (outcome, column) in outcomes.iter_mut().zip(["taken", "stood_by", "already", "refused"]) {
        *outcome = row::number(found, column)?;
    }
    Ok(Certificate {
        sale,
        generation: row::number(found, "at_generation")?,
        revision: row::number(found, "at_revision")?,
        attempts: row::number(found, "attempts")?,
        outcomes,
        digest: digest.try_into().map_err(|_| broken("the digest of a certificate has another length"))?,
        certified_at: found.try_get("certified_at")?,
        turns_removed_at: found.try_get("turns_removed_at")?,
        turns_gone_at: found.try_get("turns_gone_at")?,
        turnstile_removed_at: found.try_get("turnstile_removed_at")?,
        ended_moved_at: found.try_get("ended_moved_at")?,
    })
}

impl FromRow<'_, Row> for SaleOver {
    fn from_row(found: &Row) -> Result<Self> {
        let sale = found.try_get("sale")?;
        let is_there: Option<Timestamp> = found.try_get("certified_at")?;
        Ok(SaleOver {
            sale,
            generation: row::number(found, "generation")?,
            revision: row::number(found, "revision")?,
            certificate: is_there.map(|_| certificate(found, sale)).transpose()?,
        })
    }
}

pub async fn fetch(conn: &mut Connection, sale: SaleId) -> Result<Option<Certificate>> {
    let mut query = Statement::new("/* certificates.find */ SELECT ");
    query.push(COLUMNS).push(" FROM certificates WHERE sale = ").push_bind(sale);
    let found = query.build()?.fetch_optional(conn).await?;
    found.map(|found| certificate(&found, sale)).transpose()
}

/// A sale that an operator closed is over by the time of that.
pub async fn over(conn: &mut Connection, after: Option<SaleId>, before: Timestamp, max: u32) -> Result<Vec<SaleOver>> {
    let mut query = Statement::new(concat!(
        "/* certificates.over */ SELECT sales.id AS sale, sales.generation AS generation, \
         COALESCE((SELECT turns.revision FROM turns ",
        by_primary!(),
        " WHERE turns.sale = sales.id AND turns.generation = sales.generation ORDER BY turns.revision DESC LIMIT 1), 0) \
         AS revision, "
    ));
    query.push(COLUMNS);
    query.push(" FROM sales LEFT JOIN certificates ON certificates.sale = sales.id WHERE sales.id > ");
    query.push_bind(after.unwrap_or(SaleId(0))).push(" AND (closes_at < ").push_bind(before);
    query.push(" OR (state = ").push_bind(SaleState::Closed).push(" AND changed_at < ").push_bind(before);
    query.push(")) ORDER BY sales.id LIMIT ").push_bind(max);
    query.build_as::<SaleOver>()?.fetch_all(conn).await
}

/// The sale's row is locked, as by whoever records a turn: what is certified is the last one. Of two who audited the same, the first one's
/// word stands: something may have gone by it since.
pub async fn certify(conn: &mut Connection, certificate: &Certificate) -> Result<bool> {
    let sale = certificate.sale;
    sqlx::query(concat!("/* certificates.sale */ SELECT id FROM sales WHERE id = ?", for_update!()))
        .bind(sale)
        .fetch_optional(&mut *conn)
        .await?;
    let standing = restore::standing(conn, sale).await?;
    if !standing.is_some_and(|standing| certificate.is_at(standing.generation, standing.revision)) {
        return Ok(false);
    }
    let text = match fetch(conn, sale).await? {
        Some(known) if certificate.is_at(known.generation, known.revision) => return Ok(true),
        Some(_) => {
            "/* certificates.again */ UPDATE certificates SET generation = ?, revision = ?, attempts = ?, taken = ?, \
             stood_by = ?, already = ?, refused = ?, digest = ?, certified_at = ?, turns_gone_at = NULL, \
             turnstile_removed_at = NULL, ended_next = NULL, ended_moved_at = NULL WHERE sale = ?"
        }
        None => {
            "/* certificates.write */ INSERT INTO certificates (generation, revision, attempts, taken, stood_by, already, \
             refused, digest, certified_at, sale) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        }
    };
    let [taken, stood_by, already, refused] = certificate.outcomes;
    sqlx::query(text)
        .bind(Number(certificate.generation))
        .bind(Number(certificate.revision))
        .bind(Number(certificate.attempts))
        .bind(Number(taken))
        .bind(Number(stood_by))
        .bind(Number(already))
        .bind(Number(refused))
        .bind(certificate.digest.to_vec())
        .bind(certificate.certified_at)
        .bind(sale)
        .execute(conn)
        .await?;
    Ok(true)
}

/// Whether the sale's certificate is this one. Locked: of two who remove, the second finds what the first left.
pub async fn lock(conn: &mut Connection, certificate: &Certificate) -> Result<bool> {
    let found = sqlx::query(concat!(
        "/* certificates.lock */ SELECT sale FROM certificates WHERE sale = ? AND generation = ? AND revision = ?",
        for_update!()
    ))
    .bind(certificate.sale)
    .bind(Number(certificate.generation))
    .bind(Number(certificate.revision))
    .fetch_optional(conn)
    .await?;
    Ok(found.is_some())
}

/// The oldest turns before the certificate's own, all of one generation.
async fn turns_before(conn: &mut Connection, certificate: &Certificate, max: u32) -> Result<Vec<(u64, u64)>> {
    let found: Vec<(Number, Number)> = sqlx::query_as(
        "/* certificates.turns */ SELECT generation, revision FROM turns WHERE sale = ? \
         AND (generation < ? OR (generation = ? AND revision < ?)) ORDER BY generation, revision LIMIT ?",
    )
    .bind(certificate.sale)
    .bind(Number(certificate.generation))
    .bind(Number(certificate.generation))
    .bind(Number(certificate.revision))
    .bind(max)
    .fetch_all(conn)
    .await?;
    let mut places: Vec<(u64, u64)> =
        found.into_iter().map(|(generation, revision)| (generation.0, revision.0)).collect();
    let first = places.first().map(|(generation, _)| *generation);
    places.retain(|(generation, _)| Some(*generation) == first);
    Ok(places)
}

pub async fn count_turns(conn: &mut Connection, certificate: &Certificate, max: u32) -> Result<u64> {
    Ok(turns_before(conn, certificate, max).await?.len() as u64)
}

pub async fn remove_turns(
    conn: &mut Connection,
    (certificate, now, piece): &(Certificate, Timestamp, Piece),
) -> Result<u64> {
    if !lock(conn, certificate).await? {
        return Ok(0);
    }
    let places = turns_before(conn, certificate, piece.max).await?;
    let (Some(first), Some(last)) = (places.first(), places.last()) else {
        mark(conn, certificate.sale, "turns_gone_at", *now).await?;
        return Ok(0);
    };
    // Before the first goes: the audit must know that it looks for none of them.
    mark(conn, certificate.sale, "turns_removed_at", *now).await?;
    let removed = sqlx::query(
        "/* certificates.remove_turns */ DELETE FROM turns WHERE sale = ? AND generation = ? AND revision BETWEEN ? AND ?",
    )
    .bind(certificate.sale)
    .bind(Number(first.0))
    .bind(Number(first.1))
    .bind(Number(last.1))
    .execute(conn)
    .await?;
    Ok(removed.rows_affected())
}

/// When it was first, of a certificate that is locked.
async fn mark(conn: &mut Connection, sale: SaleId, column: &'static str, now: Timestamp) -> Result<()> {
    let mut query = Statement::new("/* certificates.mark */ UPDATE certificates SET ");
    query
        .push(column)
        .push(" = COALESCE(")
        .push(column)
        .push(", ")
        .push_bind(now)
        .push(") WHERE sale = ")
        .push_bind(sale);
    query.build()?.execute(conn).await?;
    Ok(())
}

pub async fn turnstile_removed(conn: &mut Connection, (certificate, now): &(Certificate, Timestamp)) -> Result<()> {
    if lock(conn, certificate).await? {
        mark(conn, certificate.sale, "turnstile_removed_at", *now).await?;
    }
    Ok(())
}

/// Of this generation the revision up to which turns may be gone.
pub async fn removed_up_to(conn: &mut Connection, sale: SaleId, generation: u64) -> Result<u64> {
    let found: Option<Number> = sqlx::query_scalar(
        "/* certificates.removed_up_to */ SELECT revision FROM certificates WHERE sale = ? AND generation = ? \
         AND turns_removed_at IS NOT NULL",
    )
    .bind(sale)
    .bind(Number(generation))
    .fetch_optional(conn)
    .await?;
    Ok(found.map_or(0, |revision| revision.0))
}
