//! The checks, one for each invariant, and what keeps a sale from being at rest.
//!
//! A check looks at what was gathered and at nothing else, and returns the first thing that is wrong, in words an operator
//! can act on.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::{Evidence, Owed, UNDECIDED_MS_MAX, UNPUBLISHED_MS_MAX, Violation, certificate};
use crate::app::audit::Needs;
use crate::domain::money::order::Order;
use crate::domain::money::payment::{Payment, PaymentState, RefundEntry, RefundKind, RefundState, Why};
use crate::domain::sale::reservation::{Kind, Reservation, State};
use crate::domain::sale::turnstile::Snapshot;
use crate::domain::shared::id::{BuyerId, PaymentId, ReservationId};
use crate::ports::Result;
use crate::ports::audit::auditing::AuditFacts;

type Check = std::result::Result<(), String>;

/// Questions to the payment provider at the same time.
const ASKED_MAX: usize = 16;

/// For each payment, how much the provider says moved and was not given back.
pub(super) async fn kept(needs: &Needs, payments: &[Payment]) -> Result<Vec<i64>> {
    let asked = payments.iter().map(|payment| (payment.id, payment.amount.is_zero())).map(|(id, is_free)| async move {
        // A payment that costs nothing is never sent to the provider.
        if is_free { Ok(0) } else { needs.payments.kept_minor(id).await }
    });
    stream::iter(asked.collect::<Vec<_>>()).buffered(ASKED_MAX).try_collect().await
}

pub(super) fn in_motion(evidence: &Evidence) -> Vec<String> {
    let facts = &evidence.facts;
    let standing = &facts.standing;
    let mut why = Vec::new();
    let paying = facts.live.iter().filter(|(row, _)| row.state.kind() == Kind::Paying).count();
    if paying > 0 {
        why.push(format!("{paying} reservations are being paid for"));
    }
    if standing.unfreed > 0 {
        why.push(format!("{} ended reservations are not given on", standing.unfreed));
    }
    match &evidence.turnstile {
        None => why.push("the turnstile is missing".to_owned()),
        Some(turnstile) => {
            let theirs = (turnstile.generation, turnstile.revision, turnstile.chain);
            if theirs != (standing.generation, standing.revision, standing.chain) {
                why.push(format!(
                    "the turnstile stands at {}.{}, the ledger at {}.{}",
                    turnstile.generation, turnstile.revision, standing.generation, standing.revision
                ));
            }
            let (theirs, ours) = (turnstile.allotment.capacity, standing.allotment.capacity);
            if theirs < ours {
                why.push(format!("{} more units are on their way to the turnstile", ours - theirs));
            }
        }
    }
    if evidence.moved {
        why.push("the ledger moved while it was read".to_owned());
    }
    why
}

/// Refunds under way. Units went back with their rows, so what holds at rest holds whether or not the money did.
pub(super) fn refunds_in_motion(refunds: &[RefundEntry]) -> Vec<String> {
    let of = |kind: RefundKind| refunds.iter().filter(|entry| entry.state.kind() == kind).count();
    let counts =
        [(of(RefundKind::Due), "refunds are due"), (of(RefundKind::Sent), "refunds are pending at the provider")];
    counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect()
}

/// Refunds that failed and are not settled: no broken invariant, and not done either.
pub(super) fn owed(facts: &AuditFacts) -> Vec<Owed> {
    let numbers: HashMap<PaymentId, &str> =
        facts.orders.iter().map(|order| (order.payment, order.number.as_str())).collect();
    let owed = |entry: &RefundEntry| match &entry.state {
        RefundState::Failed { code, .. } => Some(Owed {
            refund: entry.refund.id,
            order: numbers.get(&entry.refund.payment).map(|number| (*number).to_owned()),
            amount: entry.refund.amount,
            code: code.clone(),
        }),
        _ => None,
    };
    facts.refunds.iter().filter_map(owed).collect()
}

/// A check and the invariant's number.
type Numbered = (u8, fn(&Evidence) -> Check);

pub(super) fn first_violation(evidence: &Evidence, at_rest: bool) -> Option<Violation> {
    let moving: [Numbered; 6] =
        [(1, no_oversell), (3, every_attempt_counted), (4, limit), (7, money), (8, deadline), (10, told)];
    let resting: [Numbered; 4] = [(2, conservation), (6, no_idle_unit), (9, authority), (9, turns)];
    let resting = resting.into_iter().filter(|_| at_rest);
    moving.into_iter().chain(resting).find_map(|(invariant, check)| {
        let what = check(evidence).err()?;
        Some(Violation { invariant, what })
    })
}

fn no_oversell(evidence: &Evidence) -> Check {
    let facts = &evidence.facts;
    let mut owners: BTreeMap<u32, ReservationId> = BTreeMap::new();
    for (row, claimed) in &facts.live {
        let units: BTreeSet<u32> = row.state.units().iter().copied().collect();
        if units != claimed.iter().copied().collect() {
            return Err(format!("reservation {} has units {units:?} and claims {claimed:?}", row.id));
        }
        for unit in units {
            if unit == 0 || unit > facts.standing.allotment.capacity {
                return Err(format!("reservation {} has unit {unit}, which is none of this sale's", row.id));
            }
            if let Some(other) = owners.insert(unit, row.id) {
                return Err(format!("unit {unit} has two live reservations, {other} and {}", row.id));
            }
        }
    }
    match facts.orphan_claims.first() {
        Some(unit) => Err(format!("unit {unit} is claimed by a reservation that is not live")),
        None => Ok(()),
    }
}

fn every_attempt_counted(evidence: &Evidence) -> Check {
    let outcomes: u64 = evidence.facts.outcomes.iter().sum();
    if outcomes == evidence.facts.attempts {
        return Ok(());
    }
    Err(format!("{} attempts have turns, and {outcomes} outcomes", evidence.facts.attempts))
}

fn limit(evidence: &Evidence) -> Check {
    let mut buyers: HashMap<BuyerId, &Reservation> = HashMap::new();
    for (row, _) in &evidence.facts.live {
        if let Some(other) = buyers.insert(row.buyer, row) {
            return Err(format!("a buyer has two live reservations, {} and {}", other.id, row.id));
        }
        let units = row.state.units().len();
        if row.buyer.is_house() != (row.state.kind() == Kind::Blocked) {
            let kind = row.state.kind().name();
            return Err(format!("reservation {} is {kind}: only the house blocks, and it does nothing else", row.id));
        }
        if row.quantity > evidence.facts.quantity_max || units > usize::from(row.quantity) {
            let most = evidence.facts.quantity_max;
            return Err(format!("reservation {} is for {} and has {units}; {most} are allowed", row.id, row.quantity));
        }
        if row.state.kind() != Kind::Standby && units != usize::from(row.quantity) {
            return Err(format!("reservation {} is for {} and has {units}", row.id, row.quantity));
        }
    }
    Ok(())
}

fn money(evidence: &Evidence) -> Check {
    let facts = &evidence.facts;
    let mut standing_orders: HashMap<ReservationId, &Order> = HashMap::new();
    for order in &facts.orders {
        if !order.refunded && standing_orders.insert(order.reservation, order).is_some() {
            return Err(format!("reservation {} has two orders", order.reservation));
        }
    }
    let mut confirmed = 0;
    for (row, _) in &facts.live {
        let State::Confirmed { units, payment } = &row.state else { continue };
        confirmed += 1;
        let order = standing_orders.get(&row.id).ok_or_else(|| format!("reservation {} has no order", row.id))?;
        if order.payment != *payment || order.left() != *units {
            return Err(format!("order {} is not what reservation {} was confirmed with", order.number, row.id));
        }
    }
    if confirmed != standing_orders.len() {
        return Err(format!("{} orders stand, and {confirmed} reservations are confirmed", standing_orders.len()));
    }
    no_payment_is_left(facts)?;
    let by_payment: HashMap<PaymentId, &Order> = facts.orders.iter().map(|order| (order.payment, order)).collect();
    let mut refunds: HashMap<PaymentId, Vec<&RefundEntry>> = HashMap::new();
    for entry in &facts.refunds {
        refunds.entry(entry.refund.payment).or_default().push(entry);
    }
    for (payment, kept) in facts.payments.iter().zip(&evidence.kept) {
        let refunds = refunds.remove(&payment.id).unwrap_or_default();
        payment_is_right(payment, *kept, by_payment.get(&payment.id).copied(), &refunds)?;
    }
    if let Some(payment) = refunds.keys().next() {
        return Err(format!("money goes back of payment {payment}, which was never recorded"));
    }
    let known: BTreeSet<PaymentId> = facts.payments.iter().map(|payment| payment.id).collect();
    match facts.orders.iter().find(|order| !known.contains(&order.payment)) {
        Some(order) => Err(format!("order {} names a payment that was never recorded", order.number)),
        None => Ok(()),
    }
}

/// What pays for a reservation is opened and settled together with it: nobody would come back for one that none is paid with.
fn no_payment_is_left(facts: &AuditFacts) -> Check {
    let paying: BTreeSet<(ReservationId, PaymentId)> = facts
        .live
        .iter()
        .filter_map(|(row, _)| match row.state {
            State::Paying { payment, .. } => Some((row.id, payment)),
            _ => None,
        })
        .collect();
    let mut opened = facts.payments.iter().filter(|payment| payment.state == PaymentState::Opened);
    match opened.find(|payment| !paying.contains(&(payment.reservation, payment.id))) {
        Some(payment) => Err(format!(
            "payment {} has no end, and reservation {} is not paid with it",
            payment.id, payment.reservation
        )),
        None => Ok(()),
    }
}

/// What our books say of a payment, against what the provider kept of it and what stands for it.
fn payment_is_right(payment: &Payment, kept: i64, order: Option<&Order>, refunds: &[&RefundEntry]) -> Check {
    let sum = |entries: &mut dyn Iterator<Item = &&RefundEntry>| -> i64 {
        entries.map(|entry| entry.refund.amount.minor).sum()
    };
    let going_back = sum(&mut refunds.iter());
    // Of what failed the provider keeps the money, and of what an operator settled in another way.
    let stays = sum(&mut refunds.iter().filter(|entry| entry.state.kind().stays()));
    let due = sum(&mut refunds.iter().filter(|entry| entry.state.kind() == RefundKind::Due));
    let (right, owed) = match (payment.state, order) {
        // What is captured here is found, and becomes an order or goes back.
        (PaymentState::Opened, None) => (going_back == 0, kept),
        (PaymentState::Voided, None) => (going_back == 0, 0),
        (PaymentState::Captured, None) => (going_back == payment.amount.minor, stays),
        (PaymentState::Captured, Some(order)) => {
            (is_refunded_as_written(order, payment, refunds), order.amount.minor - going_back + stays)
        }
        (PaymentState::Opened | PaymentState::Voided, Some(_)) => (false, 0),
    };
    // What is due may have gone back already, and not be written down yet.
    if right && (owed..=owed + due).contains(&kept) {
        return Ok(());
    }
    Err(format!(
        "payment {} over {} is {:?}, the provider kept {kept}, {going_back} go back of which {due} are due and {stays} failed, \
         and its order is {}",
        payment.id,
        payment.amount.minor,
        payment.state,
        order.map_or("none", |order| &order.number),
    ))
}

/// Whether an order's own figures are those of its refunds: each unit once, and every amount.
fn is_refunded_as_written(order: &Order, payment: &Payment, refunds: &[&RefundEntry]) -> bool {
    let mut units: Vec<u32> = Vec::new();
    for entry in refunds {
        match &entry.why {
            Why::Operator { units: some, .. } => units.extend(some),
            // It names no units.
            Why::AtProvider => {}
            Why::CaptureTooLate => return false,
        }
    }
    units.sort_unstable();
    let back: i64 = refunds.iter().map(|entry| entry.refund.amount.minor).sum();
    (order.amount, order.reservation) == (payment.amount, payment.reservation)
        && units == order.refunded_units
        && back == order.refunded_amount.minor
        && order.refunded == order.left().is_empty()
        && (!order.refunded || back == order.amount.minor)
}

fn deadline(evidence: &Evidence) -> Check {
    for (row, _) in &evidence.facts.live {
        match &row.state {
            State::Held { lapses_at, .. } if evidence.facts.now.since_ms(*lapses_at) > UNDECIDED_MS_MAX => {
                let late = evidence.facts.now.since_ms(*lapses_at);
                return Err(format!("reservation {} is still held {late} ms after its time", row.id));
            }
            State::Paying { lapses_at, since, .. } if since >= lapses_at => {
                return Err(format!("paying for reservation {} began after its time", row.id));
            }
            _ => {}
        }
    }
    Ok(())
}

/// What was committed reaches the listeners.
fn told(evidence: &Evidence) -> Check {
    let waits_ms = evidence.backlog.oldest.map_or(0, |oldest| evidence.facts.now.since_ms(oldest));
    if waits_ms <= UNPUBLISHED_MS_MAX {
        return Ok(());
    }
    Err(format!("{} events are not published, the oldest for {waits_ms} ms", evidence.backlog.events))
}

fn turnstile(evidence: &Evidence) -> std::result::Result<&Snapshot, String> {
    evidence.turnstile.as_ref().ok_or_else(|| "the turnstile is missing".to_owned())
}

fn conservation(evidence: &Evidence) -> Check {
    let holdings = turnstile(evidence)?.holdings();
    let capacity = evidence.facts.standing.allotment.capacity;
    let mut taken: Vec<u32> = holdings.taken.values().flat_map(|taken| taken.units.iter().copied()).collect();
    taken.sort_unstable();
    // From `from` on all are free, and none of them is gone through.
    let free = &holdings.free;
    let mut before: Vec<u32> = free.between.iter().chain(&taken).copied().collect();
    before.sort_unstable();
    if !before.iter().copied().eq(1..free.from) || free.capacity != capacity {
        let (free, taken) = (free.count(), taken.len());
        return Err(format!("free {free} and taken {taken} are not the sale's {capacity} units, once each"));
    }
    let mut claims: Vec<u32> = evidence.facts.live.iter().flat_map(|(_, units)| units.iter().copied()).collect();
    claims.sort_unstable();
    if claims != taken {
        return Err(format!("the ledger claims {} units, the turnstile has {} taken", claims.len(), taken.len()));
    }
    Ok(())
}

fn no_idle_unit(evidence: &Evidence) -> Check {
    let free = turnstile(evidence)?.free();
    let parties = evidence.facts.live.iter().filter(|(row, _)| row.state.kind() == Kind::Standby);
    match parties.map(|(row, _)| row).find(|row| u32::from(row.quantity) <= free) {
        Some(row) => Err(format!("{free} units are free while reservation {} waits for {}", row.id, row.quantity)),
        None => Ok(()),
    }
}

fn authority(evidence: &Evidence) -> Check {
    let (theirs, ours) = (turnstile(evidence)?.holdings(), evidence.ledger.as_ref().map(Snapshot::holdings));
    let ours = ours.ok_or_else(|| "the ledger has no such sale".to_owned())?;
    if theirs.taken != ours.taken {
        let other = ours.taken.iter().find(|(id, taken)| theirs.taken.get(id) != Some(taken)).map(|(id, _)| *id);
        let other = other.or_else(|| theirs.taken.keys().find(|id| !ours.taken.contains_key(id)).copied());
        let id = other.map_or_else(String::new, |id| id.to_string());
        return Err(format!("turnstile and ledger differ on what is taken, first by reservation {id}"));
    }
    if theirs.standby != ours.standby {
        return Err("turnstile and ledger differ on who waits, or in what order".to_owned());
    }
    if theirs.free != ours.free {
        return Err(format!("the turnstile has {} units free, the ledger {}", theirs.free.count(), ours.free.count()));
    }
    Ok(())
}

pub(super) fn turns(evidence: &Evidence) -> Check {
    let facts = &evidence.facts;
    if let Some(what) = facts.broken_turns.first() {
        return Err(what.clone());
    }
    // Once some are gone nobody can compare any more.
    match certificate(facts).filter(|known| known.turns_removed_at.is_none()) {
        Some(known) if known.digest != facts.turns_digest => {
            Err("the turns are not those that were certified: their digest is another".to_owned())
        }
        _ => Ok(()),
    }
}
