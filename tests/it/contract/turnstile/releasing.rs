//! What comes back and who has it next: whole reservations, parts of one, and more units.

use miaosha::domain::sale::Allotment;
use miaosha::domain::sale::turn::{Answer, Cause};
use miaosha::domain::sale::turnstile::Snapshot;
use miaosha::ports::sale::turnstile::Turnstile;

use super::{
    FIRST, NEW, SALE, SMALL, done, ended, knowing, level, part, promotion, release, reservation, reserve, snapshot,
    standby,
};

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
