//! Many at once: of several that want the same, one gets it, and no reader sees half of anything.

use futures_util::future::join_all;
use miaosha::domain::sale::reservation::{Kind, Reservation};
use miaosha::domain::sale::turn::Turn;
use miaosha::domain::shared::id::ReservationId;
use miaosha::ports::money::paying::{Confirmed, Took};
use miaosha::ports::sale::recording::Recorded;

use super::counter::{Counter, NOW, Store, later};
use crate::support::checkout::take;

pub async fn of_two_lapses_and_a_checkout_one_wins<S: Store>(store: S) {
    let mut counter = Counter::open(store, 24, 0).await;
    let attempts: Vec<(u64, u8)> = (1..=24).map(|buyer| (buyer, 1)).collect();
    let rows = counter.reserved(&attempts).await;
    let race = async |row: &Reservation| {
        let payment = counter.payment(row, u128::from(row.buyer.0));
        let ids = [row.id];
        let (one, other, begun) = tokio::join!(
            counter.store.lapse(row.sale, &ids, later()),
            counter.store.lapse(row.sale, &ids, later()),
            take(&counter.store, &payment, row.buyer, NOW),
        );
        let begun = matches!(begun, Took::Paying(_));
        assert_eq!(one.unwrap().len() + other.unwrap().len() + usize::from(begun), 1);
        assert_eq!(counter.kind(row.id).await, if begun { Kind::Paying } else { Kind::Lapsed });
    };
    join_all(rows.iter().map(race)).await;
    counter.claimed().await;
}

pub async fn of_a_capture_and_a_void_one_wins<S: Store>(store: S) {
    let mut counter = Counter::open(store, 12, 0).await;
    let attempts: Vec<(u64, u8)> = (1..=12).map(|buyer| (buyer, 1)).collect();
    let rows = counter.reserved(&attempts).await;
    let race = async |row: &Reservation| {
        let payment = counter.begin_paying(row, u128::from(row.buyer.0)).await;
        let number = format!("N{}", row.buyer);
        let (confirmed, voided) = tokio::join!(
            counter.store.confirm(row.id, payment, &number, NOW),
            counter.store.payment_voided(row.id, payment, later()),
        );
        voided.unwrap();
        let kind = counter.kind(row.id).await;
        match confirmed.unwrap() {
            Confirmed::Order(_) => assert_eq!(kind, Kind::Confirmed),
            Confirmed::RefundDue(_) => assert_eq!(kind, Kind::Lapsed),
        }
    };
    join_all(rows.iter().map(race)).await;
    let facts = counter.store.audit(counter.sale.id, NOW).await.unwrap().unwrap();
    assert_eq!(facts.orders.len() + facts.standing.unfreed as usize, 12);
    assert_eq!(facts.orders.len(), facts.standing.sold as usize);
}

pub async fn turns_recorded_by_many_at_once_are_each_recorded_once<S: Store>(store: S) {
    let mut counter = Counter::open(store, 60, 0).await;
    let turns: Vec<Turn> = (0..20_u64)
        .map(|batch| counter.reserve(&[(batch * 3 + 1, 1), (batch * 3 + 2, 1), (batch * 3 + 3, 1)]))
        .collect();
    let twice = turns.iter().chain(turns.iter().rev()).map(std::slice::from_ref);
    for recorded in join_all(twice.map(|turn| counter.record(turn))).await {
        assert!(matches!(recorded, Recorded::Done(rows) if rows.len() == 3));
    }
    counter.agrees().await;
}

pub async fn releases_and_births_by_many_at_once_come_out_right<S: Store>(store: S) {
    let mut counter = Counter::open(store, 20, 40).await;
    let attempts: Vec<(u64, u8)> = (1..=40).map(|buyer| (buyer, 1)).collect();
    let rows = counter.reserved(&attempts).await;
    let ids: Vec<ReservationId> = rows[..20].iter().map(|row| row.id).collect();
    let lapses = ids.chunks(3).map(|ids| counter.store.lapse(counter.sale.id, ids, later()));
    let lapsed: usize = join_all(lapses).await.into_iter().map(|lapsed| lapsed.unwrap().len()).sum();
    assert_eq!(lapsed, 20);
    let mut turns = Vec::new();
    for (id, buyer) in ids.into_iter().zip(100..) {
        turns.push(counter.release(id));
        turns.push(counter.reserve(&[(buyer, 1)]));
    }
    for recorded in join_all(turns.chunks(2).map(|turns| counter.record(turns))).await {
        assert!(matches!(recorded, Recorded::Done(rows) if rows.len() == 2));
    }
    counter.agrees().await;
}

pub async fn a_recording_during_a_restore_is_in_it_or_moved<S: Store>(store: S) {
    let mut counter = Counter::open(store, 9, 0).await;
    let sale = counter.sale.id;
    let turns: Vec<Turn> = (1..=8).map(|buyer| counter.reserve(&[(buyer, 1)])).collect();
    let records = join_all(turns.iter().map(|turn| counter.record(std::slice::from_ref(turn))));
    let (recorded, restored) = tokio::join!(records, counter.store.restore(sale, 1, NOW));
    let (state, _) = restored.unwrap().unwrap();
    let done = recorded.iter().filter(|recorded| matches!(recorded, Recorded::Done(_))).count();
    assert!(recorded.iter().all(|recorded| matches!(recorded, Recorded::Done(_) | Recorded::Moved)));
    assert_eq!(state.taken.len(), done);
    assert_eq!(counter.store.snapshot(sale).await.unwrap().unwrap().holdings(), state.holdings());
}

pub async fn what_ends_during_a_restore_is_freed_or_still_to_be_freed<S: Store>(store: S) {
    let mut counter = Counter::open(store, 16, 16).await;
    let sale = counter.sale.id;
    let attempts: Vec<(u64, u8)> = (1..=32).map(|buyer| (buyer, 1)).collect();
    let rows = counter.reserved(&attempts).await;
    let cancels = join_all(rows.iter().map(|row| counter.store.cancel(row.id, row.buyer, NOW)));
    let (cancelled, restored) = tokio::join!(cancels, counter.store.restore(sale, 1, NOW));
    assert!(cancelled.into_iter().all(|row| row.unwrap().is_some()));
    let (state, _) = restored.unwrap().unwrap();
    counter.turnstile = miaosha::domain::sale::turnstile::Turnstile::restore(state);
    let unfreed = counter.store.unfreed(99).await.unwrap();
    let releases: Vec<Turn> = unfreed.iter().map(|&(_, id)| counter.release(id)).collect();
    if !releases.is_empty() {
        counter.recorded(&releases).await;
    }
    counter.agrees().await;
    assert_eq!(counter.claimed().await, [0_u32; 0]);
    assert_eq!(counter.store.snapshot(sale).await.unwrap().unwrap().free(), 16);
}
