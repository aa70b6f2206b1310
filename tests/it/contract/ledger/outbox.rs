//! What happened is written where it happened, once, and read until it is published.

use miaosha::domain::money::payment::RefundAnswer;
use miaosha::domain::sale::reservation::{Kind, Reservation};
use miaosha::domain::shared::event::{Cancelled, Event, Fact, Promoted, Purchase, Refunded, Returned};
use miaosha::domain::shared::id::ReservationId;
use miaosha::ports::money::paying::Confirmed;
use miaosha::ports::money::refunds::RefundRequest;
use miaosha::ports::platform::outbox::Backlog;
use miaosha::ports::sale::recording::Recorded;

use super::counter::{Counter, NOW, PACE, Store, later};

async fn outbox<S: Store>(store: &S) -> Vec<Event> {
    store.unpublished(10_000).await.unwrap()
}

async fn topics<S: Store>(store: &S) -> Vec<&'static str> {
    outbox(store).await.iter().map(|event| event.fact.topic()).collect()
}

/// A row that is being paid, its payment, and its order.
async fn ordered<S: Store>(counter: &mut Counter<S>, buyer: u64, number: &str) -> (Reservation, Event) {
    let row = counter.reserved(&[(buyer, 2)]).await.remove(0);
    let payment = counter.begin_paying(&row, u128::from(buyer)).await;
    let confirmed = counter.store.confirm(row.id, payment, number, later()).await.unwrap();
    let Confirmed::Order(order) = confirmed else { panic!("{confirmed:?}") };
    let fact = Fact::OrderPaid(Purchase {
        order: number.to_owned(),
        reservation: row.id,
        sale: row.sale,
        buyer: row.buyer,
        units: order.units,
        amount: order.amount,
    });
    (row, Event::new(fact, payment.0, later()))
}

pub async fn holds_lapses_and_refusals_are_no_events<S: Store>(store: S) {
    let mut counter = Counter::open(store.clone(), 2, 1).await;
    let rows = counter.reserved(&[(1, 1), (2, 1), (3, 1), (4, 1)]).await;
    let ids: Vec<ReservationId> = rows.iter().map(|row| row.id).collect();
    counter.store.lapse(counter.sale.id, &ids[..1], later()).await.unwrap();
    assert_eq!(outbox(&store).await, []);
    assert_eq!(store.backlog().await.unwrap(), Backlog { events: 0, oldest: None });
}

pub async fn an_order_is_told_once<S: Store>(store: S) {
    let mut counter = Counter::open(store.clone(), 2, 0).await;
    let (row, paid) = ordered(&mut counter, 1, "N").await;
    assert_eq!(outbox(&store).await, std::slice::from_ref(&paid));
    let miaosha::domain::sale::reservation::State::Confirmed { payment, .. } = counter.row(row.id).await.state else {
        panic!()
    };
    counter.store.confirm(row.id, payment, "M", later()).await.unwrap();
    assert_eq!(outbox(&store).await, std::slice::from_ref(&paid), "the same order");
    // Each unit goes back once, and each time it is said what goes back now and what is left.
    let refunded = |units: Vec<u32>, left: Vec<u32>| {
        let (reservation, sale, buyer, amount) = (row.id, row.sale, row.buyer, counter.sale.price);
        let ended = if left.is_empty() { row.id } else { row.id.split(&units) };
        let fact =
            Fact::OrderRefunded(Refunded { order: "N".to_owned(), reservation, sale, buyer, units, amount, left });
        Event::new(fact, ended.0, later())
    };
    let some = RefundRequest { number: "N".to_owned(), units: Some(vec![2]), reason: None, request: None };
    let rest = RefundRequest { units: None, ..some.clone() };
    for what in [&some, &some, &rest, &rest] {
        counter.store.refund_units(what, later()).await.unwrap();
    }
    counter.store.confirm(row.id, payment, "M", later()).await.unwrap();
    assert_eq!(outbox(&store).await, [paid, refunded(vec![2], vec![1]), refunded(vec![1], vec![])]);
}

/// An order that was not written was not paid, whatever else its transaction did before it failed.
pub async fn what_is_undone_is_no_event<S: Store>(store: S) {
    let mut counter = Counter::open(store.clone(), 4, 0).await;
    let (_, paid) = ordered(&mut counter, 1, "SAME").await;
    let row = counter.reserved(&[(2, 1)]).await.remove(0);
    let payment = counter.begin_paying(&row, 2).await;
    counter.store.confirm(row.id, payment, "SAME", NOW).await.unwrap_err();
    assert_eq!(outbox(&store).await, [paid]);
    // Nor a promotion that is not recorded.
    let mut waiting = Counter::open(store.clone(), 1, 2).await;
    let held = waiting.reserved(&[(1, 1)]).await.remove(0);
    waiting.store.lapse(waiting.sale.id, &[held.id], later()).await.unwrap();
    let birth = waiting.reserve(&[(2, 1)]);
    let release = waiting.release(held.id);
    assert!(matches!(waiting.record(std::slice::from_ref(&release)).await, Recorded::Absent { .. }));
    assert_eq!(topics(&store).await, ["order.paid"]);
    waiting.recorded(&[birth]).await;
    waiting.recorded(&[release]).await;
    assert_eq!(topics(&store).await, ["order.paid", "reservation.promoted"]);
}

pub async fn money_that_goes_back_is_told_once<S: Store>(store: S) {
    let mut counter = Counter::open(store.clone(), 1, 0).await;
    let row = counter.reserved(&[(1, 1)]).await.remove(0);
    let payment = counter.begin_paying(&row, 1).await;
    counter.store.payment_voided(row.id, payment, later()).await.unwrap();
    let fact = Fact::PaymentReturned(Returned {
        reservation: row.id,
        sale: row.sale,
        buyer: row.buyer,
        payment,
        amount: counter.sale.price,
    });
    for _ in 0..2 {
        let confirmed = counter.store.confirm(row.id, payment, "N", later()).await.unwrap();
        assert!(matches!(confirmed, Confirmed::RefundDue(_)));
    }
    let due = counter.store.refunds_due(later(), 9).await.unwrap().remove(0);
    let done = due.answered(&RefundAnswer::Done, PACE, later()).unwrap();
    assert!(counter.store.move_refund(&due, &done).await.unwrap());
    counter.store.confirm(row.id, payment, "N", later()).await.unwrap();
    assert_eq!(outbox(&store).await, [Event::new(fact, payment.0, later())]);
}

pub async fn a_cancel_is_told_once<S: Store>(store: S) {
    let mut counter = Counter::open(store.clone(), 1, 1).await;
    let rows = counter.reserved(&[(1, 1), (2, 1)]).await;
    let mut expected = Vec::new();
    for row in &rows {
        counter.store.cancel(row.id, miaosha::domain::shared::id::BuyerId(77), NOW).await.unwrap();
        let cancelled = counter.store.cancel(row.id, row.buyer, NOW).await.unwrap().unwrap();
        counter.store.cancel(row.id, row.buyer, later()).await.unwrap();
        let (reservation, sale, buyer) = (row.id, row.sale, row.buyer);
        let fact = Fact::Cancelled(Cancelled { reservation, sale, buyer, quantity: 1 });
        expected.push(Event::new(fact, cancelled.version.into(), NOW));
    }
    assert_eq!(outbox(&store).await, expected);
}

fn promoted(row: &Reservation) -> Event {
    let miaosha::domain::sale::reservation::State::Held { lapses_at, .. } = row.state else { panic!("{row:?}") };
    let (reservation, sale, buyer, quantity) = (row.id, row.sale, row.buyer, row.quantity);
    Event::new(Fact::Promoted(Promoted { reservation, sale, buyer, quantity, lapses_at }), row.version.into(), NOW)
}

pub async fn a_crowd_of_promotions_is_told<S: Store>(store: S) {
    const CROWD: u32 = 700;
    let mut counter = Counter::open(store.clone(), CROWD, CROWD).await;
    let attempts: Vec<(u64, u8)> = (1..=u64::from(2 * CROWD)).map(|buyer| (buyer, 1)).collect();
    let mut rows = Vec::new();
    for attempts in attempts.chunks(1_000) {
        rows.extend(counter.reserved(attempts).await);
    }
    let ids: Vec<ReservationId> = rows[..CROWD as usize].iter().map(|row| row.id).collect();
    counter.store.lapse(counter.sale.id, &ids, later()).await.unwrap();
    let turns: Vec<_> = ids.iter().map(|&id| counter.release(id)).collect();
    let moved = counter.recorded(&turns).await;
    assert_eq!(counter.recorded(&turns).await.len(), CROWD as usize, "recorded again");
    let mut expected: Vec<Event> = moved.iter().map(promoted).collect();
    let mut events = outbox(&store).await;
    expected.sort_by_key(|event| event.id);
    events.sort_by_key(|event| event.id);
    assert_eq!(events, expected);
}

pub async fn a_restore_tells_whom_it_promotes<S: Store>(store: S) {
    let mut counter = Counter::open(store.clone(), 1, 2).await;
    let rows = counter.reserved(&[(1, 1), (2, 1), (3, 1)]).await;
    counter.store.lapse(counter.sale.id, &[rows[0].id], later()).await.unwrap();
    let (_, held) = counter.store.restore(counter.sale.id, 1, NOW).await.unwrap().unwrap();
    assert_eq!(held.iter().map(|row| (row.id, row.state.kind())).collect::<Vec<_>>(), [(rows[1].id, Kind::Held)]);
    assert_eq!(outbox(&store).await, [promoted(&held[0])]);
    assert_eq!(counter.store.restore(counter.sale.id, 1, NOW).await.unwrap(), None);
    assert_eq!(outbox(&store).await.len(), 1);
}

pub async fn published_events_are_read_no_more_and_go<S: Store>(store: S) {
    let mut counter = Counter::open(store.clone(), 20, 0).await;
    let mut paid = Vec::new();
    for buyer in 1..=5 {
        paid.push(ordered(&mut counter, buyer, &format!("N-{buyer}")).await.1);
    }
    assert_eq!(outbox(&store).await, paid, "in the order of writing");
    assert_eq!(store.unpublished(2).await.unwrap(), paid[..2]);
    assert_eq!(store.backlog().await.unwrap(), Backlog { events: 5, oldest: Some(later()) });
    let ids: Vec<_> = paid.iter().map(|event| event.id).collect();
    assert_eq!(store.mark_published(&ids[1..3], NOW).await.unwrap(), 2);
    assert_eq!(outbox(&store).await, [&paid[..1], &paid[3..]].concat());
    assert_eq!(store.remove_published(NOW, 9).await.unwrap(), 0, "kept until then");
    assert_eq!(store.mark_published(&ids[..3], NOW.plus_ms(1)).await.unwrap(), 1, "two were marked before");
    assert_eq!(store.backlog().await.unwrap().events, 2);
    let after = NOW.plus_ms(2);
    assert_eq!(store.remove_published(after, 2).await.unwrap(), 2);
    assert_eq!(store.remove_published(after, 2).await.unwrap(), 1);
    assert_eq!(store.remove_published(after, 2).await.unwrap(), 0);
    assert_eq!(outbox(&store).await, paid[3..], "what is not published stays");
    assert_eq!(store.mark_published(&ids, NOW).await.unwrap(), 2, "of those that are there");
    assert_eq!(store.mark_published(&[], NOW).await.unwrap(), 0);
}

pub async fn who_publishes_is_woken<S: Store>(store: S) {
    let mut counter = Counter::open(store.clone(), 2, 0).await;
    counter.reserved(&[(9, 1)]).await;
    let quiet = tokio::time::timeout(std::time::Duration::from_millis(50), store.written()).await;
    assert!(quiet.is_err(), "a hold is no event");
    let row = counter.reserved(&[(1, 1)]).await.remove(0);
    counter.store.cancel(row.id, row.buyer, NOW).await.unwrap();
    tokio::time::timeout(std::time::Duration::from_secs(5), store.written()).await.unwrap();
}
