//! Money that an operator gives back: of the whole order, or of some of its units.

use miaosha::domain::money::order::Order;
use miaosha::domain::money::payment::{
    MadeRefund, PaymentState, Refund, RefundAnswer, RefundEntry, RefundKind, RefundState, Why,
};
use miaosha::domain::sale::reservation::{Kind, Reservation, State};
use miaosha::domain::sale::turnstile::{Ended, Part};
use miaosha::domain::shared::event::Fact;
use miaosha::domain::shared::id::{BuyerId, RefundId, RequestId, ReservationId};
use miaosha::domain::shared::money::Money;
use miaosha::ports::money::paying::Confirmed;
use miaosha::ports::money::refunds::{RefundOutcome, RefundRequest};

use super::counter::{Counter, NOW, PACE, Store, later};
use crate::support::orders::order;

fn all(number: &str) -> RefundRequest {
    RefundRequest { number: number.into(), units: None, reason: None, request: None }
}

fn some(number: &str, units: &[u32]) -> RefundRequest {
    RefundRequest {
        number: number.into(),
        units: Some(units.to_vec()),
        reason: Some("a broken seat".into()),
        request: None,
    }
}

/// What was written, taken apart: the order, what goes back, the row, and what ended.
fn done(given: RefundOutcome) -> (Order, RefundEntry, Reservation, ReservationId) {
    match given {
        RefundOutcome::Done(given) => (given.order, given.entry, given.row, given.ended),
        other => panic!("nothing went back: {other:?}"),
    }
}

/// A reservation of so many units, paid for as order `N`; later parties wait.
async fn bought<S: Store>(counter: &mut Counter<S>, quantity: u8) -> Reservation {
    let row = counter.reserved(&[(1, quantity)]).await.remove(0);
    let payment = counter.begin_paying(&row, 1).await;
    assert!(matches!(counter.store.confirm(row.id, payment, "N", NOW).await.unwrap(), Confirmed::Order(_)));
    counter.row(row.id).await
}

fn minor<S: Store>(counter: &Counter<S>, units: i64) -> Money {
    Money { minor: counter.sale.price.minor * units, currency: counter.sale.price.currency }
}

pub async fn an_operator_gives_back_a_whole_order<S: Store>(store: S) {
    let mut counter = Counter::open(store, 2, 1).await;
    assert_eq!(counter.store.refund_units(&all("N"), NOW).await.unwrap(), RefundOutcome::Missing);
    let paid = bought(&mut counter, 2).await;
    let State::Confirmed { payment, .. } = paid.state else { panic!("{paid:?}") };
    let (order, entry, row, ended) = done(counter.store.refund_units(&all("N"), later()).await.unwrap());
    assert_eq!((&row.state, row.version, row.freed), (&State::Refunded, paid.version + 1, false));
    assert_eq!((ended, counter.row(paid.id).await), (row.id, row.clone()));
    assert_eq!((order.refunded, &order.refunded_units, order.refunded_amount), (true, &vec![1, 2], order.amount));
    assert_eq!(order.left(), [0_u32; 0]);
    let refund = Refund { id: RefundId::of_ended(row.id), payment, amount: minor(&counter, 2) };
    let why = Why::Operator { units: vec![1, 2], reason: None };
    let due = RefundEntry::due(refund, row.id, row.sale, why, later());
    assert_eq!((&entry, counter.store.refunds_due(later(), 9).await.unwrap()), (&due, vec![due.clone()]));
    assert_eq!(counter.store.order("N").await.unwrap(), Some(order.clone()));
    assert_eq!(counter.claimed().await, [0_u32; 0]);
    for again in [all("N"), some("N", &[1])] {
        assert_eq!(counter.store.refund_units(&again, NOW).await.unwrap(), RefundOutcome::NothingLeft);
    }
    assert_eq!(counter.store.refunds_of(&[row.id]).await.unwrap(), [due]);
    assert_eq!(counter.payment_state(payment).await, PaymentState::Captured);
    let again = counter.store.confirm(row.id, payment, "M", NOW).await.unwrap();
    assert_eq!(again, Confirmed::Order(order), "a late copy of the checkout undoes nothing");
    assert_eq!(counter.store.unfreed(9).await.unwrap(), [(row.sale, row.id)]);
    let release = counter.release(row.id);
    counter.recorded(&[release]).await;
    assert_eq!(counter.kind(row.id).await, Kind::Refunded);
    counter.agrees().await;
}

pub async fn single_units_leave_an_order_one_by_one<S: Store>(store: S) {
    let mut counter = Counter::open(store, 4, 0).await;
    let paid = bought(&mut counter, 3).await;
    let State::Confirmed { payment, .. } = paid.state else { panic!("{paid:?}") };
    let (order, entry, row, ended) = done(counter.store.refund_units(&some("N", &[2]), later()).await.unwrap());
    assert_eq!(row.state, State::Confirmed { units: vec![1, 3], payment });
    assert_eq!((row.quantity, row.version, counter.row(paid.id).await), (2, paid.version + 1, row.clone()));
    assert_eq!((order.refunded, order.left(), &order.refunded_units), (false, vec![1, 3], &vec![2]));
    assert_eq!((order.refunded_amount, entry.refund.amount), (minor(&counter, 1), minor(&counter, 1)));
    assert_eq!(entry.why, Why::Operator { units: vec![2], reason: Some("a broken seat".into()) });
    assert_ne!(ended, paid.id);
    assert_eq!(counter.claimed().await, [1, 3], "the unit is claimed no more");

    // What ended is a row of its own, which only the release ever asks for.
    let split = counter.row(ended).await;
    assert_eq!((split.state, split.freed, split.buyer), (State::Refunded, false, paid.buyer));
    assert_eq!(counter.store.unfreed(9).await.unwrap(), [(paid.sale, ended)]);
    assert_eq!(counter.store.reservation_of(paid.sale, paid.buyer).await.unwrap().unwrap().id, paid.id);
    assert_eq!(counter.store.history(paid.sale).await.unwrap().reservations, [(paid.buyer, paid.id)]);
    let look = counter.store.look(paid.sale, &[], &[ended, paid.id]).await.unwrap().unwrap();
    let part = Ended { id: ended, part: Some(Part { of: paid.id, units: vec![2] }) };
    assert_eq!(look.unfreed, std::slice::from_ref(&part));

    assert_eq!(
        counter.store.refund_units(&some("N", &[1, 2]), NOW).await.unwrap(),
        RefundOutcome::Refunded { place: 1 }
    );
    assert_eq!(
        counter.store.refund_units(&some("N", &[3, 4]), NOW).await.unwrap(),
        RefundOutcome::Foreign { place: 1 }
    );
    assert_eq!(counter.store.refunds_of(&[paid.id]).await.unwrap().len(), 1, "nothing of it was written");

    let release = counter.release_one(part);
    counter.recorded(&[release]).await;
    assert_eq!(counter.store.unfreed(9).await.unwrap(), []);
    counter.agrees().await;
    let (order, _, row, last) = done(counter.store.refund_units(&all("N"), NOW).await.unwrap());
    assert_eq!((row.state, last, order.refunded), (State::Refunded, paid.id, true));
    assert_eq!(order.refunded_amount, order.amount);
    // What was split off came later, and is still no buyer's last reservation.
    assert_eq!(counter.store.reservation_of(paid.sale, paid.buyer).await.unwrap().unwrap().id, paid.id);
    let release = counter.release(paid.id);
    counter.recorded(&[release]).await;
    counter.agrees().await;
    assert_eq!(counter.claimed().await, [0_u32; 0]);
}

/// A process crashed between the refund and the answer: the same request again gets the same answer.
pub async fn a_refund_asked_for_again_under_its_request_is_the_same<S: Store>(store: S) {
    let mut counter = Counter::open(store, 4, 0).await;
    let paid = bought(&mut counter, 3).await;
    let asked = |request, units: &[u32]| RefundRequest { request: Some(RequestId(request)), ..some("N", units) };
    let (_, entry, row, ended) = done(counter.store.refund_units(&asked(1, &[2]), NOW).await.unwrap());
    let (order, again, same, other) = done(counter.store.refund_units(&asked(1, &[2]), later()).await.unwrap());
    assert_eq!((&again, &same, other), (&entry, &row, ended));
    assert_eq!(order.left(), [1, 3]);
    let refused = counter.store.refund_units(&asked(2, &[2]), NOW).await.unwrap();
    assert_eq!(refused, RefundOutcome::Refunded { place: 0 }, "another request comes too late");
    done(counter.store.refund_units(&RefundRequest { units: None, ..asked(3, &[]) }, NOW).await.unwrap());
    let (order, again, ..) = done(counter.store.refund_units(&asked(1, &[2]), later()).await.unwrap());
    assert_eq!((again, order.refunded), (entry, true));
    assert_eq!(counter.store.refunds_of(&[paid.id]).await.unwrap().len(), 2);
}

/// A price that cannot be divided: what goes back is the amount at last, to the smallest unit.
pub async fn the_last_refund_takes_what_is_left<S: Store>(store: S) {
    let counter = Counter::open(store, 4, 0).await;
    let mut order = order(&[1, 2, 3], Money { minor: 1_000, ..counter.sale.price });
    assert_eq!(order.share_of(3).minor, 1_000);
    let mut shares = Vec::new();
    for unit in [2, 1, 3] {
        let share = order.share_of(1);
        shares.push(share.minor);
        order = order.without(&[unit], share);
    }
    assert_eq!(shares, [333, 333, 334]);
    assert_eq!((order.refunded, order.refunded_amount.minor), (true, 1_000));
}

/// Two operators at once: each unit goes back once, and every amount is written.
pub async fn of_refunds_at_once_each_unit_goes_back_once<S: Store>(store: S) {
    let mut counter = Counter::open(store.clone(), 4, 0).await;
    let paid = bought(&mut counter, 4).await;
    let asked = [some("N", &[1, 2]), some("N", &[2, 3]), some("N", &[4]), all("N"), some("N", &[1])];
    let given = futures_util::future::join_all(asked.iter().map(|what| {
        let (store, what) = (store.clone(), what.clone());
        async move { store.refund_units(&what, NOW).await.unwrap() }
    }))
    .await;
    let mut units = Vec::new();
    for given in given {
        if let RefundOutcome::Done(given) = given {
            let Why::Operator { units: some, .. } = given.entry.why else { panic!("{given:?}") };
            units.extend(some);
        }
    }
    units.sort_unstable();
    assert_eq!(units, [1, 2, 3, 4]);
    let order = store.order("N").await.unwrap().unwrap();
    assert_eq!((order.refunded, order.refunded_amount), (true, order.amount));
    let back: i64 = store.refunds_of(&[paid.id]).await.unwrap().iter().map(|entry| entry.refund.amount.minor).sum();
    assert_eq!(back, order.amount.minor);
    let ids: Vec<_> = store.unfreed(9).await.unwrap().into_iter().map(|(_, id)| id).collect();
    let look = store.look(paid.sale, &[], &ids).await.unwrap().unwrap();
    let turns: Vec<_> = look.unfreed.into_iter().map(|ended| counter.release_one(ended)).collect();
    counter.recorded(&turns).await;
    counter.agrees().await;
}

/// A restore takes an order's rest as it is, and what was split from it is freed with everything else that ended.
pub async fn a_restore_knows_what_is_left_of_an_order<S: Store>(store: S) {
    let mut counter = Counter::open(store, 3, 2).await;
    let paid = bought(&mut counter, 3).await;
    let waits = counter.reserved(&[(2, 1)]).await.remove(0);
    let (.., ended) = done(counter.store.refund_units(&some("N", &[2]), NOW).await.unwrap());
    let (state, promoted) = counter.store.restore(paid.sale, 1, NOW).await.unwrap().unwrap();
    assert_eq!(state.taken[&paid.id].units, [1, 3]);
    assert_eq!((promoted[0].id, promoted[0].state.units()), (waits.id, [2].as_slice()));
    assert_eq!(counter.store.unfreed(9).await.unwrap(), []);
    assert!(counter.row(ended).await.freed);
    counter.turnstile = miaosha::domain::sale::turnstile::Turnstile::restore(state);
    counter.agrees().await;
}

/// Every state is written as it is, and only from what was read.
pub async fn a_refund_moves_from_what_was_read<S: Store>(store: S) {
    let mut counter = Counter::open(store, 2, 0).await;
    let paid = bought(&mut counter, 2).await;
    let (_, due, ..) = done(counter.store.refund_units(&all("N"), NOW).await.unwrap());
    let store = &counter.store;
    let claimed = due.asked(PACE, NOW).unwrap();
    let claims = futures_util::future::join_all((0..8).map(|_| store.move_refund(&due, &claimed))).await;
    assert_eq!(claims.into_iter().filter(|claim| *claim.as_ref().unwrap()).count(), 1, "one of many asks");
    assert_eq!(store.refunds_due(NOW.plus_ms(999), 9).await.unwrap(), []);
    assert_eq!(store.refunds_due(NOW.plus_ms(1_000), 9).await.unwrap(), std::slice::from_ref(&claimed));

    let sent = claimed.answered(&RefundAnswer::Sent, PACE, NOW).unwrap();
    let failed = sent.answered(&RefundAnswer::Failed { code: "lost_card".into() }, PACE, later()).unwrap();
    let settled = failed.settled(BuyerId(u64::MAX), "現金", later()).unwrap();
    let mut before = claimed;
    for next in [sent, failed.clone(), settled] {
        assert!(store.move_refund(&before, &next).await.unwrap());
        assert!(!store.move_refund(&before, &next).await.unwrap(), "once");
        assert_eq!(store.refund(due.refund.id).await.unwrap().as_ref(), Some(&next));
        before = next;
    }
    assert!(!store.move_refund(&failed, &failed.retried(later()).unwrap()).await.unwrap(), "it is settled by now");
    assert_eq!(store.refunds_of(&[paid.id]).await.unwrap(), [before]);
    assert_eq!(store.refund(RefundId(5)).await.unwrap(), None);
}

/// A page after the other, oldest first, whatever moves meanwhile.
pub async fn refunds_are_listed_by_where_they_stand<S: Store>(store: S) {
    let mut counter = Counter::open(store, 4, 0).await;
    bought(&mut counter, 4).await;
    let mut ids = Vec::new();
    for (unit, late_ms) in [(3, 0), (1, 5), (2, 5), (4, 9)] {
        let given = counter.store.refund_units(&some("N", &[unit]), NOW.plus_ms(late_ms)).await.unwrap();
        ids.push((late_ms, done(given).1.refund.id));
    }
    ids.sort_unstable();
    let ids: Vec<RefundId> = ids.into_iter().map(|(_, id)| id).collect();
    let page = async |kind, after, max| {
        let found = counter.store.refunds_in(kind, after, max).await.unwrap();
        assert!(found.iter().all(|(_, order)| order.as_deref() == Some("N")));
        found.into_iter().map(|(entry, _)| entry.refund.id).collect::<Vec<_>>()
    };
    assert_eq!(page(RefundKind::Due, None, 9).await, ids);
    assert_eq!(page(RefundKind::Due, None, 2).await, ids[..2]);
    // The last one of a page is another's by the time that the next is asked for.
    let last = counter.store.refund(ids[1]).await.unwrap().unwrap();
    let failed = last.answered(&RefundAnswer::Failed { code: "no".into() }, PACE, later()).unwrap();
    assert!(counter.store.move_refund(&last, &failed).await.unwrap());
    assert_eq!(page(RefundKind::Due, Some(ids[1]), 2).await, ids[2..]);
    assert_eq!(page(RefundKind::Due, Some(ids[3]), 2).await, []);
    assert_eq!(page(RefundKind::Failed, None, 9).await, ids[1..2]);
}

fn by_hand(name: &str, minor: i64) -> MadeRefund {
    MadeRefund { id: RefundId::at_provider(name), by_us: false, minor, answer: RefundAnswer::Done }
}

async fn back<S: Store>(counter: &Counter<S>, row: ReservationId) -> Vec<(i64, RefundKind)> {
    let entries = counter.store.refunds_of(&[row]).await.unwrap();
    entries.iter().map(|entry| (entry.refund.amount.minor, entry.state.kind())).collect()
}

/// A part names no units and is written once; nothing later gives it back again; all of it ends the order.
pub async fn what_was_made_at_the_provider_is_in_the_books<S: Store>(store: S) {
    let mut counter = Counter::open(store, 3, 0).await;
    let paid = bought(&mut counter, 3).await;
    let State::Confirmed { payment, .. } = paid.state else { panic!("{paid:?}") };
    let price = counter.sale.price.minor;
    let (part, rest) = (by_hand("re_1", 2 * price + 1), by_hand("re_2", price - 1));
    for _ in 0..2 {
        counter.store.refunds_made(payment, std::slice::from_ref(&part), price - 1, NOW).await.unwrap();
    }
    let order = counter.store.order("N").await.unwrap().unwrap();
    assert_eq!((order.refunded_amount.minor, order.left(), order.refunded), (2 * price + 1, vec![1, 2, 3], false));
    assert_eq!(counter.row(paid.id).await, paid);
    assert_eq!(back(&counter, paid.id).await, [(2 * price + 1, RefundKind::Done)]);
    let (_, entry, ..) = done(counter.store.refund_units(&some("N", &[2]), later()).await.unwrap());
    assert_eq!(entry.refund.amount.minor, price - 1, "no more than is left");

    // An operator gives that back by hand, too: it is owed no more, and the order is over.
    let now = later().plus_ms(1);
    for _ in 0..2 {
        counter.store.refunds_made(payment, &[part.clone(), rest.clone()], 0, now).await.unwrap();
    }
    let order = counter.store.order("N").await.unwrap().unwrap();
    assert_eq!((order.refunded, order.refunded_amount), (true, order.amount));
    assert_eq!(counter.kind(paid.id).await, Kind::Refunded);
    let all = back(&counter, paid.id).await;
    assert_eq!(all.iter().map(|(minor, _)| minor).sum::<i64>(), order.amount.minor);
    assert!(all.iter().all(|(_, kind)| *kind == RefundKind::Done), "{all:?}");
    let events = counter.store.unpublished(99).await.unwrap();
    let told: Vec<_> = events
        .iter()
        .filter_map(|event| match &event.fact {
            Fact::OrderRefunded(fact) => Some((fact.units.clone(), fact.amount.minor)),
            _ => None,
        })
        .collect();
    assert_eq!(told, [(vec![2], price - 1), (vec![1, 3], 3 * price)]);
}

/// What failed and is then given back by hand is owed no more, as far as it goes; what is due and can still go stays due.
pub async fn what_is_made_good_at_the_provider_is_owed_no_more<S: Store>(store: S) {
    let mut counter = Counter::open(store, 3, 0).await;
    let paid = bought(&mut counter, 3).await;
    let State::Confirmed { payment, .. } = paid.state else { panic!("{paid:?}") };
    let price = counter.sale.price.minor;
    let (_, first, ..) = done(counter.store.refund_units(&some("N", &[1]), NOW).await.unwrap());
    done(counter.store.refund_units(&some("N", &[2]), later()).await.unwrap());
    let failed = first.answered(&RefundAnswer::Failed { code: "no".into() }, PACE, NOW).unwrap();
    assert!(counter.store.move_refund(&first, &failed).await.unwrap());
    counter.store.refunds_made(payment, &[by_hand("re_1", 100)], 3 * price - 100, later().plus_ms(1)).await.unwrap();
    let expected = [(price - 100, RefundKind::Failed), (price, RefundKind::Due), (100, RefundKind::Done)];
    assert_eq!(back(&counter, paid.id).await, expected);
    counter.store.refunds_made(payment, &[by_hand("re_2", price)], 2 * price - 100, later().plus_ms(2)).await.unwrap();
    let expected =
        [(0, RefundKind::Done), (price, RefundKind::Due), (100, RefundKind::Done), (price, RefundKind::Done)];
    assert_eq!(back(&counter, paid.id).await, expected);
    let order = counter.store.order("N").await.unwrap().unwrap();
    assert_eq!((order.refunded_amount.minor, order.share_of(1).minor), (2 * price + 100, price - 100));
    let retried = counter.store.refund(first.refund.id).await.unwrap().unwrap();
    assert_eq!((retried.tries, retried.retried(NOW)), (failed.tries + 2, None), "another amount is another try");
}

/// Of a payment that became no order: what goes back is all of it, whichever process gives it back.
pub async fn a_capture_that_could_not_stand_goes_back_by_hand<S: Store>(store: S) {
    let mut counter = Counter::open(store, 1, 0).await;
    let row = counter.reserved(&[(1, 1)]).await.remove(0);
    let payment = counter.begin_paying(&row, 1).await;
    counter.store.payment_voided(row.id, payment, later()).await.unwrap();
    counter.store.confirm(row.id, payment, "N", later()).await.unwrap();
    let price = counter.sale.price.minor;
    counter.store.refunds_made(payment, &[by_hand("re_1", 100)], price - 100, later().plus_ms(1)).await.unwrap();
    assert_eq!(back(&counter, row.id).await, [(price - 100, RefundKind::Due), (100, RefundKind::Done)]);
    counter.store.refunds_made(payment, &[by_hand("re_2", price - 100)], 0, later().plus_ms(2)).await.unwrap();
    let done = [(0, RefundKind::Done), (100, RefundKind::Done), (price - 100, RefundKind::Done)];
    assert_eq!(back(&counter, row.id).await, done);
    let entries = counter.store.refunds_of(&[row.id]).await.unwrap();
    assert!(matches!(entries[0].state, RefundState::Done { .. }));
    assert!(
        counter
            .store
            .refunds_made(miaosha::domain::shared::id::PaymentId(99), &[by_hand("x", 1)], 0, NOW)
            .await
            .is_err()
    );
}
