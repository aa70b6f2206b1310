//! The stores' SQL, written once and compiled into each dialect: this folder is a child module of `sqlite` and of `mysql`, and
//! `super::dialect` is whichever of the two it stands in. What differs between them is named there, and nowhere here.
//!
//! Rows are locked before they are judged, in this order: sale, certificate, reservations, orders, payments, claims, and last the journal's head. A function that takes a
//! connection is a part of its caller's transaction; the transactions themselves begin in `ledger`, `fallback`, `catalogue`, `drafts`, `accounts`, `operators`,
//! `second_factors`, `blocks`, `plans`, `journal`, `outbox`, `retention` and `sandbox`. Every statement begins with a comment that names it.

mod accounts;
mod admissions;
mod audit;
mod blocks;
mod bulk;
mod catalogue;
mod certificates;
mod claims;
mod codes;
mod day_counts;
mod drafts;
mod ended;
mod fallback;
mod holders;
mod idempotency;
mod journal;
mod lag;
mod latest;
mod ledger;
mod lists;
mod look;
mod mail_log;
mod moves;
mod operators;
mod outbox;
mod past;
mod paying;
mod people;
mod plans;
mod record;
mod references;
mod refund;
mod reports;
mod restore;
mod retention;
mod rounds;
mod row;
mod sandbox;
mod schema;
mod second_factors;
mod sessions;
mod showcase;
mod till;
mod undos;

pub use sandbox::Sandbox;
pub(super) use schema::verify as verify_schema;

use futures_util::future::BoxFuture;

use super::dialect::{self, Connection, Store};
use crate::domain::shared::time::Timestamp;
use crate::ports::{self, Fault};

type Result<T, E = sqlx::Error> = std::result::Result<T, E>;

/// How a transaction ends that did not fail: an answer may still want everything undone.
pub(super) enum Verdict<T> {
    Keep(T),
    Undo(T),
}

impl Store {
    /// A transaction that is kept unless it fails.
    async fn write<A, T, J>(&self, name: &'static str, args: A, job: J) -> ports::Result<T>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
        J: for<'c> Fn(&'c mut Connection, &'c A) -> BoxFuture<'c, Result<T>> + Send + Sync + 'static,
    {
        self.transact(name, args, move |conn, args| {
            let job = job(conn, args);
            Box::pin(async move { job.await.map(Verdict::Keep) })
        })
        .await
    }

    /// What many ask for, in one transaction. Where one of them is in the way of the others nothing is written, and each has a
    /// transaction of its own, so that only that one fails.
    async fn write_all<A, T, J>(
        &self,
        name: &'static str,
        all: &[A],
        now: Timestamp,
        job: J,
    ) -> ports::Result<Vec<ports::Result<T>>>
    where
        A: Clone + Send + Sync + 'static,
        T: Send + 'static,
        J: for<'c> Fn(&'c mut Connection, &'c (Vec<A>, Timestamp)) -> BoxFuture<'c, Result<Vec<T>>>
            + Copy
            + Send
            + Sync
            + 'static,
    {
        let together = self.transact(name, (all.to_vec(), now), move |conn, args| {
            let (written, is_alone) = (job(conn, args), args.0.len() <= 1);
            Box::pin(async move {
                match written.await {
                    Err(error) if !is_alone && is_of_one(&error) => Ok(Verdict::Undo(None)),
                    written => written.map(|written| Verdict::Keep(Some(written))),
                }
            })
        });
        if let Some(written) = together.await? {
            return Ok(written.into_iter().map(Ok).collect());
        }
        tracing::warn!(
            transaction = name,
            jobs = all.len(),
            "a group could not be written together: each is written alone"
        );
        let mut each = Vec::with_capacity(all.len());
        for one in all {
            let alone = self.write(name, (vec![one.clone()], now), job).await;
            each.push(
                alone.and_then(|mut written| written.pop().ok_or_else(|| fault(broken("a job without an answer")))),
            );
        }
        Ok(each)
    }
}

/// It comes of what was to be written, and not of where to.
fn is_of_one(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => !matches!(error.kind(), sqlx::error::ErrorKind::Other),
        sqlx::Error::Encode(_) | sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } => true,
        sqlx::Error::Protocol(_) | sqlx::Error::RowNotFound => true,
        _ => false,
    }
}

pub(super) fn fault(error: sqlx::Error) -> Fault {
    Fault::new("ledger", error)
}

fn is_duplicate(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.is_unique_violation())
}

fn broken(what: impl std::fmt::Display) -> sqlx::Error {
    sqlx::Error::Protocol(what.to_string())
}
