//! Alarms that ring: the holds whose time is over lapse, and what they had is given on.
//!
//! An alarm that rings early, late or twice finds rows that say what is so; one that rings early is left to the sweeper.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use tokio::time::Instant;

use crate::domain::id::{ReservationId, SaleId};
use crate::domain::trace::Mark;
use crate::ports::deadlines::{Deadline, Deadlines};
use crate::ports::fault::Point;
use crate::ports::ledger::Ledger;
use crate::ports::{Delivery, Fault, Result, Subscription, World};
use crate::runtime::lifecycle::Lifecycle;
use crate::services::patience::Patience;
use crate::services::payments::give_on::GIVEN_MAX;
use crate::services::payments::metric::Metric;
use crate::services::payments::{Settings, give_on};
use crate::services::serve::{Worker, serve};
use crate::services::tell::try_to_notify;
use crate::services::traced::{self, Part, Way, call};
use crate::services::turns::sure_now;

pub struct Alarms<W> {
    world: W,
    settings: Settings,
}

impl<W: World> Alarms<W> {
    pub fn new(world: W, settings: Settings) -> Self {
        Self { world, settings }
    }

    /// Until the soft stop.
    pub(super) async fn serve(&self, lifecycle: &Lifecycle) {
        serve(self, &self.settings.backoff, lifecycle).await;
    }

    /// Does what the alarms are for, and acknowledges them. A fault means that it was tried for as long as is allowed, or
    /// that an acknowledgement failed.
    pub async fn handle<D: Delivery<Body = Deadline>>(&self, deliveries: Vec<D>) -> Result<()> {
        let begun = Instant::now();
        let mut sales: BTreeMap<SaleId, (BTreeSet<ReservationId>, Vec<Mark>)> = BTreeMap::new();
        for delivery in &deliveries {
            let deadline = delivery.body();
            let (ids, marks) = sales.entry(deadline.sale).or_default();
            ids.extend(&deadline.reservations);
            marks.extend(&deadline.traced);
        }
        let work = sales.into_iter().map(|(sale, (ids, marks))| async move {
            let mut span = traced::processes(Way::Deadlines, ids.len(), &marks);
            span.set_with("sale.id", || sale.to_string());
            let settled = span.around(self.settle_sale(sale, ids)).await;
            traced::judged(span, settled)
        });
        let worked = join_all(work).await;
        worked.into_iter().collect::<Result<()>>()?;
        for delivery in deliveries {
            delivery.ack().await?;
        }
        metrics::histogram!(Metric::AlarmSeconds.name()).record(begun.elapsed().as_secs_f64());
        Ok(())
    }

    async fn settle_sale(&self, sale: SaleId, ids: BTreeSet<ReservationId>) -> Result<()> {
        let ids: Vec<ReservationId> = ids.into_iter().collect();
        let mut patience = Patience::new(&self.settings.backoff);
        loop {
            let Err(fault) = lapse(&self.world, &self.settings, sale, &ids).await else { return Ok(()) };
            failed(&fault, "the alarms are kept and tried again");
            if !patience.wait().await {
                return Err(fault);
            }
        }
    }
}

impl<W: World> Worker for Alarms<W> {
    type Deliveries = <W::Signals as Deadlines>::Deadlines;

    async fn subscribe(&self) -> Result<Self::Deliveries> {
        self.world.signals().deadlines().await
    }

    fn deliveries_max(&self) -> usize {
        self.settings.deadlines_max
    }

    async fn handle(&self, deliveries: Vec<<Self::Deliveries as Subscription>::Delivery>) -> Result<()> {
        Alarms::handle(self, deliveries).await
    }

    fn failed(&self, fault: &Fault) {
        failed(fault, "alarms are subscribed to again");
    }
}

/// Lets those of the holds lapse whose time is over, and gives on what any of the reservations had that has ended. Ids are in
/// order, so that two who work for the same crowd wait for each other instead of blocking each other.
pub(super) async fn lapse<W: World>(world: &W, settings: &Settings, sale: SaleId, ids: &[ReservationId]) -> Result<()> {
    debug_assert!(ids.is_sorted());
    for some in ids.chunks(GIVEN_MAX) {
        let rows = call(Part::Ledger, "lapse", world.store().lapse(sale, some, sure_now(world)?)).await?;
        world.faults().reach(Point::LapseAfterLedger).await;
        metrics::counter!(Metric::Lapsed.name()).increment(rows.len() as u64);
        // Whoever is next in line does not wait until this one is told.
        let told = try_to_notify(world, &settings.tell, &rows);
        let ((), given) = tokio::join!(told, give_on(world, settings, sale, some));
        given?;
    }
    Ok(())
}

fn failed(fault: &Fault, then: &'static str) {
    metrics::counter!(Metric::Faults.name(), "work" => "alarms", "part" => fault.part).increment(1);
    tracing::warn!(%fault, "{then}");
}
