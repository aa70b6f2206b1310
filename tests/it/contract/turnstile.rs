//! What every turnstile must do, wherever its state is kept.

use miaosha::domain::sale::Allotment;
use miaosha::domain::sale::attempt::{Attempt, Batch};
use miaosha::domain::sale::turn::{Answer, Cause, Chain, Known, Promotion, Reserved};
use miaosha::domain::sale::turnstile::{ANSWERS_MAX, Ended, Level, Part, Reply, Snapshot};
use miaosha::domain::shared::id::BATCH_MAX;
use miaosha::domain::shared::id::{BatchId, BuyerId, ReservationId, SaleId};
use miaosha::ports::sale::turnstile::{TURNS_MAX, Turnstile};

const SALE: SaleId = SaleId(7);
const FIRST: u64 = 1;

/// Three units, at most two for one attempt, and two parties may wait.
const SMALL: Allotment = Allotment { capacity: 3, quantity_max: 2, standby_max: 2 };

/// Who knows nothing but the generation.
const NEW: Known = Known { generation: FIRST, revision: 0, chain: Chain(0) };

/// Who knows all there is to know.
async fn knowing(turnstile: &impl Turnstile) -> Known {
    let level = level(turnstile).await;
    Known { generation: level.generation, revision: level.revision, chain: level.chain }
}

pub fn batch(number: u64, attempts: &[(u64, u8)]) -> Batch {
    let attempts =
        attempts.iter().map(|&(buyer, quantity)| Attempt { buyer: BuyerId(buyer), quantity, waits: true }).collect();
    Batch { id: BatchId::new(1_767_225_600_000, number), sale: SALE, attempts, traced: Vec::new() }
}

fn reservation(number: u64, index: usize) -> ReservationId {
    batch(number, &[]).attempt_id(index).into()
}

fn taken(units: &[u32]) -> Answer {
    Answer::Taken { units: units.to_vec() }
}

fn standby(arrival: u64, position: u32) -> Answer {
    Answer::Standby { arrival, position }
}

fn promotion(reservation: ReservationId, units: &[u32]) -> Promotion {
    Promotion { reservation, units: units.to_vec() }
}

pub fn done<T>(reply: Reply<T>) -> T {
    match reply {
        Reply::Done(answer) => answer,
        Reply::Stale => panic!("the turnstile answered STALE"),
    }
}

/// The answer of a call that asked for one turn.
pub fn only<T>(reply: Reply<Vec<T>>) -> T {
    let [answer] = <[T; 1]>::try_from(done(reply)).unwrap_or_else(|more| panic!("{} turns, not one", more.len()));
    answer
}

/// Asks with the least that may be known.
async fn reserve(turnstile: &impl Turnstile, number: u64, attempts: &[(u64, u8)]) -> Reserved {
    only(turnstile.reserve(SALE, NEW, &[&batch(number, attempts)]).await.unwrap())
}

async fn release(turnstile: &impl Turnstile, reservations: &[ReservationId]) -> Vec<Vec<Promotion>> {
    let released = done(turnstile.release(SALE, NEW, &ended(reservations)).await.unwrap());
    released.into_iter().map(|released| released.promotions).collect()
}

fn ended(reservations: &[ReservationId]) -> Vec<Ended> {
    reservations.iter().map(|&id| id.into()).collect()
}

/// Some units of a reservation that goes on with the others.
fn part(of: ReservationId, units: &[u32]) -> Ended {
    Ended { id: of.split(units), part: Some(Part { of, units: units.to_vec() }) }
}

async fn level(turnstile: &impl Turnstile) -> Level {
    turnstile.look(SALE).await.unwrap().unwrap()
}

async fn snapshot(turnstile: &impl Turnstile) -> Snapshot {
    turnstile.snapshot(SALE).await.unwrap().unwrap()
}

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

/// It takes what is free, and where nothing is it leaves no trace.
pub async fn who_would_not_wait_is_refused(turnstile: impl Turnstile) {
    turnstile.open(SALE, FIRST, SMALL).await.unwrap();
    let mut at_once = batch(1, &[(1, 2), (2, 2), (3, 1), (4, 1), (1, 1)]);
    at_once.attempts.iter_mut().for_each(|attempt| attempt.waits = false);
    let reserved = only(turnstile.reserve(SALE, NEW, &[&at_once]).await.unwrap());
    let already = Answer::Already { reservation: reservation(1, 0) };
    assert_eq!(reserved.answers, [taken(&[1, 2]), Answer::Refused, taken(&[3]), Answer::Refused, already]);
    let seen = level(&turnstile).await;
    assert_eq!((seen.free, seen.standby), (0, 0));
    // Who was refused is not known, and may come again and wait.
    assert_eq!(reserve(&turnstile, 2, &[(2, 2)]).await.answers, [standby(1, 1)]);
    assert_eq!(release(&turnstile, &[reservation(1, 0)]).await, [[promotion(reservation(2, 0), &[1, 2])]]);
}

pub async fn units_go_in_order_then_places_then_nothing(turnstile: impl Turnstile) {
    turnstile.open(SALE, FIRST, SMALL).await.unwrap();
    let reserved = reserve(&turnstile, 1, &[(1, 1), (2, 2), (3, 1), (4, 2), (5, 1)]).await;
    let expected = [taken(&[1]), taken(&[2, 3]), standby(1, 1), standby(2, 2), Answer::Refused];
    assert_eq!(reserved.answers, expected);
    assert!(level(&turnstile).await.is_exhausted());
}

pub async fn an_attempt_is_all_or_nothing(turnstile: impl Turnstile) {
    turnstile.open(SALE, FIRST, SMALL).await.unwrap();
    let reserved = reserve(&turnstile, 1, &[(1, 0), (2, 3), (3, 255), (4, 2), (5, 2), (6, 1)]).await;
    let none = Answer::Refused;
    assert_eq!(reserved.answers, [none.clone(), none.clone(), none, taken(&[1, 2]), standby(1, 1), taken(&[3])]);
}

pub async fn a_buyer_has_one_live_reservation(turnstile: impl Turnstile) {
    turnstile.open(SALE, FIRST, SMALL).await.unwrap();
    // Ids that differ only beyond what a floating number holds.
    let (big, bigger) = (u64::MAX - 1, u64::MAX);
    let reserved = reserve(&turnstile, 1, &[(big, 2), (bigger, 2), (big, 1), (bigger, 0)]).await;
    let already = |index| Answer::Already { reservation: reservation(1, index) };
    assert_eq!(reserved.answers, [taken(&[1, 2]), standby(1, 1), already(0), Answer::Refused]);
    assert_eq!(reserve(&turnstile, 2, &[(bigger, 1), (big, 1)]).await.answers, [already(1), already(0)]);
    release(&turnstile, &[reservation(1, 1)]).await;
    assert_eq!(reserve(&turnstile, 3, &[(bigger, 1)]).await.answers, [taken(&[3])]);
}

pub async fn a_batch_asked_again_repeats_its_answer(turnstile: impl Turnstile) {
    turnstile.open(SALE, FIRST, SMALL).await.unwrap();
    let attempts = [(1, 2), (2, 2), (1, 1), (3, 0)];
    let first = reserve(&turnstile, 1, &attempts).await;
    release(&turnstile, &[reservation(1, 0)]).await;
    let before = snapshot(&turnstile).await;
    assert_eq!(reserve(&turnstile, 1, &attempts).await, first);
    assert_eq!(only(turnstile.reserve(SALE, knowing(&turnstile).await, &[&batch(1, &attempts)]).await.unwrap()), first);
    assert_eq!(snapshot(&turnstile).await, before);
}

/// As if each had been asked alone; one that was answered before, or comes twice, is answered as it was.
pub async fn batches_of_one_call_are_decided_one_after_another(turnstile: impl Turnstile) {
    let other = SaleId(8);
    let lots = [&[(1, 2), (2, 1)][..], &[(2, 1), (3, 2)], &[], &[(3, 1), (4, 1), (5, 1)], &[(1, 1), (6, 2)]];
    let batches: Vec<Batch> = lots.iter().zip(1..).map(|(lot, number)| batch(number, lot)).collect();
    let [a, b, c, d, e] = batches.iter().collect::<Vec<_>>().try_into().unwrap();
    for sale in [SALE, other] {
        turnstile.open(sale, FIRST, SMALL).await.unwrap();
    }
    let second = only(turnstile.reserve(SALE, NEW, &[b]).await.unwrap());
    let mut alone = vec![only(turnstile.reserve(other, NEW, &[b]).await.unwrap())];
    for batch in [a, c, d, e] {
        alone.push(only(turnstile.reserve(other, NEW, &[batch]).await.unwrap()));
    }

    let together = done(turnstile.reserve(SALE, knowing(&turnstile).await, &[a, b, c, d, c, e]).await.unwrap());
    assert_eq!(together[1], second);
    assert_eq!(together[4], together[2]);
    assert_eq!([1, 0, 2, 3, 5].map(|place| together[place].clone()), *alone);
    let (state, expected) = (snapshot(&turnstile).await, turnstile.snapshot(other).await.unwrap().unwrap());
    assert_eq!(state, expected);
    assert_eq!(done(turnstile.reserve(SALE, NEW, &[e, a]).await.unwrap()), [together[5].clone(), together[0].clone()]);
    assert_eq!(done(turnstile.reserve(SALE, NEW, &[]).await.unwrap()), []);
    assert_eq!(snapshot(&turnstile).await, state);
}

pub async fn a_release_serves_the_first_that_fit(turnstile: impl Turnstile) {
    turnstile.open(SALE, FIRST, Allotment { capacity: 4, quantity_max: 3, standby_max: 9 }).await.unwrap();
    reserve(&turnstile, 1, &[(1, 1), (2, 3), (3, 3), (4, 2), (5, 1), (6, 2), (7, 1)]).await;
    // One free unit: the parties of three and of two, who came first, do not fit.
    let one = release(&turnstile, &[reservation(1, 0)]).await;
    assert_eq!(one, [[promotion(reservation(1, 4), &[1])]]);
    // Three free units: now the first of all fits.
    let three = release(&turnstile, &[reservation(1, 1)]).await;
    assert_eq!(three, [[promotion(reservation(1, 2), &[2, 3, 4])]]);
    let rest = release(&turnstile, &[reservation(1, 2)]).await;
    assert_eq!(rest, [[promotion(reservation(1, 3), &[2, 3]), promotion(reservation(1, 6), &[4])]]);
    assert_eq!(level(&turnstile).await.standby, 1);
}

pub async fn a_release_asked_again_repeats_its_answer(turnstile: impl Turnstile) {
    turnstile.open(SALE, FIRST, SMALL).await.unwrap();
    reserve(&turnstile, 1, &[(1, 1), (2, 2), (3, 2), (4, 1)]).await;
    let (one, two) = (reservation(1, 0), reservation(1, 1));
    let first = done(turnstile.release(SALE, knowing(&turnstile).await, &ended(&[one])).await.unwrap());
    let both = done(turnstile.release(SALE, knowing(&turnstile).await, &ended(&[two, one, two])).await.unwrap());
    assert_eq!((&both[0], &both[1]), (&both[2], &first[0]));
    assert_eq!(level(&turnstile).await.revision, 3);
}

pub async fn a_release_of_nothing_is_a_turn(turnstile: impl Turnstile) {
    turnstile.open(SALE, FIRST, SMALL).await.unwrap();
    assert_eq!(release(&turnstile, &[reservation(9, 9)]).await, [[]]);
    let seen = level(&turnstile).await;
    assert_eq!((seen.revision, seen.free), (1, 3));
}

pub async fn a_part_goes_back_and_the_rest_stays(turnstile: impl Turnstile) {
    turnstile.open(SALE, FIRST, Allotment { capacity: 4, quantity_max: 3, standby_max: 9 }).await.unwrap();
    reserve(&turnstile, 1, &[(1, 3), (2, 1), (3, 2), (4, 1), (5, 1)]).await;
    let known = knowing(&turnstile).await;
    let one = part(reservation(1, 0), &[2]);
    let released = done(turnstile.release(SALE, known, std::slice::from_ref(&one)).await.unwrap()).remove(0);
    assert_eq!((released.reservation, released.promotions), (one.id, vec![promotion(reservation(1, 3), &[2])]));
    assert_eq!(released.stamp.chain, known.chain.then(&Cause::Release(one.id)));
    let state = snapshot(&turnstile).await;
    assert_eq!(state.taken[&reservation(1, 0)].units, [1, 3], "the others stay");
    // Its buyer keeps a live reservation until the last unit is gone.
    let still = reserve(&turnstile, 2, &[(1, 1)]).await.answers;
    assert_eq!(still, [Answer::Already { reservation: reservation(1, 0) }]);
    let rest = done(turnstile.release(SALE, NEW, &[part(reservation(1, 0), &[1, 3])]).await.unwrap()).remove(0);
    assert_eq!(rest.promotions, [promotion(reservation(1, 2), &[1, 3])]);
    assert!(!snapshot(&turnstile).await.taken.contains_key(&reservation(1, 0)));
    let again = reserve(&turnstile, 3, &[(1, 1)]).await.answers;
    assert_eq!(again, [standby(4, 2)], "who has nothing left may try again");
}

pub async fn a_part_is_taken_back_once(turnstile: impl Turnstile) {
    turnstile.open(SALE, FIRST, SMALL).await.unwrap();
    reserve(&turnstile, 1, &[(1, 2), (2, 1), (3, 1), (4, 1)]).await;
    let one = part(reservation(1, 0), &[1]);
    let known = knowing(&turnstile).await;
    let first = done(turnstile.release(SALE, known, std::slice::from_ref(&one)).await.unwrap());
    let twice = done(turnstile.release(SALE, NEW, &[one.clone(), one.clone()]).await.unwrap());
    assert_eq!((&twice[0], &twice[1]), (&first[0], &first[0]));
    // Forgotten answers change nothing either: the unit is not this reservation's any more.
    let state = snapshot(&turnstile).await;
    assert!(turnstile.restore(SALE, &Snapshot { generation: FIRST + 1, ..state.clone() }).await.unwrap());
    let anew = done(turnstile.release(SALE, knowing(&turnstile).await, &[one]).await.unwrap());
    assert_eq!(anew[0].promotions, []);
    assert_eq!(snapshot(&turnstile).await.holdings(), state.holdings());
}

pub async fn a_part_of_what_is_gone_is_a_turn_without_effect(turnstile: impl Turnstile) {
    turnstile.open(SALE, FIRST, SMALL).await.unwrap();
    reserve(&turnstile, 1, &[(1, 2), (2, 1), (3, 2)]).await;
    let all = done(turnstile.release(SALE, NEW, &ended(&[reservation(1, 0)])).await.unwrap()).remove(0);
    assert_eq!(all.promotions, [promotion(reservation(1, 2), &[1, 2])]);
    let before = snapshot(&turnstile).await.holdings();
    let waits = reserve(&turnstile, 2, &[(4, 1)]).await;
    assert_eq!(waits.answers, [standby(2, 1)]);
    let nothing = [part(reservation(1, 0), &[1]), part(reservation(1, 1), &[1, 2]), part(reservation(2, 0), &[1])];
    for released in done(turnstile.release(SALE, NEW, &nothing).await.unwrap()) {
        assert_eq!(released.promotions, [], "another has the units, or the reservation waits");
    }
    let after = snapshot(&turnstile).await;
    assert_eq!((after.revision, after.holdings().taken), (6, before.taken));
    assert_eq!(after.standby.len(), 1);
}

pub async fn who_leaves_standby_is_not_served(turnstile: impl Turnstile) {
    turnstile.open(SALE, FIRST, SMALL).await.unwrap();
    reserve(&turnstile, 1, &[(1, 2), (2, 1), (3, 1), (4, 1)]).await;
    let gone = release(&turnstile, &[reservation(1, 2), reservation(1, 1)]).await;
    assert_eq!(gone, [vec![], vec![promotion(reservation(1, 3), &[3])]]);
    // The place is free again, and arrivals are never used twice.
    assert_eq!(reserve(&turnstile, 2, &[(3, 1)]).await.answers, [standby(3, 1)]);
}

pub async fn a_raise_gives_more_and_never_less(turnstile: impl Turnstile) {
    turnstile.open(SALE, FIRST, SMALL).await.unwrap();
    reserve(&turnstile, 1, &[(1, 1), (2, 2), (3, 2), (4, 1)]).await;
    let raised = done(turnstile.raise(SALE, knowing(&turnstile).await, 5).await.unwrap());
    assert_eq!(raised.promotions, [promotion(reservation(1, 2), &[4, 5])]);
    assert_eq!(done(turnstile.raise(SALE, knowing(&turnstile).await, 5).await.unwrap()), raised);
    assert_eq!(done(turnstile.raise(SALE, knowing(&turnstile).await, 2).await.unwrap()).promotions, []);
    let seen = level(&turnstile).await;
    assert_eq!((seen.revision, seen.allotment.capacity, seen.free, seen.standby), (3, 5, 0, 1));
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

pub async fn the_largest_calls_are_answered(turnstile: impl Turnstile) {
    let allotment = Allotment { capacity: BATCH_MAX as u32, quantity_max: 8, standby_max: BATCH_MAX as u32 };
    turnstile.open(SALE, FIRST, allotment).await.unwrap();
    let buyers = |from: usize, quantity| (from..from + BATCH_MAX).map(|b| (b as u64, quantity)).collect::<Vec<_>>();
    let all: Vec<Answer> = (1..=BATCH_MAX as u32).map(|unit| taken(&[unit])).collect();
    assert_eq!(reserve(&turnstile, 1, &buyers(0, 1)).await.answers, all);
    let waiting: Vec<Answer> = (1..=BATCH_MAX as u32).map(|place| standby(place.into(), place)).collect();
    assert_eq!(reserve(&turnstile, 2, &buyers(BATCH_MAX, 8)).await.answers, waiting);
    let ids: Vec<_> = (0..TURNS_MAX).map(|index| reservation(1, index)).collect();
    assert_eq!(release(&turnstile, &ids).await.concat().len(), TURNS_MAX / 8);
    let raised = done(turnstile.raise(SALE, NEW, 8 * BATCH_MAX as u32).await.unwrap());
    assert_eq!(raised.promotions.len(), 7 * BATCH_MAX / 8);
    assert_eq!(reserve(&turnstile, 3, &[]).await.answers, []);
    let one_each: Vec<Batch> =
        (0..TURNS_MAX).map(|n| batch(4 + n as u64, &[(3 * BATCH_MAX as u64 + n as u64, 1); 2])).collect();
    let turns = done(turnstile.reserve(SALE, NEW, &one_each.iter().collect::<Vec<_>>()).await.unwrap());
    assert_eq!((turns.len(), turns[TURNS_MAX - 1].answers.len()), (TURNS_MAX, 2));
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

/// The suite over one adapter: `$make` gives each test a turnstile of its own.
macro_rules! over {
    ($adapter:ident, $make:expr) => {
        $crate::contract::turnstile::over!($adapter, $make;
            a_missing_sale_is_stale_to_all
            a_sale_is_opened_once_a_generation
            units_go_in_order_then_places_then_nothing
            who_would_not_wait_is_refused
            an_attempt_is_all_or_nothing
            a_buyer_has_one_live_reservation
            a_batch_asked_again_repeats_its_answer
            batches_of_one_call_are_decided_one_after_another
            a_release_serves_the_first_that_fit
            a_release_asked_again_repeats_its_answer
            a_release_of_nothing_is_a_turn
            a_part_goes_back_and_the_rest_stays
            a_part_is_taken_back_once
            a_part_of_what_is_gone_is_a_turn_without_effect
            who_leaves_standby_is_not_served
            a_raise_gives_more_and_never_less
            whoever_is_of_another_history_is_told
            whoever_is_far_behind_looks_again
            turns_are_chained_by_their_causes
            a_restore_replaces_an_older_generation
            what_is_removed_is_missing
            the_oldest_answers_are_forgotten
            the_largest_calls_are_answered
            sales_do_not_see_each_other);
    };
    ($adapter:ident, $make:expr; $($case:ident)*) => {
        mod $adapter {
            $(#[tokio::test]
            async fn $case() {
                $crate::contract::turnstile::$case($make.await).await;
            })*
        }
    };
}
pub(crate) use over;
