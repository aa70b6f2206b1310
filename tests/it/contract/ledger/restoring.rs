//! The turnstile's state as the ledger would have it, and the first half of a restore.

use miaosha::domain::sale::reservation::{Kind, State};
use miaosha::domain::sale::turnstile::Turnstile;
use miaosha::domain::shared::id::SaleId;
use miaosha::ports::sale::fallback::SaleLease;
use miaosha::ports::sale::recording::Recorded;

use super::counter::{Counter, NOW, Store, later};

pub async fn a_standing_counts_what_is_sold_held_and_waiting<S: Store>(store: S) {
    let mut counter = Counter::open(store, 6, 2).await;
    let sale = counter.sale.id;
    assert_eq!(counter.store.standing(SaleId(sale.0 + 1)).await.unwrap(), None);
    let empty = counter.store.standing(sale).await.unwrap().unwrap();
    assert_eq!((empty.revision, empty.sold, empty.pending, empty.standby, empty.unfreed), (0, 0, 0, 0, 0));
    let rows = counter.reserved(&[(1, 2), (2, 1), (3, 1), (4, 2), (5, 3), (6, 1)]).await;
    let payment = counter.begin_paying(&rows[0], 1).await;
    let paying = counter.store.standing(sale).await.unwrap().unwrap();
    assert_eq!((paying.sold, paying.pending, paying.standby), (0, 6, 2));
    counter.store.confirm(rows[0].id, payment, "N", NOW).await.unwrap();
    counter.store.cancel(rows[1].id, rows[1].buyer, NOW).await.unwrap();
    let standing = counter.store.standing(sale).await.unwrap().unwrap();
    let level = counter.turnstile.level();
    assert_eq!((standing.sale, standing.generation, standing.allotment), (sale, 1, counter.sale.allotment));
    assert_eq!((standing.revision, standing.chain), (level.revision, level.chain));
    assert_eq!((standing.sold, standing.pending, standing.standby, standing.unfreed), (2, 3, 2, 1));
    assert_eq!(standing.hold_ms, counter.sale.hold_ms);
}

pub async fn a_snapshot_is_what_the_turnstile_has<S: Store>(store: S) {
    let mut counter = Counter::open(store, 5, 4).await;
    assert_eq!(counter.store.snapshot(SaleId(counter.sale.id.0 + 1)).await.unwrap(), None);
    counter.agrees().await;
    let rows = counter.reserved(&[(1, 2), (2, 1), (3, 2), (4, 3), (5, 1), (6, 2)]).await;
    counter.agrees().await;
    let payment = counter.begin_paying(&rows[2], 1).await;
    counter.store.confirm(rows[2].id, payment, "N", NOW).await.unwrap();
    for place in [0, 1, 4] {
        counter.store.cancel(rows[place].id, rows[place].buyer, NOW).await.unwrap();
        let release = counter.release(rows[place].id);
        counter.recorded(&[release]).await;
        counter.agrees().await;
    }
}

pub async fn a_restore_frees_promotes_and_takes_the_next_generation<S: Store>(store: S) {
    let mut counter = Counter::open(store, 2, 3).await;
    let sale = counter.sale.id;
    let rows = counter.reserved(&[(1, 1), (2, 1), (3, 2), (4, 1), (5, 1)]).await;
    counter.store.cancel(rows[0].id, rows[0].buyer, NOW).await.unwrap();
    assert_eq!(counter.store.restore(sale, 2, NOW).await.unwrap(), None, "from another generation");
    assert_eq!(counter.store.restore(SaleId(sale.0 + 1), 1, NOW).await.unwrap(), None);
    let (state, promoted) = counter.store.restore(sale, 1, NOW.plus_ms(5)).await.unwrap().unwrap();
    assert_eq!(promoted.len(), 1, "two units for the first do not fit; one for the second does");
    assert_eq!(promoted[0].id, rows[3].id);
    assert_eq!(promoted[0].state, State::Held { units: vec![1], lapses_at: later().plus_ms(5) });
    assert_eq!(promoted[0].version, 2);
    assert_eq!(counter.row(rows[3].id).await, promoted[0]);
    assert!(counter.row(rows[0].id).await.freed, "what had ended is taken back by this");
    assert_eq!(counter.claimed().await, [1, 2]);
    assert_eq!((state.generation, state.revision), (2, 0));
    assert_eq!(counter.store.snapshot(sale).await.unwrap().unwrap().holdings(), state.holdings());
    let old = counter.reserve(&[(9, 1)]);
    assert_eq!(counter.record(&[old]).await, Recorded::Moved);
    counter.turnstile = Turnstile::restore(state);
    counter.agrees().await;
    assert_eq!(counter.store.restore(sale, 1, NOW).await.unwrap(), None, "once");
}

pub async fn who_waited_before_a_restore_is_served_before_who_came_after<S: Store>(store: S) {
    let mut counter = Counter::open(store, 1, 9).await;
    let sale = counter.sale.id;
    let before = counter.reserved(&[(1, 1), (2, 1), (3, 1)]).await;
    let (state, _) = counter.store.restore(sale, 1, NOW).await.unwrap().unwrap();
    counter.turnstile = Turnstile::restore(state);
    let after = counter.reserved(&[(4, 1)]).await;
    let (state, _) = counter.store.restore(sale, 2, NOW).await.unwrap().unwrap();
    let order: Vec<_> = state.standby.iter().map(|party| party.reservation).collect();
    assert_eq!(order, [before[1].id, before[2].id, after[0].id]);
    counter.turnstile = Turnstile::restore(state);
    counter.store.cancel(before[0].id, before[0].buyer, NOW).await.unwrap();
    let release = counter.release(before[0].id);
    assert_eq!(counter.recorded(&[release]).await[0].id, before[1].id);
    counter.agrees().await;
}

pub async fn what_ends_after_a_restore_is_still_to_be_freed<S: Store>(store: S) {
    let mut counter = Counter::open(store, 1, 0).await;
    let row = counter.reserved(&[(1, 1)]).await.remove(0);
    let (state, _) = counter.store.restore(counter.sale.id, 1, NOW).await.unwrap().unwrap();
    counter.turnstile = Turnstile::restore(state);
    counter.store.lapse(counter.sale.id, &[row.id], later()).await.unwrap();
    assert_eq!(counter.store.unfreed(9).await.unwrap().len(), 1);
    let release = counter.release(row.id);
    counter.recorded(&[release]).await;
    assert_eq!(counter.kind(row.id).await, Kind::Lapsed);
    counter.agrees().await;
}

pub async fn a_capacity_that_was_raised_is_what_a_restore_gives<S: Store>(store: S) {
    let mut counter = Counter::open(store, 1, 2).await;
    let rows = counter.reserved(&[(1, 1), (2, 2), (3, 1)]).await;
    counter.store.raise(counter.sale.id, 3).await.unwrap();
    let (state, promoted) = counter.store.restore(counter.sale.id, 1, NOW).await.unwrap().unwrap();
    assert_eq!(state.allotment.capacity, 3);
    assert_eq!((promoted.len(), promoted[0].id), (1, rows[1].id));
    assert_eq!(counter.claimed().await, [1, 2, 3]);
}

pub async fn one_restore_at_a_time_for_each_sale<S: Store>(store: S) {
    let sale = SaleId(1);
    let lock = store.lock_restore(sale).await.unwrap().unwrap();
    assert!(store.lock_restore(sale).await.unwrap().is_none());
    let other = store.lock_restore(SaleId(11)).await.unwrap();
    assert!(other.is_some());
    drop(lock);
    // A server sees that a connection ended when it gets to it.
    while store.lock_restore(sale).await.unwrap().is_none() {
        tokio::task::yield_now().await;
    }
}

/// Of two processes with memories, and of everybody who has none.
pub async fn a_lease_keeps_a_sale_for_its_holder_and_runs_out<S: Store>(store: S) {
    const MINE: SaleLease = SaleLease { by: 7, ms: 600_000, partitions: 4 };
    const THEIRS: SaleLease = SaleLease { by: 9, ..MINE };
    let mut counter = Counter::open(store, 1, 2).await;
    let sale = counter.sale.id;
    let row = counter.reserved(&[(1, 1)]).await.remove(0);
    counter.store.cancel(row.id, row.buyer, NOW).await.unwrap();
    assert!(!counter.store.renew(sale, 1, &MINE).await.unwrap(), "there is none");
    assert!(counter.store.restore_under(sale, 1, &MINE, NOW).await.unwrap().is_some());
    let seen = async |store: &S| {
        let look = store.look(sale, &[], &[]).await.unwrap().unwrap().leased_by;
        let standing = store.standing(sale).await.unwrap().unwrap().leased_by;
        let last = store.last_turns(&[sale]).await.unwrap().remove(0).leased_by;
        assert_eq!((look, look), (standing, last));
        let leased = store.leased().await.unwrap().into_iter().filter(|(of, _)| *of == sale);
        let leased: Vec<_> = leased.map(|(_, lease)| (lease.by, lease.partitions)).collect();
        assert_eq!(leased, if look == 0 { vec![] } else { vec![(look, 4)] });
        look
    };
    assert_eq!(seen(&counter.store).await, 7);
    assert_eq!(counter.store.restore(sale, 2, NOW).await.unwrap(), None, "whoever has no memory");
    assert_eq!(counter.store.restore_under(sale, 2, &THEIRS, NOW).await.unwrap(), None);
    assert!(!counter.store.renew(sale, 2, &THEIRS).await.unwrap());
    assert!(!counter.store.renew(sale, 1, &MINE).await.unwrap(), "of another generation");
    assert!(counter.store.renew(sale, 2, &MINE).await.unwrap());
    counter.store.give_back(sale, THEIRS.by).await.unwrap();
    assert_eq!(seen(&counter.store).await, 7);

    let (state, _) = counter.store.restore_under(sale, 2, &MINE, NOW).await.unwrap().expect("its own again");
    counter.turnstile = Turnstile::restore(state);
    let row = counter.reserved(&[(2, 1)]).await.remove(0);
    counter.store.cancel(row.id, row.buyer, NOW).await.unwrap();
    for (by, count) in [(0, 0), (9, 0), (7, 1)] {
        assert_eq!(counter.store.unfreed_of(by, 9).await.unwrap().len(), count, "{by}");
    }
    assert!(counter.store.renew(sale, 3, &SaleLease { ms: 1, ..MINE }).await.unwrap());
    while counter.store.look(sale, &[], &[]).await.unwrap().unwrap().leased_by == 7 {
        tokio::task::yield_now().await;
    }
    assert_eq!(counter.store.unfreed(9).await.unwrap().len(), 1, "it ran out");
    assert!(counter.store.restore_under(sale, 3, &THEIRS, NOW).await.unwrap().is_some());
    assert_eq!(seen(&counter.store).await, 9);
    let back = SaleLease { ms: 0, ..THEIRS };
    assert!(counter.store.restore_under(sale, 4, &back, NOW).await.unwrap().is_some());
    assert_eq!(seen(&counter.store).await, 0);
    assert!(!counter.store.renew(sale, 5, &THEIRS).await.unwrap());
}
