//! Finds what alarms, gateways and crashed workers left behind. Each job is by itself: one that fails stops no other.
//!
//! Sweeping is never what a sale waits for while everything works; it is what makes every crash end well.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};
use tokio::time::Instant;

use crate::app::money::refunds::ask;
use crate::app::sale::rounds::Round;
use crate::app::sale::tell::try_to_notify;
use crate::app::sale::turns::sure_now;
use crate::domain::shared::id::{ReservationId, SaleId};
use crate::kit::work::lifecycle::Lifecycle;
use crate::kit::work::ticks::run_periodically;
use crate::ports::{Fault, Result};
use crate::workers::payment_consumer::alarms::lapse;
use crate::workers::payment_consumer::metric::Metric;
use crate::workers::payment_consumer::release_and_promote;
use crate::workers::payment_consumer::resolve::resolve;
use crate::workers::payment_consumer::watch::Watch;
use crate::workers::payment_consumer::{Needs, Settings};

/// Rows of standby ended in one transaction.
const ENDED_MAX: u32 = 512;
/// Sales that lists learn of in one transaction.
const LISTED_MAX: u32 = 512;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// Holds whose time is over and whose alarm did not ring.
    Overdue,
    /// Ended rows whose units were not given on.
    Unfreed,
    /// Reservations that are being paid for too long.
    Stuck,
    /// Money to be given back, and what became of it.
    Refunds,
    /// Standby that can no longer become anything.
    Standby,
    /// Turnstile and ledger tell the same story.
    Watch,
    /// Lists know which sales have opened, and which are over.
    Lists,
    /// Doors find orders by name.
    Holders,
}

impl Job {
    pub const ALL: [Job; 8] =
        [Job::Overdue, Job::Unfreed, Job::Stuck, Job::Refunds, Job::Standby, Job::Watch, Job::Lists, Job::Holders];

    pub(super) fn label(self) -> &'static str {
        match self {
            Job::Overdue => "overdue",
            Job::Unfreed => "unfreed",
            Job::Stuck => "stuck",
            Job::Refunds => "refunds",
            Job::Standby => "standby",
            Job::Watch => "watch",
            Job::Lists => "lists",
            Job::Holders => "holders",
        }
    }
}

pub struct Sweeper {
    needs: Needs,
    settings: Settings,
    watch: Watch,
    lines: Round,
}

impl Sweeper {
    pub fn new(needs: Needs, settings: Settings) -> Self {
        Self { needs, settings, watch: Watch::default(), lines: Round::default() }
    }

    /// Sweeps one kind again and again, until the soft stop.
    pub(super) async fn serve(&self, job: Job, lifecycle: &Lifecycle) {
        // A fault was told where it was met.
        run_periodically(Duration::from_millis(self.settings.sweep_ms), lifecycle, || async {
            let _ = self.sweep_one(job).await;
        })
        .await;
    }

    /// Every job once; the first fault, when there was one.
    pub async fn sweep(&self) -> Result<()> {
        join_all(Job::ALL.map(|job| self.sweep_one(job))).await.into_iter().collect()
    }

    pub async fn sweep_one(&self, job: Job) -> Result<()> {
        let begun = Instant::now();
        let swept = match job {
            Job::Overdue => self.overdue().await,
            Job::Unfreed => self.unfreed().await,
            Job::Stuck => self.stuck().await,
            Job::Refunds => self.refunds().await,
            Job::Standby => self.standby().await,
            Job::Watch => self.watch().await,
            Job::Lists => self.lists().await,
            Job::Holders => self.holders().await,
        };
        metrics::histogram!(Metric::SweepSeconds.name(), "work" => job.label()).record(begun.elapsed().as_secs_f64());
        if let Err(fault) = &swept {
            metrics::counter!(Metric::Faults.name(), "work" => job.label(), "part" => fault.part).increment(1);
            tracing::warn!(job = job.label(), %fault, "the next sweep tries again");
        }
        swept
    }

    async fn overdue(&self) -> Result<()> {
        let before = sure_now(&*self.needs.clock)?.plus_ms(-self.settings.alarm_ms);
        loop {
            let rows = self.needs.sweeping.overdue(before, self.settings.rows_max).await?;
            let count = rows.len();
            let sales = by_sale(rows);
            let work = sales.iter().map(|(&sale, ids)| lapse(&self.needs, &self.settings, sale, ids));
            all(join_all(work).await)?;
            if count < self.settings.rows_max as usize {
                return Ok(());
            }
        }
    }

    async fn unfreed(&self) -> Result<()> {
        loop {
            let rows = self.needs.sweeping.unfreed_of(self.holder(), self.settings.rows_max).await?;
            let count = rows.len();
            let sales = by_sale(rows);
            let work = sales.iter().map(|(&sale, ids)| release_and_promote(&self.needs, &self.settings, sale, ids));
            all(join_all(work).await)?;
            if count < self.settings.rows_max as usize {
                return Ok(());
            }
        }
    }

    /// Whose sales these are: nobody's, or this process's own.
    fn holder(&self) -> u64 {
        self.needs.turnstile.lease(SaleId(0)).by
    }

    async fn stuck(&self) -> Result<()> {
        let before = sure_now(&*self.needs.clock)?.plus_ms(-self.settings.paying_ms_max);
        let rows = self.needs.sweeping.stuck(before, self.settings.rows_max).await?;
        let work = rows.into_iter().map(|(id, payment)| resolve(&self.needs, &self.settings, id, payment)).collect();
        self.a_few_at_a_time(work).await
    }

    async fn refunds(&self) -> Result<()> {
        let now = sure_now(&*self.needs.clock)?;
        let entries = self.needs.money.refunds.refunds_due(now, self.settings.sweep_refunds_max).await?;
        let work = entries
            .iter()
            .map(|due| ask(&self.needs.money, self.settings.refund_pace(), &self.settings.tell, due))
            .collect();
        self.a_few_at_a_time(work).await
    }

    /// Whether a line ends is asked where something moved, and in a round.
    async fn standby(&self) -> Result<()> {
        let (catalogue, clock) = (&*self.needs.catalogue, &*self.needs.clock);
        let now = sure_now(clock)?;
        let moved = catalogue.sales_moved(now, self.settings.rounds.moved_ms).await?;
        let part = self.lines.next(catalogue, clock, self.settings.parts()).await?;
        let among: BTreeSet<SaleId> = moved.into_keys().chain(part.sales).collect();
        let among: Vec<SaleId> = among.into_iter().collect();
        let sales = self.needs.sweeping.standby_to_end(&among, now).await?;
        all(join_all(sales.into_iter().map(|sale| self.end_standby(sale))).await)
    }

    async fn end_standby(&self, sale: SaleId) -> Result<()> {
        loop {
            let rows = self.needs.sweeping.end_standby(sale, sure_now(&*self.needs.clock)?, ENDED_MAX).await?;
            let ids: Vec<ReservationId> = rows.iter().map(|row| row.id).collect();
            metrics::counter!(Metric::Ended.name()).increment(ids.len() as u64);
            let told = try_to_notify(&self.needs.tell, &self.settings.tell, &rows);
            let ((), given) = tokio::join!(told, release_and_promote(&self.needs, &self.settings, sale, &ids));
            given?;
            if ids.len() < ENDED_MAX as usize {
                return Ok(());
            }
        }
    }

    async fn watch(&self) -> Result<()> {
        sure_now(&*self.needs.clock)?;
        self.watch.look(&self.needs, &self.settings).await
    }

    async fn lists(&self) -> Result<()> {
        while self.needs.catalogue.keep_lists(sure_now(&*self.needs.clock)?, LISTED_MAX).await? == LISTED_MAX {}
        Ok(())
    }

    async fn holders(&self) -> Result<()> {
        let max = self.settings.rows_max;
        while self.needs.holders.keep_holders(max).await? == max {}
        Ok(())
    }

    /// So that a slow provider is not asked by everybody at once; one that fails stops no other.
    async fn a_few_at_a_time(&self, work: Vec<impl Future<Output = Result<()>> + Send>) -> Result<()> {
        all(stream::iter(work).buffer_unordered(self.settings.provider_calls_max).collect().await)
    }
}

/// The first fault, after everybody had a try.
fn all(worked: Vec<Result<()>>) -> Result<(), Fault> {
    worked.into_iter().collect()
}

/// In the order of ids, which is the order in which rows are locked.
fn by_sale(rows: Vec<(SaleId, ReservationId)>) -> BTreeMap<SaleId, Vec<ReservationId>> {
    let mut sales: BTreeMap<SaleId, Vec<ReservationId>> = BTreeMap::new();
    for (sale, id) in rows {
        sales.entry(sale).or_default().push(id);
    }
    for ids in sales.values_mut() {
        ids.sort_unstable();
    }
    sales
}
