//! Alarms that ring: the holds whose time is over lapse, and what they had is given on.
//!
//! An alarm that rings early, late or twice finds rows that say what is so; one that rings early is left to the sweeper.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use tokio::time::Instant;

use crate::app::sale::tell::try_to_notify;
use crate::app::sale::turns::sure_now;
use crate::domain::shared::id::{ReservationId, SaleId};
use crate::domain::shared::trace::Mark;
use crate::kit::telemetry::traced::{self, Part, Way, call};
use crate::kit::work::backoff::Backoff;
use crate::kit::work::lifecycle::Lifecycle;
use crate::kit::work::serve::{Worker, serve};
use crate::ports::sale::deadlines::Deadline;
use crate::ports::{Delivery, Fault, Result, Subscription};
use crate::workers::payment_consumer::metric::Metric;
use crate::workers::payment_consumer::points;
use crate::workers::payment_consumer::release_and_promote;
use crate::workers::payment_consumer::release_and_promote::GIVEN_MAX;
use crate::workers::payment_consumer::{Needs, Settings};

pub struct Alarms {
    needs: Needs,
    settings: Settings,
}

impl Alarms {
    pub fn new(needs: Needs, settings: Settings) -> Self {
        Self { needs, settings }
    }

    /// Until the soft stop.
    pub(super) async fn serve(&self, lifecycle: &Lifecycle) {
        serve(self, &self.settings.backoff, lifecycle).await;
    }

    /// Does what the alarms are for, and acknowledges them. A fault means that it was tried for as long as is allowed, or
    /// that an acknowledgement failed.
    pub async fn handle(&self, deliveries: Vec<Box<dyn Delivery<Deadline>>>) -> Result<()> {
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
            traced::record_error(span, settled)
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
        let mut patience = Backoff::new(&self.settings.backoff);
        loop {
            let Err(fault) = lapse(&self.needs, &self.settings, sale, &ids).await else { return Ok(()) };
            failed(&fault, "the alarms are kept and tried again");
            if !patience.wait().await {
                return Err(fault);
            }
        }
    }
}

impl Worker for Alarms {
    type Body = Deadline;

    async fn subscribe(&self) -> Result<Box<dyn Subscription<Deadline>>> {
        self.needs.deadlines.deadlines().await
    }

    fn deliveries_max(&self) -> usize {
        self.settings.deadlines_max
    }

    async fn handle(&self, deliveries: Vec<Box<dyn Delivery<Deadline>>>) -> Result<()> {
        Alarms::handle(self, deliveries).await
    }

    fn failed(&self, fault: &Fault) {
        failed(fault, "alarms are subscribed to again");
    }
}

/// Lets those of the holds lapse whose time is over, and gives on what any of the reservations had that has ended. Ids are in
/// order, so that two who work for the same crowd wait for each other instead of blocking each other.
pub(super) async fn lapse(needs: &Needs, settings: &Settings, sale: SaleId, ids: &[ReservationId]) -> Result<()> {
    debug_assert!(ids.is_sorted());
    for some in ids.chunks(GIVEN_MAX) {
        let rows = call(Part::Ledger, "lapse", needs.sweeping.lapse(sale, some, sure_now(&*needs.clock)?)).await?;
        needs.faults.reach(points::LAPSE_AFTER_LEDGER).await;
        metrics::counter!(Metric::Lapsed.name()).increment(rows.len() as u64);
        // The next in line does not wait until this buyer is told.
        let told = try_to_notify(&needs.tell, &settings.tell, &rows);
        let ((), given) = tokio::join!(told, release_and_promote(needs, settings, sale, some));
        given?;
    }
    Ok(())
}

fn failed(fault: &Fault, then: &'static str) {
    metrics::counter!(Metric::Faults.name(), "work" => "alarms", "part" => fault.part).increment(1);
    tracing::warn!(%fault, then, "handling alarms failed");
}
