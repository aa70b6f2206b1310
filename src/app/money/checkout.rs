//! Paying for a hold, one effect after the other.
//!
//!   1. the payment is written down       6. confirmed: order and state in one transaction
//!   2. it is opened at the provider      or declined: held again while time is left
//!   3. the hold takes it, if it can      or unknown: it stays paying, and the payment-consumer voids it,
//!   4. the provider captures                whose answer is definite
//!
//! A crash in between leaves something the payment-consumer finds: an opened payment that no row took, or a row that has
//! been paying for too long. Of two checkouts of one hold one takes it in step 3, and only that one captures. Here is no retry
//! of a capture, and a time-out is never a decline.
//!
//! What costs nothing needs no provider: a payment of 0, the order and the state are written in one transaction, and there is
//! no step to crash between. An amount that the provider never takes is refused before anything is written.

use std::time::Duration;

use crate::app::money::{Needs, points};
use crate::app::sale::best_effort::{Effort, best_effort, tell, wake};
use crate::app::sale::tell::notify;
use crate::app::sale::turns::sure_now;
use crate::domain::money::order::{self, Order};
use crate::domain::money::payment::{DECLINES_MAX, DECLINES_TOLD_MAX, Payment, PaymentState};
use crate::domain::sale::reservation::{Kind, Reservation, State};
use crate::domain::shared::id::{BuyerId, PaymentId, ReservationId};
use crate::domain::shared::money::Money;
use crate::domain::shared::time::Timestamp;
use crate::kit::telemetry::traced::{Part, call};
use crate::kit::work::chance::chance;
use crate::ports::money::paying::{BeginPayment, Confirmed, FreeOrder};
use crate::ports::money::payments::{Captured, Opened, Unpayable, Voided};
use crate::ports::{Fault, Result};

/// How a checkout ended, as far as anybody knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Paid {
    /// `now` says whether this call made it.
    Order { order: Order, now: bool },
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
pub async fn check_out(
    needs: &Needs,
    patience: Patience,
    id: ReservationId,
    buyer: BuyerId,
    card: Option<Card<'_>>,
) -> Result<Paid> {
    let effort = patience.effort;
    let row = needs.reservations.reservation(id).await?.filter(|row| row.buyer == buyer);
    let Some(row) = row else { return Ok(Paid::NotHeld(None)) };
    if !is_payable(&row, needs.clock.now()) {
        return as_it_stands(needs, &row).await;
    }
    let amount = amount(needs, &row).await?;
    if amount.is_zero() {
        return confirm_free(needs, effort, &row, amount).await;
    }
    let Some(card) = card else { return Ok(Paid::CardMissing(amount)) };
    if let Err(unpayable) = needs.payments.check(amount) {
        return Ok(Paid::Unpayable(amount, unpayable));
    }
    let payment = match open(needs, effort, &row, amount).await? {
        Ok(payment) => payment,
        Err(unpayable) => return Ok(Paid::Unpayable(amount, unpayable)),
    };
    let begun =
        call(Part::Ledger, "begin_paying", needs.paying.begin_paying(id, buyer, payment, sure_now(&*needs.clock)?))
            .await?;
    let row = match begun {
        BeginPayment::Paying(row) => row,
        BeginPayment::Refused(row) => {
            best_effort("void", effort, void(needs, id, payment)).await;
            return match row {
                Some(row) => as_it_stands(needs, &row).await,
                None => Ok(Paid::NotHeld(None)),
            };
        }
    };
    needs.faults.reach(points::CHECKOUT_AFTER_PAYING).await;
    let capture = call(Part::Payments, "capture", needs.payments.capture(payment, card.token));
    let capture = tokio::time::timeout(patience.capture, capture);
    let (captured, ()) = tokio::join!(capture, tell(&needs.tell, effort, &row));
    needs.faults.reach(points::CHECKOUT_AFTER_CAPTURE).await;
    // From here on the row says "paying" until its end is written: whatever fails, that is the truth to tell.
    let paid = match captured.unwrap_or_else(|_| Err(slow("payments"))) {
        Ok(Captured::Captured) => confirm(needs, effort, &row, payment).await,
        Ok(Captured::Declined { why }) => declined(needs, effort, &row, (payment, card), why).await,
        Err(fault) => Err(fault),
    };
    Ok(paid.unwrap_or_else(|fault| {
        tracing::warn!(reservation.id = %id, payment.id = %payment, fault.part = fault.part, %fault, "left paying");
        Paid::Paying
    }))
}

/// Writes a new payment down, then opens it. When this fails the payment is an orphan, and is voided in time.
async fn open(needs: &Needs, effort: Effort, row: &Reservation, amount: Money) -> Result<Result<PaymentId, Unpayable>> {
    let payment = payment(needs, row, amount, PaymentState::Opened);
    needs.paying.payment_opened(&payment).await?;
    needs.faults.reach(points::CHECKOUT_AFTER_RECORD).await;
    let opened = call(Part::Payments, "open", needs.payments.open(payment.id, amount)).await?;
    needs.faults.reach(points::CHECKOUT_AFTER_OPEN).await;
    match opened {
        Opened::Opened => Ok(Ok(payment.id)),
        Opened::Refused(unpayable) => {
            tracing::error!(sale.id = %row.sale, %amount, %unpayable, "the payment provider refuses what a sale asks for");
            best_effort("void", effort, void(needs, row.id, payment.id)).await;
            Ok(Err(unpayable))
        }
    }
}

fn payment(needs: &Needs, row: &Reservation, amount: Money, state: PaymentState) -> Payment {
    let (id, opened_at) = (PaymentId::from_bytes(chance()), needs.clock.now());
    Payment { id, reservation: row.id, sale: row.sale, amount, state, opened_at }
}

async fn confirm_free(needs: &Needs, effort: Effort, row: &Reservation, amount: Money) -> Result<Paid> {
    let payment = payment(needs, row, amount, PaymentState::Captured);
    let number = order::number(u64::from_be_bytes(chance()));
    let confirmed = needs.paying.confirm_free(&payment, row.buyer, &number, sure_now(&*needs.clock)?);
    let confirmed = call(Part::Ledger, "confirm_free", confirmed).await?;
    needs.faults.reach(points::CHECKOUT_AFTER_CONFIRM).await;
    match confirmed {
        FreeOrder::Order(order) => Ok(ordered(needs, effort, row.id, order).await),
        FreeOrder::Refused(Some(row)) => as_it_stands(needs, &row).await,
        FreeOrder::Refused(None) => Ok(Paid::NotHeld(None)),
    }
}

/// The order stands: a push that fails must not turn that into an error.
async fn ordered(needs: &Needs, effort: Effort, id: ReservationId, order: Order) -> Paid {
    let tell = async {
        let row = needs.reservations.reservation(id).await?;
        notify(&needs.tell, row.as_slice()).await
    };
    // Perhaps there was not even a row to tell of.
    if !best_effort("tell", effort, tell).await {
        needs.tell.notices.missed(order.sale);
    }
    Paid::Order { order, now: true }
}

async fn amount(needs: &Needs, row: &Reservation) -> Result<Money> {
    let sale = needs.catalogue.sale(row.sale).await?;
    let sale = sale.ok_or_else(|| Fault::new("ledger", format!("reservation {} is of no sale", row.id)))?;
    let amount = sale.price.times(u32::from(row.quantity));
    amount.ok_or_else(|| Fault::new("ledger", format!("the price of sale {} cannot be multiplied", sale.id)))
}

async fn confirm(needs: &Needs, effort: Effort, row: &Reservation, payment: PaymentId) -> Result<Paid> {
    let number = order::number(u64::from_be_bytes(chance()));
    let confirmed = needs.paying.confirm(row.id, payment, &number, needs.clock.now());
    let confirmed = call(Part::Ledger, "confirm", confirmed).await?;
    needs.faults.reach(points::CHECKOUT_AFTER_CONFIRM).await;
    match confirmed {
        Confirmed::Order(order) => Ok(ordered(needs, effort, row.id, order).await),
        Confirmed::RefundDue(row) => {
            tell(&needs.tell, effort, &row).await;
            Ok(Paid::Refunding)
        }
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

fn is_payable(row: &Reservation, now: Timestamp) -> bool {
    matches!(row.state, State::Held { lapses_at, .. } if lapses_at > now)
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

/// Of a payment that no row took. Nothing was captured, so the provider can only say that it is void; the sweeper sees to
/// any other answer.
async fn void(needs: &Needs, id: ReservationId, payment: PaymentId) -> Result<()> {
    if needs.payments.void(payment).await? == Voided::Voided {
        needs.paying.payment_voided(id, payment, sure_now(&*needs.clock)?).await?;
    }
    Ok(())
}

fn slow(part: &'static str) -> Fault {
    Fault::new(part, "no answer in time")
}
