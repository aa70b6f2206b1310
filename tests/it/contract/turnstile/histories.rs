//! Generations, revisions and answers that are kept: who is told that he is of another history, and what a restore puts in its place.

use miaosha::domain::sale::Allotment;
use miaosha::domain::sale::attempt::Batch;
use miaosha::domain::sale::turn::{Answer, Cause, Chain, Known};
use miaosha::domain::sale::turnstile::{ANSWERS_MAX, Reply, Snapshot};
use miaosha::domain::shared::id::{BuyerId, ReservationId, SaleId};
use miaosha::ports::sale::turnstile::{TURNS_MAX, Turnstile};

use super::{
    FIRST, NEW, SALE, SMALL, batch, done, ended, knowing, level, only, release, reservation, reserve, snapshot,
    standby, taken,
};

pub async fn a_missing_sale_is_stale_to_all(turnstile: impl Turnstile) {
    assert_eq!(turnstile.reserve(SALE, NEW, &[&batch(1, &[(1, 1)])]).await.unwrap(), Reply::Stale);
    assert_eq!(turnstile.release(SALE, NEW, &ended(&[reservation(1, 0)])).await.unwrap(), Reply::Stale);
    assert_eq!(turnstile.raise(SALE, NEW, 10).await.unwrap(), Reply::Stale);
    assert_eq!(turnstile.look(SALE).await.unwrap(), None);
    assert_eq!(turnstile.snapshot(SALE).await.unwrap(), None);
    turnstile.ping().await.unwrap();
}

pub async fn a_sale_is_opened_once_a_generation(turnstile: impl Turnstile) {
    turnstile.open(SALE, FIRST, SMALL).await.unwrap();
    reserve(&turnstile, 1, &[(1, 2)]).await;
    turnstile.open(SALE, FIRST, Allotment { capacity: 9, ..SMALL }).await.unwrap();
    let seen = level(&turnstile).await;
    assert_eq!((seen.generation, seen.revision, seen.allotment, seen.free, seen.standby), (FIRST, 1, SMALL, 1, 0));
    turnstile.open(SALE, FIRST + 1, SMALL).await.unwrap();
    assert_eq!(snapshot(&turnstile).await, Snapshot::empty(FIRST + 1, SMALL));
}

pub async fn whoever_is_of_another_history_is_told(turnstile: impl Turnstile) {
    turnstile.open(SALE, FIRST, SMALL).await.unwrap();
    reserve(&turnstile, 1, &[(1, 1)]).await;
    let before = snapshot(&turnstile).await;
    let now = knowing(&turnstile).await;
    let behind = Known { revision: 2, ..now };
    let other = Known { chain: Chain(1), ..now };
    for known in [behind, other, Known::of(FIRST + 1), Known::of(FIRST - 1)] {
        // Even what it answered before is not repeated.
        assert_eq!(turnstile.reserve(SALE, known, &[&batch(1, &[(1, 1)])]).await.unwrap(), Reply::Stale, "{known:?}");
        assert_eq!(
            turnstile.release(SALE, known, &ended(&[reservation(1, 0)])).await.unwrap(),
            Reply::Stale,
            "{known:?}"
        );
        assert_eq!(turnstile.raise(SALE, known, 9).await.unwrap(), Reply::Stale, "{known:?}");
    }
    assert_eq!(snapshot(&turnstile).await, before);

    // What was true at an earlier revision is still known, and so is what was not.
    reserve(&turnstile, 2, &[(2, 1)]).await;
    reserve(&turnstile, 3, &[(3, 1)]).await;
    assert_eq!(turnstile.release(SALE, now, &[]).await.unwrap(), Reply::Done(Vec::new()));
    assert_eq!(turnstile.release(SALE, other, &[]).await.unwrap(), Reply::Stale);
    assert_eq!(level(&turnstile).await.revision, 3, "a release of nothing is no turn");
}

/// Only the revisions whose answers are kept are known; an older caller looks again.
pub async fn whoever_is_far_behind_looks_again(turnstile: impl Turnstile) {
    turnstile.open(SALE, FIRST, SMALL).await.unwrap();
    let nobody = |number: usize| reservation(1_000 + number as u64, 0);
    release(&turnstile, &[nobody(0)]).await;
    let first = knowing(&turnstile).await;
    let others: Vec<ReservationId> = (1..ANSWERS_MAX).map(nobody).collect();
    for others in others.chunks(TURNS_MAX) {
        release(&turnstile, others).await;
    }
    assert_eq!(turnstile.release(SALE, first, &[]).await.unwrap(), Reply::Done(Vec::new()));
    release(&turnstile, &[nobody(ANSWERS_MAX)]).await;
    assert_eq!(turnstile.release(SALE, first, &[]).await.unwrap(), Reply::Stale);
    assert_eq!(turnstile.release(SALE, NEW, &[]).await.unwrap(), Reply::Done(Vec::new()));
}

pub async fn turns_are_chained_by_their_causes(turnstile: impl Turnstile) {
    turnstile.open(SALE, FIRST, SMALL).await.unwrap();
    let reserved = reserve(&turnstile, 1, &[(1, 1)]).await.stamp;
    let released = done(
        turnstile
            .release(SALE, knowing(&turnstile).await, &ended(&[reservation(1, 0), reservation(3, 0)]))
            .await
            .unwrap(),
    );
    let raised = done(turnstile.raise(SALE, knowing(&turnstile).await, 4).await.unwrap()).stamp;
    let causes = [
        (Cause::Batch(batch(1, &[]).id), reserved),
        (Cause::Release(reservation(1, 0)), released[0].stamp),
        (Cause::Release(reservation(3, 0)), released[1].stamp),
        (Cause::Raise(4), raised),
    ];
    let mut chain = Chain::default();
    for (revision, (cause, stamp)) in (1..).zip(causes) {
        let next = chain.then(&cause);
        assert_eq!((stamp.generation, stamp.revision, stamp.before, stamp.chain), (FIRST, revision, chain, next));
        chain = next;
    }
    assert_eq!(level(&turnstile).await.chain, chain);
}

pub async fn a_restore_replaces_an_older_generation(turnstile: impl Turnstile) {
    let mut state = Snapshot::empty(FIRST + 4, Allotment { capacity: 5, quantity_max: 2, standby_max: 5 });
    let parties = vec![(reservation(3, 0), BuyerId(8), 2), (reservation(2, 0), BuyerId(u64::MAX), 2)];
    let held = miaosha::domain::sale::turnstile::Taken { buyer: BuyerId(1), units: vec![2, 5] };
    state = Snapshot::rebuilt(state.generation, state.allotment, [(reservation(1, 0), held)].into(), parties);
    (state.revision, state.chain, state.next_arrival) = (9_007_199_254_740_990, Chain(0xab), 9_007_199_254_740_990);

    turnstile.open(SALE, FIRST, SMALL).await.unwrap();
    reserve(&turnstile, 1, &[(1, 2), (2, 2)]).await;
    assert!(turnstile.restore(SALE, &state).await.unwrap());
    assert_eq!(snapshot(&turnstile).await, state);
    for generation in [FIRST, state.generation] {
        let other = Snapshot::empty(generation, SMALL);
        assert!(!turnstile.restore(SALE, &other).await.unwrap());
    }
    assert_eq!(snapshot(&turnstile).await, state);

    // The batch that it answered before is decided anew: kept answers start empty.
    let known = Known { generation: FIRST + 4, revision: state.revision, chain: state.chain };
    let again = only(turnstile.reserve(SALE, known, &[&batch(1, &[(1, 2), (2, 2)])]).await.unwrap());
    let already = Answer::Already { reservation: reservation(1, 0) };
    assert_eq!(again.answers, [already, taken(&[1, 3])]);
    assert_eq!(again.stamp.revision, 9_007_199_254_740_991);
    let known = knowing(&turnstile).await;
    let later = only(turnstile.reserve(SALE, known, &[&batch(4, &[(5, 2)])]).await.unwrap());
    assert_eq!(later.answers, [standby(9_007_199_254_740_990, 3)]);
}

pub async fn what_is_removed_is_missing(turnstile: impl Turnstile) {
    turnstile.open(SALE, FIRST, SMALL).await.unwrap();
    reserve(&turnstile, 1, &[(1, 2), (2, 1), (3, 1), (4, 2)]).await;
    let other = SaleId(SALE.0 + 1);
    turnstile.open(other, FIRST, SMALL).await.unwrap();
    let before = snapshot(&turnstile).await;
    turnstile.remove(SALE).await.unwrap();
    turnstile.remove(SALE).await.unwrap();
    assert_eq!((turnstile.look(SALE).await.unwrap(), turnstile.snapshot(SALE).await.unwrap()), (None, None));
    assert_eq!(turnstile.release(SALE, NEW, &ended(&[reservation(1, 0)])).await.unwrap(), Reply::Stale);
    assert!(turnstile.look(other).await.unwrap().is_some(), "another sale's is there");
    // Nothing of it was left over.
    assert!(turnstile.restore(SALE, &before).await.unwrap());
    assert_eq!(snapshot(&turnstile).await.holdings(), before.holdings());
}

pub async fn the_oldest_answers_are_forgotten(turnstile: impl Turnstile) {
    turnstile.open(SALE, FIRST, SMALL).await.unwrap();
    reserve(&turnstile, 1, &[(1, 1)]).await;
    let others: Vec<_> = (0..ANSWERS_MAX).map(|index| reservation(2, index)).collect();
    for some in others.chunks(TURNS_MAX) {
        release(&turnstile, some).await;
    }
    let last = level(&turnstile).await.revision;
    release(&turnstile, &others[..1]).await;
    assert_eq!(level(&turnstile).await.revision, last, "the oldest but one is kept");
    let forgotten = reserve(&turnstile, 1, &[(1, 1)]).await;
    assert_eq!(forgotten.answers, [Answer::Already { reservation: reservation(1, 0) }]);
    assert_eq!(forgotten.stamp.revision, last + 1);
    // By now `others[1]` is the oldest. A call forgets at its end: what it asks for itself is still there.
    release(&turnstile, &[reservation(3, 0), others[1]]).await;
    assert_eq!(level(&turnstile).await.revision, last + 2);
    release(&turnstile, &others[1..2]).await;
    assert_eq!(level(&turnstile).await.revision, last + 3);
}

pub async fn sales_do_not_see_each_other(turnstile: impl Turnstile) {
    let other = SaleId(8);
    turnstile.open(SALE, FIRST, SMALL).await.unwrap();
    turnstile.open(other, FIRST, SMALL).await.unwrap();
    let here = reserve(&turnstile, 1, &[(1, 2)]).await;
    let there = Batch { sale: other, ..batch(1, &[(1, 2)]) };
    assert_eq!(only(turnstile.reserve(other, NEW, &[&there]).await.unwrap()), here);
    release(&turnstile, &[reservation(1, 0)]).await;
    assert_eq!(turnstile.look(other).await.unwrap().unwrap().free, 1);
}
