//! Admissions. The reservation's row is locked before a unit of it is judged, so that a refund and a check-in come one after the
//! other.

use async_trait::async_trait;
use sqlx::Row as _;

use super::dialect::{Connection, Row, Store, by_index, for_update, insert_new};
use super::{Result, broken, fault, row};
use crate::domain::receipts::{Admission, Proof, Source};
use crate::domain::sale::reservation::{Reservation, State};
use crate::domain::shared::id::{ReservationId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::ports;
use crate::ports::receipts::admissions::{Admissions, Admitted, Conflict, ConflictPlace, Merged, Why};

/// What [`admission`] reads.
macro_rules! admissions {
    ($name:literal, $table:literal, $($tail:tt)*) => {
        concat!(
            "/* ", $name, " */ SELECT sale, unit, reservation, admitted_at, gate, device, sequence FROM ", $table, " ",
            $($tail)*
        )
    };
}

#[async_trait]
impl Admissions for Store {
    async fn admit(&self, admission: &Admission) -> ports::Result<Admitted> {
        self.write("admissions.admit", admission.clone(), |c, admission| Box::pin(admit(c, admission))).await
    }

    async fn merge(&self, admissions: &[Admission], now: Timestamp) -> ports::Result<Vec<Merged>> {
        self.write("admissions.merge", (admissions.to_vec(), now), |c, args| Box::pin(merge(c, args))).await
    }

    async fn check_ins_page(&self, sale: SaleId, after: Option<Proof>, max: u32) -> ports::Result<Vec<Admission>> {
        check_ins_page(&mut *self.reader().await?, sale, after, max).await.map_err(fault)
    }

    async fn conflicts_after(
        &self,
        sale: SaleId,
        after: Option<&ConflictPlace>,
        max: u32,
    ) -> ports::Result<Vec<Conflict>> {
        conflicts(&mut *self.reader().await?, sale, after, max).await.map_err(fault)
    }

    async fn revoked_page(
        &self,
        sale: SaleId,
        after: Option<ReservationId>,
        max: u32,
    ) -> ports::Result<(Vec<Proof>, Option<ReservationId>)> {
        revoked_page(&mut *self.reader().await?, sale, after, max).await.map_err(fault)
    }
}

async fn admit(conn: &mut Connection, admission: &Admission) -> Result<Admitted> {
    let holder = row::fetch_locked(conn, admission.proof.reservation).await?;
    let revoked = !is_its(holder.as_ref(), &admission.proof);
    if let Some(admission) = standing(conn, &admission.proof).await? {
        return Ok(Admitted::Before { admission, revoked });
    }
    if revoked {
        return Ok(Admitted::Revoked);
    }
    if insert(conn, admission).await? {
        return Ok(Admitted::Now);
    }
    let before = standing(conn, &admission.proof).await?;
    let admission = before.ok_or_else(|| broken("an admission is neither there nor new"))?;
    Ok(Admitted::Before { admission, revoked })
}

async fn merge(conn: &mut Connection, (admissions, now): &(Vec<Admission>, Timestamp)) -> Result<Vec<Merged>> {
    let mut order: Vec<usize> = (0..admissions.len()).collect();
    // Everybody locks in the same order.
    order.sort_by_key(|place| (admissions[*place].proof.reservation, admissions[*place].proof.unit));
    let mut merged: Vec<Option<Merged>> = vec![None; admissions.len()];
    for place in order {
        merged[place] = Some(merge_one(conn, &admissions[place], *now).await?);
    }
    Ok(merged.into_iter().flatten().collect())
}

async fn merge_one(conn: &mut Connection, admission: &Admission, now: Timestamp) -> Result<Merged> {
    let holder = row::fetch_locked(conn, admission.proof.reservation).await?;
    let Some(other) = standing(conn, &admission.proof).await? else {
        if !is_its(holder.as_ref(), &admission.proof) {
            contradict(conn, admission, Why::Revoked, now).await?;
            return Ok(Merged::Revoked);
        }
        return if insert(conn, admission).await? {
            Ok(Merged::Stands)
        } else {
            Err(broken("a locked unit was admitted"))
        };
    };
    if other.source == admission.source && other.at == admission.at {
        return Ok(Merged::Stands);
    }
    if !admission.is_before(&other) {
        contradict(conn, admission, Why::Twice, now).await?;
        return Ok(Merged::Twice(other));
    }
    contradict(conn, &other, Why::Twice, now).await?;
    replace(conn, admission).await?;
    Ok(Merged::Displaced(other))
}

/// Whether the unit is the reservation's now.
fn is_its(holder: Option<&Reservation>, proof: &Proof) -> bool {
    holder.is_some_and(|row| {
        row.sale == proof.sale && matches!(&row.state, State::Confirmed { units, .. } if units.contains(&proof.unit))
    })
}

async fn standing(conn: &mut Connection, proof: &Proof) -> Result<Option<Admission>> {
    let found = sqlx::query(admissions!(
        "admissions.standing",
        "admissions",
        "WHERE sale = ? AND unit = ? AND reservation = ?",
        for_update!()
    ))
    .bind(proof.sale.0 as i64)
    .bind(i64::from(proof.unit))
    .bind(proof.reservation.to_bytes().to_vec())
    .fetch_optional(conn)
    .await?;
    found.as_ref().map(admission).transpose()
}

/// Whether it was written now.
async fn insert(conn: &mut Connection, admission: &Admission) -> Result<bool> {
    let done = sqlx::query(concat!(
        "/* admissions.insert */ ",
        insert_new!(),
        " INTO admissions (sale, unit, reservation, admitted_at, gate, device, sequence) VALUES (?, ?, ?, ?, ?, ?, ?)"
    ))
    .bind(admission.proof.sale.0 as i64)
    .bind(i64::from(admission.proof.unit))
    .bind(admission.proof.reservation.to_bytes().to_vec())
    .bind(admission.at.0)
    .bind(admission.gate.clone())
    .bind(admission.source.device.clone())
    .bind(admission.source.sequence as i64)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

async fn replace(conn: &mut Connection, admission: &Admission) -> Result<()> {
    sqlx::query(
        "/* admissions.replace */ UPDATE admissions SET admitted_at = ?, gate = ?, device = ?, sequence = ? \
         WHERE sale = ? AND unit = ? AND reservation = ?",
    )
    .bind(admission.at.0)
    .bind(admission.gate.clone())
    .bind(admission.source.device.clone())
    .bind(admission.source.sequence as i64)
    .bind(admission.proof.sale.0 as i64)
    .bind(i64::from(admission.proof.unit))
    .bind(admission.proof.reservation.to_bytes().to_vec())
    .execute(conn)
    .await?;
    Ok(())
}

async fn contradict(conn: &mut Connection, admission: &Admission, why: Why, now: Timestamp) -> Result<()> {
    sqlx::query(concat!(
        "/* admissions.contradict */ ",
        insert_new!(),
        " INTO admission_conflicts (sale, unit, reservation, admitted_at, gate, device, sequence, why, recorded_at) ",
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
    ))
    .bind(admission.proof.sale.0 as i64)
    .bind(i64::from(admission.proof.unit))
    .bind(admission.proof.reservation.to_bytes().to_vec())
    .bind(admission.at.0)
    .bind(admission.gate.clone())
    .bind(admission.source.device.clone())
    .bind(admission.source.sequence as i64)
    .bind(why as i64)
    .bind(now.0)
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn check_ins_page(
    conn: &mut Connection,
    sale: SaleId,
    after: Option<Proof>,
    max: u32,
) -> Result<Vec<Admission>> {
    let (unit, reservation) = match after {
        Some(after) => (i64::from(after.unit), after.reservation.to_bytes().to_vec()),
        None => (-1, vec![0; 16]),
    };
    let found = sqlx::query(admissions!(
        "admissions.page",
        "admissions",
        "WHERE sale = ? AND unit >= ? AND (unit > ? OR reservation > ?) ORDER BY unit, reservation LIMIT ?"
    ))
    .bind(sale.0 as i64)
    .bind(unit)
    .bind(unit)
    .bind(reservation)
    .bind(i64::from(max))
    .fetch_all(conn)
    .await?;
    found.iter().map(admission).collect()
}

/// Backwards along the index, which goes on with the table's key.
async fn conflicts(
    conn: &mut Connection,
    sale: SaleId,
    after: Option<&ConflictPlace>,
    max: u32,
) -> Result<Vec<Conflict>> {
    let first = ConflictPlace {
        recorded_at: Timestamp(i64::MAX),
        unit: 0,
        reservation: ReservationId(0),
        device: String::new(),
        sequence: 0,
        admitted_at: Timestamp(0),
    };
    let after = after.unwrap_or(&first);
    let found = sqlx::query(concat!(
        "/* admissions.conflicts */ SELECT sale, unit, reservation, admitted_at, gate, device, sequence, why, recorded_at ",
        "FROM admission_conflicts ",
        by_index!("admission_conflicts_recorded"),
        " WHERE sale = ? AND recorded_at <= ? AND (recorded_at < ? ",
        "OR (unit, reservation, device, sequence, admitted_at) < (?, ?, ?, ?, ?)) ",
        "ORDER BY recorded_at DESC, unit DESC, reservation DESC, device DESC, sequence DESC, admitted_at DESC LIMIT ?"
    ))
    .bind(sale.0 as i64)
    .bind(after.recorded_at.0)
    .bind(after.recorded_at.0)
    .bind(i64::from(after.unit))
    .bind(after.reservation.to_bytes().to_vec())
    .bind(after.device.clone())
    .bind(after.sequence as i64)
    .bind(after.admitted_at.0)
    .bind(i64::from(max))
    .fetch_all(conn)
    .await?;
    let why = |code| [Why::Twice, Why::Revoked].into_iter().find(|why| *why as u8 == code);
    let conflict = |found: &Row| {
        let recorded_at = Timestamp(found.try_get(8)?);
        Ok(Conflict { admission: admission(found)?, why: row::code(found, 7, why)?, recorded_at })
    };
    found.iter().map(conflict).collect()
}

async fn revoked_page(
    conn: &mut Connection,
    sale: SaleId,
    after: Option<ReservationId>,
    max: u32,
) -> Result<(Vec<Proof>, Option<ReservationId>)> {
    let found = sqlx::query(
        "/* admissions.revoked */ SELECT o.reservation, o.units, r.state, r.units FROM orders o \
         JOIN reservations r ON r.id = o.reservation \
         WHERE o.sale = ? AND o.reservation > ? AND (r.state <> 4 OR r.units <> o.units) ORDER BY o.reservation LIMIT ?",
    )
    .bind(sale.0 as i64)
    .bind(after.map_or_else(Vec::new, |after| after.to_bytes().to_vec()))
    .bind(i64::from(max))
    .fetch_all(conn)
    .await?;
    let (mut proofs, mut last) = (Vec::new(), None);
    for found in &found {
        let reservation = row::reservation_id(found, 0)?;
        let is_confirmed = found.try_get::<i64, _>(2)? == 4;
        let left = if is_confirmed { row::units(found, 3)? } else { Vec::new() };
        let gone = row::units(found, 1)?.into_iter().filter(|unit| !left.contains(unit));
        proofs.extend(gone.map(|unit| Proof { sale, unit, reservation }));
        last = Some(reservation);
    }
    Ok((proofs, last.filter(|_| found.len() == max as usize)))
}

fn admission(found: &Row) -> Result<Admission> {
    Ok(Admission {
        proof: Proof {
            sale: SaleId(row::number(found, 0)?),
            unit: row::small(found, 1)?,
            reservation: row::reservation_id(found, 2)?,
        },
        at: Timestamp(found.try_get(3)?),
        gate: found.try_get(4)?,
        source: Source { device: found.try_get(5)?, sequence: row::number(found, 6)? },
    })
}
