//! What a call to reserve gives, to whom, and in what order.

use miaosha::domain::sale::Allotment;
use miaosha::domain::sale::attempt::Batch;
use miaosha::domain::sale::turn::Answer;
use miaosha::domain::shared::id::{BATCH_MAX, SaleId};
use miaosha::ports::sale::turnstile::{TURNS_MAX, Turnstile};

use super::{
    FIRST, NEW, SALE, SMALL, batch, done, knowing, level, only, promotion, release, reservation, reserve, snapshot,
    standby, taken,
};

pub async fn units_go_in_order_then_places_then_nothing(turnstile: impl Turnstile) {
    turnstile.open(SALE, FIRST, SMALL).await.unwrap();
    let reserved = reserve(&turnstile, 1, &[(1, 1), (2, 2), (3, 1), (4, 2), (5, 1)]).await;
    let expected = [taken(&[1]), taken(&[2, 3]), standby(1, 1), standby(2, 2), Answer::Refused];
    assert_eq!(reserved.answers, expected);
    assert!(level(&turnstile).await.is_exhausted());
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
