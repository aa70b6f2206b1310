//! Admissions that are taken back. One conditional insert decides; the reservation's row is locked before, as for an admission, so that
//! an undo, a check-in, a merge and a refund of one unit come one after the other. Absent: any way to take an undo back.

use serde_json::{Value, json};
use sqlx::query::QueryAs;
use sqlx::{FromRow, Row as _};

use super::bulk::Arguments;
use super::dialect::{Connection, Db, Row, by_index, for_update, insert_new};
use super::{Result, admissions, broken, journal, row};
use crate::adapters::sql::stored::Number;
use crate::domain::audit::journal::{Action, Subject};
use crate::domain::people::author::Author;
use crate::domain::receipts::{Admission, Proof, Undone};
use crate::domain::shared::id::{BuyerId, ReservationId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::ports::receipts::admissions::{Mark, Undo, UndonePlace, Why};

/// What is so of one admission and of no other.
macro_rules! exactly {
    () => {
        " WHERE sale = ? AND unit = ? AND reservation = ? AND admitted_at = ? AND device = ? AND sequence = ?"
    };
}

/// What is so of those that a mark means.
macro_rules! marked {
    () => {
        "WHERE sale = ? AND unit = ? AND reservation = ? AND admitted_at = ? AND device = ? "
    };
}

/// `moves!("name", "to", "columns of its own", "from")`: a row of one table into another, with who let in.
macro_rules! moves {
    ($name:literal, $to:literal, $columns:literal, $values:literal, $from:literal) => {
        concat!(
            "/* ",
            $name,
            " */ ",
            insert_new!(),
            " INTO ",
            $to,
            " (sale, unit, reservation, admitted_at, gate, device, sequence, admitted_by",
            $columns,
            ") SELECT sale, unit, reservation, admitted_at, gate, device, sequence, admitted_by",
            $values,
            " FROM ",
            $from,
            exactly!()
        )
    };
}

macro_rules! undos {
    ($name:literal, $($tail:tt)*) => {
        concat!(
            "/* ", $name, " */ SELECT sale, unit, reservation, admitted_at, gate, device, sequence, admitted_by, undone_at, ",
            "undone_by FROM admission_undos ",
            $($tail)*
        )
    };
}

/// Where an admission lies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lies {
    Standing,
    Contradicted,
}

pub async fn undo(conn: &mut Connection, (mark, not_before, by): &(Mark, Option<Timestamp>, Author)) -> Result<Undo> {
    row::fetch_locked(conn, mark.proof.reservation).await?;
    let standing = admissions::standing(conn, &mark.proof).await?;
    let is_meant = |other: &Admission| other.at == mark.at && other.source.device == mark.device;
    let (lies, meant) = match standing.clone().filter(is_meant) {
        Some(meant) => (Lies::Standing, Some(meant)),
        None => (Lies::Contradicted, contradicted(conn, mark).await?),
    };
    let Some(admission) = meant else {
        let known = of_mark(conn, mark).await?;
        return Ok(known.map_or(Undo::Missing(standing.clone()), |undone| Undo::Done { undone, standing }));
    };
    if !take_back(conn, lies, &admission, *not_before, by).await? {
        return Ok(Undo::TooLate(admission));
    }
    let standing = match lies {
        Lies::Standing => {
            remove_standing(conn, &admission).await?;
            step_in(conn, &mark.proof).await?
        }
        Lies::Contradicted => {
            remove_conflict(conn, &admission).await?;
            standing
        }
    };
    let Proof { sale, unit, reservation } = mark.proof;
    let before = json!({ "unit": unit, "reservation": reservation, "at": mark.at.0, "device": mark.device });
    let states = [before, Value::Null];
    journal::tell(conn, Some(by), Action::CheckInUndone, Subject::Sale(sale), states).await?;
    let undone = of_mark(conn, mark).await?.ok_or_else(|| broken("an undo is neither there nor new"))?;
    Ok(Undo::Done { undone, standing })
}

/// `false`, and nothing done, where it is older than it may be.
async fn take_back(
    conn: &mut Connection,
    lies: Lies,
    admission: &Admission,
    not_before: Option<Timestamp>,
    by: &Author,
) -> Result<bool> {
    let text = match lies {
        Lies::Standing => concat!(
            moves!("undos.standing", "admission_undos", ", undone_at, undone_by", ", ?, ?", "admissions"),
            " AND admitted_at >= ?"
        ),
        Lies::Contradicted => concat!(
            moves!("undos.contradicted", "admission_undos", ", undone_at, undone_by", ", ?, ?", "admission_conflicts"),
            " AND admitted_at >= ?"
        ),
    };
    let query = sqlx::query(text).bind(by.at).bind(journal::number_of(by.actor));
    let done = named(query, admission).bind(not_before.unwrap_or(Timestamp(i64::MIN))).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}

/// Of those that had come too late for the one that was taken back, the earliest stands now: people went in with it.
async fn step_in(conn: &mut Connection, proof: &Proof) -> Result<Option<Admission>> {
    let next: Option<Admission> = sqlx::query_as(concat!(
        "/* undos.next */ SELECT sale, unit, reservation, admitted_at, gate, device, sequence FROM admission_conflicts ",
        "WHERE sale = ? AND unit = ? AND reservation = ? AND why = ? ORDER BY admitted_at, device, sequence LIMIT 1",
        for_update!()
    ))
    .bind(proof.sale)
    .bind(proof.unit)
    .bind(proof.reservation)
    .bind(Why::Twice)
    .fetch_optional(&mut *conn)
    .await?;
    let Some(next) = next else { return Ok(None) };
    let query = sqlx::query(moves!("undos.step_in", "admissions", "", "", "admission_conflicts"));
    named(query, &next).execute(&mut *conn).await?;
    remove_conflict(conn, &next).await?;
    Ok(Some(next))
}

async fn contradicted(conn: &mut Connection, mark: &Mark) -> Result<Option<Admission>> {
    let query = sqlx::query_as(concat!(
        "/* undos.conflict */ SELECT sale, unit, reservation, admitted_at, gate, device, sequence FROM admission_conflicts ",
        marked!(),
        "ORDER BY sequence LIMIT 1",
        for_update!()
    ));
    meant(query, mark).fetch_optional(conn).await
}

/// The last one, if it was taken back more than once: an admission that is made again with the same time is another one.
async fn of_mark(conn: &mut Connection, mark: &Mark) -> Result<Option<Undone>> {
    let query = sqlx::query_as(undos!("undos.of_mark", marked!(), "ORDER BY undone_at DESC LIMIT 1"));
    meant(query, mark).fetch_optional(conn).await
}

/// What [`marked`] asks.
fn meant<'q, T>(query: QueryAs<'q, Db, T, Arguments>, mark: &'q Mark) -> QueryAs<'q, Db, T, Arguments> {
    query.bind(mark.proof.sale).bind(mark.proof.unit).bind(mark.proof.reservation).bind(mark.at).bind(&mark.device)
}

/// Whether this line of a device was taken back. By its number: a clock that is ahead gives it another time at each merge.
pub async fn is_undone(conn: &mut Connection, Admission { proof, source, .. }: &Admission) -> Result<bool> {
    let found = sqlx::query(
        "/* undos.of_line */ SELECT 1 FROM admission_undos WHERE sale = ? AND unit = ? AND reservation = ? \
         AND device = ? AND sequence = ? LIMIT 1",
    )
    .bind(proof.sale)
    .bind(proof.unit)
    .bind(proof.reservation)
    .bind(&source.device)
    .bind(Number(source.sequence))
    .fetch_optional(conn)
    .await?;
    Ok(found.is_some())
}

async fn remove_standing(conn: &mut Connection, admission: &Admission) -> Result<()> {
    let query = sqlx::query(concat!("/* undos.remove_standing */ DELETE FROM admissions", exactly!()));
    named(query, admission).execute(conn).await.map(|_| ())
}

/// Of a device's line all of them: where its clock was ahead it has another time from each merge, and is one line.
async fn remove_conflict(conn: &mut Connection, admission: &Admission) -> Result<()> {
    if !admission.source.device.is_empty() {
        return sqlx::query(
            "/* undos.remove_line */ DELETE FROM admission_conflicts WHERE sale = ? AND unit = ? AND reservation = ? \
             AND device = ? AND sequence = ?",
        )
        .bind(admission.proof.sale)
        .bind(admission.proof.unit)
        .bind(admission.proof.reservation)
        .bind(&admission.source.device)
        .bind(Number(admission.source.sequence))
        .execute(conn)
        .await
        .map(|_| ());
    }
    let query = sqlx::query(concat!("/* undos.remove_conflict */ DELETE FROM admission_conflicts", exactly!()));
    named(query, admission).execute(conn).await.map(|_| ())
}

/// What [`exactly`] asks.
fn named<'q>(query: admissions::Query<'q>, admission: &'q Admission) -> admissions::Query<'q> {
    query
        .bind(admission.proof.sale)
        .bind(admission.proof.unit)
        .bind(admission.proof.reservation)
        .bind(admission.at)
        .bind(&admission.source.device)
        .bind(Number(admission.source.sequence))
}

/// Backwards along the index, which goes on with the table's key.
pub async fn undone_after(
    conn: &mut Connection,
    sale: SaleId,
    after: Option<&UndonePlace>,
    max: u32,
) -> Result<Vec<Undone>> {
    let first =
        UndonePlace { at: Timestamp(i64::MAX), unit: 0, reservation: ReservationId(0), admitted_at: Timestamp(0) };
    let after = after.unwrap_or(&first);
    sqlx::query_as(undos!(
        "undos.page",
        by_index!("admission_undos_undone"),
        " WHERE sale = ? AND undone_at <= ? AND (undone_at < ? OR (unit, reservation, admitted_at) < (?, ?, ?)) ",
        "ORDER BY undone_at DESC, unit DESC, reservation DESC, admitted_at DESC LIMIT ?"
    ))
    .bind(sale)
    .bind(after.at)
    .bind(after.at)
    .bind(after.unit)
    .bind(after.reservation)
    .bind(after.admitted_at)
    .bind(max)
    .fetch_all(conn)
    .await
}

impl FromRow<'_, Row> for Undone {
    fn from_row(found: &Row) -> Result<Self> {
        let account = |column: &str| {
            let id: BuyerId = found.try_get(column)?;
            Ok::<_, sqlx::Error>(Some(id).filter(|id| *id != BuyerId(0)))
        };
        Ok(Undone {
            admission: Admission::from_row(found)?,
            admitted_by: account("admitted_by")?,
            at: found.try_get("undone_at")?,
            by: account("undone_by")?,
        })
    }
}
