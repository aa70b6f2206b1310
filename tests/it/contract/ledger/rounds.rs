//! How work finds the sales that it is about: what moved of late, and everything in rounds.

use std::collections::BTreeMap;

use miaosha::domain::sale::turn::Chain;
use miaosha::domain::sale::{SaleState, StandbyUntil};
use miaosha::domain::shared::id::SaleId;
use miaosha::domain::shared::time::Timestamp;
use miaosha::ports::sale::catalogue::{Moved, NewSale, RoundPlace};
use miaosha::ports::sale::restoring::LastTurn;

use super::counter::{Counter, HOLD_MS, NOW, Store, allotment, new_sale};

const WITHIN_MS: i64 = 3_600_000;

/// What an operator does is under the store's own time, and turns and orders are under the time their writer says.
pub async fn what_moved_a_sale_is_found<S: Store>(store: S) {
    let quiet = new_sale(&store, allotment(1, 0)).await;
    let mut counter = Counter::open(store.clone(), 3, 2).await;
    let sale = counter.sale.id;
    let made = Moved { version: 1, generation: 1, ..Moved::default() };
    let moved = async |now: Timestamp| store.sales_moved(now, WITHIN_MS).await.unwrap();
    let of_it = async || moved(NOW).await.remove(&sale).unwrap();
    assert_eq!(moved(NOW).await, BTreeMap::from([(quiet.id, made), (sale, made)]));

    let rows = counter.reserved(&[(1, 1), (2, 1)]).await;
    assert_eq!(of_it().await, Moved { turn: (1, 1), ..made });
    counter.reserved(&[(3, 1)]).await;
    assert_eq!(of_it().await, Moved { turn: (1, 2), ..made });
    let payment = counter.begin_paying(&rows[0], 1).await;
    store.confirm(rows[0].id, payment, "N", NOW.plus_ms(5)).await.unwrap();
    let paid = Moved { turn: (1, 2), orders: (1, NOW.plus_ms(5).0 as u64), ..made };
    assert_eq!(of_it().await, paid);
    store.set_state(sale, SaleState::Paused).await.unwrap();
    store.raise(sale, 4).await.unwrap();
    assert_eq!(of_it().await, Moved { version: 3, ..paid });
    store.restore(sale, 1, NOW).await.unwrap().unwrap();
    assert_eq!(of_it().await, Moved { version: 3, generation: 2, ..paid });

    // A new generation counts from the start: the newest is told, however high the last one came.
    let state = store.snapshot(sale).await.unwrap().unwrap();
    counter.turnstile = miaosha::domain::sale::turnstile::Turnstile::restore(state);
    counter.reserved(&[(4, 1)]).await;
    assert_eq!(of_it().await.turn, (2, 1));

    // Turns and orders of that time are forgotten; only the store knows what its own time is.
    let later = NOW.plus_ms(WITHIN_MS + 6);
    assert_eq!(moved(later.plus_ms(-1)).await.remove(&sale).unwrap().orders, paid.orders);
    let closed = Moved { closed: true, ..made };
    assert_eq!(moved(later).await.remove(&quiet.id), Some(closed), "its time came, and that moves it, too");
    assert_eq!(
        moved(later).await.remove(&sale),
        Some(Moved { version: 3, generation: 2, closed: true, ..Moved::default() })
    );
    assert_eq!(store.sales_moved(NOW, -WITHIN_MS).await.unwrap(), BTreeMap::new());
}

async fn sale_closing<S: Store>(store: &S, item: miaosha::domain::shared::id::ItemId, closes_at: Timestamp) -> SaleId {
    let sale = NewSale {
        item,
        price: "TWD".parse().map(|currency| miaosha::domain::shared::money::Money { minor: 1, currency }).unwrap(),
        allotment: allotment(4, 0),
        standby_until: StandbyUntil::default(),
        hold_ms: HOLD_MS,
        opens_at: NOW,
        closes_at,
        questions: vec![],
        question_key: miaosha::domain::sale::QuestionKey([0; 32]),
    };
    store.create_sale(&sale).await.unwrap().unwrap().id
}

/// Each once, in the order in which they close, several in the same moment; only those that matter, and none that closed before.
pub async fn a_round_goes_by_every_sale_that_matters<S: Store>(store: S) {
    let mut counter = Counter::open(store.clone(), 1, 1).await;
    let item = counter.sale.item;
    let mut sales = Vec::new();
    for (count, after_ms) in [(3, 10_000), (5, 20_000), (2, 10_000)] {
        for _ in 0..count {
            sales.push((after_ms, sale_closing(&store, item, NOW.plus_ms(after_ms)).await));
        }
    }
    sales.sort_unstable();
    let all: Vec<SaleId> = sales.iter().map(|(_, sale)| *sale).chain([counter.sale.id]).collect();
    let round = async |from: Timestamp, now: Timestamp, max: u32| {
        let (mut seen, mut parts) = (Vec::new(), Vec::new());
        let mut at = Some(RoundPlace { closes_at: from, sale: SaleId(0) });
        while let Some(place) = at {
            let (part, next) = store.sales_round(place, now, max).await.unwrap();
            parts.push(part.len());
            seen.extend(part);
            at = next;
        }
        (seen, parts)
    };
    for max in [1, 3, 4, 10, 99] {
        assert_eq!(round(NOW, NOW, max).await.0, all, "in parts of {max}");
    }
    assert_eq!(round(NOW, NOW, 4).await.1, [4, 4, 3]);
    assert_eq!(store.sales_in_round(NOW).await.unwrap(), 11);
    assert_eq!(store.sales_in_round(NOW.plus_ms(10_000)).await.unwrap(), 6);

    // Those that are over are gone by, and are of no matter; unless something of them is left.
    let late = NOW.plus_ms(10_000);
    assert_eq!(round(NOW, late, 4).await, (all[5..].to_vec(), vec![0, 3, 3]));
    store.set_state(all[6], SaleState::Closed).await.unwrap();
    let without: Vec<SaleId> = all[5..].iter().copied().filter(|sale| *sale != all[6]).collect();
    assert_eq!(round(NOW, late, 99).await.0, without);
    let over = counter.sale.closes_at;
    assert_eq!(round(NOW, over, 99).await.0, []);
    let rows = counter.reserved(&[(1, 1), (2, 1)]).await;
    assert_eq!(round(NOW, over, 99).await.0, [counter.sale.id], "held");
    store.cancel(rows[0].id, rows[0].buyer, NOW).await.unwrap();
    store.cancel(rows[1].id, rows[1].buyer, NOW).await.unwrap();
    assert_eq!(round(NOW, over, 99).await.0, [counter.sale.id], "not freed");
    assert_eq!(round(over.plus_ms(1), over, 99).await.0, [], "it closed before the round begins");
}

/// What is read of many at once is what each one's own look says.
pub async fn the_last_turns_of_many_are_read_at_once<S: Store>(store: S) {
    let mut counter = Counter::open(store.clone(), 3, 2).await;
    let quiet = new_sale(&store, allotment(7, 0)).await;
    counter.reserved(&[(1, 1)]).await;
    counter.reserved(&[(2, 1)]).await;
    let both = [counter.sale.id, quiet.id, SaleId(quiet.id.0 + 1)];
    let look = store.look(counter.sale.id, &[], &[]).await.unwrap().unwrap();
    let busy = LastTurn { sale: both[0], generation: 1, revision: 2, chain: look.chain, capacity: 3, leased_by: 0 };
    let calm =
        LastTurn { sale: both[1], generation: 1, revision: 0, chain: Chain::default(), capacity: 7, leased_by: 0 };
    let mut turns = store.last_turns(&both).await.unwrap();
    turns.sort_unstable_by_key(|turn| turn.sale);
    let mut wanted = [busy, calm];
    wanted.sort_unstable_by_key(|turn| turn.sale);
    assert_eq!(turns, wanted, "of those that there are");
    store.raise(both[0], 5).await.unwrap();
    store.restore(both[0], 1, NOW).await.unwrap().unwrap();
    let again = LastTurn { generation: 2, revision: 0, chain: Chain::default(), capacity: 5, ..busy };
    assert_eq!(store.last_turns(&both[..1]).await.unwrap(), [again]);
    assert_eq!(store.last_turns(&[]).await.unwrap(), []);
    let sales = store.sales_of(&both).await.unwrap();
    let mut ids = both[..2].to_vec();
    ids.sort_unstable();
    assert_eq!(sales.iter().map(|sale| sale.id).collect::<Vec<_>>(), ids);
    assert_eq!(sales.into_iter().find(|sale| sale.id == quiet.id), Some(quiet));
}
