//! Moves without money: lapse, cancel, the end of standby. Each on its condition, and on nothing else.

use miaosha::domain::sale::reservation::{Kind, Reservation, State};
use miaosha::domain::sale::{SaleState, StandbyUntil};
use miaosha::domain::shared::id::{BuyerId, SaleId};

use super::counter::{Counter, NOW, Store, later};

pub async fn a_hold_lapses_when_its_time_is_over<S: Store>(store: S) {
    let mut counter = Counter::open(store, 2, 1).await;
    let rows = counter.reserved(&[(1, 1), (2, 1), (3, 1)]).await;
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    let sale = counter.sale.id;
    assert_eq!(counter.store.lapse(sale, &ids, later().plus_ms(-1)).await.unwrap(), []);
    assert_eq!(counter.store.lapse(SaleId(sale.0 + 1), &ids, later()).await.unwrap(), []);
    let lapsed = counter.store.lapse(sale, &ids[1..], later()).await.unwrap();
    assert_eq!(lapsed.len(), 1, "a party does not lapse, and who was not named neither");
    assert_eq!((lapsed[0].id, &lapsed[0].state, lapsed[0].version), (ids[1], &State::Lapsed, 2));
    assert_eq!(counter.row(ids[1]).await, lapsed[0]);
    assert_eq!(counter.claimed().await, [1]);
    assert_eq!(counter.store.lapse(sale, &ids[1..], later()).await.unwrap(), [], "once");
}

pub async fn a_hold_that_is_being_paid_does_not_lapse<S: Store>(store: S) {
    let mut counter = Counter::open(store, 1, 0).await;
    let row = counter.reserved(&[(1, 1)]).await.remove(0);
    counter.begin_paying(&row, 1).await;
    assert_eq!(counter.store.lapse(counter.sale.id, &[row.id], later()).await.unwrap(), []);
    assert_eq!(counter.store.overdue(later(), 9).await.unwrap(), []);
    assert_eq!(counter.kind(row.id).await, Kind::Paying);
}

pub async fn a_buyer_cancels_what_is_held_or_waits<S: Store>(store: S) {
    let mut counter = Counter::open(store, 1, 1).await;
    let rows = counter.reserved(&[(1, 1), (2, 1)]).await;
    assert_eq!(counter.store.cancel(rows[0].id, BuyerId(2), NOW).await.unwrap(), None);
    for row in &rows {
        let cancelled = counter.store.cancel(row.id, row.buyer, NOW).await.unwrap().unwrap();
        assert_eq!((&cancelled.state, cancelled.version, cancelled.freed), (&State::Cancelled, 2, false));
        assert_eq!(counter.row(row.id).await, cancelled);
        let again = counter.store.cancel(row.id, row.buyer, NOW).await.unwrap().unwrap();
        assert_eq!(again, cancelled, "a second time nothing moves");
    }
    assert_eq!(counter.claimed().await, [0_u32; 0]);
}

pub async fn what_is_being_paid_or_was_is_not_cancelled<S: Store>(store: S) {
    let mut counter = Counter::open(store, 1, 0).await;
    let row = counter.reserved(&[(1, 1)]).await.remove(0);
    let payment = counter.begin_paying(&row, 1).await;
    let paying = counter.store.cancel(row.id, row.buyer, NOW).await.unwrap().unwrap();
    assert_eq!((paying.state.kind(), paying.version), (Kind::Paying, 2));
    counter.store.confirm(row.id, payment, "N", NOW).await.unwrap();
    let confirmed = counter.store.cancel(row.id, row.buyer, NOW).await.unwrap().unwrap();
    assert_eq!((confirmed.state.kind(), confirmed.version), (Kind::Confirmed, 3));
}

/// Pays for what is held.
async fn paid<S: Store>(counter: &Counter<S>, row: &Reservation) {
    let payment = counter.begin_paying(row, row.buyer.0.into()).await;
    counter.store.confirm(row.id, payment, &format!("N{}", row.buyer.0), NOW).await.unwrap();
}

pub async fn standby_ends_when_everything_is_paid<S: Store>(store: S) {
    let mut counter = Counter::open_until(store, 1, 3, StandbyUntil::Paid).await;
    let rows = counter.reserved(&[(1, 1), (2, 1), (3, 1), (4, 1)]).await;
    let sale = counter.sale.id;
    assert_eq!(counter.store.end_standby(sale, NOW, 9).await.unwrap(), []);
    let payment = counter.begin_paying(&rows[0], 1).await;
    assert_eq!(counter.store.end_standby(sale, NOW, 9).await.unwrap(), []);
    counter.store.confirm(rows[0].id, payment, "N", NOW).await.unwrap();
    let ended = counter.store.end_standby(sale, NOW, 2).await.unwrap();
    assert_eq!(ended.iter().map(|row| row.id).collect::<Vec<_>>(), [rows[3].id, rows[2].id], "who came last first");
    assert_eq!((&ended[0].state, ended[0].freed), (&State::Ended, false));
    assert_eq!(counter.row(rows[3].id).await, ended[0]);
    assert_eq!(
        counter.store.end_standby(sale, NOW, 2).await.unwrap().len(),
        1,
        "the others are freed in their own time"
    );
    assert_eq!(counter.kind(rows[0].id).await, Kind::Confirmed);
}

pub async fn standby_outlasts_the_last_payment<S: Store>(store: S) {
    let mut counter = Counter::open(store, 1, 3).await;
    let rows = counter.reserved(&[(1, 1), (2, 1), (3, 1)]).await;
    paid(&counter, &rows[0]).await;
    let (sale, after) = (counter.sale.id, counter.sale.closes_at);
    assert_eq!(counter.store.standing(sale).await.unwrap().map(|standing| standing.all_paid()), Some(true));
    assert_eq!(counter.store.end_standby(sale, after.plus_ms(-1), 9).await.unwrap(), [], "a unit may come back");
    assert_eq!(counter.store.end_standby(sale, after, 9).await.unwrap().len(), 2);
}

pub async fn a_raise_written_before_the_close_keeps_whom_it_fits<S: Store>(store: S) {
    let mut counter = Counter::open(store, 4, 3).await;
    let rows = counter.reserved(&[(1, 4), (2, 3), (3, 2), (4, 1)]).await;
    paid(&counter, &rows[0]).await;
    let (sale, after) = (counter.sale.id, counter.sale.closes_at);
    counter.store.raise(sale, 6).await.unwrap();
    let ended = counter.store.end_standby(sale, after, 9).await.unwrap();
    assert_eq!(ended.iter().map(|row| row.id).collect::<Vec<_>>(), [rows[1].id]);
    let raise = counter.raise(6);
    let promoted = counter.recorded(&[raise]).await;
    assert_eq!(promoted.iter().map(|row| row.id).collect::<Vec<_>>(), [rows[2].id]);
    paid(&counter, &promoted[0]).await;
    let release = counter.release(rows[1].id);
    counter.recorded(&[release]).await;
    assert_eq!(counter.store.end_standby(sale, after, 9).await.unwrap().len(), 1);
}

/// One look for all sales: where no party waits, or the line goes on in any case, there is nothing to lock and to count.
pub async fn lines_that_may_end_are_found<S: Store>(store: S) {
    let mut open = Counter::open(store.clone(), 1, 3).await;
    let mut until_paid = Counter::open_until(store.clone(), 1, 3, StandbyUntil::Paid).await;
    let mut by_hand = Counter::open(store.clone(), 1, 3).await;
    let mut nobody = Counter::open_until(store.clone(), 1, 3, StandbyUntil::Paid).await;
    let after = open.sale.closes_at;
    let all = [open.sale.id, until_paid.sale.id, by_hand.sale.id, nobody.sale.id];
    let found = async |now| store.standby_to_end(&all, now).await.unwrap();
    assert_eq!(found(after).await, []);
    for counter in [&mut open, &mut until_paid, &mut by_hand] {
        counter.reserved(&[(1, 1), (2, 1)]).await;
    }
    nobody.reserved(&[(1, 1)]).await;
    assert_eq!(found(after.plus_ms(-1)).await, [until_paid.sale.id]);
    assert_eq!(found(after).await, [open.sale.id, until_paid.sale.id, by_hand.sale.id]);
    store.set_state(by_hand.sale.id, SaleState::Closed).await.unwrap();
    assert_eq!(found(NOW).await, [until_paid.sale.id, by_hand.sale.id]);
    store.end_standby(by_hand.sale.id, NOW, 9).await.unwrap();
    assert_eq!(found(NOW).await, [until_paid.sale.id, by_hand.sale.id], "something is held");
    assert_eq!(store.standby_to_end(&all[2..], NOW).await.unwrap(), [by_hand.sale.id], "of those that are asked about");
    assert_eq!(store.standby_to_end(&[], NOW).await.unwrap(), []);
}

pub async fn standby_ends_when_a_closed_sale_has_nothing_left_to_give<S: Store>(store: S) {
    let mut counter = Counter::open(store, 2, 3).await;
    let sale = counter.sale.id;
    let rows = counter.reserved(&[(1, 2), (2, 1), (3, 4)]).await;
    let after = counter.sale.closes_at;
    assert_eq!(counter.store.end_standby(sale, after, 9).await.unwrap(), [], "something is held");
    counter.store.lapse(sale, &[rows[0].id], later()).await.unwrap();
    assert_eq!(counter.store.end_standby(sale, after, 9).await.unwrap(), [], "something is not freed");
    let release = counter.release(rows[0].id);
    let promoted = counter.recorded(&[release]).await.remove(0);
    let payment = counter.begin_paying(&promoted, 1).await;
    assert_eq!(counter.store.end_standby(sale, after, 9).await.unwrap(), [], "something is being paid");
    counter.store.confirm(promoted.id, payment, "N", NOW).await.unwrap();
    assert_eq!(counter.store.end_standby(sale, after.plus_ms(-1), 9).await.unwrap(), [], "it is open, and one is free");
    let ended = counter.store.end_standby(sale, after, 9).await.unwrap();
    assert_eq!(ended.iter().map(|row| row.id).collect::<Vec<_>>(), [rows[2].id]);
}

pub async fn standby_ends_when_an_operator_closed_the_sale<S: Store>(store: S) {
    let mut counter = Counter::open(store, 1, 3).await;
    counter.reserved(&[(1, 3)]).await;
    assert_eq!(counter.store.end_standby(counter.sale.id, NOW, 9).await.unwrap(), []);
    counter.store.set_state(counter.sale.id, SaleState::Closed).await.unwrap();
    assert_eq!(counter.store.end_standby(counter.sale.id, NOW, 9).await.unwrap().len(), 1);
}
