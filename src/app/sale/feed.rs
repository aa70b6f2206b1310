//! What publishers know of sales comes from here: once a second, and when a sale becomes exhausted or stops being so.
//!
//! The word on `exhausted` is the turnstile's, or the ledger's when everything is paid for and standby is full, or over with
//! that. Without a turnstile to look at, any other sale is not exhausted: its attempts wait for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;

use crate::domain::people::{REVOKED_MAX, Revoked, TOKEN_MS_MAX};
use crate::domain::sale::{Sale, StandbyUntil};
use crate::domain::shared::id::SaleId;
use crate::kit::work::lifecycle::Lifecycle;
use crate::ports::Result;
use crate::ports::people::accounts::Accounts;
use crate::ports::platform::clock::Clock;
use crate::ports::sale::catalogue::Catalogue;
use crate::ports::sale::feed::{SaleFeed, SaleNews, SaleSnapshot};
use crate::ports::sale::restoring::{Restoring, SaleTotals};
use crate::ports::sale::turnstile::Turnstile;

/// Between two broadcasts of every sale that matters.
const EVERY: Duration = Duration::from_secs(1);
/// Sales in one broadcast's message, at most.
const NEWS_MAX: usize = 64;

#[derive(Clone)]
pub struct Needs {
    pub catalogue: Arc<dyn Catalogue>,
    pub accounts: Arc<dyn Accounts>,
    pub restoring: Arc<dyn Restoring>,
    pub turnstile: Arc<dyn Turnstile>,
    pub news: Arc<dyn SaleFeed>,
    pub clock: Arc<dyn Clock>,
}

/// Broadcasts every sale that matters once a second, until the soft stop.
pub async fn run(needs: Needs, lifecycle: Lifecycle) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = lifecycle.soft.cancelled() => return,
            _ = ticks.tick() => {}
        }
        if let Err(fault) = broadcast(&needs).await {
            tracing::warn!(%fault, "the news was not sent");
        }
    }
}

/// Every sale that matters; says how many there are.
pub async fn broadcast(needs: &Needs) -> Result<usize> {
    let sales = needs.catalogue.sales_that_matter(needs.clock.now()).await?;
    let count = sales.len();
    let since = needs.clock.now().plus_ms(-TOKEN_MS_MAX);
    // With the first message, so that nobody learns of a sale before it knows whom to refuse.
    let mut revoked = Some(needs.accounts.revoked_since(since, REVOKED_MAX).await?);
    let mut failed = None;
    let mut sales = sales.into_iter().peekable();
    while sales.peek().is_some() {
        // One sale that cannot be read must not keep the others from being told.
        let some = join_all(sales.by_ref().take(NEWS_MAX).map(|sale| news_of(needs, sale))).await;
        let (told, faults): (Vec<_>, Vec<_>) = some.into_iter().partition(Result::is_ok);
        failed = failed.or(faults.into_iter().find_map(Result::err));
        let told: Vec<SaleNews> = told.into_iter().filter_map(Result::ok).collect();
        send(needs, told, revoked.take()).await?;
    }
    if count == 0 {
        send(needs, Vec::new(), revoked).await?;
    }
    failed.map_or(Ok(count), Err)
}

/// One sale, now: whoever changed it says so.
pub async fn announce(needs: &Needs, sale: SaleId) -> Result<()> {
    let Some(sale) = needs.catalogue.sale(sale).await? else { return Ok(()) };
    let news = news_of(needs, sale).await?;
    send(needs, vec![news], None).await
}

async fn send(needs: &Needs, sales: Vec<SaleNews>, revoked: Option<Vec<Revoked>>) -> Result<()> {
    needs.news.publish(&SaleSnapshot { sent_at: needs.clock.now(), sales, revoked }).await
}

async fn news_of(needs: &Needs, mut sale: Sale) -> Result<SaleNews> {
    let standing = needs.restoring.standing(sale.id).await?;
    let level = needs.turnstile.look(sale.id).await.unwrap_or_else(|fault| {
        tracing::warn!(sale.id = %sale.id, %fault, "no turnstile to look at");
        None
    });
    let ends_with_that = sale.standby_until == StandbyUntil::Paid;
    let takes_nobody = |standing: &SaleTotals| {
        standing.all_paid() && (ends_with_that || standing.standby >= standing.allotment.standby_max)
    };
    let shut = standing.as_ref().is_some_and(takes_nobody);
    if let Some(standing) = &standing {
        sale.generation = standing.generation;
    }
    let read = standing.map_or((sale.generation, 0), |standing| (standing.generation, standing.revision));
    let (generation, revision) = level.map_or(read, |level| (level.generation, level.revision));
    Ok(SaleNews {
        exhausted: shut || level.is_some_and(|level| level.is_exhausted()),
        sale,
        generation,
        revision,
        sent_at: needs.clock.now(),
    })
}

/// Looks at a sale's turnstile after work that may have exhausted it, not too often, and says so when it did.
pub struct SaleFeedPublisher {
    needs: Needs,
    every: Duration,
    said: Mutex<HashMap<SaleId, Said>>,
}

#[derive(Clone, Copy)]
struct Said {
    exhausted: bool,
    looked_at: Instant,
}

impl SaleFeedPublisher {
    pub fn new(needs: Needs, every: Duration) -> Self {
        Self { needs, every, said: Mutex::default() }
    }

    /// Best effort: the broadcast of the next second says the same.
    pub async fn look(&self, sale: SaleId) {
        let Some(before) = self.due(sale) else { return };
        let exhausted = match self.needs.turnstile.look(sale).await {
            Ok(level) => level.is_some_and(|level| level.is_exhausted()),
            Err(_) => return,
        };
        if exhausted == before {
            return;
        }
        match announce(&self.needs, sale).await {
            Ok(()) => self.remember(sale, exhausted),
            Err(fault) => tracing::debug!(sale.id = %sale, %fault, "the change was not announced"),
        }
    }

    /// What was said last, when it is time to look again.
    fn due(&self, sale: SaleId) -> Option<bool> {
        let mut said = self.said.lock().expect("nobody panics while holding what was said");
        let now = Instant::now();
        match said.get_mut(&sale) {
            Some(last) if now < last.looked_at + self.every => None,
            Some(last) => {
                last.looked_at = now;
                Some(last.exhausted)
            }
            None => {
                said.insert(sale, Said { exhausted: false, looked_at: now });
                Some(false)
            }
        }
    }

    fn remember(&self, sale: SaleId, exhausted: bool) {
        let mut said = self.said.lock().expect("nobody panics while holding what was said");
        said.insert(sale, Said { exhausted, looked_at: Instant::now() });
    }
}
