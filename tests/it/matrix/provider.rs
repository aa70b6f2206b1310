//! A provider that does what its cell says, over the world's own sandbox, which keeps the books.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use miaosha::domain::money::payment::{MadeRefund, Refund, RefundAnswer};
use miaosha::domain::shared::id::{PaymentId, ReservationId};
use miaosha::domain::shared::money::Money;
use miaosha::ports::money::payments::{
    Captured, Opened, Payments, Provider, Unpayable, Voided, WebhookEvent, WebhookRequest,
};
use miaosha::ports::{Fault, Result};
use miaosha::wire::world::World;

use super::places::Plan;

/// What becomes of the first capture of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    Captured,
    Declined,
    /// No answer; the money moved.
    TimeOutCaptured,
    /// No answer, and nothing happened.
    TimeOutNotCaptured,
    /// No answer; the request arrives late, but before the void.
    LateBeforeVoid,
    /// The same, behind the void.
    LateAfterVoid,
    /// The money moves, and the row is gone.
    RefundNeeded,
    /// The same, and it cannot go back for a while: the outcome is unknown, and then it is refused.
    RefundFailing,
    /// The same, and it is pending for a while.
    RefundPending,
}

impl Outcome {
    pub const ALL: [Outcome; 9] = [
        Outcome::Captured,
        Outcome::Declined,
        Outcome::TimeOutCaptured,
        Outcome::TimeOutNotCaptured,
        Outcome::LateBeforeVoid,
        Outcome::LateAfterVoid,
        Outcome::RefundNeeded,
        Outcome::RefundFailing,
        Outcome::RefundPending,
    ];

    /// The card that brings it about.
    pub fn card(self) -> String {
        format!("{self:?}")
    }

    pub fn needs_refund(self) -> bool {
        matches!(self, Outcome::RefundNeeded | Outcome::RefundFailing | Outcome::RefundPending)
    }
}

/// What all processes of a cell share of the provider.
#[derive(Default)]
pub struct ProviderState {
    /// Captures under way, and whether they wait for a void to be done.
    late: Mutex<Vec<(PaymentId, bool)>>,
    refunds_failing: AtomicU32,
    refunds_pending: AtomicU32,
    /// Every payment of which money moved, in order.
    captured: Mutex<Vec<PaymentId>>,
    /// Money moved while other money of the same buyer had not gone back.
    twice: AtomicBool,
    pub opened: Mutex<Vec<PaymentId>>,
}

impl ProviderState {
    pub fn captured(&self) -> Vec<PaymentId> {
        self.captured.lock().unwrap().clone()
    }

    pub fn charged_twice(&self) -> bool {
        self.twice.load(Ordering::SeqCst)
    }
}

/// One process's way to the provider.
pub struct Lever {
    world: World,
    plan: Arc<Plan>,
    provider_state: Arc<ProviderState>,
    opened: Mutex<Vec<PaymentId>>,
}

impl Lever {
    pub fn new(world: World, plan: Arc<Plan>, provider_state: Arc<ProviderState>) -> Self {
        Self { world, plan, provider_state, opened: Mutex::default() }
    }

    /// The payments this process opened.
    pub fn opened(&self) -> Vec<PaymentId> {
        self.opened.lock().unwrap().clone()
    }

    async fn pays_for(&self, payment: PaymentId) -> Result<Option<ReservationId>> {
        Ok(self.world.paying.payment(payment).await?.map(|payment| payment.reservation))
    }

    async fn take(&self, payment: PaymentId, card: &str) -> Result<Captured> {
        let captured = self.world.payments.capture(payment, card).await?;
        if captured == Captured::Captured && !self.provider_state.captured().contains(&payment) {
            let ours = self.pays_for(payment).await?;
            for other in self.provider_state.captured() {
                if self.pays_for(other).await? == ours && kept(&self.world, other).await? {
                    self.provider_state.twice.store(true, Ordering::SeqCst);
                }
            }
            self.provider_state.captured.lock().unwrap().push(payment);
        }
        Ok(captured)
    }

    /// Captures that were under way arrive.
    pub async fn arrive(&self, behind_the_void: bool) -> Result<()> {
        let all = std::mem::take(&mut *self.provider_state.late.lock().unwrap());
        let (now, later): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, behind)| *behind <= behind_the_void);
        self.provider_state.late.lock().unwrap().extend(later);
        for (payment, _) in now {
            self.take(payment, "ok").await?;
        }
        Ok(())
    }

    async fn capture_as(&self, payment: PaymentId, card: &str) -> Result<Captured> {
        let silence = || Err(Fault::new("payments", "no answer in time"));
        let Some(outcome) = Outcome::ALL.into_iter().find(|outcome| outcome.card() == card) else {
            return self.take(payment, card).await;
        };
        match outcome {
            Outcome::Captured => self.take(payment, "ok").await,
            Outcome::Declined => self.take(payment, "declined").await,
            Outcome::TimeOutCaptured => {
                self.take(payment, "ok").await?;
                silence()
            }
            Outcome::TimeOutNotCaptured => silence(),
            Outcome::LateBeforeVoid | Outcome::LateAfterVoid => {
                self.provider_state.late.lock().unwrap().push((payment, outcome == Outcome::LateAfterVoid));
                silence()
            }
            Outcome::RefundNeeded | Outcome::RefundFailing | Outcome::RefundPending => {
                let captured = self.take(payment, "ok").await?;
                // A process believed that it was void.
                let row = self.world.paying.payment(payment).await?.map(|payment| payment.reservation);
                if let (Some(row), Captured::Captured) = (row, &captured) {
                    self.world.paying.payment_voided(row, payment, self.world.clock.now()).await?;
                }
                if outcome == Outcome::RefundFailing {
                    self.provider_state.refunds_failing.store(2, Ordering::SeqCst);
                }
                if outcome == Outcome::RefundPending {
                    self.provider_state.refunds_pending.store(2, Ordering::SeqCst);
                }
                Ok(captured)
            }
        }
    }
}

pub async fn kept(world: &World, payment: PaymentId) -> Result<bool> {
    Ok(world.payments.kept_minor(payment).await? > 0)
}

#[async_trait]
impl Payments for Lever {
    fn provider(&self) -> Provider {
        self.world.payments.provider()
    }

    fn check(&self, amount: Money) -> Result<(), Unpayable> {
        self.world.payments.check(amount)
    }

    async fn open(&self, payment: PaymentId, amount: Money) -> Result<Opened> {
        self.opened.lock().unwrap().push(payment);
        self.provider_state.opened.lock().unwrap().push(payment);
        self.plan.call("open", self.world.payments.open(payment, amount)).await
    }

    async fn capture(&self, payment: PaymentId, card: &str) -> Result<Captured> {
        self.plan.call("capture", self.capture_as(payment, card)).await
    }

    async fn void(&self, payment: PaymentId) -> Result<Voided> {
        let void = async {
            self.arrive(false).await?;
            let voided = self.world.payments.void(payment).await?;
            self.arrive(true).await?;
            Ok(voided)
        };
        self.plan.call("void", void).await
    }

    async fn refund(&self, refund: &Refund, tries: u32) -> Result<RefundAnswer> {
        let one_less = |left: &AtomicU32| left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        let deed = async {
            match one_less(&self.provider_state.refunds_failing) {
                Ok(2) => return Err(Fault::new("payments", "the bank is closed")),
                Ok(_) => return Ok(RefundAnswer::Refused { code: "the bank says no".to_owned() }),
                Err(_) => {}
            }
            let answer = self.world.payments.refund(refund, tries).await?;
            Ok(if one_less(&self.provider_state.refunds_pending).is_ok() { RefundAnswer::Sent } else { answer })
        };
        self.plan.call("refund", deed).await
    }

    async fn refunds(&self, payment: PaymentId) -> Result<Vec<MadeRefund>> {
        self.plan.call("refunds", self.world.payments.refunds(payment)).await
    }

    async fn kept_minor(&self, payment: PaymentId) -> Result<i64> {
        self.plan.call("kept_minor", self.world.payments.kept_minor(payment)).await
    }

    /// The word is a payment's id.
    async fn hear(&self, word: WebhookRequest<'_>) -> Result<WebhookEvent> {
        let text = String::from_utf8_lossy(word.body);
        Ok(text.trim_matches('"').parse().map_or(WebhookEvent::Nothing, WebhookEvent::Payment))
    }
}
