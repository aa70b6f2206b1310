//! Items, sales and accounts.

use miaosha::domain::money::order::Order;
use miaosha::domain::people::{Revoked, Role};
use miaosha::domain::sale::{QuestionKey, SaleState, StandbyUntil};
use miaosha::domain::shared::id::{BuyerId, ItemId, SaleId};
use miaosha::domain::shared::locale::Locale;
use miaosha::domain::shared::money::Money;
use miaosha::ports::money::paying::Confirmed;
use miaosha::ports::money::refunds::{RefundOutcome, RefundRequest};
use miaosha::ports::people::accounts::{Erased, InTheWay, Unused};
use miaosha::ports::sale::catalogue::{Changed, NewItem, NewSale};

use super::counter::{Counter, HOLD_MS, NOW, Store, allotment, new_sale, new_sale_until};

pub async fn a_sale_is_read_as_it_was_written<S: Store>(store: S) {
    let sale = new_sale(&store, allotment(5, 7)).await;
    assert_eq!(store.sale(sale.id).await.unwrap(), Some(sale.clone()));
    assert_eq!((sale.version, sale.generation, sale.state), (1, 1, SaleState::Active));
    assert_eq!((sale.title.as_str(), sale.allotment, sale.hold_ms), ("座位 A", allotment(5, 7), HOLD_MS));
    assert_eq!((sale.price.minor, sale.price.currency.to_string().as_str()), (2500, "TWD"));
    assert_eq!((sale.opens_at, sale.questions[0].answer.as_str(), sale.question_key.0), (NOW, "blue", [7; 32]));
    let item = store.item(sale.item).await.unwrap().unwrap();
    assert_eq!((item.title.as_str(), item.description.as_str()), ("座位 A", "蓝色"));
    assert_eq!(store.item(ItemId(sale.item.0 + 1)).await.unwrap(), None);
    assert_eq!(store.sale(SaleId(sale.id.0 + 1)).await.unwrap(), None);
    assert_eq!(sale.standby_until, StandbyUntil::Closed, "where nothing else is said");
    let until_paid = new_sale_until(&store, allotment(1, 0), StandbyUntil::Paid).await;
    let read = store.sale(until_paid.id).await.unwrap().unwrap();
    assert_eq!((read.standby_until, &read), (StandbyUntil::Paid, &until_paid));
}

pub async fn a_sale_needs_its_item<S: Store>(store: S) {
    let item = store.create_item(&NewItem { title: "A".into(), description: String::new() }).await.unwrap();
    let sale = NewSale {
        item: ItemId(item.id.0 + 1),
        price: Money { minor: 1, currency: "TWD".parse().unwrap() },
        allotment: allotment(1, 0),
        standby_until: StandbyUntil::default(),
        hold_ms: 1,
        opens_at: NOW,
        closes_at: NOW,
        questions: vec![],
        question_key: QuestionKey([0; 32]),
    };
    assert_eq!(store.create_sale(&sale).await.unwrap(), None);
    assert_eq!(store.sales(9).await.unwrap(), []);
}

pub async fn sales_are_listed_newest_first<S: Store>(store: S) {
    let first = new_sale(&store, allotment(1, 0)).await;
    let second = new_sale(&store, allotment(2, 0)).await;
    assert_eq!(store.sales(9).await.unwrap(), [second.clone(), first]);
    assert_eq!(store.sales(1).await.unwrap(), std::slice::from_ref(&second));
    let third = new_sale(&store, allotment(3, 0)).await;
    let after = async |id, max| {
        let sales = store.sales_after(Some(id), max).await.unwrap();
        sales.iter().map(|sale| sale.id.0).collect::<Vec<_>>()
    };
    let (first, second) = (second.id.0 - 1, second.id.0);
    assert_eq!(after(third.id, 9).await, [second, first]);
    assert_eq!(after(third.id, 1).await, [second]);
    assert_eq!(after(SaleId(first), 9).await, [0; 0]);
    assert_eq!(after(SaleId(third.id.0 + 5), 1).await, [third.id.0]);
    let titles = store.titles(&[third.id, SaleId(third.id.0 + 5), SaleId(first)]).await.unwrap();
    let title = |id| (id, "座位 A".to_owned());
    assert_eq!(titles, [title(third.id), title(SaleId(first))].into());
    assert_eq!(store.titles(&[]).await.unwrap(), [].into());
}

pub async fn an_account_with_good_tickets_is_erased_by_its_owners_word<S: Store>(store: S) {
    let account =
        store.create_account("Ann", "ann@example.org", "hash", Role::Shopper, Locale::En, None).await.unwrap().unwrap();
    assert_eq!(store.in_the_way(account.id).await.unwrap(), InTheWay::default());
    let mut counter = Counter::open(store, 4, 0).await;
    let row = counter.reserved(&[(account.id.0, 2)]).await.remove(0);
    let erase = async |keep| counter.store.erase(account.id, keep, NOW, None).await.unwrap();
    let held = InTheWay { reservations: vec![row.clone()], ..InTheWay::default() };
    assert_eq!(erase(true).await, Erased::Refused(held));
    let payment = counter.begin_paying(&row, 1).await;
    let paying = counter.row(row.id).await;
    assert_eq!(erase(true).await, Erased::Refused(InTheWay { reservations: vec![paying], ..InTheWay::default() }));
    let Confirmed::Order(order) = counter.store.confirm(row.id, payment, "N", NOW).await.unwrap() else { panic!() };
    let unused = |order: &Order, units: &[u32]| InTheWay {
        orders: vec![Unused { order: order.clone(), units: units.to_vec() }],
        units: units.len() as u64,
        ..InTheWay::default()
    };
    assert_eq!(erase(false).await, Erased::Refused(unused(&order, &[1, 2])));
    let one = RefundRequest { number: "N".into(), units: Some(vec![1]), reason: None, request: None };
    let RefundOutcome::Done(given) = counter.store.refund_units(&one, NOW).await.unwrap() else { panic!() };
    assert_eq!(counter.store.in_the_way(account.id).await.unwrap(), unused(&given.order, &[2]));
    assert_eq!(erase(false).await, Erased::Refused(unused(&given.order, &[2])));
    assert_eq!(counter.store.account(account.id).await.unwrap().unwrap().name, "Ann", "nothing was erased");
    assert_eq!(erase(true).await, Erased::Done(Revoked { buyer: account.id, epoch: 1 }));
    assert_eq!(erase(true).await, Erased::Missing);
    assert_eq!(counter.store.people(&[account.id]).await.unwrap(), [].into(), "in no list either");
    assert_eq!(counter.store.order("N").await.unwrap(), Some(given.order));
}

pub async fn a_closed_sale_stays_closed_and_capacity_only_grows<S: Store>(store: S) {
    let sale = new_sale(&store, allotment(5, 0)).await;
    let set = async |state| store.set_state(sale.id, state).await.unwrap();
    let raise = async |capacity| store.raise(sale.id, capacity).await.unwrap();
    let version = |changed| match changed {
        Changed::Sale(sale) => (sale.state, sale.allotment.capacity, sale.version),
        other => panic!("{other:?}"),
    };
    assert_eq!(version(set(SaleState::Paused).await), (SaleState::Paused, 5, 2));
    assert_eq!(version(set(SaleState::Paused).await), (SaleState::Paused, 5, 2));
    assert_eq!(version(set(SaleState::Active).await), (SaleState::Active, 5, 3));
    assert_eq!(version(raise(8).await), (SaleState::Active, 8, 4));
    assert_eq!(version(raise(8).await), (SaleState::Active, 8, 4));
    assert!(matches!(raise(7).await, Changed::Refused { .. }));
    assert_eq!(version(set(SaleState::Closed).await), (SaleState::Closed, 8, 5));
    assert!(matches!(set(SaleState::Active).await, Changed::Refused { .. }));
    assert!(matches!(raise(9).await, Changed::Refused { .. }));
    let now = store.sale(sale.id).await.unwrap().unwrap();
    assert_eq!((now.state, now.allotment.capacity, now.version), (SaleState::Closed, 8, 5));
    let unknown = SaleId(sale.id.0 + 1);
    assert_eq!(store.set_state(unknown, SaleState::Paused).await.unwrap(), Changed::Missing);
    assert_eq!(store.raise(unknown, 9).await.unwrap(), Changed::Missing);
}

pub async fn a_sale_matters_until_nothing_can_happen<S: Store>(store: S) {
    let mut counter = Counter::open(store, 1, 1).await;
    let sale = counter.sale.id;
    let over = counter.sale.closes_at;
    let matters = async |store: &S, now| {
        let sales = store.sales_that_matter(now).await.unwrap();
        assert!(sales.len() <= 1);
        sales.first().is_some_and(|found| found.id == sale)
    };
    assert!(matters(&counter.store, NOW.plus_ms(-1)).await, "one that opens later does");
    assert!(matters(&counter.store, over.plus_ms(-1)).await);
    assert!(!matters(&counter.store, over).await);
    let rows = counter.reserved(&[(1, 1), (2, 1)]).await;
    assert!(matters(&counter.store, over).await, "held");
    let payment = counter.begin_paying(&rows[0], 1).await;
    counter.store.confirm(rows[0].id, payment, "N", NOW).await.unwrap();
    assert!(matters(&counter.store, over).await, "on standby");
    counter.store.cancel(rows[1].id, rows[1].buyer, NOW).await.unwrap();
    assert!(matters(&counter.store, over).await, "not freed");
    let release = counter.release(rows[1].id);
    counter.recorded(&[release]).await;
    assert!(!matters(&counter.store, over).await, "what is sold is sold");
    counter.store.set_state(sale, SaleState::Closed).await.unwrap();
    assert!(!matters(&counter.store, NOW).await, "closed by hand");
}

pub async fn an_address_has_one_account<S: Store>(store: S) {
    let ann = store
        .create_account("Ann", "ann@example.org", "hash", Role::Shopper, Locale::ZhTw, None)
        .await
        .unwrap()
        .unwrap();
    let bob =
        store.create_account("Bob", "bob@example.org", "hash", Role::Owner, Locale::En, None).await.unwrap().unwrap();
    assert_ne!(ann.id, bob.id);
    let eve = store.create_account("Eve", "ann@example.org", "x", Role::Shopper, Locale::En, None).await.unwrap();
    assert_eq!(eve.map(|account| account.id), None);
    let found = store.account(ann.id).await.unwrap().unwrap();
    assert_eq!((found.name.as_str(), found.password_hash.as_str(), found.role), ("Ann", "hash", Role::Shopper));
    assert_eq!(found.locale, Locale::ZhTw);
    let found = store.account_by_email("bob@example.org").await.unwrap().unwrap();
    assert_eq!((found.id, found.role), (bob.id, Role::Owner));
    // However the mailbox is written.
    for same in ["Bob@Example.ORG", "bob+lamp@example.org"] {
        assert_eq!(store.account_by_email(same).await.unwrap().unwrap().email, "bob@example.org");
    }
    let again = store.create_account("Eve", "BOB+x@example.org", "x", Role::Shopper, Locale::En, None).await.unwrap();
    assert_eq!(again.map(|account| account.id), None);
    assert!(store.account(BuyerId(bob.id.0 + 1)).await.unwrap().is_none());
}
