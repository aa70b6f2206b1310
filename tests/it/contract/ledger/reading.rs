//! What workers look at before they act, and what buyers ask.

use miaosha::domain::money::payment::RefundAnswer;
use miaosha::domain::sale::reservation::{Kind, Outcome};
use miaosha::domain::sale::turn::{Cause, Chain, Turn};
use miaosha::domain::shared::id::{AttemptId, BatchId, BuyerId, SaleId};
use miaosha::ports::audit::auditing::RecordedTurn;
use miaosha::ports::money::refunds::{RefundOutcome, RefundRequest};
use miaosha::ports::platform::lag::Lags;
use miaosha::ports::sale::recording::SaleHead;

use super::counter::{Counter, NOW, PACE, Store, later};
use crate::support::checkout::begin;

pub async fn a_look_tells_generation_turns_and_flags<S: Store>(store: S) {
    let mut counter = Counter::open(store, 2, 0).await;
    let sale = counter.sale.id;
    let none = counter.store.look(SaleId(sale.0 + 1), &[], &[]).await.unwrap();
    assert_eq!(none, None);
    let first = counter.store.look(sale, &[], &[]).await.unwrap().unwrap();
    let (hold_ms, chain) = (counter.sale.hold_ms, Chain::default());
    assert_eq!(
        first,
        SaleHead { generation: 1, revision: 0, chain, leased_by: 0, hold_ms, recorded: vec![], unfreed: vec![] }
    );
    let rows = counter.reserved(&[(1, 1), (2, 1)]).await;
    let open = counter.reserve(&[(3, 1)]);
    counter.store.cancel(rows[0].id, rows[0].buyer, NOW).await.unwrap();
    let done = Cause::Batch(AttemptId::from(rows[0].id).batch());
    let ids = [rows[0].id, rows[1].id];
    let look = counter.store.look(sale, &[open.cause(), done, Cause::Raise(9)], &ids).await.unwrap().unwrap();
    let chain = Chain::default().then(&done);
    let unfreed = vec![rows[0].id.into()];
    assert_eq!(
        look,
        SaleHead { generation: 1, revision: 1, chain, leased_by: 0, hold_ms, recorded: vec![done], unfreed }
    );
}

pub async fn a_turn_of_any_generation_counts_as_recorded<S: Store>(store: S) {
    let mut counter = Counter::open(store, 2, 0).await;
    let turn = counter.reserve(&[(1, 1)]);
    counter.recorded(std::slice::from_ref(&turn)).await;
    counter.store.restore(counter.sale.id, 1, NOW).await.unwrap().unwrap();
    let look = counter.store.look(counter.sale.id, &[turn.cause()], &[]).await.unwrap().unwrap();
    let (hold_ms, chain) = (counter.sale.hold_ms, Chain::default());
    let recorded = vec![turn.cause()];
    assert_eq!(look, SaleHead { generation: 2, revision: 0, chain, leased_by: 0, hold_ms, recorded, unfreed: vec![] });
}

pub async fn who_finds_a_batch_recorded_gets_its_rows<S: Store>(store: S) {
    let mut counter = Counter::open(store, 1, 1).await;
    let turn = counter.reserve(&[(1, 1), (2, 1), (3, 1)]);
    let other = counter.reserve(&[(4, 1)]);
    let rows = counter.recorded(&[turn.clone(), other.clone()]).await;
    counter.store.cancel(rows[0].id, rows[0].buyer, NOW).await.unwrap();
    let born = counter.store.reservations_created_by(counter.sale.id, &[turn.cause(), other.cause()]).await.unwrap();
    assert_eq!(born, [counter.row(rows[0].id).await, rows[1].clone()]);
    assert_eq!(born[0].state.kind(), Kind::Cancelled);
}

pub async fn batches_that_were_decided_say_so_attempt_by_attempt<S: Store>(store: S) {
    let mut counter = Counter::open(store, 1, 1).await;
    let turn = counter.reserve(&[(1, 1), (2, 1), (1, 1), (3, 1)]);
    let Turn::Batch { batch, .. } = &turn else { unreachable!() };
    let (sale, other) = (counter.sale.id, BatchId::new(1, 2));
    let ask = async || counter.store.decided(sale, &[batch.id, other]).await.unwrap();
    assert_eq!(ask().await, []);
    counter.recorded(std::slice::from_ref(&turn)).await;
    assert_eq!(ask().await, [(batch.id, b"TSAR".to_vec())]);
    assert_eq!(counter.store.decided(SaleId(sale.0 + 1), &[batch.id]).await.unwrap(), []);
    assert_eq!(counter.store.decided(sale, &[]).await.unwrap(), []);
}

pub async fn an_attempt_has_one_outcome_and_only_for_its_buyer<S: Store>(store: S) {
    let mut counter = Counter::open(store, 1, 1).await;
    let turn = counter.reserve(&[(1, 1), (2, 1), (1, 1), (3, 1)]);
    let Turn::Batch { batch, .. } = &turn else { unreachable!() };
    let sale = counter.sale.id;
    let ask = async |buyer, index| counter.store.outcome(sale, BuyerId(buyer), batch.attempt_id(index)).await.unwrap();
    assert_eq!(ask(1, 0).await, Outcome::Pending);
    let rows = counter.recorded(std::slice::from_ref(&turn)).await;
    assert_eq!(ask(1, 0).await, Outcome::Reserved(rows[0].clone()));
    assert_eq!(ask(2, 1).await, Outcome::Reserved(rows[1].clone()));
    assert_eq!(ask(1, 2).await, Outcome::Already);
    assert_eq!(ask(3, 3).await, Outcome::Refused);
    for (buyer, index) in [(2, 0), (1, 1), (2, 2), (1, 3), (3, 4)] {
        assert_eq!(ask(buyer, index).await, Outcome::Pending, "of buyer {buyer} at {index}");
    }
    let elsewhere = counter.store.outcome(SaleId(sale.0 + 1), BuyerId(1), batch.attempt_id(0)).await.unwrap();
    assert_eq!(elsewhere, Outcome::Pending);
}

pub async fn buyer_ids_use_all_their_bits<S: Store>(store: S) {
    let mut counter = Counter::open(store, 1, 0).await;
    let rows = counter.reserved(&[(u64::MAX, 1)]).await;
    let found = counter.store.reservation_of(counter.sale.id, BuyerId(u64::MAX)).await.unwrap();
    assert_eq!(found.as_ref(), rows.first());
}

pub async fn a_buyer_finds_the_live_reservation_or_the_last<S: Store>(store: S) {
    let mut counter = Counter::open(store, 1, 0).await;
    let sale = counter.sale.id;
    assert_eq!(counter.store.reservation_of(sale, BuyerId(1)).await.unwrap(), None);
    let mut last = counter.reserved(&[(1, 1)]).await.remove(0);
    for _ in 0..2 {
        counter.store.cancel(last.id, last.buyer, NOW).await.unwrap();
        let release = counter.release(last.id);
        counter.recorded(&[release]).await;
        let found = counter.store.reservation_of(sale, BuyerId(1)).await.unwrap().unwrap();
        assert_eq!((found.id, found.state.kind()), (last.id, Kind::Cancelled));
        last = counter.reserved(&[(1, 1)]).await.remove(0);
        assert_eq!(counter.store.reservation_of(sale, BuyerId(1)).await.unwrap().unwrap(), last);
    }
    assert_eq!(counter.store.reservation(last.id).await.unwrap().unwrap(), last);
}

pub async fn a_position_counts_who_is_served_before<S: Store>(store: S) {
    let mut counter = Counter::open(store, 1, 9).await;
    let rows = counter.reserved(&[(1, 1), (2, 1), (3, 1), (4, 1)]).await;
    let position = async |place: usize| counter.store.position(rows[place].id).await.unwrap();
    assert_eq!(position(0).await, None);
    assert_eq!((position(1).await, position(2).await, position(3).await), (Some(1), Some(2), Some(3)));
    counter.store.cancel(rows[1].id, rows[1].buyer, NOW).await.unwrap();
    assert_eq!((position(1).await, position(2).await, position(3).await), (None, Some(1), Some(2)));
    let (state, _) = counter.store.restore(counter.sale.id, 1, NOW).await.unwrap().unwrap();
    counter.turnstile = miaosha::domain::sale::turnstile::Turnstile::restore(state);
    let new = counter.reserved(&[(5, 1)]).await;
    assert_eq!(counter.store.position(new[0].id).await.unwrap(), Some(3), "later generations come later");
}

pub async fn many_are_found_as_each_alone<S: Store>(store: S) {
    let mut counter = Counter::open(store, 3, 900).await;
    let sale = counter.sale.id;
    let wishes: Vec<(u64, u8)> = (1..=700).map(|buyer| (buyer, 1)).collect();
    let rows = counter.reserved(&wishes).await;
    // One who holds, one at the head of the line, one inside it; and one of them comes again.
    for index in [0, 3, 300] {
        counter.store.cancel(rows[index].id, rows[index].buyer, NOW).await.unwrap();
        let release = counter.release(rows[index].id);
        counter.recorded(&[release]).await;
    }
    counter.reserved(&[(4, 1)]).await;
    let buyers: Vec<BuyerId> = (1..=800).map(BuyerId).collect();
    let mut found = counter.store.places(sale, &buyers).await.unwrap();
    found.sort_by_key(|place| place.row.buyer);
    assert_eq!(found.len(), 700, "those who never came are not there");
    for place in &found {
        let alone = counter.store.reservation_of(sale, place.row.buyer).await.unwrap();
        assert_eq!(Some(&place.row), alone.as_ref());
        assert_eq!(place.position, counter.store.position(place.row.id).await.unwrap(), "{:?}", place.row.buyer);
    }
    assert!(found.iter().filter(|place| place.position.is_some()).count() > 600);
    let mut versions = counter.store.versions(sale, &buyers).await.unwrap();
    versions.sort_by_key(|row| row.buyer);
    let places: Vec<_> = found.iter().map(|place| (place.row.buyer, place.row.id, place.row.version)).collect();
    let alone: Vec<_> = versions.iter().map(|row| (row.buyer, row.reservation, row.version)).collect();
    assert_eq!(alone, places, "the same rows by their versions");
    assert_eq!(counter.store.versions(sale, &[]).await.unwrap(), []);
    assert_eq!(counter.store.places(sale, &[]).await.unwrap(), []);
    assert_eq!(counter.store.places(SaleId(sale.0 + 1), &buyers[..3]).await.unwrap(), []);
}

pub async fn the_sweeper_finds_what_is_due<S: Store>(store: S) {
    let mut counter = Counter::open(store, 3, 1).await;
    let rows = counter.reserved(&[(1, 1), (2, 1), (3, 1), (4, 1)]).await;
    let sale = counter.sale.id;
    assert_eq!(counter.store.overdue(later().plus_ms(-1), 9).await.unwrap(), []);
    let mut due = counter.store.overdue(later(), 9).await.unwrap();
    due.sort_unstable();
    assert_eq!(due, [(sale, rows[0].id), (sale, rows[1].id), (sale, rows[2].id)]);
    assert_eq!(counter.store.overdue(later(), 2).await.unwrap().len(), 2);
    assert_eq!(counter.store.unfreed(9).await.unwrap(), []);
    counter.store.cancel(rows[1].id, rows[1].buyer, NOW).await.unwrap();
    counter.store.cancel(rows[0].id, rows[0].buyer, NOW.plus_ms(1)).await.unwrap();
    let unfreed = counter.store.unfreed(9).await.unwrap();
    assert_eq!(unfreed, [(sale, rows[1].id), (sale, rows[0].id)], "oldest first");
    assert_eq!(counter.store.unfreed(1).await.unwrap().len(), 1);
    let release = counter.release(rows[1].id);
    counter.recorded(&[release]).await;
    assert_eq!(counter.store.unfreed(9).await.unwrap(), [(sale, rows[0].id)]);
}

pub async fn the_oldest_of_each_kind_is_known<S: Store>(store: S) {
    let mut counter = Counter::open(store, 3, 0).await;
    assert_eq!(counter.store.lags().await.unwrap(), Lags::default());
    let rows = counter.reserved(&[(1, 1), (2, 1), (3, 1)]).await;
    let held = Lags { lapses_at: Some(later()), ..Lags::default() };
    assert_eq!(counter.store.lags().await.unwrap(), held);

    counter.store.cancel(rows[0].id, rows[0].buyer, NOW.plus_ms(7)).await.unwrap();
    let payment = counter.payment(&rows[1], 1);
    begin(&counter.store, &payment, rows[1].buyer, NOW.plus_ms(5)).await;
    let (unfreed, paying) = (Some(NOW.plus_ms(7)), Some(NOW.plus_ms(5)));
    let busy = Lags { unfreed_since: unfreed, paying_since: paying, ..held };
    assert_eq!(counter.store.lags().await.unwrap(), busy);

    counter.store.confirm(rows[1].id, payment.id, "N", NOW.plus_ms(6)).await.unwrap();
    let release = counter.release(rows[0].id);
    counter.recorded(&[release]).await;
    assert_eq!(counter.store.lags().await.unwrap(), held, "what is done is not late");

    let all = RefundRequest { number: "N".into(), units: None, reason: None, request: None };
    let RefundOutcome::Done(given) = counter.store.refund_units(&all, NOW.plus_ms(9)).await.unwrap() else { panic!() };
    let due = Lags { unfreed_since: Some(NOW.plus_ms(9)), refund_due_since: Some(NOW.plus_ms(9)), ..held };
    assert_eq!(counter.store.lags().await.unwrap(), due);
    let at = NOW.plus_ms(10);
    let failed = given.entry.answered(&RefundAnswer::Failed { code: "no".into() }, PACE, at).unwrap();
    assert!(counter.store.move_refund(&given.entry, &failed).await.unwrap());
    let owed = Lags { refund_due_since: None, refunds_failed: 1, ..due };
    assert_eq!(counter.store.lags().await.unwrap(), owed);
    let settled = failed.settled(BuyerId(9), "in cash", at).unwrap();
    assert!(counter.store.move_refund(&failed, &settled).await.unwrap());
    assert_eq!(counter.store.lags().await.unwrap(), Lags { refunds_failed: 0, ..owed });
}

pub async fn an_audit_reports_what_is_broken<S: Store>(store: S) {
    let mut counter = Counter::open(store, 3, 1).await;
    let turns = [counter.reserve(&[(1, 1), (2, 9)]), counter.reserve(&[(1, 1)]), counter.reserve(&[(3, 1)])];
    counter.recorded(&turns[..1]).await;
    counter.recorded(&turns[2..]).await;
    let facts = counter.store.audit(counter.sale.id, NOW).await.unwrap().unwrap();
    assert_eq!(facts.broken_turns.len(), 1, "{:?}", facts.broken_turns);
    assert_eq!((facts.attempts, facts.outcomes, facts.now), (3, [2, 0, 0, 1], NOW));
    assert_eq!((facts.quantity_max, facts.live.len(), facts.standing.pending), (4, 2, 2));
    counter.recorded(&turns[1..2]).await;
    counter.agrees().await;
    assert!(counter.store.audit(SaleId(counter.sale.id.0 + 1), NOW).await.unwrap().is_none());
}

pub async fn the_ledger_has_a_time_of_its_own<S: Store>(store: S) {
    let first = store.time().await.unwrap();
    assert!(first > NOW.plus_ms(-1000 * 86_400_000), "in milliseconds since 1970");
    assert!(first < NOW.plus_ms(100_000 * 86_400_000));
    assert!(store.time().await.unwrap() >= first);
}

pub async fn the_first_revision_without_a_turn_is_found<S: Store>(store: S) {
    let mut counter = Counter::open(store, 9, 0).await;
    let sale = counter.sale.id;
    let turns: Vec<Turn> = (1..=5).map(|buyer| counter.reserve(&[(buyer, 1)])).collect();
    let gap = async |generation, after| counter.store.first_gap(sale, generation, after).await.unwrap();
    assert_eq!(gap(1, 0).await, 1);
    counter.recorded(&turns[..2]).await;
    counter.recorded(&turns[3..]).await;
    assert_eq!((gap(1, 0).await, gap(1, 2).await, gap(1, 3).await, gap(1, 5).await), (3, 3, 6, 6));
    assert_eq!(gap(2, 0).await, 1);
    counter.recorded(&turns[2..3]).await;
    assert_eq!(gap(1, 0).await, 6);
}

pub async fn a_history_has_every_turn_and_every_reservation<S: Store>(store: S) {
    let mut counter = Counter::open(store, 1, 1).await;
    let sale = counter.sale.id;
    let batch = counter.reserve(&[(1, 1), (2, 1), (3, 1)]);
    let rows = counter.recorded(std::slice::from_ref(&batch)).await;
    counter.store.cancel(rows[0].id, rows[0].buyer, NOW).await.unwrap();
    let release = counter.release(rows[0].id);
    let raise = counter.raise(2);
    counter.recorded(&[release.clone(), raise.clone()]).await;
    let history = counter.store.history(sale).await.unwrap();
    let turn = |revision, turn: &Turn| {
        let (cause, outcomes) = (turn.cause(), turn.outcomes());
        RecordedTurn { generation: 1, revision, cause, outcomes, recorded_at: NOW }
    };
    assert_eq!(history.turns, [turn(1, &batch), turn(2, &release), turn(3, &raise)]);
    let mut reservations = history.reservations;
    reservations.sort_unstable();
    assert_eq!(reservations, [(BuyerId(1), rows[0].id), (BuyerId(2), rows[1].id)]);
}
