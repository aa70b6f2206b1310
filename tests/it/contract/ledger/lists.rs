//! Lists of sales: whole and in order whatever they are of, a page at a time, before and after a process has sorted them.

use miaosha::domain::sale::search::words_asked;
use miaosha::domain::sale::{Phase, Sale, SaleState};
use miaosha::domain::shared::id::{ItemId, SaleId};
use miaosha::domain::shared::time::Timestamp;
use miaosha::ports::sale::catalogue::{NewItem, NewSale};
use miaosha::ports::sale::showcase::{ListedSale, ListedState, SaleList, SaleOrder};

use super::counter::{Counter, NOW, Store, allotment, new_sale};

const HOUR_MS: i64 = 3_600_000;
const STATES: [Option<ListedState>; 3] = [None, Some(ListedState::Open), Some(ListedState::Upcoming)];
const FIRST: [SaleOrder; 2] = [SaleOrder::Newest { after: None }, SaleOrder::Opening { after: None }];

async fn item<S: Store>(store: &S, title: &str, description: &str) -> ItemId {
    store.create_item(&NewItem { title: title.to_owned(), description: description.to_owned() }).await.unwrap().id
}

async fn sale<S: Store>(store: &S, item: ItemId, opens_ms: i64, closes_ms: i64) -> Sale {
    let like = new_sale_like(item);
    let sale = NewSale { opens_at: NOW.plus_ms(opens_ms), closes_at: NOW.plus_ms(closes_ms), ..like };
    store.create_sale(&sale).await.unwrap().unwrap()
}

fn new_sale_like(item: ItemId) -> NewSale {
    NewSale {
        item,
        price: miaosha::domain::shared::money::Money { minor: 1, currency: "TWD".parse().unwrap() },
        allotment: allotment(4, 0),
        standby_until: miaosha::domain::sale::StandbyUntil::default(),
        hold_ms: 1_000,
        opens_at: NOW,
        closes_at: NOW.plus_ms(HOUR_MS),
        questions: vec![],
        question_key: miaosha::domain::sale::QuestionKey([0; 32]),
    }
}

fn is_of(sale: &Sale, state: Option<ListedState>, now: Timestamp) -> bool {
    let phase = sale.phase(now);
    match state {
        None => true,
        Some(ListedState::Open) => matches!(phase, Phase::Open | Phase::Paused),
        Some(ListedState::Upcoming) => phase == Phase::Scheduled,
    }
}

fn place(order: SaleOrder, last: &ListedSale) -> SaleOrder {
    match order {
        SaleOrder::Newest { .. } => SaleOrder::Newest { after: Some(last.sale.id) },
        SaleOrder::Opening { .. } => SaleOrder::Opening { after: Some((last.sale.opens_at, last.sale.id)) },
    }
}

/// All of a list, page by page.
async fn whole<S: Store>(store: &S, mut list: SaleList, now: Timestamp, max: u32) -> Vec<SaleId> {
    let mut seen = Vec::new();
    loop {
        let page = store.sales_shown(&list, now, max).await.unwrap();
        assert!(page.len() <= max as usize);
        seen.extend(page.iter().map(|listed| listed.sale.id));
        match page.last() {
            Some(last) => list.order = place(list.order, last),
            None => return seen,
        }
    }
}

/// What a list should be: of these, as each says itself when it opens and closes.
fn expected(sales: &[Sale], state: Option<ListedState>, order: SaleOrder, now: Timestamp) -> Vec<SaleId> {
    let mut sales: Vec<&Sale> = sales.iter().filter(|sale| is_of(sale, state, now)).collect();
    match order {
        SaleOrder::Newest { .. } => sales.sort_by_key(|sale| std::cmp::Reverse(sale.id)),
        SaleOrder::Opening { .. } => sales.sort_by_key(|sale| (sale.opens_at, sale.id)),
    }
    sales.into_iter().map(|sale| sale.id).collect()
}

pub async fn lists_are_whole_and_in_order<S: Store>(store: S) {
    let lamp = item(&store, "A lamp", "It shines.").await;
    let mut sales = Vec::new();
    // Some in the same moment; long ago, now, and later.
    let windows = [(-9, -5), (-5, 5), (-5, 9), (1, 5), (3, 9), (-9, 1), (3, 4), (-1, 3)];
    for (opens, closes) in windows.into_iter().cycle().take(27) {
        sales.push(sale(&store, lamp, opens * HOUR_MS, closes * HOUR_MS).await);
    }
    for at in [1, 3, 9, 12] {
        store.set_state(sales[at].id, SaleState::Closed).await.unwrap();
        store.set_state(sales[at + 1].id, SaleState::Paused).await.unwrap();
    }
    for sale in &mut sales {
        *sale = store.sale(sale.id).await.unwrap().unwrap();
    }
    // As time goes on, and the lists are kept or not; some at a time.
    for (kept, after_h) in
        [(false, 0), (true, 0), (false, 2), (true, 2), (false, 4), (true, 4), (false, 99), (true, 99)]
    {
        let now = NOW.plus_ms(after_h * HOUR_MS);
        if kept {
            while store.keep_lists(now, 2).await.unwrap() > 0 {}
        }
        for (state, order) in STATES.into_iter().flat_map(|state| FIRST.map(|order| (state, order))) {
            let wanted = expected(&sales, state, order, now);
            for max in [1, 4, 99] {
                let list = SaleList { words: Vec::new(), state, order };
                let seen = whole(&store, list, now, max).await;
                assert_eq!(seen, wanted, "{state:?}, {order:?}, pages of {max}, after {after_h} h, kept: {kept}");
            }
            let words = vec!["lamp".to_owned(), "la".to_owned()];
            assert_eq!(
                whole(&store, SaleList { words, state, order }, now, 4).await,
                wanted,
                "of words: {state:?}, {order:?}"
            );
        }
    }
    assert_eq!(store.keep_lists(NOW.plus_ms(99 * HOUR_MS), 99).await.unwrap(), 0, "there is nothing to do twice");
}

pub async fn a_sale_is_found_by_its_words<S: Store>(store: S) {
    let teapot = item(&store, "A clay teapot — “Café”", "Fired twice in Yixing.").await;
    let chinese = item(&store, "手作紫砂茶壺", "一把一把做。").await;
    let (one, two) = (sale(&store, teapot, 0, HOUR_MS).await.id, sale(&store, chinese, 0, HOUR_MS).await.id);
    let again = sale(&store, teapot, 1, HOUR_MS).await.id;
    let found = async |asked: &str| {
        let words = words_asked(asked).into_iter().collect();
        let list = SaleList { words, state: None, order: SaleOrder::Newest { after: None } };
        whole(&store, list, NOW, 1).await
    };
    for asked in ["clay", "TEA", "cafe clay", "teapot yixing", "ｃｌａｙ"] {
        assert_eq!(found(asked).await, [again, one], "{asked}");
    }
    for asked in ["茶壺", "砂", "紫砂茶壺", "手作 做"] {
        assert_eq!(found(asked).await, [two], "{asked}");
    }
    for asked in ["kettle", "clay kettle", "茶杯", "yix", "%", "cl_y"] {
        let words = words_asked(asked);
        assert!(words.is_empty() || found(asked).await.is_empty(), "{asked}: {words:?}");
    }
    assert_eq!(found("").await, [again, two, one], "no words ask for any");
}

/// The same as is counted of each alone.
pub async fn what_is_counted_of_a_listed_sale<S: Store>(store: S) {
    let quiet = new_sale(&store, allotment(7, 0)).await;
    let mut counter = Counter::open(store.clone(), 4, 2).await;
    let rows = counter.reserved(&[(1, 2), (2, 1), (3, 1), (4, 1)]).await;
    let payment = counter.begin_paying(&rows[0], 1).await;
    store.confirm(rows[0].id, payment, "N", NOW).await.unwrap();
    let list = SaleList { words: Vec::new(), state: None, order: SaleOrder::Newest { after: None } };
    let listed = store.sales_shown(&list, NOW, 9).await.unwrap();
    let of = |id: SaleId| {
        let listed = listed.iter().find(|listed| listed.sale.id == id).unwrap();
        (listed.sold, listed.taken, listed.standby)
    };
    assert_eq!((of(quiet.id), of(counter.sale.id)), ((0, 0, 0), (2, 4, 1)));
    for listed in &listed {
        let standing = store.standing(listed.sale.id).await.unwrap().unwrap();
        let taken = standing.sold + standing.pending + standing.blocked;
        assert_eq!((standing.sold, taken, standing.standby), (listed.sold, listed.taken, listed.standby));
    }
}

/// Many sales, some of each kind, in lists that were kept.
pub async fn many_for_lists<S: Store>(store: &S) -> Vec<Sale> {
    let lamp = item(store, "A lamp", "It shines.").await;
    let mut sales = Vec::new();
    for number in 0..400 {
        let (opens, closes) = [(-9, -5), (-5, 5), (3, 9), (-4, 6)][number % 4];
        sales.push(sale(store, lamp, opens * HOUR_MS + number as i64, closes * HOUR_MS).await);
    }
    while store.keep_lists(NOW, 99).await.unwrap() > 0 {}
    sales
}

/// Each kind of list, from its beginning, from its middle, and from just before its end.
pub fn every_list(sales: &[Sale]) -> Vec<SaleList> {
    let mut lists = Vec::new();
    for (state, order) in STATES.into_iter().flat_map(|state| FIRST.map(|order| (state, order))) {
        let all = expected(sales, state, order, NOW);
        let at = |back: usize| {
            let id = all[all.len() - back];
            let sale = sales.iter().find(|sale| sale.id == id).unwrap();
            match order {
                SaleOrder::Newest { .. } => SaleOrder::Newest { after: Some(id) },
                SaleOrder::Opening { .. } => SaleOrder::Opening { after: Some((sale.opens_at, id)) },
            }
        };
        for order in [order, at(all.len() / 2), at(3)] {
            lists.push(SaleList { words: Vec::new(), state, order });
            if state.is_none() {
                lists.push(SaleList { words: vec!["lamp".to_owned()], state, order });
                lists.push(SaleList { words: vec!["lamp".to_owned(), "a".to_owned()], state, order });
            }
        }
    }
    lists
}
