//! Admissions. The reservation's row is locked before a unit of it is judged, so that a refund and a check-in come one after the
//! other.

use std::collections::HashMap;

use async_trait::async_trait;
use serde_json::{Value, json};
use sqlx::{FromRow, Row as _};

use super::dialect::{Connection, Db, Row, Store, by_index, for_update, insert_new};
use super::{Result, broken, bulk, fault, journal, row, undos};
use crate::adapters::sql::stored::Number;
use crate::domain::audit::journal::{Action, Subject};
use crate::domain::people::author::Author;
use crate::domain::receipts::{Admission, Proof, Source, Undone};
use crate::domain::sale::reservation::{Kind, Reservation, State};
use crate::domain::shared::id::{BuyerId, ReservationId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::ports;
use crate::ports::receipts::admissions::{
    Admissions, Admitted, Conflict, ConflictPlace, Mark, Merged, Shown, Undo, UndonePlace, Why,
};

/// What an [`Admission`] is read from.
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
    async fn admit(&self, admission: &Admission, shown: Shown, by: Option<&Author>) -> ports::Result<Admitted> {
        let args = (admission.clone(), shown, by.cloned());
        self.write("admissions.admit", args, |c, args| Box::pin(admit(c, args))).await
    }

    async fn merge_by(
        &self,
        admissions: &[Admission],
        now: Timestamp,
        by: Option<&Author>,
    ) -> ports::Result<Vec<Merged>> {
        let args = (admissions.to_vec(), now, by.cloned());
        self.write("admissions.merge", args, |c, args| Box::pin(merge(c, args))).await
    }

    async fn undo(&self, mark: &Mark, not_before: Option<Timestamp>, by: &Author) -> ports::Result<Undo> {
        let args = (mark.clone(), not_before, by.clone());
        self.write("admissions.undo", args, |c, args| Box::pin(undos::undo(c, args))).await
    }

    async fn undone_after(&self, sale: SaleId, after: Option<&UndonePlace>, max: u32) -> ports::Result<Vec<Undone>> {
        undos::undone_after(&mut *self.reader().await?, sale, after, max).await.map_err(fault)
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

async fn admit(conn: &mut Connection, (admission, shown, by): &(Admission, Shown, Option<Author>)) -> Result<Admitted> {
    let holder = row::fetch_locked(conn, admission.proof.reservation).await?;
    let revoked = !is_its(holder.as_ref(), &admission.proof);
    if let Some(admission) = standing(conn, &admission.proof).await? {
        return Ok(Admitted::Before { admission, revoked });
    }
    if revoked {
        return Ok(Admitted::Revoked);
    }
    if insert(conn, admission, by.as_ref()).await? {
        let Proof { sale, unit, reservation } = admission.proof;
        let states = [Value::Null, json!({ "unit": unit, "reservation": reservation, "at": admission.at.0 })];
        let action = match shown {
            Shown::Code => Action::CheckedIn,
            Shown::Order => Action::CheckedInByOrder,
        };
        journal::tell(conn, by.as_ref(), action, Subject::Sale(sale), states).await?;
        return Ok(Admitted::Now);
    }
    let before = standing(conn, &admission.proof).await?;
    let admission = before.ok_or_else(|| broken("an admission is neither there nor new"))?;
    Ok(Admitted::Before { admission, revoked })
}

async fn merge(
    conn: &mut Connection,
    (admissions, now, by): &(Vec<Admission>, Timestamp, Option<Author>),
) -> Result<Vec<Merged>> {
    let mut order: Vec<usize> = (0..admissions.len()).collect();
    // All transactions lock in the same order.
    order.sort_by_key(|place| (admissions[*place].proof.reservation, admissions[*place].proof.unit));
    // All of them before anything is read without a lock: what is read so is of one moment, and must not be older than a lock.
    let mut ids: Vec<ReservationId> = order.iter().map(|place| admissions[*place].proof.reservation).collect();
    ids.dedup();
    let holders = row::fetch_many_locked(conn, &ids).await?;
    let holders: HashMap<ReservationId, Reservation> = holders.into_iter().map(|holder| (holder.id, holder)).collect();
    let mut merged: Vec<Option<Merged>> = vec![None; admissions.len()];
    for place in order {
        let admission = &admissions[place];
        let holder = holders.get(&admission.proof.reservation);
        merged[place] = Some(merge_one(conn, admission, holder, *now, by.as_ref()).await?);
    }
    let merged: Vec<Merged> = merged.into_iter().flatten().collect();
    let mut sales: Vec<SaleId> = admissions.iter().map(|admission| admission.proof.sale).collect();
    sales.sort_unstable();
    sales.dedup();
    for sale in sales {
        let of_sale = admissions.iter().zip(&merged).filter(|(admission, _)| admission.proof.sale == sale);
        journal::tell(conn, by.as_ref(), Action::CheckInsMerged, Subject::Sale(sale), told(of_sale)).await?;
    }
    Ok(merged)
}

/// What a device handed over of one sale: how many lines, and how many of them say something else than the others.
fn told<'m>(lines: impl Iterator<Item = (&'m Admission, &'m Merged)>) -> [Value; 2] {
    let (mut count, mut conflicts, mut device) = (0, 0, "");
    for (admission, merged) in lines {
        device = &admission.source.device;
        count += 1;
        conflicts += u64::from(!matches!(merged, Merged::Stands | Merged::Undone));
    }
    [Value::Null, json!({ "device": device, "lines": count, "conflicts": conflicts })]
}

async fn merge_one(
    conn: &mut Connection,
    admission: &Admission,
    holder: Option<&Reservation>,
    now: Timestamp,
    by: Option<&Author>,
) -> Result<Merged> {
    if undos::is_undone(conn, admission).await? {
        return Ok(Merged::Undone);
    }
    let Some(other) = standing(conn, &admission.proof).await? else {
        if !is_its(holder, &admission.proof) {
            contradict(conn, admission, Why::Revoked, now, account_of(by)).await?;
            return Ok(Merged::Revoked);
        }
        return if insert(conn, admission, by).await? {
            Ok(Merged::Stands)
        } else {
            Err(broken("a locked unit was admitted"))
        };
    };
    if other.source == admission.source && other.at == admission.at {
        return Ok(Merged::Stands);
    }
    if !admission.is_before(&other) {
        contradict(conn, admission, Why::Twice, now, account_of(by)).await?;
        return Ok(Merged::Twice(other));
    }
    let let_in_by = admitted_by(conn, &admission.proof).await?;
    contradict(conn, &other, Why::Twice, now, let_in_by).await?;
    replace(conn, admission, by).await?;
    Ok(Merged::Displaced(other))
}

/// Whether the unit is the reservation's now.
fn is_its(holder: Option<&Reservation>, proof: &Proof) -> bool {
    holder.is_some_and(|row| {
        row.sale == proof.sale && matches!(&row.state, State::Confirmed { units, .. } if units.contains(&proof.unit))
    })
}

pub async fn standing(conn: &mut Connection, proof: &Proof) -> Result<Option<Admission>> {
    sqlx::query_as(admissions!(
        "admissions.standing",
        "admissions",
        "WHERE sale = ? AND unit = ? AND reservation = ?",
        for_update!()
    ))
    .bind(proof.sale)
    .bind(proof.unit)
    .bind(proof.reservation)
    .fetch_optional(conn)
    .await
}

pub type Query<'q> = sqlx::query::Query<'q, Db, bulk::Arguments>;

/// All columns of an admission, in their order.
fn with_columns<'q>(query: Query<'q>, admission: &'q Admission) -> Query<'q> {
    query
        .bind(admission.proof.sale)
        .bind(admission.proof.unit)
        .bind(admission.proof.reservation)
        .bind(admission.at)
        .bind(&admission.gate)
        .bind(&admission.source.device)
        .bind(Number(admission.source.sequence))
}

/// Whether it was written now.
async fn insert(conn: &mut Connection, admission: &Admission, by: Option<&Author>) -> Result<bool> {
    let query = sqlx::query(concat!(
        "/* admissions.insert */ ",
        insert_new!(),
        " INTO admissions (sale, unit, reservation, admitted_at, gate, device, sequence, admitted_by) ",
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    ));
    let done = with_columns(query, admission).bind(account_of(by)).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}

async fn replace(conn: &mut Connection, admission: &Admission, by: Option<&Author>) -> Result<()> {
    sqlx::query(
        "/* admissions.replace */ UPDATE admissions SET admitted_at = ?, gate = ?, device = ?, sequence = ?, \
         admitted_by = ? WHERE sale = ? AND unit = ? AND reservation = ?",
    )
    .bind(admission.at)
    .bind(&admission.gate)
    .bind(&admission.source.device)
    .bind(Number(admission.source.sequence))
    .bind(account_of(by))
    .bind(admission.proof.sale)
    .bind(admission.proof.unit)
    .bind(admission.proof.reservation)
    .execute(conn)
    .await?;
    Ok(())
}

async fn contradict(conn: &mut Connection, admission: &Admission, why: Why, now: Timestamp, by: BuyerId) -> Result<()> {
    let query = sqlx::query(concat!(
        "/* admissions.contradict */ ",
        insert_new!(),
        " INTO admission_conflicts (sale, unit, reservation, admitted_at, gate, device, sequence, why, recorded_at, ",
        "admitted_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    ));
    with_columns(query, admission).bind(why).bind(now).bind(by).execute(conn).await?;
    Ok(())
}

/// Nobody's number where nobody answers for it.
fn account_of(by: Option<&Author>) -> BuyerId {
    by.map_or(BuyerId(0), |author| journal::number_of(author.actor))
}

async fn admitted_by(conn: &mut Connection, proof: &Proof) -> Result<BuyerId> {
    let found = sqlx::query(
        "/* admissions.by */ SELECT admitted_by FROM admissions WHERE sale = ? AND unit = ? AND reservation = ?",
    )
    .bind(proof.sale)
    .bind(proof.unit)
    .bind(proof.reservation)
    .fetch_one(conn)
    .await?;
    found.try_get("admitted_by")
}

pub async fn check_ins_page(
    conn: &mut Connection,
    sale: SaleId,
    after: Option<Proof>,
    max: u32,
) -> Result<Vec<Admission>> {
    let (unit, reservation) = match after {
        Some(after) => (i64::from(after.unit), after.reservation),
        None => (-1, ReservationId(0)),
    };
    sqlx::query_as(admissions!(
        "admissions.page",
        "admissions",
        "WHERE sale = ? AND unit >= ? AND (unit > ? OR reservation > ?) ORDER BY unit, reservation LIMIT ?"
    ))
    .bind(sale)
    .bind(unit)
    .bind(unit)
    .bind(reservation)
    .bind(max)
    .fetch_all(conn)
    .await
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
    .bind(sale)
    .bind(after.recorded_at)
    .bind(after.recorded_at)
    .bind(after.unit)
    .bind(after.reservation)
    .bind(&after.device)
    .bind(Number(after.sequence))
    .bind(after.admitted_at)
    .bind(max)
    .fetch_all(conn)
    .await?;
    let conflict = |found: &Row| {
        let (why, recorded_at) = (found.try_get("why")?, found.try_get("recorded_at")?);
        Ok(Conflict { admission: Admission::from_row(found)?, why, recorded_at })
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
        "/* admissions.revoked */ SELECT o.reservation AS reservation, o.units AS bought, r.state AS state, \
         r.units AS held FROM orders o JOIN reservations r ON r.id = o.reservation WHERE o.sale = ? \
         AND o.reservation > ? AND (r.state <> ? OR r.units <> o.units) ORDER BY o.reservation LIMIT ?",
    )
    .bind(sale)
    .bind(after.unwrap_or(ReservationId(0)))
    .bind(Kind::Confirmed)
    .bind(max)
    .fetch_all(conn)
    .await?;
    let (mut proofs, mut last) = (Vec::new(), None);
    for found in &found {
        let reservation = found.try_get("reservation")?;
        let is_confirmed = found.try_get::<Kind, _>("state")? == Kind::Confirmed;
        let left = if is_confirmed { row::units(found, "held")? } else { Vec::new() };
        let gone = row::units(found, "bought")?.into_iter().filter(|unit| !left.contains(unit));
        proofs.extend(gone.map(|unit| Proof { sale, unit, reservation }));
        last = Some(reservation);
    }
    Ok((proofs, last.filter(|_| found.len() == max as usize)))
}

impl FromRow<'_, Row> for Admission {
    fn from_row(found: &Row) -> Result<Self> {
        Ok(Admission {
            proof: Proof {
                sale: found.try_get("sale")?,
                unit: row::small(found, "unit")?,
                reservation: found.try_get("reservation")?,
            },
            at: found.try_get("admitted_at")?,
            gate: found.try_get("gate")?,
            source: Source { device: found.try_get("device")?, sequence: row::number(found, "sequence")? },
        })
    }
}
