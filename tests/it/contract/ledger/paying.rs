//! Moves that have to do with money: a payment is captured for an order, or it is void or given back.

use miaosha::domain::money::payment::{PaymentState, Refund, RefundAnswer, RefundEntry, Why};
use miaosha::domain::sale::reservation::{Reservation, State};
use miaosha::domain::shared::id::{BuyerId, PaymentId, RefundId, ReservationId};
use miaosha::ports::money::orders::OrderPlace;
use miaosha::ports::money::paying::Confirmed;

use super::counter::{Counter, NOW, PACE, Store, later};

/// A row that is being paid, and its payment.
async fn paying<S: Store>(counter: &mut Counter<S>, buyer: u64) -> (Reservation, PaymentId) {
    let row = counter.reserved(&[(buyer, 1)]).await.remove(0);
    let payment = counter.begin_paying(&row, u128::from(buyer)).await;
    (counter.row(row.id).await, payment)
}

pub async fn a_captured_payment_becomes_one_order<S: Store>(store: S) {
    let mut counter = Counter::open(store, 2, 0).await;
    let (row, payment) = paying(&mut counter, 1).await;
    let confirmed = counter.store.confirm(row.id, payment, "ABCD-1", later()).await.unwrap();
    let Confirmed::Order(order) = confirmed else { panic!("{confirmed:?}") };
    assert_eq!((order.number.as_str(), order.reservation, order.buyer), ("ABCD-1", row.id, row.buyer));
    assert_eq!((order.units.as_slice(), order.amount), ([1].as_slice(), counter.sale.price));
    assert_eq!((order.payment, order.placed_at, order.refunded), (payment, later(), false));
    let now = counter.row(row.id).await;
    assert_eq!((&now.state, now.version), (&State::Confirmed { units: vec![1], payment }, 3));
    assert_eq!(counter.payment_state(payment).await, PaymentState::Captured);
    assert_eq!(counter.claimed().await, [1]);
    // A void that comes late finds money that moved.
    assert_eq!(counter.store.payment_voided(row.id, payment, later()).await.unwrap(), Some(now));
    assert_eq!(counter.payment_state(payment).await, PaymentState::Captured);
    let again = counter.store.confirm(row.id, payment, "ABCD-2", later()).await.unwrap();
    assert_eq!(again, Confirmed::Order(order.clone()), "the same order, with its first number");
    assert_eq!(counter.store.order("ABCD-1").await.unwrap(), Some(order.clone()));
    assert_eq!(counter.store.order("ABCD-2").await.unwrap(), None);
    assert_eq!(counter.store.orders(row.buyer, 9).await.unwrap(), std::slice::from_ref(&order));
    assert_eq!(counter.store.orders(BuyerId(2), 9).await.unwrap(), []);
    let facts = counter.store.audit(counter.sale.id, NOW).await.unwrap().unwrap();
    assert_eq!((facts.orders, facts.standing.sold, facts.standing.pending), (vec![order], 1, 0));
}

pub async fn orders_are_listed_newest_first<S: Store>(store: S) {
    let mut counter = Counter::open(store.clone(), 1, 0).await;
    let (row, payment) = paying(&mut counter, 1).await;
    counter.store.confirm(row.id, payment, "A", NOW).await.unwrap();
    let mut other = Counter::open(store, 1, 0).await;
    let (row, payment) = paying(&mut other, 1).await;
    other.store.confirm(row.id, payment, "B", NOW.plus_ms(1)).await.unwrap();
    let numbers = async |max| {
        let orders = counter.store.orders(BuyerId(1), max).await.unwrap();
        orders.into_iter().map(|order| order.number).collect::<Vec<_>>()
    };
    assert_eq!(numbers(9).await, ["B", "A"]);
    assert_eq!(numbers(1).await, ["B"]);
    assert_eq!(counter.store.order_of(row.id).await.unwrap().unwrap().number, "B");
    assert_eq!(counter.store.order_of(ReservationId(row.id.0 + 1)).await.unwrap(), None);
}

pub async fn orders_are_read_from_a_place_on<S: Store>(store: S) {
    // Of three moments, two orders each; a number says nothing of the time.
    let moments = [(0, "F"), (0, "B"), (1, "E"), (1, "A"), (2, "D"), (2, "C")];
    for (after_ms, number) in moments {
        let mut counter = Counter::open(store.clone(), 1, 0).await;
        let (row, payment) = paying(&mut counter, 1).await;
        counter.store.confirm(row.id, payment, number, NOW.plus_ms(after_ms)).await.unwrap();
    }
    let from = async |after: Option<(i64, &str)>, max| {
        let place = after.map(|(ms, number)| OrderPlace { placed_at: NOW.plus_ms(ms), number: number.to_owned() });
        let orders = store.orders_after(BuyerId(1), place.as_ref(), max).await.unwrap();
        orders.into_iter().map(|order| order.number).collect::<String>()
    };
    assert_eq!(from(None, 9).await, "DCEAFB");
    assert_eq!(from(None, 3).await, "DCE");
    assert_eq!(from(Some((1, "E")), 9).await, "AFB");
    assert_eq!(from(Some((1, "E")), 2).await, "AF");
    assert_eq!(from(Some((0, "B")), 9).await, "");
    // A place is one, whether or not an order has it.
    assert_eq!(from(Some((1, "B")), 9).await, "AFB");
    assert_eq!(from(Some((2, "")), 9).await, "EAFB");
}

pub async fn a_number_that_is_taken_confirms_nothing<S: Store>(store: S) {
    let mut counter = Counter::open(store, 2, 0).await;
    let (first, payment) = paying(&mut counter, 1).await;
    counter.store.confirm(first.id, payment, "SAME", NOW).await.unwrap();
    let (second, payment) = paying(&mut counter, 2).await;
    counter.store.confirm(second.id, payment, "SAME", NOW).await.unwrap_err();
    assert_eq!(counter.row(second.id).await, second);
    assert_eq!(counter.payment_state(payment).await, PaymentState::Opened);
    assert!(matches!(counter.store.confirm(second.id, payment, "OTHER", NOW).await.unwrap(), Confirmed::Order(_)));
}

pub async fn a_capture_that_cannot_stand_is_to_be_refunded<S: Store>(store: S) {
    let mut counter = Counter::open(store, 1, 0).await;
    let (row, payment) = paying(&mut counter, 1).await;
    counter.store.payment_voided(row.id, payment, later()).await.unwrap();
    let confirmed = counter.store.confirm(row.id, payment, "N", later()).await.unwrap();
    assert!(matches!(&confirmed, Confirmed::RefundDue(row) if row.state == State::Lapsed), "{confirmed:?}");
    assert_eq!(counter.store.order("N").await.unwrap(), None);
    assert_eq!(counter.store.refunds_due(later().plus_ms(-1), 9).await.unwrap(), []);
    let due = counter.store.refunds_due(later(), 9).await.unwrap();
    let refund = Refund { id: RefundId::of_payment(payment), payment, amount: counter.sale.price };
    let (reservation, sale, why) = (row.id, row.sale, Why::CaptureTooLate);
    let entry = RefundEntry::due(refund, reservation, sale, why, later());
    assert_eq!(due, std::slice::from_ref(&entry));
    assert_eq!(counter.payment_state(payment).await, PaymentState::Captured);
    for late_ms in [0, 1] {
        let done = entry.answered(&RefundAnswer::Done, PACE, later().plus_ms(late_ms)).unwrap();
        assert_eq!(counter.store.move_refund(&entry, &done).await.unwrap(), late_ms == 0);
        assert_eq!(counter.store.refunds_due(later(), 9).await.unwrap(), []);
        counter.store.confirm(row.id, payment, "N", later()).await.unwrap();
    }
    let done = entry.answered(&RefundAnswer::Done, PACE, later()).unwrap();
    assert_eq!(counter.store.refunds_of(&[row.id]).await.unwrap(), [done], "once, and it stays done");
}

pub async fn a_second_payment_of_a_confirmed_reservation_is_to_be_refunded<S: Store>(store: S) {
    let mut counter = Counter::open(store, 1, 0).await;
    let (row, first) = paying(&mut counter, 1).await;
    counter.store.payment_voided(row.id, first, NOW).await.unwrap();
    let second = counter.begin_paying(&row, 2).await;
    assert!(matches!(counter.store.confirm(row.id, first, "A", NOW).await.unwrap(), Confirmed::RefundDue(_)));
    assert!(matches!(counter.store.confirm(row.id, second, "B", NOW).await.unwrap(), Confirmed::Order(_)));
    assert!(matches!(counter.store.confirm(row.id, first, "C", NOW).await.unwrap(), Confirmed::RefundDue(_)));
    let due = counter.store.refunds_due(later(), 9).await.unwrap();
    assert_eq!(due.iter().map(|entry| entry.refund.payment).collect::<Vec<_>>(), [first]);
    assert_eq!(counter.payment_state(second).await, PaymentState::Captured);
}

pub async fn a_void_payment_leaves_the_hold_while_there_is_time<S: Store>(store: S) {
    let mut counter = Counter::open(store, 2, 0).await;
    let (row, payment) = paying(&mut counter, 1).await;
    let (_, other) = paying(&mut counter, 7).await;
    let same = counter.store.payment_voided(row.id, other, NOW).await.unwrap().unwrap();
    assert_eq!(same, row, "another payment moves nothing");
    assert_eq!(counter.payment_state(other).await, PaymentState::Voided);
    let held = counter.store.payment_voided(row.id, payment, later().plus_ms(-1)).await.unwrap().unwrap();
    assert_eq!(held.state, State::Held { units: vec![1], lapses_at: later() });
    assert_eq!((held.version, counter.claimed().await), (3, vec![1, 2]));
    assert_eq!(counter.payment_state(payment).await, PaymentState::Voided);
    assert_eq!(counter.store.payment_voided(row.id, payment, later()).await.unwrap(), Some(held), "once");
    counter.begin_paying(&row, 8).await;
}

pub async fn a_void_payment_lapses_what_is_out_of_time<S: Store>(store: S) {
    let mut counter = Counter::open(store, 1, 0).await;
    let (row, payment) = paying(&mut counter, 1).await;
    let lapsed = counter.store.payment_voided(row.id, payment, later()).await.unwrap().unwrap();
    assert_eq!((&lapsed.state, lapsed.version, lapsed.freed), (&State::Lapsed, 3, false));
    assert_eq!(counter.row(row.id).await, lapsed);
    assert_eq!(counter.claimed().await, [0_u32; 0]);
    assert_eq!(counter.store.unfreed(9).await.unwrap(), [(row.sale, row.id)]);
    let unknown = counter.store.payment_voided(miaosha::domain::shared::id::ReservationId(1), payment, NOW).await;
    assert_eq!(unknown.unwrap(), None);
}

pub async fn the_sweeper_finds_payments_that_hang<S: Store>(store: S) {
    let mut counter = Counter::open(store, 3, 0).await;
    let after = NOW.plus_ms(1);
    let (row, payment) = paying(&mut counter, 1).await;
    assert_eq!(counter.store.stuck(NOW, 9).await.unwrap(), []);
    assert_eq!(counter.store.stuck(after, 9).await.unwrap(), [(row.id, payment)]);
    counter.store.confirm(row.id, payment, "N", NOW).await.unwrap();
    assert_eq!(counter.store.stuck(after, 9).await.unwrap(), []);
}
