//! What publishers know of sales comes from here. Each payment-consumer publishes, and none knows of another: what two of them say
//! of a sale is the same, or one of it is newer.
//!
//! **What is said when.** What moved a sale (an operator, a restore, a turn, an order) stands in the ledger under the time when it
//! did, so that one read by index finds it, whichever process moved it and whether or not that still lives. Twice a second what is
//! new there is looked at and told, and whether the turnstile is exhausted. A sale that does not move is told in
//! rounds: what operators decided of it, and nothing of its turnstile. Without anything to tell, a bulletin a second says the time.
//!
//! **What may go wrong, and what makes it good.** A bulletin that is lost is missed by its number, and a publisher that misses one asks for
//! everything, as does one that only just began to listen; the answer is everything as it was read after the question. One that comes
//! late or twice replaces nothing newer. What is committed later than `moved_ms` after its own time, and whatever is not
//! foreseen, is found by the round, after `round_ms` at most. A publisher that opens late asks; one that gets no answer asks
//! again. That a sale opens or closes needs no bulletin: its times are known.
//!
//! That a sale is exhausted is believed for some seconds only, for units may come back. So a publisher that still needs it asks
//! for that sale before then; without such a question nothing is looked at. A bulletin that is lost here costs nothing but a few
//! attempts that go through the queue, whose refusal is a turn, and so moves the sale.
//!
//! `exhausted` is what the turnstile says, or the ledger when everything is paid for and standby is full, or over with
//! that. Without a turnstile to look at, any other sale is not exhausted: its attempts wait for it. Where it is in another process's
//! memory nothing is said of it here: its holder does. A turnstile of another generation
//! than the sale's is none: what it knows as taken may have been given back since, and a restore has said so.

mod publisher;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;

use crate::app::people::log_outs::LogOuts;
pub use crate::app::sale::feed::publisher::SaleFeedPublisher;
use crate::app::sale::rounds::{self, Round, Whole};
use crate::domain::sale::turnstile::Level;
use crate::domain::sale::{Sale, StandbyUntil};
use crate::domain::shared::id::SaleId;
use crate::kit::work::lifecycle::Lifecycle;
use crate::kit::work::ticks::run_periodically;
use crate::ports::Result;
use crate::ports::people::accounts::Accounts;
use crate::ports::platform::clock::Clock;
use crate::ports::sale::catalogue::{Catalogue, Moved};
use crate::ports::sale::feed::{NewsRequest, SALES_MAX, SaleFeed, SaleNews, SaleSnapshot};
use crate::ports::sale::restoring::{Restoring, SaleTotals};
use crate::ports::sale::turnstile::Turnstile;

/// Between two bulletins of the round, the first of which tells the time.
const BEAT: Duration = Duration::from_secs(1);
/// Between two looks at what moved.
const LOOK: Duration = Duration::from_millis(500);
/// Before requests are listened for again.
const RESUBSCRIBE: Duration = Duration::from_millis(500);
/// Sales read at once for a publisher that asks for everything.
const READ_MAX: u32 = 512;

#[derive(Clone)]
pub struct Needs {
    pub catalogue: Arc<dyn Catalogue>,
    pub accounts: Arc<dyn Accounts>,
    pub restoring: Arc<dyn Restoring>,
    pub turnstile: Arc<dyn Turnstile>,
    pub news: Arc<dyn SaleFeed>,
    pub clock: Arc<dyn Clock>,
}

/// What one process says, and how far it is.
pub struct Feed {
    needs: Needs,
    settings: rounds::Settings,
    round: Round,
    /// Who logged out, as far as this process told of it.
    log_outs: LogOuts,
    /// What moved when this process looked last, all of which was told.
    told: Mutex<BTreeMap<SaleId, Moved>>,
}

/// Says what is to be said, until the soft stop.
pub async fn run(needs: Needs, settings: rounds::Settings, lifecycle: Lifecycle) {
    let feed = Feed::new(needs, settings);
    let beats = run_periodically(BEAT, &lifecycle, || async { failed(feed.beat().await) });
    let looks = run_periodically(LOOK, &lifecycle, || async { failed(feed.tell_moved().await) });
    tokio::join!(beats, looks, feed.answer_requests(&lifecycle));
}

fn failed<T>(told: Result<T>) {
    if let Err(fault) = told {
        tracing::warn!(%fault, "a sale snapshot was not published");
    }
}

impl Feed {
    pub fn new(needs: Needs, settings: rounds::Settings) -> Self {
        Self { needs, settings, round: Round::default(), log_outs: LogOuts::default(), told: Mutex::default() }
    }

    /// Who logged out since, the time, and the next part of the round.
    pub async fn beat(&self) -> Result<()> {
        self.tell_log_outs(&self.log_outs).await?;
        // A round that cannot be read must not keep the time from being told.
        let part = self.part().await;
        let (sales, failed) = match part {
            Ok(sales) => (sales, Ok(())),
            Err(fault) => (Vec::new(), Err(fault)),
        };
        self.send(sales, Vec::new()).await?;
        failed
    }

    async fn part(&self) -> Result<Vec<SaleNews>> {
        let beats = self.settings.round_ms / BEAT.as_millis() as u64;
        let part = self.round.next(&*self.needs.catalogue, &*self.needs.clock, beats).await?;
        self.as_decided(&part.sales).await
    }

    /// What moved since the last time this was asked.
    pub async fn tell_moved(&self) -> Result<()> {
        let (now, within_ms) = (self.needs.clock.now(), self.settings.moved_ms);
        let moved = self.needs.catalogue.sales_moved(now, within_ms).await?;
        let sales: Vec<SaleId> = {
            let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            moved.iter().filter(|(sale, what)| told.get(sale) != Some(what)).map(|(sale, _)| *sale).collect()
        };
        self.tell(&sales).await?;
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = moved;
        Ok(())
    }

    async fn answer_requests(&self, lifecycle: &Lifecycle) {
        let endless = async {
            loop {
                failed(self.answer_until_it_fails().await);
                tokio::time::sleep(RESUBSCRIBE).await;
            }
        };
        lifecycle.soft.run_until_cancelled(endless).await;
    }

    async fn answer_until_it_fails(&self) -> Result<()> {
        let mut requests = self.needs.news.requests().await?;
        loop {
            let waiting = requests.next().await?;
            self.answer(waiting).await?;
        }
    }

    /// Publishers that ask for everything at the same time are told together.
    pub async fn answer(&self, requests: Vec<NewsRequest>) -> Result<()> {
        let mut numbers = Vec::new();
        let mut asked: Vec<SaleId> = Vec::new();
        for request in requests {
            match request {
                NewsRequest::Everything { number } => numbers.push(number),
                NewsRequest::Sales { sales } => asked.extend(sales),
            }
        }
        asked.sort_unstable();
        asked.dedup();
        self.tell(&asked).await?;
        if !numbers.is_empty() {
            self.tell_everything(numbers).await?;
        }
        Ok(())
    }

    /// These sales as they are now, with their turnstiles.
    async fn tell(&self, sales: &[SaleId]) -> Result<()> {
        for some in sales.chunks(SALES_MAX) {
            let words = words(&self.needs, some).await?;
            send(&self.needs, SaleSnapshot { sales: words, ..SaleSnapshot::default() }).await?;
        }
        Ok(())
    }

    async fn tell_everything(&self, answers: Vec<u64>) -> Result<()> {
        // First, so that no publisher learns of a sale before it knows whom to refuse.
        self.tell_log_outs(&LogOuts::default()).await?;
        let mut round = Whole::new(self.needs.clock.now());
        while let Some(sales) = round.next(&*self.needs.catalogue, READ_MAX).await? {
            let words = self.as_decided(&sales).await?;
            if !words.is_empty() {
                self.send(words, Vec::new()).await?;
            }
        }
        self.send(Vec::new(), answers).await
    }

    /// Nothing is said of their turnstiles.
    async fn as_decided(&self, sales: &[SaleId]) -> Result<Vec<SaleNews>> {
        let sales = published(&self.needs, sales).await?;
        let now = self.needs.clock.now();
        let word =
            |sale: Sale| SaleNews { exhausted: None, generation: sale.generation, revision: 0, sent_at: now, sale };
        Ok(sales.into_iter().map(word).collect())
    }

    /// Whom to refuse, as far as this reader is not there yet.
    async fn tell_log_outs(&self, reader: &LogOuts) -> Result<()> {
        loop {
            let page = reader.page(&*self.needs.accounts, self.needs.clock.now()).await?;
            if !page.found.is_empty() {
                send(&self.needs, SaleSnapshot { revoked: page.found, ..SaleSnapshot::default() }).await?;
            }
            reader.passed(page.next);
            if page.is_last {
                return Ok(());
            }
        }
    }

    /// One bulletin at least.
    async fn send(&self, words: Vec<SaleNews>, answers: Vec<u64>) -> Result<()> {
        let mut words = words.into_iter();
        loop {
            let sales: Vec<SaleNews> = words.by_ref().take(SALES_MAX).collect();
            let is_last = words.len() == 0;
            let answers = if is_last { answers.clone() } else { Vec::new() };
            send(&self.needs, SaleSnapshot { sales, answers, ..SaleSnapshot::default() }).await?;
            if is_last {
                return Ok(());
            }
        }
    }
}

/// One sale, now: called by the process that changed it.
pub async fn announce(needs: &Needs, sale: SaleId) -> Result<()> {
    say(needs, sale).await.map(drop)
}

/// Whether it was said to be exhausted; of a draft nothing is said.
async fn say(needs: &Needs, sale: SaleId) -> Result<Option<bool>> {
    let words = words(needs, &[sale]).await?;
    let Some(exhausted) = words.first().map(|word| word.exhausted) else { return Ok(None) };
    send(needs, SaleSnapshot { sales: words, ..SaleSnapshot::default() }).await?;
    Ok(exhausted)
}

async fn send(needs: &Needs, bulletin: SaleSnapshot) -> Result<()> {
    needs.news.publish(&SaleSnapshot { sent_at: needs.clock.now(), ..bulletin }).await
}

/// These sales as they are now, with their turnstiles.
async fn words(needs: &Needs, sales: &[SaleId]) -> Result<Vec<SaleNews>> {
    let sales = published(needs, sales).await?;
    let ids: Vec<SaleId> = sales.iter().map(|sale| sale.id).collect();
    let levels = needs.turnstile.look_at(&ids).await;
    let words = sales.into_iter().zip(levels).map(|(sale, level)| {
        let level = level.unwrap_or_else(|fault| {
            tracing::warn!(sale.id = %sale.id, %fault, "the turnstile could not be read");
            None
        });
        let level = level.filter(|level| level.generation == sale.generation);
        word(needs, sale, level)
    });
    join_all(words).await.into_iter().collect()
}

/// A publisher hears nothing of a draft, and takes no attempt for what it has not heard of.
async fn published(needs: &Needs, sales: &[SaleId]) -> Result<Vec<Sale>> {
    let sales = needs.catalogue.sales_of(sales).await?;
    Ok(sales.into_iter().filter(|sale| !sale.draft).collect())
}

async fn word(needs: &Needs, mut sale: Sale, level: Option<Level>) -> Result<SaleNews> {
    let ends_with_that = sale.standby_until == StandbyUntil::Paid;
    // What buyers hold is counted only where the count can change the answer.
    let standing = match level {
        Some(level) if level.free > 0 || !ends_with_that => None,
        _ => needs.restoring.standing(sale.id).await?,
    };
    // It is in another process's memory, and announced from there.
    let is_elsewhere = |standing: &SaleTotals| !needs.turnstile.lease(sale.id).admits(standing.leased_by);
    let elsewhere = standing.as_ref().is_some_and(is_elsewhere);
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
        exhausted: (!elsewhere).then(|| shut || level.is_some_and(|level| level.is_exhausted())),
        sale,
        generation,
        revision,
        sent_at: needs.clock.now(),
    })
}
