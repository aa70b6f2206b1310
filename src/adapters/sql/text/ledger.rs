//! The ledger's ports, call by call: which are transactions that write, which need a snapshot, and which are one statement.

use async_trait::async_trait;

use super::dialect::Store;
use super::{audit, fault, latest, look, moves, paying, record, refund, restore, rounds, row, till};
use crate::domain::money::order::Order;
use crate::domain::money::payment::{MadeRefund, Payment, RefundEntry, RefundKind};
use crate::domain::people::author::Author;
use crate::domain::sale::reservation::{Outcome, Reservation};
use crate::domain::sale::turn::{Cause, Turn};
use crate::domain::sale::turnstile::Snapshot;
use crate::domain::shared::id::{AttemptId, BatchId, BuyerId, PaymentId, RefundId, ReservationId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;
use crate::ports::audit::auditing::{AuditFacts, Auditing, History, Pace};
use crate::ports::money::orders::{OrderPlace, Orders};
use crate::ports::money::paying::{Begin, Begun, Bill, Confirmed, Finish, Finished, Paying, Take};
use crate::ports::money::refunds::{RefundOutcome, RefundRequest, Refunds};
use crate::ports::money::sweeping::Sweeping;
use crate::ports::platform::clock::LedgerTime;
use crate::ports::sale::fallback::SaleLease;
use crate::ports::sale::recording::{Recorded, Recording, SaleHead};
use crate::ports::sale::reservations::{Place, Reservations, Version};
use crate::ports::sale::restoring::{LastTurn, RestoreLock, Restoring, SaleTotals};

impl Store {
    /// A transaction that may have written events: the relay is woken after it.
    async fn telling<T>(&self, transaction: impl Future<Output = Result<T>>) -> Result<T> {
        let done = transaction.await?;
        self.outbox_rows().notify_one();
        Ok(done)
    }
}

#[async_trait]
impl Recording for Store {
    async fn look(&self, sale: SaleId, causes: &[Cause], ended: &[ReservationId]) -> Result<Option<SaleHead>> {
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

    async fn reservations_created_by(&self, sale: SaleId, causes: &[Cause]) -> Result<Vec<Reservation>> {
        look::reservations_created_by(&mut *self.reader().await?, sale, causes).await.map_err(fault)
    }
}

#[async_trait]
impl Reservations for Store {
    async fn reservation(&self, id: ReservationId) -> Result<Option<Reservation>> {
        look::reservation(&mut *self.reader().await?, id).await.map_err(fault)
    }

    async fn reservation_of(&self, sale: SaleId, buyer: BuyerId) -> Result<Option<Reservation>> {
        latest::reservation_of(&mut *self.reader().await?, sale, buyer).await.map_err(fault)
    }

    async fn places(&self, sale: SaleId, buyers: &[BuyerId]) -> Result<Vec<Place>> {
        latest::places(&mut *self.reader().await?, sale, buyers).await.map_err(fault)
    }

    async fn versions(&self, sale: SaleId, buyers: &[BuyerId]) -> Result<Vec<Version>> {
        latest::versions(&mut *self.reader().await?, sale, buyers).await.map_err(fault)
    }

    async fn outcome(&self, sale: SaleId, buyer: BuyerId, attempt: AttemptId) -> Result<Outcome> {
        look::outcome(&mut *self.at_once().await?, sale, buyer, attempt).await.map_err(fault)
    }

    async fn decided(&self, sale: SaleId, batches: &[BatchId]) -> Result<Vec<(BatchId, Vec<u8>)>> {
        look::decided(&mut *self.reader().await?, sale, batches).await.map_err(fault)
    }

    async fn position(&self, id: ReservationId) -> Result<Option<u32>> {
        look::position(&mut *self.reader().await?, id).await.map_err(fault)
    }

    async fn cancel(&self, id: ReservationId, buyer: BuyerId, now: Timestamp) -> Result<Option<Reservation>> {
        self.telling(self.write("ledger.cancel", (id, buyer, now), |c, args| Box::pin(moves::cancel(c, args)))).await
    }
}

#[async_trait]
impl Orders for Store {
    async fn orders_after(&self, buyer: BuyerId, after: Option<&OrderPlace>, max: u32) -> Result<Vec<Order>> {
        look::orders(&mut *self.reader().await?, buyer, after, max).await.map_err(fault)
    }

    async fn order_of(&self, reservation: ReservationId) -> Result<Option<Order>> {
        look::order_of(&mut *self.reader().await?, reservation).await.map_err(fault)
    }

    async fn order(&self, number: &str) -> Result<Option<Order>> {
        look::order(&mut *self.reader().await?, number).await.map_err(fault)
    }
}

#[async_trait]
impl Paying for Store {
    async fn payment(&self, id: PaymentId) -> Result<Option<Payment>> {
        row::payment(&mut *self.reader().await?, id).await.map_err(fault)
    }

    async fn confirm(&self, id: ReservationId, payment: PaymentId, number: &str, now: Timestamp) -> Result<Confirmed> {
        let args = (id, payment, number.to_owned(), now);
        self.telling(self.write("ledger.confirm", args, |c, args| Box::pin(paying::confirm(c, args)))).await
    }

    async fn bills(&self, ids: &[ReservationId]) -> Result<Vec<Bill>> {
        till::bills(&mut *self.reader().await?, ids).await.map_err(fault)
    }

    async fn begin_all(&self, begins: &[Begin], now: Timestamp) -> Result<Vec<Result<Begun>>> {
        let job = self.write_all("ledger.till.begin", begins, now, |c, args| Box::pin(till::begin(c, args)));
        match begins.iter().any(|begin| matches!(begin.take, Take::Free { .. })) {
            true => self.telling(job).await,
            false => job.await,
        }
    }

    async fn finish_all(&self, finishes: &[Finish], now: Timestamp) -> Result<Vec<Result<Finished>>> {
        self.telling(self.write_all("ledger.till.finish", finishes, now, |c, args| Box::pin(till::finish(c, args))))
            .await
    }

    async fn payment_voided(
        &self,
        id: ReservationId,
        payment: PaymentId,
        now: Timestamp,
    ) -> Result<Option<Reservation>> {
        let args = (id, payment, paying::Void::Unknown, now);
        self.write("ledger.payment_voided", args, |c, args| Box::pin(paying::voided(c, args))).await
    }

    async fn payment_unopened(
        &self,
        id: ReservationId,
        payment: PaymentId,
        now: Timestamp,
    ) -> Result<Option<Reservation>> {
        let args = (id, payment, paying::Void::Unopened, now);
        self.write("ledger.payment_unopened", args, |c, args| Box::pin(paying::voided(c, args))).await
    }

    async fn payment_declined(
        &self,
        id: ReservationId,
        payment: PaymentId,
        card: Option<&str>,
        now: Timestamp,
    ) -> Result<Option<Reservation>> {
        let args = (id, payment, paying::Void::Declined(card.map(str::to_owned)), now);
        self.write("ledger.payment_declined", args, |c, args| Box::pin(paying::voided(c, args))).await
    }

    async fn declines(&self, id: ReservationId) -> Result<u8> {
        paying::declines(&mut *self.reader().await?, id).await.map_err(fault)
    }
}

#[async_trait]
impl Refunds for Store {
    async fn refund_units_by(
        &self,
        what: &RefundRequest,
        now: Timestamp,
        by: Option<&Author>,
    ) -> Result<RefundOutcome> {
        let args = (what.clone(), now, by.cloned());
        self.telling(self.write("ledger.give_back", args, |c, args| Box::pin(refund::refund_units(c, args)))).await
    }

    async fn move_refund_by(&self, from: &RefundEntry, to: &RefundEntry, by: Option<&Author>) -> Result<bool> {
        let args = ((from.clone(), to.clone()), by.cloned());
        self.write("ledger.move_refund", args, |c, args| Box::pin(refund::move_by(c, args))).await
    }

    async fn refunds_made(
        &self,
        payment: PaymentId,
        made: &[MadeRefund],
        kept_minor: i64,
        now: Timestamp,
    ) -> Result<()> {
        let args = refund::Made { payment, made: made.to_vec(), kept_minor, now };
        self.telling(self.write("ledger.refunds_made", args, |c, args| Box::pin(refund::made(c, args)))).await
    }

    async fn refund(&self, id: RefundId) -> Result<Option<RefundEntry>> {
        refund::find(&mut *self.reader().await?, id).await.map_err(fault)
    }

    async fn refunds_of(&self, reservations: &[ReservationId]) -> Result<Vec<RefundEntry>> {
        refund::of(&mut *self.reader().await?, reservations).await.map_err(fault)
    }

    async fn refunds_in(
        &self,
        kind: RefundKind,
        after: Option<RefundId>,
        max: u32,
    ) -> Result<Vec<(RefundEntry, Option<String>)>> {
        refund::in_state(&mut *self.reader().await?, (kind, after, max)).await.map_err(fault)
    }

    async fn refunds_due(&self, now: Timestamp, max: u32) -> Result<Vec<RefundEntry>> {
        refund::due(&mut *self.reader().await?, (now, max)).await.map_err(fault)
    }
}

#[async_trait]
impl Sweeping for Store {
    async fn lapse(&self, sale: SaleId, ids: &[ReservationId], now: Timestamp) -> Result<Vec<Reservation>> {
        // All transactions lock in the same order.
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        self.write("ledger.lapse", (sale, ids, now), |c, args| Box::pin(moves::lapse(c, args))).await
    }

    async fn overdue(&self, now: Timestamp, max: u32) -> Result<Vec<(SaleId, ReservationId)>> {
        look::overdue(&mut *self.reader().await?, now, max).await.map_err(fault)
    }

    async fn unfreed_of(&self, leased_by: u64, max: u32) -> Result<Vec<(SaleId, ReservationId)>> {
        look::unfreed(&mut *self.reader().await?, leased_by, max).await.map_err(fault)
    }

    async fn stuck(&self, before: Timestamp, max: u32) -> Result<Vec<(ReservationId, PaymentId)>> {
        look::stuck(&mut *self.reader().await?, before, max).await.map_err(fault)
    }

    async fn standby_to_end(&self, among: &[SaleId], now: Timestamp) -> Result<Vec<SaleId>> {
        moves::standby_to_end(&mut *self.reader().await?, among, now).await.map_err(fault)
    }

    async fn end_standby(&self, sale: SaleId, now: Timestamp, max: u32) -> Result<Vec<Reservation>> {
        self.write("ledger.end_standby", (sale, now, max), |c, args| Box::pin(moves::end_standby(c, args))).await
    }
}

#[async_trait]
impl Restoring for Store {
    async fn last_turns(&self, sales: &[SaleId]) -> Result<Vec<LastTurn>> {
        rounds::last_turns(&mut *self.reader().await?, sales).await.map_err(fault)
    }

    async fn standing(&self, sale: SaleId) -> Result<Option<SaleTotals>> {
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

    async fn restore_under(
        &self,
        sale: SaleId,
        from: u64,
        lease: &SaleLease,
        now: Timestamp,
    ) -> Result<Option<(Snapshot, Vec<Reservation>)>> {
        let args = (sale, from, *lease, now);
        self.telling(self.write("ledger.restore", args, |c, args| Box::pin(restore::restore(c, args)))).await
    }
}

#[async_trait]
impl Auditing for Store {
    async fn audit(&self, sale: SaleId, now: Timestamp) -> Result<Option<AuditFacts>> {
        audit::audit(&mut *self.at_once().await?, sale, now).await.map_err(fault)
    }

    async fn history(&self, sale: SaleId) -> Result<History> {
        audit::history(&mut *self.at_once().await?, sale).await.map_err(fault)
    }

    async fn pace(&self, sale: SaleId, turns_max: u32) -> Result<Pace> {
        audit::pace(&mut *self.at_once().await?, sale, turns_max).await.map_err(fault)
    }
}

#[async_trait]
impl LedgerTime for Store {
    async fn time(&self) -> Result<Timestamp> {
        look::time(&mut *self.reader().await?).await.map_err(fault)
    }
}
