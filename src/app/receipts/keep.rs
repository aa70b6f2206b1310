//! What an operator sees of the kept receipts, and how old ones are removed: they can be printed again at any time.

use serde::Serialize;
use utoipa::ToSchema;

use crate::app::receipts::Receipts;
use crate::domain::receipts::ARCHIVE;
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;

/// Listed at once.
const PAGE: u32 = 1_000;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ReceiptStats)]
pub struct Stats {
    /// Kept now: what the archive says, whichever process asks and however often it was started.
    pub count: u64,
    pub bytes: u64,
    #[schema(required)]
    pub oldest_at: Option<Timestamp>,
    #[schema(required)]
    pub newest_at: Option<Timestamp>,
    /// By the process that answers, since it began.
    pub made: u64,
    /// At the press of the process that answers.
    pub waiting: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Cleaned {
    pub removed: u64,
    pub bytes: u64,
    /// There are more: call again.
    pub more: bool,
}

impl Receipts {
    pub async fn stats(&self) -> Result<Stats> {
        let press = &self.0.press;
        let mut stats = Stats { made: press.made_so_far(), waiting: press.waiting(), ..Stats::default() };
        let mut after: Option<String> = None;
        loop {
            let page = self.0.needs.archive.list(ARCHIVE, after.as_deref(), PAGE).await?;
            for kept in &page {
                stats.count += 1;
                stats.bytes += kept.bytes;
                stats.oldest_at = stats.oldest_at.into_iter().chain([kept.kept_at]).min();
                stats.newest_at = stats.newest_at.into_iter().chain([kept.kept_at]).max();
            }
            after = match page.into_iter().last() {
                Some(last) => Some(last.key),
                None => return Ok(stats),
            };
        }
    }

    /// Removes those that were kept before `before`, a bounded number at a time.
    pub async fn clean_up(&self, before: Timestamp) -> Result<Cleaned> {
        let (archive, max) = (&self.0.needs.archive, u64::from(self.0.settings.cleanup_max));
        let mut cleaned = Cleaned::default();
        let mut after: Option<String> = None;
        loop {
            let page = archive.list(ARCHIVE, after.as_deref(), PAGE).await?;
            for kept in page.iter().filter(|kept| kept.kept_at < before) {
                if cleaned.removed == max {
                    return Ok(Cleaned { more: true, ..cleaned });
                }
                archive.delete(&kept.key).await?;
                cleaned.removed += 1;
                cleaned.bytes += kept.bytes;
            }
            after = match page.into_iter().last() {
                Some(last) => Some(last.key),
                None => return Ok(cleaned),
            };
        }
    }
}
