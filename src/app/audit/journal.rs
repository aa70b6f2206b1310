//! Whether the journal is as it was written: every entry is read in its order and its digest made anew. Absent: a remedy. What is broken
//! stays broken, and shows.

use serde::Serialize;

use crate::domain::audit::journal::{Break, Digest, Head};
use crate::ports::Result;
use crate::ports::audit::journal::Journal;

/// Entries read at once.
const PAGE: u32 = 1_000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    pub pass: bool,
    /// Those that hold, from the first on.
    pub entries: u64,
    /// Of the last one that holds: kept elsewhere, it says later whether the journal was written anew.
    pub digest: String,
    /// The first place that does not.
    pub broken: Option<String>,
}

/// Entries that come meanwhile are checked, too.
pub async fn check(journal: &dyn Journal) -> Result<Checked> {
    let (head, broken) = follow(journal).await?;
    let broken = broken.map(|broken| broken.to_string());
    Ok(Checked { pass: broken.is_none(), entries: head.number, digest: head.digest.to_string(), broken })
}

/// How far it holds, and what is there instead of what should be.
async fn follow(journal: &dyn Journal) -> Result<(Head, Option<Break>)> {
    let end = journal.journal_head().await?;
    let mut head = Head::BEGIN;
    if end.number == 0 && end.digest != Digest::BEGIN {
        return Ok((head, Some(Break::Head { number: 0 })));
    }
    loop {
        let page = journal.entries_after(head.number, PAGE).await?;
        if page.is_empty() {
            break;
        }
        for entry in &page {
            match head.then(entry) {
                Ok(next) if next.number == end.number && next.digest != end.digest => {
                    return Ok((head, Some(Break::Head { number: next.number })));
                }
                Ok(next) => head = next,
                Err(broken) => return Ok((head, Some(broken))),
            }
        }
    }
    if head.number < end.number {
        return Ok((head, Some(Break::Missing { number: head.number + 1 })));
    }
    // The head moves with the entry: one that was read is never behind it.
    let now = journal.journal_head().await?;
    let is_beyond = head.number > now.number;
    Ok((head, is_beyond.then_some(Break::Beyond { number: now.number + 1 })))
}
