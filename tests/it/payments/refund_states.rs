//! Where a refund may go from where it stands, and when it is asked for again.

use miaosha::domain::money::payment::{
    MadeRefund, Refund, RefundAnswer, RefundEntry, RefundKind, RefundPace, RefundState, Why,
};
use miaosha::domain::shared::id::{BuyerId, PaymentId, RefundId, ReservationId, SaleId};
use miaosha::domain::shared::money::Money;
use miaosha::domain::shared::time::Timestamp;
use miaosha::workers::payment_consumer::Settings;

const NOW: Timestamp = Timestamp(1_000_000);
const PACE: RefundPace = RefundPace { wait_ms: 1_000, wait_ms_max: 6_000, tries_max: 3 };

fn due(minor: i64) -> RefundEntry {
    let amount = Money { minor, currency: "TWD".parse().unwrap() };
    let refund = Refund { id: RefundId(9), payment: PaymentId(7), amount };
    RefundEntry::due(refund, ReservationId(1), SaleId(1), Why::CaptureTooLate, NOW)
}

fn refused() -> RefundAnswer {
    RefundAnswer::Refused { code: "no".to_owned() }
}

fn failed() -> RefundAnswer {
    RefundAnswer::Failed { code: "lost_card".to_owned() }
}

fn made(answer: RefundAnswer) -> MadeRefund {
    MadeRefund { id: RefundId(9), by_us: true, minor: 500, answer }
}

#[test]
fn the_pace_is_as_it_was_set() {
    let settings = Settings {
        refund_wait_ms: PACE.wait_ms,
        refund_wait_ms_max: PACE.wait_ms_max,
        refund_tries_max: PACE.tries_max,
        ..Settings::default()
    };
    assert_eq!(settings.refund_pace(), PACE);
}

#[test]
fn waits_double_up_to_the_longest() {
    let (mut entry, mut now, mut waits) = (due(500), NOW, Vec::new());
    for _ in 0..6 {
        let claimed = entry.asked(PACE, now).unwrap();
        let RefundState::Due { next_at } = claimed.state else { panic!("{claimed:?}") };
        waits.push(next_at.since_ms(now));
        assert_eq!(claimed.asked(PACE, next_at.plus_ms(-1)), None, "nobody else asks meanwhile");
        assert!(claimed.version > entry.version);
        (entry, now) = (claimed, next_at);
    }
    assert_eq!(waits, [1_000, 2_000, 4_000, 6_000, 6_000, 6_000]);
    let many = RefundEntry { asks: u32::MAX, ..entry };
    assert!(many.asked(PACE, now).is_some(), "no number is too large");
}

#[test]
fn so_many_refusals_are_the_end() {
    let mut entry = due(500);
    for tries in 1..3 {
        entry = entry.answered(&refused(), PACE, NOW).unwrap();
        assert_eq!((entry.state.kind(), entry.tries), (RefundKind::Due, tries));
    }
    entry = entry.answered(&refused(), PACE, NOW).unwrap();
    assert_eq!((&entry.state, entry.tries), (&RefundState::Failed { at: NOW, code: "no".to_owned() }, 3));
    assert_eq!(entry.answered(&RefundAnswer::Done, PACE, NOW), None, "a late answer to an old try");
    let again = entry.retried(NOW).unwrap();
    assert_eq!((&again.state, again.tries, again.asks), (&RefundState::Due { next_at: NOW }, 3, 0));
    assert_eq!(again.answered(&refused(), PACE, NOW).unwrap().state.kind(), RefundKind::Failed, "one try more");
}

#[test]
fn nothing_is_done_where_nothing_moves() {
    assert_eq!(due(0).state, RefundState::Done { at: NOW });
}

/// From each state by each of the provider's words.
#[test]
fn what_the_provider_says_is_taken_over() {
    let due = due(500);
    let sent = due.answered(&RefundAnswer::Sent, PACE, NOW).unwrap();
    let done = due.answered(&RefundAnswer::Done, PACE, NOW).unwrap();
    let lost = sent.answered(&failed(), PACE, NOW).unwrap();
    let settled = lost.settled(BuyerId(1), "in cash", NOW).unwrap();
    let kind =
        |entry: &RefundEntry, answer: RefundAnswer| entry.told(&[made(answer)], NOW).map(|next| next.state.kind());
    let table = [
        (&due, [Some(RefundKind::Done), Some(RefundKind::Sent), None]),
        (&sent, [Some(RefundKind::Done), None, Some(RefundKind::Failed)]),
        (&done, [None, None, Some(RefundKind::Failed)]),
        (&lost, [Some(RefundKind::Done), Some(RefundKind::Sent), None]),
        (&settled, [None, None, None]),
    ];
    for (entry, expected) in table {
        let found = [RefundAnswer::Done, RefundAnswer::Sent, failed()].map(|answer| kind(entry, answer));
        assert_eq!(found, expected, "{:?}", entry.state);
    }
    assert_eq!(done.told(&[made(failed()), made(RefundAnswer::Done)], NOW), None, "an older try's end is no news");
    assert_eq!(done.told(&[MadeRefund { id: RefundId(8), ..made(failed()) }], NOW), None, "another's is none");
    for entry in [&due, &sent, &done, &settled] {
        assert_eq!((entry.retried(NOW), entry.settled(BuyerId(1), "x", NOW)), (None, None), "{:?}", entry.state);
    }
}

#[test]
fn settings_that_contradict_themselves_are_refused() {
    assert_eq!(Settings::default().check(), Ok(()));
    let same = Settings {
        refund_wait_ms: 5,
        refund_wait_ms_max: 5,
        refund_tries_max: 1,
        sweep_refunds_max: 1,
        ..Settings::default()
    };
    assert_eq!(same.check(), Ok(()));
    for (bad, name) in [
        (Settings { refund_wait_ms: 0, ..same.clone() }, "payments.refund_wait_ms "),
        (Settings { refund_wait_ms_max: 4, ..same.clone() }, "payments.refund_wait_ms_max"),
        (Settings { refund_tries_max: 0, ..same.clone() }, "payments.refund_tries_max"),
        (Settings { sweep_refunds_max: 0, ..same.clone() }, "payments.sweep_refunds_max"),
    ] {
        assert!(bad.check().unwrap_err().starts_with(name), "{name}");
    }
}
