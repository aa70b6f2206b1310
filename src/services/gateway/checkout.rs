//! Paying for a hold, one effect after the other.
//!
//!   1. the payment is written down       6. confirmed: order and state in one transaction
//!   2. it is opened at the provider      or declined: held again while time is left
//!   3. the hold takes it, if it can      or unknown: it stays paying, and the payment-consumer voids it,
//!   4. the provider captures                whose answer is definite
//!
//! Whoever dies in between leaves something the payment-consumer finds: an opened payment that no row took, or a row that has
//! been paying for too long. Of two checkouts of one hold one takes it in step 3, and only that one captures. Here is no retry
//! of a capture, and a time-out is never a decline.

use std::time::Duration;

use crate::domain::id::{BuyerId, PaymentId, ReservationId};
use crate::domain::money::Money;
use crate::domain::order::{self, Order};
use crate::domain::payment::{Payment, PaymentState};
use crate::domain::reservation::{Kind, Reservation, State};
use crate::domain::time::Timestamp;
use crate::ports::catalogue::Catalogue;
use crate::ports::fault::Point;
use crate::ports::ledger::{Begun, Confirmed, Ledger};
use crate::ports::notices::Notices;
use crate::ports::payments::{Captured, Payments, Voided};
use crate::ports::{Fault, Result, World};
use crate::services::gateway::Settings;
use crate::services::gateway::effort::{tell, try_to, wake};
use crate::services::tell::notify;
use crate::services::traced::{Part, call};
use crate::services::turns::sure_now;

/// How a checkout ended, as far as anybody knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Paid {
    /// `now` says whether this call made it.
    Order { order: Order, now: bool },
    /// Nobody knows yet: the payment-consumer finds out, and the buyer is told.
    Paying,
    /// No money moved; `lapses_at` while another card may be tried.
    Declined { why: String, lapses_at: Option<Timestamp> },
    /// The time to pay is over. No money moved.
    Lapsed,
    /// There is nothing to pay for: on standby, cancelled, refunded, or no such reservation of this buyer.
    NotHeld(Option<Kind>),
    /// Money moved too late to become an order, and goes back by itself.
    MoneyGoesBack,
}

impl Paid {
    pub fn name(&self) -> &'static str {
        match self {
            Paid::Order { now: true, .. } => "order",
            Paid::Order { now: false, .. } => "order_again",
            Paid::Paying => "paying",
            Paid::Declined { .. } => "declined",
            Paid::Lapsed => "lapsed",
            Paid::NotHeld(_) => "not_held",
            Paid::MoneyGoesBack => "money_goes_back",
        }
    }
}

/// Idempotent per reservation: a hold that is paid, or being paid, is answered with what is so.
pub async fn check_out<W: World>(
    world: &W,
    settings: &Settings,
    id: ReservationId,
    buyer: BuyerId,
    card: &str,
) -> Result<Paid> {
    let row = world.store().reservation(id).await?.filter(|row| row.buyer == buyer);
    let Some(row) = row else { return Ok(Paid::NotHeld(None)) };
    if !is_payable(&row, world.clock().now()) {
        return as_it_stands(world, &row).await;
    }
    let payment = open(world, &row).await?;
    let begun =
        call(Part::Ledger, "begin_paying", world.store().begin_paying(id, buyer, payment, sure_now(world)?)).await?;
    let row = match begun {
        Begun::Paying(row) => row,
        Begun::Refused(row) => {
            try_to("void", settings, void(world, id, payment)).await;
            return match row {
                Some(row) => as_it_stands(world, &row).await,
                None => Ok(Paid::NotHeld(None)),
            };
        }
    };
    world.faults().reach(Point::CheckoutAfterPaying).await;
    let within = Duration::from_millis(settings.capture_ms_max);
    let capture = call(Part::Payments, "capture", world.payments().capture(payment, card));
    let capture = tokio::time::timeout(within, capture);
    let (captured, ()) = tokio::join!(capture, tell(world, settings, &row));
    world.faults().reach(Point::CheckoutAfterCapture).await;
    // From here on the row says "paying" until somebody writes how it ended: whatever fails, that is the truth to tell.
    let paid = match captured.unwrap_or_else(|_| Err(slow("payments"))) {
        Ok(Captured::Captured) => confirm(world, settings, &row, payment).await,
        Ok(Captured::Declined { why }) => declined(world, settings, &row, payment, why).await,
        Err(fault) => Err(fault),
    };
    Ok(paid.unwrap_or_else(|fault| {
        tracing::warn!(reservation.id = %id, payment.id = %payment, fault.part = fault.part, "left paying: {fault}");
        Paid::Paying
    }))
}

/// Writes a new payment down, then opens it. When this fails the payment is an orphan, and is voided in time.
async fn open<W: World>(world: &W, row: &Reservation) -> Result<PaymentId> {
    let id = PaymentId::from_bytes(chance());
    let amount = amount(world, row).await?;
    let opened_at = world.clock().now();
    let payment = Payment { id, reservation: row.id, sale: row.sale, amount, state: PaymentState::Opened, opened_at };
    world.store().payment_opened(&payment).await?;
    world.faults().reach(Point::CheckoutAfterRecord).await;
    call(Part::Payments, "open", world.payments().open(id, amount)).await?;
    world.faults().reach(Point::CheckoutAfterOpen).await;
    Ok(id)
}

async fn amount<W: World>(world: &W, row: &Reservation) -> Result<Money> {
    let sale = world.store().sale(row.sale).await?;
    let sale = sale.ok_or_else(|| Fault::new("ledger", format!("reservation {} is of no sale", row.id)))?;
    let amount = sale.price.times(u32::from(row.quantity));
    amount.ok_or_else(|| Fault::new("ledger", format!("the price of sale {} cannot be multiplied", sale.id)))
}

async fn confirm<W: World>(world: &W, settings: &Settings, row: &Reservation, payment: PaymentId) -> Result<Paid> {
    let number = order::number(u64::from_be_bytes(chance()));
    let confirmed = world.store().confirm(row.id, payment, &number, world.clock().now());
    let confirmed = call(Part::Ledger, "confirm", confirmed).await?;
    world.faults().reach(Point::CheckoutAfterConfirm).await;
    match confirmed {
        Confirmed::Order(order) => {
            // The money is taken and the order stands: a push that fails must not turn that into an error.
            let tell = async {
                let row = world.store().reservation(row.id).await?;
                notify(world, row.as_slice()).await
            };
            // Perhaps there was not even a row to tell of.
            if !try_to("tell", settings, tell).await {
                world.signals().missed(row.sale);
            }
            Ok(Paid::Order { order, now: true })
        }
        Confirmed::RefundDue(row) => {
            tell(world, settings, &row).await;
            Ok(Paid::MoneyGoesBack)
        }
    }
}

async fn declined<W: World>(
    world: &W,
    settings: &Settings,
    row: &Reservation,
    payment: PaymentId,
    why: String,
) -> Result<Paid> {
    let now = sure_now(world)?;
    let Some(row) = world.store().payment_voided(row.id, payment, now).await? else {
        return Ok(Paid::NotHeld(None));
    };
    tokio::join!(tell(world, settings, &row), wake(world, settings, &row));
    let lapses_at = match row.state {
        State::Held { lapses_at, .. } if lapses_at > now => Some(lapses_at),
        _ => None,
    };
    Ok(Paid::Declined { why, lapses_at })
}

fn is_payable(row: &Reservation, now: Timestamp) -> bool {
    matches!(row.state, State::Held { lapses_at, .. } if lapses_at > now)
}

/// What a buyer is told of a reservation that cannot take a payment now.
async fn as_it_stands<W: World>(world: &W, row: &Reservation) -> Result<Paid> {
    match &row.state {
        State::Confirmed { payment, .. } => {
            // Confirming what is confirmed with this payment reads the order that was written then.
            let number = order::number(u64::from_be_bytes(chance()));
            match world.store().confirm(row.id, *payment, &number, world.clock().now()).await? {
                Confirmed::Order(order) => Ok(Paid::Order { order, now: false }),
                Confirmed::RefundDue(row) => Ok(Paid::NotHeld(Some(row.state.kind()))),
            }
        }
        State::Paying { .. } => Ok(Paid::Paying),
        // A hold that cannot be paid is one whose time is over, whether or not somebody wrote that down.
        State::Held { .. } | State::Lapsed => Ok(Paid::Lapsed),
        State::Standby { .. } | State::Cancelled | State::Ended | State::Refunded => {
            Ok(Paid::NotHeld(Some(row.state.kind())))
        }
    }
}

/// Of a payment that no row took. Nothing was captured, so the provider can only say that it is void; the sweeper sees to
/// any other answer.
async fn void<W: World>(world: &W, id: ReservationId, payment: PaymentId) -> Result<()> {
    if world.payments().void(payment).await? == Voided::Voided {
        world.store().payment_voided(id, payment, sure_now(world)?).await?;
    }
    Ok(())
}

fn slow(part: &'static str) -> Fault {
    Fault::new(part, "no answer in time")
}

fn chance<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the machine has a source of chance");
    bytes
}
