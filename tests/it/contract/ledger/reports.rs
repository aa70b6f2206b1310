//! Lists a page at a time, and sums: every row once, whatever the page.

use std::collections::BTreeSet;

use miaosha::domain::money::order::Order;
use miaosha::domain::money::payment::{RefundAnswer, RefundKind};
use miaosha::domain::people::Role;
use miaosha::domain::sale::reservation::{Kind, Reservation};
use miaosha::domain::shared::id::{BuyerId, ReservationId};
use miaosha::domain::shared::locale::Locale;
use miaosha::ports::audit::reports::{Count, Decisions, Person, Place, Totals};
use miaosha::ports::money::paying::Confirmed;
use miaosha::ports::money::refunds::RefundRequest;

use super::counter::{Counter, NOW, PACE, Store, later};

pub async fn pay<S: Store>(counter: &Counter<S>, row: &Reservation, number: u128) -> Order {
    let payment = counter.begin_paying(row, number).await;
    match counter.store.confirm(row.id, payment, &format!("N-{number}"), NOW).await.unwrap() {
        Confirmed::Order(order) => order,
        other => panic!("{other:?}"),
    }
}

/// Three buyers with several rows each, one of them of the highest bits; every row there ever was.
async fn many_rows<S: Store>(counter: &mut Counter<S>) -> BTreeSet<ReservationId> {
    let mut all = BTreeSet::new();
    for _ in 0..3 {
        let rows = counter.reserved(&[(1, 1), (2, 2), (u64::MAX - 5, 1)]).await;
        for row in &rows {
            counter.store.cancel(row.id, row.buyer, NOW).await.unwrap();
            let release = counter.release(row.id);
            counter.recorded(&[release]).await;
        }
        all.extend(rows.iter().map(|row| row.id));
    }
    all.extend(counter.reserved(&[(1, 1), (2, 2), (u64::MAX - 5, 1), (9, 1)]).await.iter().map(|row| row.id));
    all
}

pub async fn reservations_are_listed_once_each<S: Store>(store: S) {
    let mut other = Counter::open(store.clone(), 5, 0).await;
    other.reserved(&[(1, 1), (2, 1)]).await;
    let mut counter = Counter::open(store.clone(), 9, 0).await;
    let all = many_rows(&mut counter).await;
    for max in 1..=all.len() as u32 + 1 {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = store.reservations_of_sale(counter.sale.id, after, max).await.unwrap();
            assert!(page.len() <= max as usize);
            let Some(last) = page.last() else { break };
            after = Some(Place { buyer: last.buyer, is_live: last.state.kind().is_live(), id: last.id });
            seen.extend(page);
        }
        assert_eq!(seen.iter().map(|row| row.id).collect::<BTreeSet<_>>(), all, "{max} at a time");
        assert_eq!(seen.len(), all.len(), "{max} at a time");
        assert_eq!(counter.row(seen[0].id).await, seen[0]);
    }
}

/// A row that ends between two pages is on one of them.
pub async fn a_row_that_ends_meanwhile_is_listed<S: Store>(store: S) {
    let mut counter = Counter::open(store.clone(), 9, 0).await;
    let all = many_rows(&mut counter).await;
    for max in 1..=4 {
        let (mut seen, mut after) = (BTreeSet::new(), None);
        loop {
            let page = store.reservations_of_sale(counter.sale.id, after, max).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(Place { buyer: last.buyer, is_live: last.state.kind().is_live(), id: last.id });
            if let Some(live) = store.reservation_of(counter.sale.id, last.buyer).await.unwrap() {
                store.cancel(live.id, live.buyer, NOW).await.unwrap();
            }
            seen.extend(page.iter().map(|row| row.id));
        }
        assert_eq!(seen, all, "{max} at a time");
    }
}

pub async fn orders_are_listed_once_each<S: Store>(store: S) {
    let mut other = Counter::open(store.clone(), 5, 0).await;
    let foreign = other.reserved(&[(1, 1)]).await.remove(0);
    pay(&other, &foreign, 99).await;
    let mut counter = Counter::open(store.clone(), 9, 0).await;
    let mut orders = Vec::new();
    for (number, row) in counter.reserved(&[(1, 1), (2, 2), (3, 1), (4, 1), (5, 1)]).await.iter().enumerate() {
        orders.push(pay(&counter, row, number as u128).await);
    }
    orders.sort_by_key(|order| order.reservation);
    for max in 1..=6 {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = store.orders_of_sale(counter.sale.id, after, max).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.reservation);
            seen.extend(page);
        }
        assert_eq!(seen, orders, "{max} at a time");
    }
}

pub async fn people_are_found_where_they_have_an_account<S: Store>(store: S) {
    let ann = store
        .create_account("王小明", "ann@example.org", "hash", Role::Shopper, Locale::En, None)
        .await
        .unwrap()
        .unwrap();
    let people = store.people(&[ann.id, BuyerId(u64::MAX), BuyerId(ann.id.0 + 1)]).await.unwrap();
    let person = Person { name: "王小明".to_owned(), email: "ann@example.org".to_owned() };
    assert_eq!(people.into_iter().collect::<Vec<_>>(), [(ann.id, person)]);
    assert!(store.people(&[]).await.unwrap().is_empty());
}

pub async fn decisions_are_read_a_page_at_a_time<S: Store>(store: S) {
    let mut counter = Counter::open(store.clone(), 2, 1).await;
    let sale = counter.sale.id;
    assert_eq!(store.decisions(sale, (0, 0), 9).await.unwrap(), Decisions { decided: Vec::new(), next: None });
    let rows = counter.reserved(&[(1, 1), (2, 1), (3, 1), (4, 1), (1, 1)]).await;
    counter.store.cancel(rows[0].id, rows[0].buyer, NOW).await.unwrap();
    let release = counter.release(rows[0].id);
    counter.recorded(&[release]).await;
    counter.reserved(&[(5, 1)]).await;
    for turns_max in 1..=4 {
        let (mut outcomes, mut after) = (Vec::new(), Some((0, 0)));
        while let Some(place) = after {
            let page = store.decisions(sale, place, turns_max).await.unwrap();
            assert!(page.decided.iter().all(|decided| decided.recorded_at == NOW));
            outcomes.extend(page.decided.into_iter().map(|decided| String::from_utf8(decided.outcomes).unwrap()));
            after = page.next;
        }
        assert_eq!(outcomes, ["TTSRA", "S"], "{turns_max} at a time");
    }
}

pub async fn totals_are_what_the_rows_come_to<S: Store>(store: S) {
    let mut counter = Counter::open(store.clone(), 6, 2).await;
    let sale = counter.sale.id;
    let (placed, refunded) = (Count::default(), Count::default());
    let empty = Totals { reservations: Vec::new(), placed, refunded, refunds: Vec::new(), turns_gone: false };
    assert_eq!(store.totals(sale).await.unwrap(), empty);
    let rows = counter.reserved(&[(1, 1), (2, 2), (3, 1), (4, 1), (5, 1), (6, 2)]).await;
    pay(&counter, &rows[0], 1).await;
    pay(&counter, &rows[1], 2).await;
    // In part, and then the rest: what was split off is no reservation, and every unit of money counts.
    let some = RefundRequest { number: "N-2".into(), units: Some(vec![2]), reason: None, request: None };
    store.refund_units(&some, NOW).await.unwrap();
    let refunded = store.totals(sale).await.unwrap().refunded;
    assert_eq!(refunded, Count { rows: 0, units: 1, minor: counter.sale.price.minor });
    store.refund_units(&RefundRequest { units: None, ..some }, NOW).await.unwrap();
    store.lapse(sale, &[rows[2].id], later()).await.unwrap();
    let count = |rows, units, minor| Count { rows, units, minor };
    let price = counter.sale.price.minor;
    let totals = store.totals(sale).await.unwrap();
    let expected = [
        (Kind::Standby, count(1, 2, 0)),
        (Kind::Held, count(2, 2, 0)),
        (Kind::Confirmed, count(1, 1, 0)),
        (Kind::Lapsed, count(1, 1, 0)),
        // Its rest: a unit had gone before.
        (Kind::Refunded, count(1, 1, 0)),
    ];
    assert_eq!(totals.reservations, expected);
    assert_eq!(totals.placed, count(2, 3, 3 * price));
    assert_eq!(totals.refunded, count(1, 2, 2 * price));
    assert_eq!(totals.refunds, [(RefundKind::Due, count(2, 2, 2 * price))]);
    let due = store.refunds_due(later(), 1).await.unwrap().remove(0);
    let done = due.answered(&RefundAnswer::Done, PACE, later()).unwrap();
    assert!(store.move_refund(&due, &done).await.unwrap());
    let refunds = store.totals(sale).await.unwrap().refunds;
    assert_eq!(refunds, [(RefundKind::Due, count(1, 1, price)), (RefundKind::Done, count(1, 1, price))]);
    let of_orders = store.refunds_of_orders(&[rows[0].id, rows[1].id]).await.unwrap();
    let mut kinds = of_orders[&due.refund.payment].clone();
    kinds.sort_by_key(|(kind, _)| *kind as u8);
    assert_eq!((of_orders.len(), kinds), (1, vec![(RefundKind::Due, price), (RefundKind::Done, price)]));
    assert!(store.refunds_of_orders(&[]).await.unwrap().is_empty());
}
