//! The port, call by call: which are transactions that write, which need a snapshot, and which are one statement.

use super::dialect::Store;
use super::{audit, fault, look, moves, paying, record, refund, restore, row};
use crate::domain::id::{AttemptId, BuyerId, PaymentId, RefundId, ReservationId, SaleId};
use crate::domain::order::Order;
use crate::domain::payment::{Payment, RefundEntry};
use crate::domain::reservation::{Outcome, Reservation};
use crate::domain::time::Timestamp;
use crate::domain::turn::{Cause, Turn};
use crate::domain::turnstile::Snapshot;
use crate::ports::Result;
use crate::ports::ledger::{
    AuditFacts, Begun, Confirmed, GiveBack, GivenBack, History, Ledger, Look, Pace, Place, Recorded, RestoreLock,
    Standing, Version,
};

impl Store {
    /// A transaction that may have written events: whoever publishes them is woken after it.
    async fn telling<T>(&self, transaction: impl Future<Output = Result<T>>) -> Result<T> {
        let done = transaction.await?;
        self.outbox_rows().notify_one();
        Ok(done)
    }
}

impl Ledger for Store {
    async fn look(&self, sale: SaleId, causes: &[Cause], ended: &[ReservationId]) -> Result<Option<Look>> {
        look::look(&mut *self.at_once().await?, sale, causes, ended).await.map_err(fault)
    }

    async fn record(&self, sale: SaleId, turns: &[Turn], now: Timestamp) -> Result<Recorded> {
        if turns.is_empty() {
            return Ok(Recorded::Done(Vec::new()));
        }
        let job =
            self.transact("ledger.record", (sale, turns.to_vec(), now), |c, args| Box::pin(record::record(c, args)));
        match turns.iter().any(|turn| !turn.promotions().is_empty()) {
            true => self.telling(job).await,
            false => job.await,
        }
    }

    async fn born_of(&self, sale: SaleId, causes: &[Cause]) -> Result<Vec<Reservation>> {
        look::born_of(&mut *self.reader().await?, sale, causes).await.map_err(fault)
    }

    async fn reservation(&self, id: ReservationId) -> Result<Option<Reservation>> {
        row::fetch(&mut *self.reader().await?, id).await.map_err(fault)
    }

    async fn reservation_of(&self, sale: SaleId, buyer: BuyerId) -> Result<Option<Reservation>> {
        look::reservation_of(&mut *self.reader().await?, sale, buyer).await.map_err(fault)
    }

    async fn places(&self, sale: SaleId, buyers: &[BuyerId]) -> Result<Vec<Place>> {
        look::places(&mut *self.reader().await?, sale, buyers).await.map_err(fault)
    }

    async fn versions(&self, sale: SaleId, buyers: &[BuyerId]) -> Result<Vec<Version>> {
        look::versions(&mut *self.reader().await?, sale, buyers).await.map_err(fault)
    }

    async fn outcome(&self, sale: SaleId, buyer: BuyerId, attempt: AttemptId) -> Result<Outcome> {
        look::outcome(&mut *self.at_once().await?, sale, buyer, attempt).await.map_err(fault)
    }

    async fn position(&self, id: ReservationId) -> Result<Option<u32>> {
        look::position(&mut *self.reader().await?, id).await.map_err(fault)
    }

    async fn orders(&self, buyer: BuyerId, max: u32) -> Result<Vec<Order>> {
        look::orders(&mut *self.reader().await?, buyer, max).await.map_err(fault)
    }

    async fn order(&self, number: &str) -> Result<Option<Order>> {
        look::order(&mut *self.reader().await?, number).await.map_err(fault)
    }

    async fn cancel(&self, id: ReservationId, buyer: BuyerId, now: Timestamp) -> Result<Option<Reservation>> {
        self.telling(self.write("ledger.cancel", (id, buyer, now), |c, args| Box::pin(moves::cancel(c, args)))).await
    }

    async fn payment_opened(&self, payment: &Payment) -> Result<()> {
        self.write("ledger.payment_opened", payment.clone(), |c, payment| Box::pin(paying::opened(c, payment))).await
    }

    async fn payment(&self, id: PaymentId) -> Result<Option<Payment>> {
        paying::find(&mut *self.reader().await?, id).await.map_err(fault)
    }

    async fn begin_paying(
        &self,
        id: ReservationId,
        buyer: BuyerId,
        payment: PaymentId,
        now: Timestamp,
    ) -> Result<Begun> {
        self.write("ledger.begin_paying", (id, buyer, payment, now), |c, args| Box::pin(paying::begin(c, args))).await
    }

    async fn confirm(&self, id: ReservationId, payment: PaymentId, number: &str, now: Timestamp) -> Result<Confirmed> {
        let args = (id, payment, number.to_owned(), now);
        self.telling(self.write("ledger.confirm", args, |c, args| Box::pin(paying::confirm(c, args)))).await
    }

    async fn payment_voided(
        &self,
        id: ReservationId,
        payment: PaymentId,
        now: Timestamp,
    ) -> Result<Option<Reservation>> {
        self.write("ledger.payment_voided", (id, payment, now), |c, args| Box::pin(paying::voided(c, args))).await
    }

    async fn give_back(&self, what: &GiveBack, now: Timestamp) -> Result<GivenBack> {
        let args = (what.clone(), now);
        self.telling(self.write("ledger.give_back", args, |c, args| Box::pin(refund::give_back(c, args)))).await
    }

    async fn refund_done(&self, id: RefundId, now: Timestamp) -> Result<()> {
        self.write("ledger.refund_done", (id, now), |c, args| Box::pin(refund::done(c, args))).await
    }

    async fn refunds_of(&self, reservation: ReservationId) -> Result<Vec<RefundEntry>> {
        refund::of(&mut *self.reader().await?, reservation).await.map_err(fault)
    }

    async fn lapse(&self, sale: SaleId, ids: &[ReservationId], now: Timestamp) -> Result<Vec<Reservation>> {
        // Everybody locks in the same order.
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        self.write("ledger.lapse", (sale, ids, now), |c, args| Box::pin(moves::lapse(c, args))).await
    }

    async fn overdue(&self, now: Timestamp, max: u32) -> Result<Vec<(SaleId, ReservationId)>> {
        look::overdue(&mut *self.reader().await?, now, max).await.map_err(fault)
    }

    async fn unfreed(&self, max: u32) -> Result<Vec<(SaleId, ReservationId)>> {
        look::unfreed(&mut *self.reader().await?, max).await.map_err(fault)
    }

    async fn stuck(&self, before: Timestamp, max: u32) -> Result<Vec<(ReservationId, PaymentId)>> {
        look::stuck(&mut *self.reader().await?, before, max).await.map_err(fault)
    }

    async fn orphans(&self, before: Timestamp, max: u32) -> Result<Vec<Payment>> {
        look::orphans(&mut *self.reader().await?, before, max).await.map_err(fault)
    }

    async fn refunds_due(&self, max: u32) -> Result<Vec<RefundEntry>> {
        refund::due(&mut *self.reader().await?, max).await.map_err(fault)
    }

    async fn end_standby(&self, sale: SaleId, now: Timestamp, max: u32) -> Result<Vec<Reservation>> {
        self.write("ledger.end_standby", (sale, now, max), |c, args| Box::pin(moves::end_standby(c, args))).await
    }

    async fn standing(&self, sale: SaleId) -> Result<Option<Standing>> {
        restore::standing(&mut *self.at_once().await?, sale).await.map_err(fault)
    }

    async fn first_gap(&self, sale: SaleId, generation: u64, after: u64) -> Result<u64> {
        look::first_gap(&mut *self.at_once().await?, sale, generation, after).await.map_err(fault)
    }

    async fn snapshot(&self, sale: SaleId) -> Result<Option<Snapshot>> {
        restore::snapshot(&mut *self.at_once().await?, sale).await.map_err(fault)
    }

    async fn lock_restore(&self, sale: SaleId) -> Result<Option<Box<dyn RestoreLock>>> {
        self.try_lock_restore(sale).await
    }

    async fn restore(&self, sale: SaleId, from: u64, now: Timestamp) -> Result<Option<(Snapshot, Vec<Reservation>)>> {
        self.telling(self.write("ledger.restore", (sale, from, now), |c, args| Box::pin(restore::restore(c, args))))
            .await
    }

    async fn audit(&self, sale: SaleId, now: Timestamp) -> Result<Option<AuditFacts>> {
        audit::audit(&mut *self.at_once().await?, sale, now).await.map_err(fault)
    }

    async fn history(&self, sale: SaleId) -> Result<History> {
        audit::history(&mut *self.at_once().await?, sale).await.map_err(fault)
    }

    async fn pace(&self, sale: SaleId, turns_max: u32) -> Result<Pace> {
        audit::pace(&mut *self.at_once().await?, sale, turns_max).await.map_err(fault)
    }

    async fn time(&self) -> Result<Timestamp> {
        look::time(&mut *self.reader().await?).await.map_err(fault)
    }
}
