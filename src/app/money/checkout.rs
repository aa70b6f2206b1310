//! Paying for a hold, one effect after the other.
//!
//!   1. the request is claimed, the payment written down, and the hold takes it, if it can: one transaction
//!   2. the payment is opened at the provider, by who took the row and nobody else
//!   3. the provider captures
//!   4. confirmed: order, state and the request's answer in one transaction
//!      or declined: held again while time is left
//!      or unknown: it stays paying, and the payment-consumer voids it, whose answer is definite
//!
//! 1 and 4 are shared with the other checkouts that are there ([the till](crate::app::money::till)). A crash in between leaves a row that
//! has been paying for too long, and the payment-consumer finds it: a void of what was never opened is final as well. Of two checkouts of
//! one hold one takes it in step 1, and only that one asks the provider. Here is no retry of a capture, and a time-out is never a decline.
//!
//! What costs nothing needs no provider: a payment of 0, the order and the state are written in step 1, and there is no step to crash
//! between. An amount that the provider never takes is refused before anything is written.

use std::ops::ControlFlow;
use std::time::Duration;

use crate::app::money::till::{Start, Step, Till, Wish, new_number};
use crate::app::money::{Needs, points};
use crate::app::sale::best_effort::{Effort, best_effort, tell, wake};
use crate::app::sale::tell::notify;
use crate::app::sale::turns::sure_now;
use crate::domain::money::order::Order;
use crate::domain::money::payment::{DECLINES_MAX, DECLINES_TOLD_MAX, Payment};
use crate::domain::sale::reservation::{Kind, Reservation, State};
use crate::domain::shared::id::PaymentId;
use crate::domain::shared::money::Money;
use crate::kit::telemetry::traced::{Part, call};
use crate::ports::money::paying::{Confirmed, Finish};
use crate::ports::money::payments::{Captured, Opened, Unpayable, Voided};
use crate::ports::platform::idempotency::{Claim, Lease};
use crate::ports::{Fault, Result};

/// What came of asking for it.
#[derive(Debug)]
pub enum Checkout {
    /// The request is another caller's, or was answered before: nothing was done.
    Elsewhere(Claim),
    /// `is_kept`: with the effect, the request's answer was written.
    Here { lease: Option<Lease>, is_kept: bool, paid: Result<Paid> },
}

/// How a checkout ended, as far as anybody knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Paid {
    /// `now` says whether this call made it.
    Order { order: Order, now: bool },
    /// Too many pay at this moment: nothing was done.
    Busy,
    /// Not known yet: the payment-consumer finds out, and the buyer is told.
    Paying,
    /// No money moved; so many more cards may be tried. `why` is told of the first ones only.
    Declined { why: Option<String>, tries_left: u8 },
    /// The time to pay is over. No money moved.
    Lapsed,
    /// It costs something, and no card was given.
    CardMissing(Money),
    /// The provider never takes such an amount. The hold stays as it is.
    Unpayable(Money, Unpayable),
    /// There is nothing to pay for: on standby, cancelled, refunded, or no such reservation of this buyer.
    NotHeld(Option<Kind>),
    /// Money moved too late to become an order, and goes back by itself.
    Refunding,
}

impl Paid {
    pub fn name(&self) -> &'static str {
        match self {
            Paid::Order { now: true, .. } => "order",
            Paid::Order { now: false, .. } => "order_again",
            Paid::Busy => "busy",
            Paid::Paying => "paying",
            Paid::Declined { .. } => "declined",
            Paid::Lapsed => "lapsed",
            Paid::CardMissing(_) => "card_missing",
            Paid::Unpayable(..) => "unpayable",
            Paid::NotHeld(_) => "not_held",
            Paid::Refunding => "money_goes_back",
        }
    }
}

/// How long a checkout waits for others.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For the provider's word; then the payment-consumer finds out.
    pub capture: Duration,
    pub effort: Effort,
}

/// What a buyer pays with: the provider's token for it.
#[derive(Clone, Copy)]
pub struct Card<'a> {
    pub token: &'a str,
    /// Makes of what the provider tells it from others by what may be kept: nothing that is a card's, or leads to one.
    pub mask: &'a (dyn Fn(&str) -> String + Sync),
}

/// Idempotent per reservation: a hold that is paid, or being paid, is answered with what is so.
pub async fn check_out(till: &Till, patience: Patience, wish: Wish, card: Option<Card<'_>>) -> Result<Checkout> {
    let begun = call(Part::Ledger, "begin_paying", till.begin(wish.clone())).await?;
    let (lease, step) = match begun {
        None => return Ok(Checkout::Here { lease: None, is_kept: false, paid: Ok(Paid::Busy) }),
        Some(Start::Elsewhere(claim)) => return Ok(Checkout::Elsewhere(claim)),
        Some(Start::Here { lease, step }) => (lease, step.map(|step| *step)),
    };
    let (is_kept, paid) = match step {
        Ok(Step::Pay { row, payment }) => {
            let deal = Deal { till, patience, wish: &wish, lease, row: &row, payment: &payment };
            match card {
                Some(card) => deal.pay(card).await,
                None => (false, Ok(Paid::CardMissing(payment.amount))),
            }
        }
        Ok(Step::Ordered { row, order }) => {
            till.needs().faults.reach(points::CHECKOUT_AFTER_CONFIRM).await;
            ordered(till.needs(), patience.effort, &row).await;
            (lease.is_some(), Ok(Paid::Order { order, now: true }))
        }
        Ok(Step::Stands(Some(row))) => (false, as_it_stands(till.needs(), &row).await),
        Ok(Step::Stands(None)) => (false, Ok(Paid::NotHeld(None))),
        Ok(Step::CardMissing(amount)) => (false, Ok(Paid::CardMissing(amount))),
        Ok(Step::Unpayable(amount, why)) => (false, Ok(Paid::Unpayable(amount, why))),
        Err(fault) => (false, Err(fault)),
    };
    Ok(Checkout::Here { lease, is_kept, paid })
}

/// A row that was taken, and the payment it names.
struct Deal<'a> {
    till: &'a Till,
    patience: Patience,
    wish: &'a Wish,
    lease: Option<Lease>,
    row: &'a Reservation,
    payment: &'a Payment,
}

impl Deal<'_> {
    /// Whether the request's answer is kept, and how it ended.
    async fn pay(&self, card: Card<'_>) -> (bool, Result<Paid>) {
        let (needs, effort) = (self.till.needs(), self.patience.effort);
        needs.faults.reach(points::CHECKOUT_AFTER_PAYING).await;
        let (captured, ()) = tokio::join!(self.open_and_capture(card), tell(&needs.tell, effort, self.row));
        let captured = match captured {
            ControlFlow::Continue(captured) => captured,
            ControlFlow::Break(ended) => return (false, ended),
        };
        needs.faults.reach(points::CHECKOUT_AFTER_CAPTURE).await;
        // From here on the row says "paying" until its end is written: whatever fails, that is the truth to tell.
        let (is_kept, paid) = match captured {
            Ok(Captured::Captured) => match self.confirm().await {
                Ok((is_kept, paid)) => (is_kept, Ok(paid)),
                Err(fault) => (false, Err(fault)),
            },
            Ok(Captured::Declined { why }) => {
                (false, declined(needs, effort, self.row, (self.payment.id, card), why).await)
            }
            Err(fault) => (false, Err(fault)),
        };
        (is_kept, Ok(paid.unwrap_or_else(|fault| self.left_paying(&fault))))
    }

    /// What the provider said to the capture; or, where it was not even asked for that, how the checkout ended.
    async fn open_and_capture(&self, card: Card<'_>) -> ControlFlow<Result<Paid>, Result<Captured>> {
        let (needs, payment) = (self.till.needs(), self.payment);
        let opened = call(Part::Payments, "open", needs.payments.open(payment.id, payment.amount)).await;
        needs.faults.reach(points::CHECKOUT_AFTER_OPEN).await;
        match opened {
            Ok(Opened::Opened) => {}
            Ok(Opened::Refused(unpayable)) => {
                let (sale, amount) = (payment.sale, payment.amount);
                tracing::error!(sale.id = %sale, %amount, %unpayable, "the payment provider refuses what a sale asks for");
                self.give_back().await;
                return ControlFlow::Break(Ok(Paid::Unpayable(amount, unpayable)));
            }
            Err(fault) => {
                let is_back = self.give_back().await;
                return ControlFlow::Break(if is_back { Err(fault) } else { Ok(self.left_paying(&fault)) });
            }
        }
        let capture = call(Part::Payments, "capture", needs.payments.capture(payment.id, card.token));
        let captured = tokio::time::timeout(self.patience.capture, capture).await;
        ControlFlow::Continue(captured.unwrap_or_else(|_| Err(slow("payments"))))
    }

    /// Nothing was captured, so the provider can only say that it is void; the payment-consumer sees to any other answer. Says whether
    /// the row has its hold again, or is over.
    async fn give_back(&self) -> bool {
        let (needs, effort, payment) = (self.till.needs(), self.patience.effort, self.payment);
        let mut row = None;
        let void = async {
            if needs.payments.void(payment.id).await? == Voided::Captured {
                return Err(Fault::new("payments", "money moved of a payment that nobody captured"));
            }
            let now = sure_now(&*needs.clock)?;
            row = needs.paying.payment_unopened(payment.reservation, payment.id, now).await?;
            Ok(())
        };
        let is_back = best_effort("void", effort, void).await;
        if let Some(row) = &row {
            tokio::join!(tell(&needs.tell, effort, row), wake(&needs.tell, effort, row));
        }
        is_back
    }

    /// Whether the request's answer was written with the order, and how it ended.
    async fn confirm(&self) -> Result<(bool, Paid)> {
        let (needs, effort) = (self.till.needs(), self.patience.effort);
        let order = Order::placed(self.row, self.payment, &new_number(), needs.clock.now());
        let request = self.wish.request.as_ref().zip(self.lease);
        let keep = request.map(|(asked, lease)| (asked.key, lease, (self.wish.to_answer)(&order)));
        let finished = call(Part::Ledger, "confirm", self.till.finish(Finish { order, keep })).await?;
        needs.faults.reach(points::CHECKOUT_AFTER_CONFIRM).await;
        let paid = match finished.confirmed {
            Confirmed::Order(order) => {
                ordered(needs, effort, &finished.row).await;
                Paid::Order { order, now: true }
            }
            Confirmed::RefundDue(row) => {
                tell(&needs.tell, effort, &row).await;
                Paid::Refunding
            }
        };
        Ok((finished.is_kept, paid))
    }

    fn left_paying(&self, fault: &Fault) -> Paid {
        let (row, payment) = (self.row.id, self.payment.id);
        tracing::warn!(reservation.id = %row, payment.id = %payment, fault.part = fault.part, %fault, "left paying");
        Paid::Paying
    }
}

/// The order stands: a push that fails must not turn that into an error.
async fn ordered(needs: &Needs, effort: Effort, row: &Reservation) {
    if !best_effort("tell", effort, notify(&needs.tell, std::slice::from_ref(row))).await {
        needs.tell.notices.missed(row.sale);
    }
}

async fn declined(
    needs: &Needs,
    effort: Effort,
    row: &Reservation,
    (payment, card): (PaymentId, Card<'_>),
    why: String,
) -> Result<Paid> {
    let card = masked(needs, effort, card).await;
    let now = sure_now(&*needs.clock)?;
    let Some(row) = needs.paying.payment_declined(row.id, payment, card.as_deref(), now).await? else {
        return Ok(Paid::NotHeld(None));
    };
    tokio::join!(tell(&needs.tell, effort, &row), wake(&needs.tell, effort, &row));
    let declines = match row.state {
        State::Held { lapses_at, .. } if lapses_at > now => needs.paying.declines(row.id).await?,
        _ => DECLINES_MAX,
    };
    let why = Some(why).filter(|_| declines <= DECLINES_TOLD_MAX);
    Ok(Paid::Declined { why, tries_left: DECLINES_MAX.saturating_sub(declines) })
}

/// By what a card's declines are counted. Where the provider does not say in time they are counted by hold and buyer alone.
async fn masked(needs: &Needs, effort: Effort, card: Card<'_>) -> Option<String> {
    let mut found = None;
    let ask = async {
        found = call(Part::Payments, "fingerprint", needs.payments.fingerprint(card.token)).await?;
        Ok::<_, Fault>(())
    };
    best_effort("fingerprint", effort, ask).await;
    found.map(|found| (card.mask)(&found))
}

/// What a buyer is told of a reservation that cannot take a payment now.
async fn as_it_stands(needs: &Needs, row: &Reservation) -> Result<Paid> {
    match &row.state {
        State::Confirmed { .. } => match needs.orders.order_of(row.id).await? {
            Some(order) => Ok(Paid::Order { order, now: false }),
            None => Err(Fault::new("ledger", "a confirmed reservation has no order")),
        },
        State::Paying { .. } => Ok(Paid::Paying),
        // A hold that cannot be paid is one whose time is over, whether or not that is written down yet.
        State::Held { .. } | State::Lapsed => Ok(Paid::Lapsed),
        State::Blocked { .. } | State::Standby { .. } | State::Cancelled | State::Ended | State::Refunded => {
            Ok(Paid::NotHeld(Some(row.state.kind())))
        }
    }
}

fn slow(part: &'static str) -> Fault {
    Fault::new(part, "no answer in time")
}
