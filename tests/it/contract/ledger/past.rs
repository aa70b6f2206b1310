//! What a buyer did in a sale, as an admission is judged by it.

use miaosha::domain::sale::admission::EndedHold;
use miaosha::domain::shared::id::{BuyerId, SaleId};
use miaosha::ports::sale::past::BuyerPast;

use super::counter::{Counter, NOW, Store, later};

async fn past<S: Store>(counter: &Counter<S>, buyer: u64) -> BuyerPast {
    counter.store.past(counter.sale.id, BuyerId(buyer), 3).await.unwrap()
}

/// However many there are, the newest ones are told.
pub async fn holds_that_lapsed_are_remembered<S: Store>(store: S) {
    let mut counter = Counter::open(store, 1, 1).await;
    let sale = counter.sale.id;
    let rows = counter.reserved(&[(1, 1), (2, 1)]).await;
    for buyer in [1, 2] {
        assert_eq!(past(&counter, buyer).await, BuyerPast { has_live: true, ended: vec![] });
    }
    assert_eq!(past(&counter, 3).await, BuyerPast::default());
    // Standby that is left is no hold.
    counter.store.cancel(rows[1].id, BuyerId(2), later()).await.unwrap();
    let turn = counter.release(rows[1].id);
    counter.recorded(&[turn]).await;
    assert_eq!(past(&counter, 2).await, BuyerPast::default());

    let (mut id, mut ended) = (rows[0].id, Vec::new());
    for n in 1..=5 {
        let ended_at = later().plus_ms(n);
        assert_eq!(counter.store.lapse(sale, &[id], ended_at).await.unwrap().len(), 1);
        ended.insert(0, EndedHold { ended_at, lapses_at: later(), is_cancelled: false });
        ended.truncate(3);
        let turn = counter.release(id);
        counter.recorded(&[turn]).await;
        assert_eq!(past(&counter, 1).await, BuyerPast { has_live: false, ended: ended.clone() });
        id = counter.reserved(&[(1, 1)]).await[0].id;
        assert_eq!(past(&counter, 1).await, BuyerPast { has_live: true, ended: ended.clone() });
    }
    assert_eq!(counter.store.past(SaleId(sale.0 + 1), BuyerId(1), 3).await.unwrap(), BuyerPast::default());
}

pub async fn a_hold_that_is_cancelled_is_remembered_and_what_is_paid_is_not<S: Store>(store: S) {
    let mut counter = Counter::open(store, 2, 0).await;
    let row = counter.reserved(&[(1, 1)]).await.remove(0);
    let ended_at = NOW.plus_ms(20_000);
    counter.store.cancel(row.id, row.buyer, ended_at).await.unwrap();
    let cancelled = EndedHold { ended_at, lapses_at: later(), is_cancelled: true };
    assert_eq!(past(&counter, 1).await, BuyerPast { has_live: false, ended: vec![cancelled] });
    // The turnstile takes the units back later: that does not make the end a later one.
    let turn = counter.release(row.id);
    counter.recorded(&[turn]).await;
    assert_eq!(past(&counter, 1).await.ended, [cancelled]);
    let paid = counter.reserved(&[(3, 1)]).await.remove(0);
    let payment = counter.begin_paying(&paid, 1).await;
    counter.store.confirm(paid.id, payment, "N", NOW).await.unwrap();
    assert_eq!(past(&counter, 3).await, BuyerPast { has_live: true, ended: vec![] });
}
