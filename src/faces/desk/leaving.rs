//! A list that leaves the shop: written down in the journal before its first row, with its rows and its outcome when it ended, and counted.
//! However it ends, it is told; a journal that cannot be written keeps a list from beginning, and not from ending.

use std::time::Duration;

use actix_web::http::{Version, header};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream::{self, Stream, StreamExt};
use serde_json::{Value, json};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use crate::domain::audit::journal::{Action, Subject};
use crate::domain::people::author::Author;
use crate::faces::desk::Desk;
use crate::faces::desk::metric::Metric;
use crate::faces::front::routes::Reply;
use crate::kit::http::problem::{Kind, Problem};
use crate::ports::{Fault, Result};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Done,
    Broken,
    /// The client went away.
    Left,
}

impl Outcome {
    fn name(self) -> &'static str {
        match self {
            Outcome::Done => "done",
            Outcome::Broken => "broken",
            Outcome::Left => "left",
        }
    }
}

pub struct Leaving {
    desk: Desk,
    by: Author,
    list: &'static str,
    subject: Subject,
    begun: Instant,
    rows: u64,
    outcome: Outcome,
    _permit: OwnedSemaphorePermit,
}

impl Leaving {
    pub async fn begin(desk: &Desk, by: Author, list: &'static str, subject: Subject) -> Result<Self, Problem> {
        let permit = desk.exports().try_acquire_owned();
        let permit = permit.map_err(|_| Problem::new(Kind::BUSY, "enough lists are being made; come again shortly"))?;
        desk.write_down(&by, Action::ExportBegun, subject.clone(), json!({ "list": list })).await?;
        let (desk, begun) = (desk.clone(), Instant::now());
        Ok(Self { desk, by, list, subject, begun, rows: 0, outcome: Outcome::Left, _permit: permit })
    }

    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    pub fn is_in_time(&self) -> Result<()> {
        if self.begun.elapsed() > Duration::from_millis(self.desk.settings().export_ms_max) {
            return Err(Fault::new("gateway", "an export takes too long"));
        }
        Ok(())
    }

    pub fn took(&mut self, rows: usize) {
        self.rows += rows as u64;
    }

    pub fn ends(&mut self, outcome: Outcome) {
        self.outcome = outcome;
    }

    /// To its last row. Before the client has seen that it was the last.
    pub async fn is_done(&mut self) {
        self.outcome = Outcome::Done;
        told(self.desk.clone(), self.by.clone(), self.subject.clone(), self.says()).await;
    }

    fn says(&self) -> Value {
        json!({ "list": self.list, "outcome": self.outcome.name(), "rows": self.rows })
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        let (list, outcome) = (self.list, self.outcome.name());
        metrics::counter!(Metric::Exports.name(), "list" => list, "outcome" => outcome).increment(1);
        metrics::counter!(Metric::ExportedRows.name(), "list" => list).increment(self.rows);
        metrics::histogram!(Metric::ExportSeconds.name(), "list" => list).record(self.begun.elapsed().as_secs_f64());
        if self.outcome != Outcome::Done {
            let telling = told(self.desk.clone(), self.by.clone(), self.subject.clone(), self.says());
            // Not waited for: whoever drops it cannot. A graceful stop does.
            drop(self.desk.lifecycle().finish_on(self.desk.runtime(), "export", telling));
        }
    }
}

async fn told(desk: Desk, by: Author, subject: Subject, what: Value) {
    let at = desk.clock().now();
    desk.wrote_down(&Author { at, ..by }, Action::ExportEnded, subject, what).await;
}

/// A list as it is made: a piece after the other.
pub trait Pieces: Sized {
    /// `None` after the last.
    fn next(&mut self) -> impl Future<Output = Result<Option<Bytes>>>;

    /// All that are left. A fault ends the file as a body that is not whole.
    fn rest(self) -> impl Stream<Item = Result<Bytes>> {
        stream::try_unfold(self, |mut pieces| async move {
            let piece = pieces.next().await?;
            Ok(piece.map(|bytes| (bytes, pieces)))
        })
    }
}

/// What older clients cannot be given.
pub fn can_be_streamed(req: &HttpRequest) -> Result<(), Problem> {
    if req.version() < Version::HTTP_11 {
        // There the end of the connection is the end of the file, whatever ended it.
        return Err(Problem::new(Kind::INVALID, "a list is streamed, which needs HTTP/1.1"));
    }
    Ok(())
}

/// The answer, filled with the pieces as they come. A ledger that is away is a problem, not the beginning of a file.
pub async fn streamed(name: &str, mut pieces: impl Pieces + 'static) -> Reply {
    let first = pieces.next().await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present"))
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .streaming(stream::iter(first.map(Ok)).chain(pieces.rest())))
}
