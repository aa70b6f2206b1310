//! Recording the turnstile's answers: turns, new reservations, promotions, claims and what was freed, in one transaction.
//!
//! The sale's row is locked exclusively, so that two recordings of one sale follow each other: each sees the other's turns
//! when it checks that the chains fit, and neither waits for the other half-way. Whatever collides or does not fit undoes
//! everything and says that the turnstile diverged.

use std::collections::{BTreeMap, HashSet};

use sqlx::Row as _;

use super::bulk::{self, Statement};
use super::dialect::{Connection, Row, for_update};
use super::{Result, Verdict, blocks, claims, is_duplicate, row};
use crate::adapters::sql::stored::{Number, Units};
use crate::domain::sale::TILL_HOLD_MS;
use crate::domain::sale::reservation::{Kind, Reservation, State};
use crate::domain::sale::turn::{Answer, Cause, Chain, Promotion, Turn};
use crate::domain::shared::id::{BatchId, ReservationId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::ports::sale::recording::Recorded;

/// Turns in one statement, at most: one may carry 9 KB.
const TURNS_MAX: usize = 64;

/// Why nothing is recorded.
enum Halt {
    Moved,
    Diverged(String),
    Absent(ReservationId),
    Failed(sqlx::Error),
}

impl From<sqlx::Error> for Halt {
    /// Every unique key that these statements can hit is a fence.
    fn from(error: sqlx::Error) -> Self {
        if is_duplicate(&error) { Halt::Diverged(error.to_string()) } else { Halt::Failed(error) }
    }
}

pub async fn record(
    conn: &mut Connection,
    (sale, turns, now): &(SaleId, Vec<Turn>, Timestamp),
) -> Result<Verdict<Recorded>> {
    match write(conn, *sale, turns, *now).await {
        Ok(rows) => Ok(Verdict::Keep(Recorded::Done(rows))),
        Err(Halt::Moved) => Ok(Verdict::Undo(Recorded::Moved)),
        Err(Halt::Diverged(what)) => Ok(Verdict::Undo(Recorded::Diverged { what })),
        Err(Halt::Absent(reservation)) => Ok(Verdict::Undo(Recorded::Absent { reservation })),
        Err(Halt::Failed(error)) => Err(error),
    }
}

async fn write(conn: &mut Connection, sale: SaleId, turns: &[Turn], now: Timestamp) -> Result<Vec<Reservation>, Halt> {
    let (generation, hold_ms) = lock_sale(conn, sale).await?.ok_or(Halt::Moved)?;
    if turns.iter().any(|turn| turn.stamp().generation != generation) {
        return Err(Halt::Moved);
    }
    let lapses_at = Lapses { waiting: now.plus_ms(hold_ms), at_once: now.plus_ms(hold_ms.min(TILL_HOLD_MS)) };
    let fresh = fresh(conn, sale, turns).await?;
    insert_turns(conn, sale, &fresh, now).await?;
    let open = blocks::open_among(conn, &fresh).await?;
    let mut rows = births(sale, &fresh, &open, now, &lapses_at)?;
    insert_births(conn, &rows, now).await?;
    blocks::decided(conn, &fresh, &rows, now).await?;
    claims::claim(conn, sale, &rows).await?;
    rows.extend(promote(conn, sale, &fresh, now, lapses_at.waiting).await?);
    free(conn, &fresh).await?;
    as_they_read(conn, turns, rows).await
}

/// When new holds lapse: those of attempts that would wait, and of those that would not.
struct Lapses {
    waiting: Timestamp,
    at_once: Timestamp,
}

/// The sale's generation and how long its holds last.
async fn lock_sale(conn: &mut Connection, sale: SaleId) -> Result<Option<(u64, i64)>> {
    let found = sqlx::query(concat!(
        "/* ledger.record.sale */ SELECT generation, hold_ms FROM sales WHERE id = ?",
        for_update!()
    ))
    .bind(sale)
    .fetch_optional(conn)
    .await?;
    found.map(|found| Ok((row::number(&found, "generation")?, found.try_get("hold_ms")?))).transpose()
}

/// A turn as its neighbours see it.
#[derive(PartialEq, Eq)]
struct Link {
    cause: Cause,
    before: Chain,
    chain: Chain,
}

impl Link {
    fn of(turn: &Turn) -> Self {
        Self { cause: turn.cause(), before: turn.stamp().before, chain: turn.stamp().chain }
    }
}

/// Those of the turns that are not recorded yet, each of which fits the turns before and after it, where there are any.
async fn fresh<'t>(conn: &mut Connection, sale: SaleId, turns: &'t [Turn]) -> Result<Vec<&'t Turn>, Halt> {
    let revisions = || turns.iter().map(|turn| turn.stamp().revision);
    let (Some(first), Some(last)) = (revisions().min(), revisions().max()) else { return Ok(Vec::new()) };
    let generation = turns[0].stamp().generation;
    let mut history = links(conn, sale, generation, first.saturating_sub(1), last + 1).await?;
    let mut fresh = Vec::new();
    for turn in turns {
        let revision = turn.stamp().revision;
        let link = Link::of(turn);
        match history.get(&revision) {
            Some(known) if *known == link => {}
            Some(_) => return Err(Halt::Diverged(format!("revision {revision} is another turn"))),
            None => {
                history.insert(revision, link);
                fresh.push(turn);
            }
        }
    }
    for turn in &fresh {
        let stamp = turn.stamp();
        let before = match stamp.revision {
            0 => return Err(Halt::Diverged("revisions count from 1".to_owned())),
            1 => Some(Chain::default()),
            revision => history.get(&(revision - 1)).map(|link| link.chain),
        };
        let after = history.get(&(stamp.revision + 1)).map(|link| link.before);
        if before.is_some_and(|chain| chain != stamp.before) || after.is_some_and(|chain| chain != stamp.chain) {
            return Err(Halt::Diverged(format!("the chain of revision {} does not fit its neighbour", stamp.revision)));
        }
    }
    Ok(fresh)
}

async fn links(
    conn: &mut Connection,
    sale: SaleId,
    generation: u64,
    first: u64,
    last: u64,
) -> Result<BTreeMap<u64, Link>> {
    let found = sqlx::query(
        "/* ledger.record.links */ SELECT revision, cause, chain_before, chain FROM turns \
         WHERE sale = ? AND generation = ? AND revision BETWEEN ? AND ?",
    )
    .bind(sale)
    .bind(Number(generation))
    .bind(Number(first))
    .bind(Number(last))
    .fetch_all(conn)
    .await?;
    let link = |found: &Row| {
        let (before, chain) = (found.try_get("chain_before")?, found.try_get("chain")?);
        Ok((row::number(found, "revision")?, Link { cause: found.try_get("cause")?, before, chain }))
    };
    found.iter().map(link).collect()
}

async fn insert_turns(conn: &mut Connection, sale: SaleId, fresh: &[&Turn], now: Timestamp) -> Result<()> {
    for turns in bulk::pieces(fresh, TURNS_MAX) {
        let mut query = Statement::new(
            "/* ledger.record.turn */ INSERT INTO turns \
             (sale, generation, revision, cause, chain, chain_before, outcomes, buyers, recorded_at) ",
        );
        query.push_rows(turns, |values, turn| {
            let stamp = turn.stamp();
            values.bind(sale).bind(Number(stamp.generation)).bind(Number(stamp.revision));
            values.bind(turn.cause());
            values.bind(stamp.chain).bind(stamp.before);
            values.bind(turn.outcomes()).bind(buyers(turn)).bind(now);
        });
        query.build()?.execute(&mut *conn).await?;
    }
    Ok(())
}

fn buyers(turn: &Turn) -> Vec<u8> {
    match turn {
        Turn::Batch { batch, .. } => batch.attempts.iter().flat_map(|attempt| attempt.buyer.0.to_be_bytes()).collect(),
        _ => Vec::new(),
    }
}

/// The rows that batches create: one for each attempt that got units or waits, none for the others.
/// The house never waits: its units are blocked if its block is still open; any other row of its is created ended, to be released
/// like anything that ended.
fn births(
    sale: SaleId,
    fresh: &[&Turn],
    open: &HashSet<BatchId>,
    now: Timestamp,
    lapses: &Lapses,
) -> Result<Vec<Reservation>, Halt> {
    let mut rows = Vec::new();
    for turn in fresh {
        let Turn::Batch { batch, reserved } = turn else { continue };
        if batch.sale != sale || batch.attempts.len() != reserved.answers.len() {
            return Err(Halt::Diverged(format!("batch {} and its answers do not fit each other", batch.id)));
        }
        for (index, (attempt, answer)) in batch.attempts.iter().zip(&reserved.answers).enumerate() {
            let state = match answer {
                Answer::Taken { units } if attempt.buyer.is_house() && open.contains(&batch.id) => {
                    State::Blocked { units: units.clone() }
                }
                Answer::Taken { .. } | Answer::Standby { .. } if attempt.buyer.is_house() => State::Ended,
                Answer::Taken { units } => {
                    let lapses_at = if attempt.waits { lapses.waiting } else { lapses.at_once };
                    State::Held { units: units.clone(), lapses_at }
                }
                Answer::Standby { arrival, .. } => {
                    State::Standby { generation: reserved.stamp.generation, arrival: *arrival }
                }
                Answer::Already { .. } | Answer::Refused => continue,
            };
            rows.push(Reservation {
                id: batch.attempt_id(index).into(),
                sale,
                buyer: attempt.buyer,
                quantity: attempt.quantity,
                state,
                version: 1,
                freed: false,
                created_at: now,
            });
        }
    }
    Ok(rows)
}

async fn insert_births(conn: &mut Connection, rows: &[Reservation], now: Timestamp) -> Result<()> {
    for rows in bulk::pieces(rows, bulk::ROWS_MAX) {
        let mut query = Statement::new(
            "/* ledger.record.birth */ INSERT INTO reservations (id, sale, buyer, quantity, state, units, generation, \
             arrival, lapses_at, version, freed, created_at, updated_at) ",
        );
        query.push_rows(rows, |values, row| {
            let (generation, arrival, lapses_at) = match row.state {
                State::Standby { generation, arrival } => (Some(Number(generation)), Some(Number(arrival)), None),
                State::Held { lapses_at, .. } => (None, None, Some(lapses_at)),
                State::Blocked { .. } | State::Ended => (None, None, None),
                _ => unreachable!("a reservation is created held or on standby, or is the house's"),
            };
            values.bind(row.id).bind(row.sale).bind(row.buyer);
            values.bind(row.quantity).bind(row.state.kind());
            values.bind(Units::of(row.state.units()));
            values.bind(generation).bind(arrival).bind(lapses_at);
            values.bind(Number(row.version)).bind(false).bind(now).bind(now);
        });
        query.build()?.execute(&mut *conn).await?;
    }
    Ok(())
}

/// A party whose row is not there yet undoes everything; one whose row has ended is left to its own release.
async fn promote(
    conn: &mut Connection,
    sale: SaleId,
    fresh: &[&Turn],
    now: Timestamp,
    lapses_at: Timestamp,
) -> Result<Vec<Reservation>, Halt> {
    let promotions: Vec<Promotion> = fresh.iter().flat_map(|turn| turn.promotions()).cloned().collect();
    let ids: Vec<ReservationId> = promotions.iter().map(|promotion| promotion.reservation).collect();
    let rows = row::fetch_many_locked(conn, &ids).await?;
    let born: HashSet<ReservationId> = rows.iter().map(|row| row.id).collect();
    if let Some(&absent) = ids.iter().find(|id| !born.contains(id)) {
        return Err(Halt::Absent(absent));
    }
    if let Some(row) = rows.iter().find(|row| row.state.kind().is_live() && row.state.kind() != Kind::Standby) {
        return Err(Halt::Diverged(format!("{} is promoted, and is {} already", row.id, row.state.kind().name())));
    }
    Ok(claims::hold(conn, sale, rows, &promotions, now, lapses_at).await?)
}

/// Rows are found by their ids alone, here and wherever many are moved: another index would lock its neighbours too.
async fn free(conn: &mut Connection, fresh: &[&Turn]) -> Result<()> {
    let mut ids: Vec<ReservationId> = fresh
        .iter()
        .filter_map(|turn| if let Turn::Release(released) = turn { Some(released.reservation) } else { None })
        .collect();
    ids.sort_unstable();
    for ids in ids.chunks(bulk::ROWS_MAX) {
        let mut query = Statement::new("/* ledger.record.free */ UPDATE reservations SET freed = 1 WHERE id IN ");
        query.push_list(ids);
        query.build()?.execute(&mut *conn).await?;
    }
    Ok(())
}

/// The rows that the turns made or moved, each once: `moved` were written by this transaction, the last word counts.
async fn as_they_read(
    conn: &mut Connection,
    turns: &[Turn],
    moved: Vec<Reservation>,
) -> Result<Vec<Reservation>, Halt> {
    let mut rows: BTreeMap<ReservationId, Reservation> = moved.into_iter().map(|row| (row.id, row)).collect();
    let mut others = Vec::new();
    for turn in turns {
        if let Turn::Batch { batch, reserved } = turn {
            let has_row = |answer: &Answer| matches!(answer, Answer::Taken { .. } | Answer::Standby { .. });
            let born = reserved.answers.iter().enumerate().filter(|(_, answer)| has_row(answer));
            others.extend(born.map(|(index, _)| ReservationId::from(batch.attempt_id(index))));
        }
        others.extend(turn.promotions().iter().map(|promotion| promotion.reservation));
    }
    others.retain(|id| !rows.contains_key(id));
    rows.extend(row::fetch_many(conn, &others).await?.into_iter().map(|row| (row.id, row)));
    Ok(rows.into_values().collect())
}
