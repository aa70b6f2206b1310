//! The journal, as the desk writes it for what lies outside the ledger, and as it is shown and taken home.

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::audit::journal::{Action, Entry, Recorded, Subject};
use crate::domain::people::author::Author;
use crate::domain::shared::id::RequestId;
use crate::domain::shared::time::Timestamp;
use crate::faces::desk::Desk;
use crate::faces::desk::exports::{BYTE_ORDER_MARK, moment, unwritten, write};
use crate::faces::desk::leaving::{Leaving, Outcome, Pieces};
use crate::ports::Result;
use crate::ports::audit::journal::Wanted;

const HEADER: [&str; 11] =
    ["number", "at", "actor", "role", "network", "request", "action", "subject", "before", "after", "digest"];

impl Desk {
    /// Before something is done outside the ledger.
    pub async fn write_down(&self, by: &Author, action: Action, subject: Subject, what: Value) -> Result<()> {
        let after = if what.is_null() { String::new() } else { what.to_string() };
        let entry = Entry { author: by.clone(), action, subject, before: String::new(), after };
        self.needs().journal.write_down(&entry).await.map(|_| ())
    }

    /// After it was done: what came of it. It was written down before, and is not undone for want of this.
    pub async fn wrote_down(&self, by: &Author, action: Action, subject: Subject, what: Value) {
        if let Err(fault) = self.write_down(by, action, subject, what).await {
            tracing::error!(%fault, action = action.name(), "the end of an operator's call was not written down");
        }
    }
}

/// An entry; `before` and `after` are JSON as the digest covers it, or empty.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JournalEntry)]
pub struct EntryView {
    #[schema(minimum = 1)]
    number: u64,
    at: Timestamp,
    /// The number of an account, or `shell`.
    actor: String,
    /// What the token said; empty for a shell.
    role: String,
    /// A neighbourhood of addresses; empty for a shell.
    network: String,
    /// One for all that one request did.
    #[schema(value_type = String, pattern = "^[0-9a-f]{32}$")]
    request: RequestId,
    action: String,
    subject: String,
    before: String,
    after: String,
    /// Over all this, and the digest of the entry before.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    digest: String,
}

impl From<Recorded> for EntryView {
    fn from(entry: Recorded) -> Self {
        Self {
            number: entry.number,
            at: entry.at,
            actor: entry.actor.to_string(),
            role: entry.role,
            network: entry.network,
            request: entry.request,
            action: entry.action,
            subject: entry.subject,
            before: entry.before,
            after: entry.after,
            digest: entry.digest.to_string(),
        }
    }
}

/// The journal on its way out, newest first.
pub struct JournalExport {
    wanted: Wanted,
    place: At,
    leaving: Leaving,
}

/// Where the next page begins.
enum At {
    Begin,
    Before(u64),
    End,
}

impl Pieces for JournalExport {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        let page = self.page().await;
        if let Err(fault) = &page {
            self.leaving.ends(Outcome::Broken);
            tracing::error!(list = "journal", %fault, "an export failed midway");
        }
        page
    }
}

impl JournalExport {
    pub fn new(wanted: Wanted, leaving: Leaving) -> Self {
        Self { wanted, place: At::Begin, leaving }
    }

    async fn page(&mut self) -> Result<Option<Bytes>> {
        self.leaving.is_in_time()?;
        let (mark, before) = match self.place {
            At::Begin => (BYTE_ORDER_MARK, None),
            At::Before(number) => (&b""[..], Some(number)),
            At::End => {
                self.leaving.is_done().await;
                return Ok(None);
            }
        };
        let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
        if before.is_none() {
            writer.write_record(HEADER).map_err(unwritten)?;
        }
        let rows_max = self.leaving.desk().settings().export_rows_max;
        let rows = self.leaving.desk().needs().journal.entries_before(&self.wanted, before, rows_max).await?;
        self.leaving.took(rows.len());
        let last = rows.last().filter(|_| rows.len() == rows_max as usize);
        self.place = last.map_or(At::End, |last| At::Before(last.number));
        for row in rows {
            write(&mut writer, fields(row))?;
        }
        let rows = writer.into_inner().map_err(unwritten)?;
        Ok(Some(Bytes::from([mark, &rows].concat())))
    }
}

fn fields(entry: Recorded) -> Vec<String> {
    vec![
        entry.number.to_string(),
        moment(entry.at),
        entry.actor.to_string(),
        entry.role,
        entry.network,
        entry.request.to_string(),
        entry.action,
        entry.subject,
        entry.before,
        entry.after,
        entry.digest.to_string(),
    ]
}
