//! Drafts, and what is corrected of sales: seen when it is published and not before, changed by one of two who want to, and never
//! under who pressed.

use futures_util::future::join_all;
use miaosha::domain::sale::edit::{Fixed, Why};
use miaosha::domain::sale::search::words_asked;
use miaosha::domain::sale::{Question, QuestionKey, Sale, SaleState, StandbyUntil};
use miaosha::domain::shared::id::{RequestId, SaleId};
use miaosha::domain::shared::money::Money;
use miaosha::ports::audit::retention::{Certificate, Piece};
use miaosha::ports::sale::catalogue::{Changed, NewItem, NewSale};
use miaosha::ports::sale::drafts::{Draft, Edited};
use miaosha::ports::sale::recording::Recorded;
use miaosha::ports::sale::showcase::{ListedSale, ListedState, SaleList, SaleOrder};

use super::counter::{Counter, HOLD_MS, NOW, Store, allotment, later, new_sale};
use super::journal::author;

const DESCRIPTION: &str = "Fired twice.";

async fn new_draft<S: Store>(store: &S, request: Option<RequestId>) -> Sale {
    let item = NewItem { title: "A clay teapot".into(), description: DESCRIPTION.into() };
    let sale = NewSale {
        item: store.create_item(&item).await.unwrap().id,
        price: Money { minor: 2500, currency: "TWD".parse().unwrap() },
        allotment: allotment(5, 2),
        standby_until: StandbyUntil::default(),
        hold_ms: HOLD_MS,
        opens_at: NOW,
        closes_at: NOW.plus_ms(3_600_000),
        questions: vec![Question { prompt: "What colour is the sky?".into(), answer: "blue".into() }],
        question_key: QuestionKey([7; 32]),
    };
    store.create_draft_once(&sale, request, None).await.unwrap().unwrap()
}

/// In each list, by its words and without, whatever it is of.
async fn listed<S: Store>(store: &S, sale: SaleId, asked: &str) -> usize {
    let mut found = 0;
    for state in [None, Some(ListedState::Open), Some(ListedState::Upcoming)] {
        for order in [SaleOrder::Newest { after: None }, SaleOrder::Opening { after: None }] {
            for words in [Vec::new(), words_asked(asked).into_iter().collect()] {
                let page = store.sales_shown(&SaleList { words, state, order }, NOW, 9).await.unwrap();
                found += page.iter().filter(|listed| listed.sale.id == sale).count();
            }
        }
    }
    found
}

fn edited(edited: Edited) -> Sale {
    match edited {
        Edited::Sale(sale) => sale,
        other => panic!("{other:?}"),
    }
}

pub async fn a_draft_is_in_no_list_until_it_is_published<S: Store>(store: S) {
    let shown = new_sale(&store, allotment(1, 0)).await;
    let draft = new_draft(&store, None).await;
    assert!(draft.draft && !shown.draft);
    assert_eq!(store.sale(draft.id).await.unwrap(), Some(draft.clone()));
    let listed_draft = ListedSale { sale: draft.clone(), sold: 0, taken: 0, standby: 0 };
    let shown_draft = Draft { listed: listed_draft, description: DESCRIPTION.to_owned() };
    assert_eq!(store.drafts_after(None, 9).await.unwrap(), [shown_draft]);
    assert_eq!(store.drafts_after(Some(draft.id), 9).await.unwrap(), []);
    assert!(matches!(store.raise(draft.id, 9).await.unwrap(), Changed::Refused { .. }), "it is corrected");
    for after_ms in [0, 1_800_000, 7_200_000] {
        assert_eq!(listed(&store, draft.id, "clay teapot").await, 0);
        while store.keep_lists(NOW.plus_ms(after_ms), 9).await.unwrap() > 0 {}
    }
    let Changed::Sale(published) = store.publish(draft.id, None).await.unwrap() else { panic!() };
    assert_eq!(published, Sale { draft: false, version: 2, ..draft.clone() });
    assert_eq!(store.sale(draft.id).await.unwrap(), Some(published.clone()));
    // Of all, and of those that are open; in both orders, with words and without.
    assert_eq!(listed(&store, draft.id, "clay teapot").await, 8);
    assert_eq!(store.drafts_after(None, 9).await.unwrap(), []);
    assert_eq!(store.publish(draft.id, None).await.unwrap(), Changed::Sale(published), "once");
    assert_eq!(store.publish(SaleId(draft.id.0 + 1), None).await.unwrap(), Changed::Missing);
    assert_eq!(store.publish(shown.id, None).await.unwrap(), Changed::Sale(shown));
}

/// By another's clock it was over a moment ago: it goes on, and is in the lists again.
pub async fn a_sale_that_closes_later_is_in_the_lists<S: Store>(store: S) {
    let is = new_draft(&store, None).await;
    let Changed::Sale(is) = store.publish(is.id, None).await.unwrap() else { panic!() };
    while store.keep_lists(is.closes_at, 9).await.unwrap() > 0 {}
    assert_eq!(listed(&store, is.id, "clay teapot").await, 6, "not in that of those that are open");
    let later = Sale { closes_at: is.closes_at.plus_ms(60_000), ..is.clone() };
    edited(store.edit(&later, None, is.closes_at.plus_ms(-1), None).await.unwrap());
    assert_eq!(listed(&store, is.id, "clay teapot").await, 8);
}

pub async fn a_draft_that_is_closed_is_never_seen<S: Store>(store: S) {
    let draft = new_draft(&store, None).await;
    store.set_state(draft.id, SaleState::Closed).await.unwrap();
    assert!(matches!(store.publish(draft.id, None).await.unwrap(), Changed::Refused { .. }));
    while store.keep_lists(NOW.plus_ms(7_200_000), 9).await.unwrap() > 0 {}
    assert_eq!((listed(&store, draft.id, "clay").await, store.drafts_after(None, 9).await.unwrap()), (0, vec![]));
    assert!(store.sale(draft.id).await.unwrap().unwrap().draft);
}

pub async fn a_request_makes_one_draft<S: Store>(store: S) {
    let first = new_draft(&store, Some(RequestId(7))).await;
    assert_eq!(new_draft(&store, Some(RequestId(7))).await.id, first.id);
    assert_eq!(store.drafts_after(None, 9).await.unwrap().len(), 1);
}

pub async fn of_many_who_publish_one_does<S: Store>(store: S) {
    let draft = new_draft(&store, None).await;
    let publish = |by: u64| {
        let store = store.clone();
        async move { store.publish(draft.id, Some(&author(by, NOW))).await.unwrap() }
    };
    for changed in join_all((1..=4).map(publish)).await {
        assert!(matches!(changed, Changed::Sale(Sale { draft: false, version: 2, .. })), "{changed:?}");
    }
    let entries = store.entries_after(0, 9).await.unwrap();
    let told = |entry: &miaosha::domain::audit::journal::Recorded| {
        (entry.action.clone(), entry.subject.clone(), entry.before.clone(), entry.after.clone())
    };
    let one = ["sale.published", &format!("sale:{}", draft.id), r#"{"draft":true}"#, r#"{"draft":false}"#];
    let [action, subject, before, after] = one.map(str::to_owned);
    assert_eq!(entries.iter().map(told).collect::<Vec<_>>(), [(action, subject, before, after)]);
}

/// Of two who read the same, one is told that it is old; another text is another item, and finds the sale.
pub async fn what_is_corrected_goes_by_its_version<S: Store>(store: S) {
    let draft = new_draft(&store, None).await;
    store.publish(draft.id, None).await.unwrap();
    let is = store.sale(draft.id).await.unwrap().unwrap();
    let question = Question { prompt: "2 + 2?".to_owned(), answer: "4".to_owned() };
    let to_be = Sale {
        title: "An iron kettle".to_owned(),
        price: Money { minor: 2600, ..is.price },
        opens_at: NOW.plus_ms(1_000),
        questions: vec![question],
        ..is.clone()
    };
    let before = NOW.plus_ms(-1);
    let by = author(7, NOW);
    let (one, other) = tokio::join!(
        store.edit(&to_be, Some("It sings."), before, Some(&by)),
        store.edit(&to_be, Some("It sings."), before, Some(&by)),
    );
    let (one, other) = match (one.unwrap(), other.unwrap()) {
        (Edited::Sale(sale), other) | (other, Edited::Sale(sale)) => (sale, other),
        neither => panic!("{neither:?}"),
    };
    assert_eq!(other, Edited::Stale { version: 3 });
    assert_eq!(one, Sale { version: 3, item: one.item, ..to_be.clone() });
    assert_ne!(one.item, is.item);
    assert_eq!(store.sale(is.id).await.unwrap(), Some(one.clone()));
    let texts = async |item| store.item(item).await.unwrap().map(|item| (item.title, item.description));
    assert_eq!(texts(one.item).await, Some(("An iron kettle".into(), "It sings.".into())));
    assert_eq!(texts(is.item).await, Some(("A clay teapot".into(), "Fired twice.".into())), "nothing is written over");
    let mut entries = store.entries_after(0, 9).await.unwrap();
    let entry = entries.pop().unwrap();
    assert!(entries.is_empty());
    assert_eq!((entry.action.as_str(), entry.subject), ("sale.edited", format!("sale:{}", is.id)));
    let told: [serde_json::Value; 2] = [&entry.before, &entry.after].map(|text| serde_json::from_str(text).unwrap());
    let states = [(&is, 2500, "A clay teapot"), (&one, 2600, "An iron kettle")].map(|(sale, minor, title)| {
        serde_json::json!({
            "title": title, "item": sale.item, "price_minor": minor, "opens_at": sale.opens_at.0, "questions": 1,
        })
    });
    assert_eq!(told, states);
    // It opens later now, and is found by its new words alone.
    assert_eq!((listed(&store, is.id, "kettle").await, listed(&store, is.id, "clay").await), (8, 4));
    assert_eq!(edited(store.edit(&one, None, before, Some(&by)).await.unwrap()), one, "nothing differs");
    assert_eq!(store.entries_after(0, 9).await.unwrap().len(), 1);
    let unknown = Sale { id: SaleId(is.id.0 + 1), ..one };
    assert_eq!(store.edit(&unknown, None, before, None).await.unwrap(), Edited::Missing);
}

pub async fn terms_stay_once_somebody_pressed<S: Store>(store: S) {
    let mut counter = Counter::open(store, 5, 0).await;
    let is = counter.sale.clone();
    let dearer = Sale { price: Money { minor: 9_999, ..is.price }, ..is.clone() };
    let is = edited(counter.store.edit(&dearer, None, NOW, None).await.unwrap());
    assert_eq!((is.price.minor, is.version, is.generation), (9_999, 2, 1));
    // More units are no press.
    counter.store.raise(is.id, 8).await.unwrap();
    let raised = counter.raise(8);
    counter.recorded(&[raised]).await;
    let again = Sale {
        price: Money { minor: 9_000, ..is.price },
        version: 3,
        ..counter.store.sale(is.id).await.unwrap().unwrap()
    };
    let is = edited(counter.store.edit(&again, None, NOW, None).await.unwrap());
    assert_eq!((is.price.minor, is.version, is.allotment.capacity), (9_000, 4, 8));
    let rows = counter.reserved(&[(1, 1)]).await;
    let cheaper = Sale { price: Money { minor: 1, ..is.price }, ..is.clone() };
    let pressed = Edited::Fixed(Fixed { field: "price", why: Why::Pressed });
    assert_eq!(counter.store.edit(&cheaper, None, NOW, None).await.unwrap(), pressed, "held");
    counter.store.lapse(is.id, &[rows[0].id], later()).await.unwrap();
    let release = counter.release(rows[0].id);
    counter.recorded(&[release]).await;
    assert_eq!(counter.store.edit(&cheaper, None, NOW, None).await.unwrap(), pressed, "ever");
    // Its batch goes after a certificate, and its last turn is a release.
    let facts = counter.store.audit(is.id, NOW).await.unwrap().unwrap();
    let certificate = Certificate::of(&facts);
    assert!(counter.store.certify(&certificate).await.unwrap());
    let piece = Piece { max: 9, dry_run: false };
    assert_eq!(counter.store.remove_turns(&certificate, NOW, piece).await.unwrap(), 2);
    assert_eq!(counter.store.edit(&cheaper, None, NOW, None).await.unwrap(), pressed, "also when its turns are gone");
    assert_eq!(counter.store.sale(is.id).await.unwrap(), Some(is.clone()));
    let later = Sale { title: "座位 B".to_owned(), closes_at: is.closes_at.plus_ms(1), ..is.clone() };
    let later = edited(counter.store.edit(&later, None, NOW, None).await.unwrap());
    assert_eq!(
        (later.title.as_str(), later.version, later.generation),
        ("座位 B", 5, 1),
        "words and a later close may"
    );
}

/// Whichever comes first, a hold is of the price that the sale has.
pub async fn of_a_price_and_a_first_hold_one_comes_first<S: Store>(store: S) {
    for _ in 0..8 {
        let mut counter = Counter::open(store.clone(), 5, 0).await;
        let is = counter.sale.clone();
        let dearer = Sale { price: Money { minor: 9_999, ..is.price }, ..is.clone() };
        let turn = counter.reserve(&[(1, 1)]);
        let turns = [turn];
        let (recorded, edited) = tokio::join!(counter.record(&turns), counter.store.edit(&dearer, None, NOW, None));
        assert!(matches!(recorded, Recorded::Done(_)), "{recorded:?}");
        let minor = match edited.unwrap() {
            Edited::Sale(_) => 9_999,
            Edited::Fixed(Fixed { field: "price", why: Why::Pressed }) => is.price.minor,
            other => panic!("{other:?}"),
        };
        assert_eq!(counter.store.sale(is.id).await.unwrap().unwrap().price.minor, minor);
    }
}

/// What a turnstile decided by the limits that were is not recorded any more.
pub async fn other_limits_are_another_generation<S: Store>(store: S) {
    let mut counter = Counter::open(store, 5, 3).await;
    let is = counter.sale.clone();
    let decided = counter.reserve(&[(1, 4)]);
    let fewer = Sale { allotment: miaosha::domain::sale::Allotment { quantity_max: 2, ..is.allotment }, ..is.clone() };
    let fewer = edited(counter.store.edit(&fewer, None, NOW, None).await.unwrap());
    assert_eq!((fewer.allotment.quantity_max, fewer.version, fewer.generation), (2, 2, 2));
    assert_eq!(counter.record(&[decided]).await, Recorded::Moved);
    counter.turnstile = miaosha::domain::sale::turnstile::Turnstile::open(fewer.generation, fewer.allotment);
    counter.reserved(&[(1, 2)]).await;
    counter.agrees().await;
}
