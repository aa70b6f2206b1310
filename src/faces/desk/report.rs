//! A sale in figures: what was asked of it, how fast that was decided, what became of it, and what it earned.
//!
//! Its turns are read a page at a time; what is kept of them is a count and the spread of their times, whatever their number.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::money::payment::RefundKind;
use crate::domain::sale::reservation::Kind;
use crate::domain::sale::turn::tally;
use crate::domain::sale::{Sale, StandbyUntil};
use crate::domain::shared::id::SaleId;
use crate::domain::shared::money::Money;
use crate::domain::shared::time::Timestamp;
use crate::faces::desk::Needs;
use crate::faces::front::views::MoneyView;
use crate::ports::Result;
use crate::ports::audit::reports::{Count, Decided, Totals};

/// Turns in one page, of a kilobyte at most.
const TURNS_MAX: u32 = 512;

#[derive(Debug, Serialize, ToSchema)]
pub struct Report {
    sale_id: SaleId,
    title: String,
    #[schema(minimum = 1)]
    capacity: u32,
    /// Whether parties on standby wait for what is given back, too, or only for what is not paid for.
    standby_until: StandbyUntil,
    reported_at: Timestamp,
    /// Null once turns of it are gone: the audit goes on telling how many there were.
    #[schema(required)]
    attempts: Option<Attempts>,
    /// From a publisher's batch, by the time in its id, to its record in the ledger, of every attempt; without one, nothing.
    #[schema(required)]
    decided_within_ms: Option<Percentiles>,
    /// Reservations by what they are now.
    reservations: Reservations,
    orders: Orders,
}

/// Those that were accepted: each got one of the outcomes.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = ReportAttempts)]
struct Attempts {
    accepted: u64,
    taken: u64,
    standby: u64,
    already: u64,
    refused: u64,
    #[schema(required)]
    first_at: Option<Timestamp>,
    #[schema(required)]
    last_at: Option<Timestamp>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Percentiles {
    p50: u64,
    p90: u64,
    p99: u64,
    max: u64,
}

#[derive(Debug, Default, Serialize, ToSchema)]
struct Parties {
    reservations: u64,
    units: u64,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReportReservations)]
struct Reservations {
    blocked: Parties,
    standby: Parties,
    held: Parties,
    paying: Parties,
    confirmed: Parties,
    lapsed: Parties,
    cancelled: Parties,
    ended: Parties,
    refunded: Parties,
}

/// `sold` is what was paid for and not given back.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReportOrders)]
struct Orders {
    placed: u64,
    placed_units: u64,
    refunded: u64,
    refunded_units: u64,
    sold_units: u64,
    gross: MoneyView,
    /// What went back or is to go back.
    refunds: MoneyView,
    refunds_by_state: RefundsByState,
    net: MoneyView,
}

/// The refunds of orders, by where they stand.
#[derive(Debug, Serialize, ToSchema)]
struct RefundsByState {
    due: Refunds,
    sent: Refunds,
    done: Refunds,
    failed: Refunds,
    settled: Refunds,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReportRefunds)]
struct Refunds {
    refunds: u64,
    amount: MoneyView,
}

pub async fn report(needs: &Needs, sale: &Sale) -> Result<Report> {
    let (attempts, spread) = attempts(needs, sale.id).await?;
    let totals = needs.reports.totals(sale.id).await?;
    Ok(Report {
        sale_id: sale.id,
        title: sale.title.clone(),
        capacity: sale.allotment.capacity,
        standby_until: sale.standby_until,
        reported_at: needs.clock.now(),
        attempts: (!totals.turns_gone).then_some(attempts),
        decided_within_ms: spread.percentiles().filter(|_| !totals.turns_gone),
        reservations: Reservations::of(&totals),
        orders: Orders::of(sale, &totals),
    })
}

async fn attempts(needs: &Needs, sale: SaleId) -> Result<(Attempts, Spread)> {
    let (mut attempts, mut spread) = (Attempts::default(), Spread::new());
    let mut after = Some((0, 0));
    while let Some(place) = after {
        let page = needs.reports.decisions(sale, place, TURNS_MAX).await?;
        for decided in &page.decided {
            attempts.count(decided);
            let took_ms = decided.recorded_at.since_ms(made_at(decided));
            // Clocks differ by a little: what was recorded before it was made took no time.
            spread.add(u64::try_from(took_ms).unwrap_or(0), decided.outcomes.len() as u64);
        }
        after = page.next;
    }
    Ok((attempts, spread))
}

/// A batch's id begins with the publisher's time.
fn made_at(decided: &Decided) -> Timestamp {
    Timestamp(decided.batch.made_ms() as i64)
}

impl Attempts {
    fn count(&mut self, decided: &Decided) {
        let [taken, standby, already, refused] = tally(&decided.outcomes);
        self.taken += taken;
        self.standby += standby;
        self.already += already;
        self.refused += refused;
        self.accepted += decided.outcomes.len() as u64;
        let at = made_at(decided);
        self.first_at = Some(self.first_at.map_or(at, |first| first.min(at)));
        self.last_at = Some(self.last_at.map_or(at, |last| last.max(at)));
    }
}

impl Reservations {
    fn of(totals: &Totals) -> Self {
        let of = |kind: Kind| {
            let count = totals.reservations.iter().find(|(known, _)| *known == kind).map(|(_, count)| *count);
            let Count { rows: reservations, units, .. } = count.unwrap_or_default();
            Parties { reservations, units }
        };
        Self {
            blocked: of(Kind::Blocked),
            standby: of(Kind::Standby),
            held: of(Kind::Held),
            paying: of(Kind::Paying),
            confirmed: of(Kind::Confirmed),
            lapsed: of(Kind::Lapsed),
            cancelled: of(Kind::Cancelled),
            ended: of(Kind::Ended),
            refunded: of(Kind::Refunded),
        }
    }
}

impl Orders {
    fn of(sale: &Sale, Totals { placed, refunded, refunds, .. }: &Totals) -> Self {
        let money = |minor: i64| MoneyView::from(Money { minor, currency: sale.price.currency });
        let of = |kind: RefundKind| {
            let count = refunds.iter().find(|(known, _)| *known == kind).map(|(_, count)| *count).unwrap_or_default();
            Refunds { refunds: count.rows, amount: money(count.minor) }
        };
        Self {
            placed: placed.rows,
            placed_units: placed.units,
            refunded: refunded.rows,
            refunded_units: refunded.units,
            sold_units: placed.units.saturating_sub(refunded.units),
            gross: money(placed.minor),
            refunds: money(refunded.minor),
            refunds_by_state: RefundsByState {
                due: of(RefundKind::Due),
                sent: of(RefundKind::Sent),
                done: of(RefundKind::Done),
                failed: of(RefundKind::Failed),
                settled: of(RefundKind::Settled),
            },
            net: money(placed.minor - refunded.minor),
        }
    }
}

/// Counts by value, in buckets a sixty-fourth of their value wide: a percentile is at most that much too high.
struct Spread {
    buckets: Vec<u64>,
    count: u64,
    max: u64,
}

/// Values below twice this have a bucket each.
const STEPS: u64 = 64;

impl Spread {
    fn new() -> Self {
        Self { buckets: vec![0; bucket(u64::MAX) + 1], count: 0, max: 0 }
    }

    fn add(&mut self, value: u64, times: u64) {
        self.buckets[bucket(value)] += times;
        self.count += times;
        self.max = self.max.max(value);
    }

    fn percentiles(&self) -> Option<Percentiles> {
        (self.count > 0).then(|| Percentiles {
            p50: self.percentile(50),
            p90: self.percentile(90),
            p99: self.percentile(99),
            max: self.max,
        })
    }

    /// The smallest value that so many of a hundred do not exceed.
    fn percentile(&self, percent: u64) -> u64 {
        let rank = (u128::from(self.count) * u128::from(percent)).div_ceil(100) as u64;
        let mut seen = 0;
        let found = self.buckets.iter().position(|times| {
            seen += times;
            seen >= rank
        });
        found.map_or(self.max, |bucket| highest(bucket).min(self.max))
    }
}

fn bucket(value: u64) -> usize {
    let shift = (value | STEPS).ilog2() - STEPS.ilog2();
    (u64::from(shift) * STEPS + (value >> shift)) as usize
}

/// Of the values in a bucket.
fn highest(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    let shift = (bucket / STEPS).saturating_sub(1);
    ((u128::from(bucket - shift * STEPS) + 1) << shift).saturating_sub(1) as u64
}

#[cfg(test)]
mod tests {
    use super::{STEPS, Spread, bucket, highest};

    #[test]
    fn every_value_is_in_a_bucket_that_is_not_much_wider() {
        let around = |value: u64| [value.saturating_sub(1), value, value.saturating_add(1)];
        for value in (0..64).flat_map(|shift| around(1 << shift)).chain(0..5_000).chain([u64::MAX]) {
            let top = highest(bucket(value));
            assert!(top >= value && top - value <= value / STEPS, "{value} is in a bucket up to {top}");
            assert!(
                bucket(top) == bucket(value) && (top == u64::MAX || bucket(top + 1) == bucket(value) + 1),
                "{value}"
            );
        }
    }

    #[test]
    fn percentiles_are_values_that_so_many_do_not_exceed() {
        let mut spread = Spread::new();
        assert!(spread.percentiles().is_none());
        for value in 1..=100 {
            spread.add(value, 10);
        }
        spread.add(60_001, 1);
        let found = spread.percentiles().unwrap();
        assert_eq!((found.p50, found.p90, found.p99, found.max), (51, 91, 100, 60_001));
    }
}
