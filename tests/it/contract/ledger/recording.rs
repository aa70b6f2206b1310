//! Recording the turnstile's answers: once, in whatever order they arrive, and never what does not fit.

use miaosha::domain::sale::TILL_HOLD_MS;
use miaosha::domain::sale::reservation::{Kind, Reservation, State};
use miaosha::domain::sale::turn::{Answer, Chain, Turn};
use miaosha::domain::sale::turnstile::Turnstile;
use miaosha::domain::shared::id::ReservationId;
use miaosha::ports::sale::recording::Recorded;

use super::counter::{Counter, HOLD_MS, NOW, Store, allotment, later};

pub async fn a_batch_is_recorded_as_it_was_decided<S: Store>(store: S) {
    let mut counter = Counter::open(store, 3, 1).await;
    let rows = counter.reserved(&[(1, 2), (2, 1), (3, 1), (4, 1), (1, 1), (5, 9)]).await;
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[0].state, State::Held { units: vec![1, 2], lapses_at: later() });
    assert_eq!(rows[1].state, State::Held { units: vec![3], lapses_at: later() });
    assert_eq!(rows[2].state, State::Standby { generation: 1, arrival: 1 });
    for row in &rows {
        assert_eq!(counter.row(row.id).await, *row, "what is answered is what is read");
        assert_eq!((row.version, row.freed, row.created_at), (1, false, NOW));
    }
    assert_eq!(counter.claimed().await, [1, 2, 3]);
    counter.agrees().await;
}

/// Who made it is there to confirm it, or is gone.
pub async fn the_hold_of_who_would_not_wait_is_short<S: Store>(store: S) {
    let mut counter = Counter::open(store, 2, 0).await;
    let mut turn = counter.reserve(&[(1, 1), (2, 1)]);
    let Turn::Batch { batch, .. } = &mut turn else { unreachable!() };
    batch.attempts[1].waits = false;
    let rows = counter.recorded(std::slice::from_ref(&turn)).await;
    let lapses = |row: &Reservation| match row.state {
        State::Held { lapses_at, .. } => lapses_at.since_ms(NOW),
        _ => panic!("{row:?}"),
    };
    assert_eq!(rows.iter().map(lapses).collect::<Vec<_>>(), [HOLD_MS, TILL_HOLD_MS]);
}

pub async fn nothing_to_record_is_done<S: Store>(store: S) {
    let counter = Counter::open(store, 1, 0).await;
    assert_eq!(counter.record(&[]).await, Recorded::Done(vec![]));
}

pub async fn recorded_twice_is_done_once<S: Store>(store: S) {
    let mut counter = Counter::open(store, 2, 1).await;
    let turn = counter.reserve(&[(1, 1), (2, 1), (3, 1)]);
    let rows = counter.recorded(std::slice::from_ref(&turn)).await;
    counter.store.cancel(rows[0].id, rows[0].buyer, NOW).await.unwrap().unwrap();
    let again = counter.recorded(&[turn]).await;
    assert_eq!(again[0].state, State::Cancelled, "a row is answered as it reads now");
    assert_eq!(again[1..], rows[1..]);
    assert_eq!(counter.claimed().await, [2]);
}

pub async fn a_later_revision_may_be_recorded_first<S: Store>(store: S) {
    let mut counter = Counter::open(store, 3, 0).await;
    let turns = [counter.reserve(&[(1, 1)]), counter.reserve(&[(2, 1)]), counter.reserve(&[(3, 1)])];
    for place in [2, 0, 1] {
        assert_eq!(counter.recorded(&turns[place..=place]).await.len(), 1);
    }
    counter.agrees().await;
}

pub async fn one_call_may_bring_turns_that_build_on_each_other<S: Store>(store: S) {
    let mut counter = Counter::open(store, 1, 2).await;
    let held = counter.reserved(&[(1, 1)]).await.remove(0);
    counter.store.cancel(held.id, held.buyer, NOW).await.unwrap();
    let waits = counter.reserve(&[(2, 1)]);
    let release = counter.release(held.id);
    let raise = counter.raise(2);
    let rows = counter.recorded(&[waits, release, raise]).await;
    assert_eq!(rows.len(), 1, "the reservation that is released is not made or moved by these turns");
    assert_eq!(rows[0].state, State::Held { units: vec![1], lapses_at: later() });
    assert_eq!(rows[0].version, 2);
    assert_eq!(counter.row(rows[0].id).await, rows[0]);
    assert!(counter.row(held.id).await.freed);
    assert_eq!(counter.claimed().await, [1]);
}

pub async fn a_call_of_many_full_batches_is_recorded<S: Store>(store: S) {
    let mut counter = Counter::open(store, 4_000, 3_000).await;
    let turns: Vec<Turn> = (0..16)
        .map(|batch| {
            let attempts: Vec<(u64, u8)> = (0..512).map(|index| (batch * 512 + index + 1, 1)).collect();
            counter.reserve(&attempts)
        })
        .collect();
    assert_eq!(counter.recorded(&turns).await.len(), 7_000);
    counter.agrees().await;
    let facts = counter.store.audit(counter.sale.id, NOW).await.unwrap().unwrap();
    assert_eq!((facts.attempts, facts.outcomes), (8_192, [4_000, 3_000, 0, 1_192]));
    assert_eq!(counter.recorded(&turns).await.len(), 7_000, "again");
    let standing = counter.store.standing(counter.sale.id).await.unwrap().unwrap();
    assert_eq!((standing.pending, standing.standby), (4_000, 3_000));
}

pub async fn another_turn_at_a_revision_diverges<S: Store>(store: S) {
    let mut counter = Counter::open(store, 3, 0).await;
    let wiped = counter.turnstile.clone();
    counter.reserved(&[(1, 1)]).await;
    counter.turnstile = wiped;
    let other = counter.reserve(&[(2, 1)]);
    assert!(matches!(counter.record(&[other]).await, Recorded::Diverged { .. }));
    assert_eq!(counter.claimed().await, [1]);
}

pub async fn a_chain_that_does_not_fit_the_turn_before_diverges<S: Store>(store: S) {
    let (mut counter, [_, second], [other_first, _]) = two_histories(store).await;
    counter.recorded(&[other_first]).await;
    assert!(matches!(counter.record(&[second]).await, Recorded::Diverged { .. }));
    let known = counter.reserve(&[(9, 1)]);
    let look = counter.store.look(counter.sale.id, &[known.cause()], &[]).await.unwrap().unwrap();
    assert_eq!((look.revision, look.recorded.len()), (1, 0), "nothing of it is there");
}

pub async fn a_chain_that_does_not_fit_the_turn_after_diverges<S: Store>(store: S) {
    let (counter, [_, second], [other_first, _]) = two_histories(store).await;
    counter.recorded(&[second]).await;
    assert!(matches!(counter.record(&[other_first]).await, Recorded::Diverged { .. }));
    assert_eq!(counter.claimed().await, [2]);
}

pub async fn a_first_turn_that_follows_something_diverges<S: Store>(store: S) {
    let mut counter = Counter::open(store, 3, 0).await;
    let Turn::Batch { batch, mut reserved } = counter.reserve(&[(1, 1)]) else { unreachable!() };
    reserved.stamp.before = Chain(1);
    assert!(matches!(counter.record(&[Turn::Batch { batch, reserved }]).await, Recorded::Diverged { .. }));
}

pub async fn a_cause_of_another_revision_diverges<S: Store>(store: S) {
    let mut counter = Counter::open(store, 3, 0).await;
    let turn = counter.reserve(&[(9, 5)]);
    counter.recorded(std::slice::from_ref(&turn)).await;
    let Turn::Batch { batch, .. } = turn else { unreachable!() };
    let next = counter.reserve(&[(8, 5)]);
    let Turn::Batch { reserved, .. } = next else { unreachable!() };
    assert!(matches!(counter.record(&[Turn::Batch { batch, reserved }]).await, Recorded::Diverged { .. }));
}

/// What a turnstile that forgot a buyer would answer: a claimed unit, a live buyer's second hold, an arrival given twice.
pub async fn what_a_fence_refuses_diverges_and_leaves_nothing<S: Store>(store: S) {
    let mut counter = Counter::open(store, 3, 3).await;
    counter.reserved(&[(1, 3), (2, 1)]).await;
    let before = counter.turnstile.clone();
    type Spoil = fn(&mut Turn);
    let spoils: [Spoil; 4] = [
        |turn| with_answer(turn, Answer::Taken { units: vec![2] }),
        |turn| with_buyer(turn, 1),
        |turn| with_buyer(turn, 2),
        |turn| with_answer(turn, Answer::Standby { arrival: 1, position: 1 }),
    ];
    for spoil in spoils {
        counter.turnstile = before.clone();
        let mut turn = counter.reserve(&[(3, 1), (4, 1)]);
        spoil(&mut turn);
        assert!(matches!(counter.record(&[turn]).await, Recorded::Diverged { .. }));
        counter.turnstile = before.clone();
        counter.agrees().await;
    }
}

fn with_answer(turn: &mut Turn, answer: Answer) {
    if let Turn::Batch { reserved, .. } = turn {
        reserved.answers[1] = answer;
    }
}

fn with_buyer(turn: &mut Turn, buyer: u64) {
    if let Turn::Batch { batch, .. } = turn {
        batch.attempts[1].buyer.0 = buyer;
    }
}

pub async fn a_row_that_is_there_is_not_born_again<S: Store>(store: S) {
    let mut counter = Counter::open(store, 3, 0).await;
    let first = counter.reserve(&[(1, 1), (2, 1)]);
    counter.recorded(std::slice::from_ref(&first)).await;
    let Turn::Batch { batch, .. } = &first else { unreachable!() };
    let mut second = counter.reserve(&[(3, 1)]);
    if let Turn::Batch { batch: other, .. } = &mut second {
        // Its first attempt is then the other batch's second.
        other.id.0 = batch.id.0 + 1;
    }
    assert!(matches!(counter.record(&[second]).await, Recorded::Diverged { .. }));
}

pub async fn a_turn_of_another_generation_is_moved<S: Store>(store: S) {
    let mut counter = Counter::open(store, 3, 0).await;
    counter.store.restore(counter.sale.id, 1, NOW).await.unwrap().unwrap();
    let old = counter.reserve(&[(1, 1)]);
    assert_eq!(counter.record(std::slice::from_ref(&old)).await, Recorded::Moved);
    let unknown = miaosha::domain::shared::id::SaleId(counter.sale.id.0 + 1);
    assert_eq!(counter.store.record(unknown, &[old], NOW).await.unwrap(), Recorded::Moved);
    assert_eq!(counter.claimed().await, [0_u32; 0]);
}

pub async fn a_promotion_waits_for_its_row_to_be_born<S: Store>(store: S) {
    let mut counter = Counter::open(store, 1, 1).await;
    let held = counter.reserved(&[(1, 1)]).await.remove(0);
    counter.store.cancel(held.id, held.buyer, NOW).await.unwrap();
    let birth = counter.reserve(&[(2, 1)]);
    let release = counter.release(held.id);
    let promoted = release.promotions()[0].reservation;
    assert_eq!(counter.record(std::slice::from_ref(&release)).await, Recorded::Absent { reservation: promoted });
    assert!(!counter.row(held.id).await.freed, "all of it is undone");
    let look = counter.store.look(counter.sale.id, &[release.cause()], &[held.id]).await.unwrap().unwrap();
    assert_eq!((look.recorded.len(), look.unfreed), (0, vec![held.id.into()]));
    assert_eq!(counter.recorded(&[birth]).await[0].state.kind(), Kind::Standby);
    assert_eq!(counter.recorded(&[release]).await[0].state.kind(), Kind::Held);
    counter.agrees().await;
}

pub async fn a_promotion_of_an_ended_row_is_left_to_its_own_release<S: Store>(store: S) {
    let mut counter = Counter::open(store, 1, 2).await;
    let rows = counter.reserved(&[(1, 1), (2, 1), (3, 1)]).await;
    for row in &rows[..2] {
        counter.store.cancel(row.id, row.buyer, NOW).await.unwrap();
    }
    let first = counter.release(rows[0].id);
    assert_eq!(first.promotions()[0].reservation, rows[1].id);
    assert_eq!(counter.recorded(&[first]).await, [counter.row(rows[1].id).await]);
    assert_eq!(counter.kind(rows[1].id).await, Kind::Cancelled);
    assert_eq!(counter.claimed().await, [0_u32; 0]);
    let second = counter.release(rows[1].id);
    assert_eq!(counter.recorded(&[second]).await[0].id, rows[2].id);
    assert_eq!(counter.claimed().await, [1]);
    counter.agrees().await;
}

pub async fn a_promotion_of_a_held_row_diverges<S: Store>(store: S) {
    let mut counter = Counter::open(store, 2, 1).await;
    let held = counter.reserved(&[(1, 1)]).await.remove(0);
    let Turn::Raise(mut raised) = counter.raise(3) else { unreachable!() };
    raised.promotions.push(miaosha::domain::sale::turn::Promotion { reservation: held.id, units: vec![2] });
    assert!(matches!(counter.record(&[Turn::Raise(raised)]).await, Recorded::Diverged { .. }));
    assert_eq!(counter.claimed().await, [1]);
}

pub async fn many_promotions_travel_together<S: Store>(store: S) {
    let mut counter = Counter::open(store, 150, 150).await;
    let attempts: Vec<(u64, u8)> = (1..=300).map(|buyer| (buyer, 1)).collect();
    let rows = counter.reserved(&attempts).await;
    let ids: Vec<ReservationId> = rows[..150].iter().map(|row| row.id).collect();
    let lapsed = counter.store.lapse(counter.sale.id, &ids, later()).await.unwrap();
    assert_eq!(lapsed.len(), 150);
    let turns: Vec<Turn> = ids.iter().map(|&id| counter.release(id)).collect();
    let moved = counter.recorded(&turns).await;
    assert_eq!(moved.len(), 150);
    for row in &moved {
        assert_eq!(counter.row(row.id).await, *row);
    }
    counter.agrees().await;
}

async fn two_histories<S: Store>(store: S) -> (Counter<S>, [Turn; 2], [Turn; 2]) {
    let mut counter = Counter::open(store, 4, 0).await;
    let one = [counter.reserve(&[(1, 1)]), counter.reserve(&[(2, 1)])];
    counter.turnstile = Turnstile::open(1, allotment(4, 0));
    let other = [counter.reserve(&[(3, 1)]), counter.reserve(&[(4, 1)])];
    (counter, one, other)
}
