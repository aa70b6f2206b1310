//! What goes of sales that are over and of letters that are done: not before its time, some at a time, and so that every sum stays.

use std::collections::BTreeSet;

use miaosha::domain::sale::reservation::{Kind, Outcome, Reservation};
use miaosha::domain::sale::turn::Turn;
use miaosha::domain::sale::{QuestionKey, SaleState, StandbyUntil};
use miaosha::domain::shared::event::{Cancelled, Event, Fact};
use miaosha::domain::shared::id::{AttemptId, BuyerId, ReservationId, SaleId};
use miaosha::domain::shared::time::Timestamp;
use miaosha::ports::audit::auditing::AuditFacts;
use miaosha::ports::audit::retention::{Certificate, Piece, Retention, SaleOver};
use miaosha::ports::mail::log::{Claimed, Ending, MailLog};
use miaosha::ports::sale::catalogue::NewSale;

use super::counter::{Counter, NOW, Store, new_sale};

fn some(max: u32) -> Piece {
    Piece { max, dry_run: false }
}

fn dry(max: u32) -> Piece {
    Piece { max, dry_run: true }
}

async fn facts<S: Store>(counter: &Counter<S>) -> AuditFacts {
    counter.store.audit(counter.sale.id, NOW).await.unwrap().unwrap()
}

/// As the audit has it now.
async fn certificate<S: Store>(counter: &Counter<S>) -> Certificate {
    Certificate::of(&facts(counter).await)
}

async fn certified<S: Store>(counter: &Counter<S>) -> Certificate {
    let certificate = certificate(counter).await;
    assert!(counter.store.certify(&certificate).await.unwrap());
    certificate
}

async fn over<S: Store>(counter: &Counter<S>) -> SaleOver {
    let before = counter.sale.closes_at.plus_ms(1);
    let found = counter.store.sales_over(None, before, 9).await.unwrap();
    found.into_iter().find(|over| over.sale == counter.sale.id).unwrap()
}

/// Takes one unit, gives it back, and so that the turnstile has it again.
async fn ended<S: Store>(counter: &mut Counter<S>, buyer: u64) -> Reservation {
    let row = counter.reserved(&[(buyer, 1)]).await.remove(0);
    counter.store.cancel(row.id, row.buyer, NOW).await.unwrap();
    let release = counter.release(row.id);
    counter.recorded(&[release]).await;
    counter.row(row.id).await
}

pub async fn sales_that_are_over_are_found_from_their_close_on<S: Store>(store: S) {
    let counter = Counter::open(store, 1, 0).await;
    let (first, closes_at) = (counter.sale.id, counter.sale.closes_at);
    let second = new_sale(&counter.store, counter.sale.allotment).await.id;
    let found = async |after, before, max| {
        let over = counter.store.sales_over(after, before, max).await.unwrap();
        over.into_iter().map(|over| over.sale).collect::<Vec<SaleId>>()
    };
    assert_eq!(found(None, closes_at, 9).await, [], "it closes now");
    assert_eq!(found(None, closes_at.plus_ms(1), 9).await, [first, second]);
    assert_eq!(found(None, closes_at.plus_ms(1), 1).await, [first]);
    assert_eq!(found(Some(first), closes_at.plus_ms(1), 9).await, [second]);
    // One that an operator closed, by the ledger's own time; the last moment there is never comes.
    let last = Timestamp(i64::MAX);
    let sale = NewSale {
        item: counter.sale.item,
        price: counter.sale.price,
        allotment: counter.sale.allotment,
        standby_until: StandbyUntil::default(),
        hold_ms: 1_000,
        opens_at: NOW,
        closes_at: last,
        questions: Vec::new(),
        question_key: QuestionKey([7; 32]),
    };
    let third = counter.store.create_sale(&sale).await.unwrap().unwrap().id;
    assert_eq!(found(Some(second), last, 9).await, []);
    counter.store.set_state(third, SaleState::Closed).await.unwrap();
    assert_eq!(found(Some(second), last, 9).await, [third]);
    assert_eq!(found(Some(second), NOW, 9).await, [], "it was closed later");
}

pub async fn a_certificate_is_of_the_last_turn<S: Store>(store: S) {
    let mut counter = Counter::open(store, 2, 0).await;
    ended(&mut counter, 1).await;
    let right = certificate(&counter).await;
    for wrong in [(right.generation, right.revision - 1), (right.generation + 1, right.revision)] {
        let wrong = Certificate { generation: wrong.0, revision: wrong.1, ..right.clone() };
        assert!(!counter.store.certify(&wrong).await.unwrap(), "{wrong:?}");
    }
    assert_eq!(over(&counter).await.certificate, None);
    assert!(counter.store.certify(&right).await.unwrap());
    assert_eq!(over(&counter).await.certified(), Some(&right));
    counter.store.turnstile_removed(&right, NOW).await.unwrap();
    let removed = over(&counter).await.certified().cloned().unwrap();
    assert_eq!(removed, Certificate { turnstile_removed_at: Some(NOW), ..right.clone() });
    // It moves once more: the certificate is not of its last turn, and the next one begins anew.
    ended(&mut counter, 2).await;
    let moved = over(&counter).await;
    assert_eq!((moved.certified(), moved.certificate.as_ref()), (None, Some(&removed)));
    assert!(!counter.store.certify(&right).await.unwrap());
    let again = certified(&counter).await;
    assert_eq!(over(&counter).await.certified(), Some(&again));
    // Who still has the first one in hand writes nothing.
    counter.store.turnstile_removed(&right, NOW).await.unwrap();
    assert_eq!(over(&counter).await.certified(), Some(&again));
    // Nor does another one who audited the same, a moment later.
    let late = Certificate { certified_at: NOW.plus_ms(1), digest: [7; 32], ..again.clone() };
    assert!(counter.store.certify(&late).await.unwrap());
    assert_eq!(over(&counter).await.certified(), Some(&again));
}

pub async fn turns_go_but_for_the_last_and_the_sums_stay<S: Store>(store: S) {
    let mut counter = Counter::open(store, 9, 0).await;
    for buyer in 1..=5 {
        counter.reserved(&[(buyer, 1)]).await;
    }
    let (sale, whole) = (counter.sale.id, facts(&counter).await);
    let (certificate, store) = (certified(&counter).await, counter.store.clone());
    let removed = async |piece| store.remove_turns(&certificate, NOW, piece).await.unwrap();
    assert_eq!(removed(dry(9)).await, 4);
    assert_eq!(facts(&counter).await.certificate.unwrap().turns_removed_at, None);
    let other = Certificate { revision: certificate.revision - 1, ..certificate.clone() };
    assert_eq!(counter.store.remove_turns(&other, NOW, some(9)).await.unwrap(), 0, "of another certificate");
    for (max, expected) in [(3, 3), (3, 1), (3, 0)] {
        assert_eq!(removed(some(max)).await, expected);
        let left = facts(&counter).await;
        assert_eq!((left.attempts, left.outcomes, left.broken_turns), (5, whole.outcomes, Vec::new()));
        assert_eq!(left.standing, whole.standing, "the last turn is there");
        let known = left.certificate.unwrap();
        assert_eq!((known.turns_removed_at, known.turns_gone_at), (Some(NOW), (expected == 0).then_some(NOW)));
    }
    assert_eq!(counter.store.history(sale).await.unwrap().turns.len(), 1);
    assert_eq!(counter.store.first_gap(sale, 1, 0).await.unwrap(), 6, "what was removed is no gap");
    // What comes later follows the last one, and is counted with what is gone.
    counter.reserved(&[(6, 1)]).await;
    let later = facts(&counter).await;
    assert_eq!((later.attempts, later.outcomes[0], later.broken_turns), (6, 6, Vec::new()));
    assert_eq!(removed(some(9)).await, 0, "its own stays");
    assert_eq!(facts(&counter).await.attempts, 6);
}

/// Of older generations all of them, one generation in each piece.
pub async fn turns_of_older_generations_go_too<S: Store>(store: S) {
    let mut counter = Counter::open(store, 9, 0).await;
    counter.reserved(&[(1, 1)]).await;
    counter.reserved(&[(2, 1)]).await;
    let (state, _) = counter.store.restore(counter.sale.id, 1, NOW).await.unwrap().unwrap();
    counter.turnstile = miaosha::domain::sale::turnstile::Turnstile::restore(state);
    counter.reserved(&[(3, 1)]).await;
    counter.reserved(&[(4, 1)]).await;
    let certificate = certified(&counter).await;
    for expected in [2, 1, 0] {
        assert_eq!(counter.store.remove_turns(&certificate, NOW, some(9)).await.unwrap(), expected);
        let left = facts(&counter).await;
        assert_eq!((left.attempts, left.outcomes[0], left.broken_turns), (4, 4, Vec::new()));
    }
}

async fn told<S: Store>(counter: &Counter<S>) -> (String, BTreeSet<(BuyerId, ReservationId)>, u32) {
    let sale = counter.sale.id;
    let totals = counter.store.totals(sale).await.unwrap();
    let history = counter.store.history(sale).await.unwrap().reservations.into_iter().collect();
    (format!("{totals:?}"), history, counter.store.pace(sale, 9).await.unwrap().lapsed)
}

pub async fn what_ended_is_kept_apart_but_for_the_newest<S: Store>(store: S) {
    let mut counter = Counter::open(store, 3, 0).await;
    let sale = counter.sale.id;
    let mut rows = Vec::new();
    for _ in 0..5 {
        rows.push(ended(&mut counter, 1).await);
        // Of whom money was spoken stays.
        let row = counter.reserved(&[(2, 1)]).await.remove(0);
        let payment = counter.begin_paying(&row, rows.len() as u128).await;
        counter.store.payment_unopened(row.id, payment, NOW).await.unwrap();
        counter.store.cancel(row.id, row.buyer, NOW).await.unwrap();
        let release = counter.release(row.id);
        counter.recorded(&[release]).await;
    }
    let live = counter.reserved(&[(3, 1)]).await.remove(0);
    rows.sort_by_key(|row| row.id);
    let before = told(&counter).await;
    let certificate = certified(&counter).await;
    let move_ended = async |kept, at, piece| counter.store.move_ended(&certificate, kept, at, piece).await.unwrap();
    assert_eq!(move_ended(5, NOW, dry(9)).await, 0, "so many may stay");
    assert_eq!(move_ended(4, NOW, dry(9)).await, 1);
    assert_eq!(move_ended(3, NOW, dry(9)).await, 2);
    let other = Certificate { revision: certificate.revision - 1, ..certificate.clone() };
    assert_eq!(counter.store.move_ended(&other, 3, NOW, some(9)).await.unwrap(), 0, "of another certificate");
    for expected in [1, 1, 0] {
        assert_eq!(over(&counter).await.certificate.unwrap().ended_moved_at, None);
        assert_eq!(move_ended(3, NOW, some(1)).await, expected);
        assert_eq!(told(&counter).await, before, "every sum stays");
    }
    assert_eq!(over(&counter).await.certificate.unwrap().ended_moved_at, Some(NOW));
    for row in &rows {
        assert_eq!(counter.row(row.id).await, *row, "it is found as it was");
    }
    let newest = counter.store.reservation_of(sale, BuyerId(1)).await.unwrap().unwrap();
    assert_eq!(newest.id, rows[4].id);
    assert_eq!(counter.kind(live.id).await, Kind::Held);
    assert_eq!(counter.store.person(BuyerId(1), 9).await.unwrap().reservations, rows);
    assert_eq!(facts(&counter).await.broken_turns, Vec::<String>::new());

    // The oldest two, each after its time.
    let removed = async |before, piece| counter.store.remove_ended(before, piece).await.unwrap();
    assert_eq!(removed(NOW, some(9)).await, 0);
    assert_eq!(removed(NOW.plus_ms(1), dry(9)).await, 2);
    assert_eq!((removed(NOW.plus_ms(1), some(1)).await, removed(NOW.plus_ms(1), some(9)).await), (1, 1));
    let (totals, _, lapsed) = told(&counter).await;
    assert_eq!((totals, lapsed), (before.0, before.2), "and every sum still stays");
    assert_eq!(counter.store.reservation(rows[0].id).await.unwrap(), None);
}

pub async fn an_attempt_is_answered_as_long_as_its_row_is_kept<S: Store>(store: S) {
    let mut counter = Counter::open(store, 1, 0).await;
    let turn = counter.reserve(&[(1, 1)]);
    let Turn::Batch { batch, .. } = &turn else { unreachable!() };
    let attempt: AttemptId = batch.attempt_id(0);
    let row = counter.recorded(std::slice::from_ref(&turn)).await.remove(0);
    counter.store.cancel(row.id, row.buyer, NOW).await.unwrap();
    let release = counter.release(row.id);
    counter.recorded(&[release]).await;
    let certificate = certified(&counter).await;
    assert_eq!(counter.store.move_ended(&certificate, 0, NOW, some(9)).await.unwrap(), 1);
    let ask = async |buyer| counter.store.outcome(counter.sale.id, BuyerId(buyer), attempt).await.unwrap();
    let Outcome::Reserved(found) = ask(1).await else { panic!("it is kept apart") };
    assert_eq!((found.id, found.state.kind()), (row.id, Kind::Cancelled));
    assert_eq!(ask(2).await, Outcome::Pending, "another's");
    counter.store.remove_ended(NOW.plus_ms(1), some(9)).await.unwrap();
    assert_eq!(ask(1).await, Outcome::Pending, "nobody knows any more");
}

/// More of them than one piece goes by.
pub async fn so_many_buyers_rows_are_kept_apart_at_once<S: Store>(store: S) {
    let mut counter = Counter::open(store, 65, 0).await;
    let wishes: Vec<(u64, u8)> = (1..=65).map(|buyer| (buyer, 1)).collect();
    for _ in 0..2 {
        let rows = counter.reserved(&wishes).await;
        for row in &rows {
            counter.store.cancel(row.id, row.buyer, NOW).await.unwrap();
        }
        let releases: Vec<Turn> = rows.iter().map(|row| counter.release(row.id)).collect();
        counter.recorded(&releases).await;
    }
    let certificate = certified(&counter).await;
    for expected in [64, 1, 0] {
        assert_eq!(counter.store.move_ended(&certificate, 1, NOW, some(900)).await.unwrap(), expected);
    }
}

/// Of two at once each removes what the other left, and every row is counted once.
pub async fn two_who_remove_take_each_row_once<S: Store>(store: S) {
    let mut counter = Counter::open(store, 1, 0).await;
    for _ in 0..12 {
        ended(&mut counter, 1).await;
    }
    let (before, certificate) = (told(&counter).await, certified(&counter).await);
    let store = &counter.store;
    let move_ended = async || {
        let mut moved = 0;
        for _ in 0..6 {
            moved += store.move_ended(&certificate, 1, NOW, some(2)).await.unwrap();
        }
        moved
    };
    let remove_turns = async || {
        let mut removed = 0;
        for _ in 0..6 {
            removed += store.remove_turns(&certificate, NOW, some(4)).await.unwrap();
        }
        removed
    };
    let moved = tokio::join!(move_ended(), move_ended());
    assert_eq!((moved.0 + moved.1, told(&counter).await), (11, before));
    let removed = tokio::join!(remove_turns(), remove_turns());
    assert_eq!(removed.0 + removed.1, certificate.revision - 1);
    let remove_ended = async || {
        let mut removed = 0;
        for _ in 0..6 {
            removed += store.remove_ended(NOW.plus_ms(1), some(2)).await.unwrap();
        }
        removed
    };
    let removed = tokio::join!(remove_ended(), remove_ended());
    assert_eq!(removed.0 + removed.1, 11);
}

fn event(number: u128) -> Event {
    let fact = Cancelled { reservation: ReservationId(number), sale: SaleId(7), buyer: BuyerId(1), quantity: 2 };
    Event::new(Fact::Cancelled(fact), 1, NOW)
}

pub async fn letters_that_are_done_go_after_their_time(store: impl MailLog + Retention) {
    let events: Vec<Event> = (1..=4).map(event).collect();
    store.keep(&events, NOW).await.unwrap();
    let claim = async |event: &Event, at: Timestamp| store.claim(event.id, "cancelled", at, 1_000).await.unwrap();
    let endings = [Ending::Sent, Ending::Nobody, Ending::Refused { why: "no".into() }];
    for (event, ending) in events.iter().zip(endings) {
        claim(event, NOW).await;
        store.end(event.id, 1, ending, NOW.plus_ms(5)).await.unwrap();
    }
    let removed = async |before, piece| store.remove_letters(before, piece).await.unwrap();
    assert_eq!(removed(NOW.plus_ms(5), some(9)).await, 0, "they are kept until then");
    assert_eq!(removed(NOW.plus_ms(6), dry(9)).await, 3);
    assert_eq!(removed(NOW.plus_ms(6), some(2)).await, 2);
    assert_eq!(removed(NOW.plus_ms(6), some(2)).await, 1);
    assert_eq!(removed(Timestamp(i64::MAX), some(9)).await, 0, "what is unsent stays");
    assert_eq!(store.due(NOW.plus_ms(9), 9).await.unwrap(), events[3..]);
    assert!(matches!(claim(&events[0], NOW).await, Claimed::Mine { tries: 1, .. }), "it would be written again");
}
