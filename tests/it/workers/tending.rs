//! What is over is certified, and then goes: not before its time, some in a step, and the audit says what it said.

use miaosha::app::audit::Verdict;
use miaosha::app::audit::tend::{Settings, Tended, Tender};
use miaosha::domain::shared::event::{Cancelled, Event, Fact};
use miaosha::domain::shared::id::{BuyerId, ReservationId, SaleId};
use miaosha::ports::mail::log::Ending;
use miaosha::ports::platform::clock::Clock;

use super::fixture::{Fixture, HOLD_MS, allotment};
use crate::support::clock::START;

const DAY_MS: i64 = 86_400_000;

fn settings() -> Settings {
    Settings {
        over_ms: 1_000,
        turnstile_kept_ms: 2_000,
        turns_kept_ms: DAY_MS,
        ended_kept_ms: 2 * DAY_MS,
        rows_kept: 1,
        ..Settings::default()
    }
}

fn tender(fixture: &Fixture, settings: Settings) -> Tender {
    Tender::new(fixture.world.needs(), settings, None)
}

async fn step(fixture: &Fixture) -> Tended {
    tender(fixture, settings()).step().await.unwrap()
}

/// One unit is paid for, the other was given back twice, and a third buyer got none; it closed just now.
async fn over(fixture: Fixture) -> Fixture {
    let fixture = fixture.with_sale(allotment(2, 0)).await;
    fixture.decide([fixture.batch(1..=3)]).await;
    fixture.pay(1).await;
    for _ in 0..2 {
        fixture.clock.advance_ms(1);
        let cancelled = fixture.cancel(2).await;
        fixture.alarms().handle(vec![fixture.alarm([cancelled])]).await.unwrap();
        fixture.decide([fixture.batch([2])]).await;
    }
    let cancelled = fixture.cancel(2).await;
    fixture.alarms().handle(vec![fixture.alarm([cancelled])]).await.unwrap();
    fixture.clock.advance_ms(START.plus_ms(DAY_MS).since_ms(fixture.clock.now()));
    fixture.assert_sound().await;
    fixture
}

/// It passes and is at rest, and its figures are those of before.
async fn as_before(fixture: &Fixture, before: &Verdict) -> Verdict {
    let verdict = fixture.audit().await;
    assert!(verdict.pass && verdict.is_at_rest(), "{verdict}");
    assert_eq!(verdict.figures, before.figures);
    verdict
}

pub async fn a_sale_goes_after_its_certificate(fixture: Fixture) {
    let fixture = over(fixture).await;
    let before = fixture.audit().await;
    assert_eq!(before.certified, None);
    fixture.clock.advance_ms(1_000);
    assert_eq!(step(&fixture).await, Tended::default(), "it has not been over for long enough");
    fixture.clock.advance_ms(1);
    let dry = tender(&fixture, settings()).dry_run().round().await.unwrap();
    assert_eq!((dry, fixture.audit().await.certified), (Tended { certified: 1, ..Tended::default() }, None));
    assert_eq!(step(&fixture).await, Tended { certified: 1, ..Tended::default() });
    let certified = as_before(&fixture, &before).await.certified.unwrap();
    assert_eq!(certified.at, fixture.clock.now());
    // What ended more than once goes at once; the turnstile after its time.
    fixture.clock.advance_ms(2_000);
    let dry = tender(&fixture, settings()).dry_run().round().await.unwrap();
    assert_eq!(dry, Tended { ended_moved: 2, ..Tended::default() });
    assert_eq!(step(&fixture).await, dry);
    fixture.clock.advance_ms(1);
    assert_eq!(step(&fixture).await, Tended { turnstiles: 1, ..Tended::default() });
    assert_eq!(fixture.world.turnstile.look(fixture.sale).await.unwrap(), None);
    as_before(&fixture, &before).await;
    // Its turns, but for the last.
    fixture.clock.advance_ms(DAY_MS - 2_001);
    assert_eq!(step(&fixture).await, Tended::default(), "its turns are kept for so long");
    fixture.clock.advance_ms(1);
    let turns = before.figures.revision - 1;
    assert_eq!(step(&fixture).await, Tended { turns, ..Tended::default() });
    assert_eq!(step(&fixture).await, Tended::default());
    assert_eq!(as_before(&fixture, &before).await.certified, Some(certified));
    // And what was kept apart.
    fixture.clock.advance_ms(DAY_MS);
    assert_eq!(step(&fixture).await, Tended::default(), "from when it was kept apart");
    fixture.clock.advance_ms(2_000);
    assert_eq!(step(&fixture).await.ended, 2);
    as_before(&fixture, &before).await;
}

/// An operator gives back a unit long after: the turnstile is restored, and the sale is certified anew.
pub async fn a_sale_moves_after_its_certificate(fixture: Fixture) {
    let fixture = over(fixture).await;
    let before = fixture.audit().await;
    fixture.clock.advance_ms(1_001);
    assert_eq!(step(&fixture).await.certified, 1);
    fixture.clock.advance_ms(DAY_MS + 1);
    let gone = step(&fixture).await;
    assert_eq!((gone.turnstiles, gone.turns), (1, before.figures.revision - 1));
    fixture.refund_units(1, None).await;
    for _ in 0..2 {
        fixture.sweeper().sweep().await.unwrap();
    }
    fixture.assert_sound().await;
    let moved = fixture.audit().await;
    assert_eq!((moved.certified.as_ref(), moved.figures.attempts), (None, before.figures.attempts), "{moved}");
    assert_eq!((moved.figures.sold, moved.figures.refunds), (0, 1));
    assert_eq!(step(&fixture).await, Tended { certified: 1, ..Tended::default() });
    let again = as_before(&fixture, &moved).await;
    assert!(again.certified.is_some(), "{again}");
}

/// A turnstile that lies: nothing goes, however long it is over.
pub async fn a_sale_that_fails_its_audit_is_kept(fixture: Fixture) {
    let fixture = over(fixture).await;
    let truth = fixture.world.turnstile.snapshot(fixture.sale).await.unwrap().unwrap();
    let mut lie = truth.clone();
    lie.returned.insert(1);
    fixture.wipe().await;
    fixture.world.turnstile.restore(fixture.sale, &lie).await.unwrap();
    fixture.clock.advance_ms(9 * DAY_MS);
    let tender = tender(&fixture, Settings { audit_again_ms: 1_000, ..settings() });
    let failing = Tended { failing: vec![fixture.sale], ..Tended::default() };
    assert_eq!(tender.step().await.unwrap(), failing);
    fixture.clock.advance_ms(999);
    assert_eq!(tender.step().await.unwrap(), Tended::default(), "it is left alone for a while");
    fixture.clock.advance_ms(1);
    assert_eq!(tender.step().await.unwrap(), failing);
    fixture.wipe().await;
    fixture.world.turnstile.restore(fixture.sale, &truth).await.unwrap();
    fixture.clock.advance_ms(1_000);
    assert_eq!(tender.step().await.unwrap(), Tended { certified: 1, ..Tended::default() });
}

/// A store of turnstiles that fell back keeps nothing from its certificate: nobody looks at a sale that is over.
pub async fn a_turnstile_that_fell_back_holds_nothing_up(fixture: Fixture) {
    let fixture = over(fixture).await;
    let mut old = fixture.world.turnstile.snapshot(fixture.sale).await.unwrap().unwrap();
    old.revision -= 1;
    fixture.wipe().await;
    fixture.world.turnstile.restore(fixture.sale, &old).await.unwrap();
    fixture.clock.advance_ms(1_001);
    assert_eq!(step(&fixture).await, Tended { certified: 1, ..Tended::default() });
}

/// Nor does what is still held, or paid back.
pub async fn a_sale_that_is_under_way_is_not_certified(fixture: Fixture) {
    let fixture = fixture.with_sale(allotment(2, 0)).await;
    fixture.clock.advance_ms(DAY_MS - HOLD_MS);
    fixture.decide([fixture.batch(1..=2)]).await;
    fixture.pay(1).await;
    fixture.clock.advance_ms(HOLD_MS + 1_001);
    assert_eq!(step(&fixture).await, Tended::default(), "a hold is not over");
    fixture.sweeper().sweep().await.unwrap();
    fixture.sweeper().sweep().await.unwrap();
    fixture.refund_units(1, None).await;
    assert_eq!(step(&fixture).await, Tended::default(), "money is on its way back");
    fixture.sweeper().sweep().await.unwrap();
    fixture.sweeper().sweep().await.unwrap();
    fixture.relay().drain().await.unwrap();
    assert_eq!(step(&fixture).await.certified, 1);
}

/// Of five sales, two in a step are audited, and three gone by.
pub async fn a_step_goes_by_so_many_sales(fixture: Fixture) {
    for _ in 0..5 {
        fixture.new_sale(allotment(1, 0), HOLD_MS).await;
    }
    fixture.clock.advance_ms(DAY_MS + 1_001);
    let tender = tender(&fixture, Settings { sales_max: 3, audits_max: 2, ..settings() });
    for certified in [2, 2, 1, 0, 0] {
        assert_eq!(tender.step().await.unwrap(), Tended { certified, ..Tended::default() });
    }
    fixture.clock.advance_ms(2_001);
    let mut removed: Vec<u64> = Vec::new();
    for _ in 0..3 {
        removed.push(tender.step().await.unwrap().turnstiles);
    }
    assert!(removed.iter().all(|removed| *removed <= 3) && removed.iter().sum::<u64>() == 5, "{removed:?}");
}

/// Five letters that are done, two in a piece and two pieces in a step.
pub async fn a_step_removes_so_many(fixture: Fixture) {
    let event = |number: u128| {
        let fact = Cancelled { reservation: ReservationId(number), sale: SaleId(7), buyer: BuyerId(1), quantity: 1 };
        Event::new(Fact::Cancelled(fact), 1, START)
    };
    let events: Vec<Event> = (1..=5).map(event).collect();
    fixture.world.letters.keep(&events, START).await.unwrap();
    for event in &events {
        fixture.world.letters.end(event.id, 0, Ending::Sent, START).await.unwrap();
    }
    let settings = Settings { removed_max: 2, pieces_max: 2, letters_kept_ms: 7 * DAY_MS, ..settings() };
    let tender = tender(&fixture, settings);
    fixture.clock.advance_ms(7 * DAY_MS);
    assert_eq!(tender.step().await.unwrap().letters, 0, "they are kept for so long");
    fixture.clock.advance_ms(1);
    for letters in [4, 1, 0] {
        assert_eq!(tender.step().await.unwrap().letters, letters);
    }
}

/// One died when the turnstile was gone and that was not written yet: the next one does it once more.
pub async fn a_tender_that_died_is_followed(fixture: Fixture) {
    let fixture = over(fixture).await;
    let before = fixture.audit().await;
    fixture.clock.advance_ms(1_001);
    assert_eq!(step(&fixture).await.certified, 1);
    fixture.world.turnstile.remove(fixture.sale).await.unwrap();
    as_before(&fixture, &before).await;
    fixture.clock.advance_ms(2_001);
    assert_eq!(step(&fixture).await.turnstiles, 1);
    assert_eq!(step(&fixture).await, Tended::default(), "it is written by now");
    as_before(&fixture, &before).await;
}

/// Nothing goes by a clock that may be wrong, and nothing stops the rest where one part is away.
pub async fn a_part_that_is_away_stops_no_other(fixture: Fixture) {
    let fixture = over(fixture).await;
    fixture.clock.advance_ms(1_001);
    assert_eq!(step(&fixture).await.certified, 1);
    fixture.clock.advance_ms(DAY_MS + 1);
    fixture.clock.doubt(true);
    assert_eq!(tender(&fixture, settings()).step().await.unwrap_err().part, "clock");
    fixture.clock.doubt(false);
    fixture.turnstile.set_away(true);
    assert_eq!(tender(&fixture, settings()).step().await.unwrap_err().part, "turnstile");
    fixture.turnstile.set_away(false);
    let gone = step(&fixture).await;
    assert_eq!(gone.turnstiles, 1, "the next step does what could not be done: {gone:?}");
}
