//! Who did what: an entry with each effect, in one chain, whoever writes at once.

use futures_util::future::join_all;
use miaosha::app::audit::journal::check;
use miaosha::domain::audit::journal::{Action, Entry, Head, Recorded, Subject};
use miaosha::domain::money::payment::RefundAnswer;
use miaosha::domain::people::Role;
use miaosha::domain::people::author::{Actor, Author};
use miaosha::domain::sale::SaleState;
use miaosha::domain::shared::id::{BuyerId, RequestId, SaleId};
use miaosha::domain::shared::locale::Locale;
use miaosha::domain::shared::time::Timestamp;
use miaosha::ports::audit::journal::Wanted;
use miaosha::ports::money::paying::Confirmed;
use miaosha::ports::money::refunds::{RefundOutcome, RefundRequest};
use miaosha::ports::sale::blocks::{BlockMade, NewBlock};
use miaosha::ports::sale::catalogue::{Changed, NewItem};

use super::counter::{self, Counter, NOW, PACE, Store, new_sale};

pub fn author(account: u64, at: Timestamp) -> Author {
    let actor = Actor::Account(BuyerId(account));
    let request = RequestId(u128::from(account) << 64 | at.0 as u128);
    Author { actor, role: Some(Role::Desk), network: "192.0.2.0".to_owned(), request, at }
}

pub fn entry(author: Author, action: Action, subject: Subject) -> Entry {
    Entry { author, action, subject, before: String::new(), after: r#"{"n":1}"#.to_owned() }
}

async fn all<S: Store>(store: &S) -> Vec<Recorded> {
    store.entries_after(0, 1_000).await.unwrap()
}

/// What was written since these.
async fn since<S: Store>(store: &S, number: usize) -> Vec<(String, String, String, String)> {
    let entries = store.entries_after(number as u64, 1_000).await.unwrap();
    entries.into_iter().map(|entry| (entry.action, entry.subject, entry.before, entry.after)).collect()
}

pub async fn the_journal_is_read_as_it_was_written<S: Store>(store: S) {
    assert_eq!(store.journal_head().await.unwrap(), Head::BEGIN);
    assert!(check(&store).await.unwrap().pass);
    let shell = Author::shell(RequestId(u128::MAX), NOW.plus_ms(2));
    let entries = [
        entry(author(7, NOW), Action::ExportBegun, Subject::Sale(SaleId(3))),
        entry(author(8, NOW.plus_ms(1)), Action::ReplayBegun, Subject::Parked),
        entry(shell, Action::RestoreBegun, Subject::Sale(SaleId(3))),
    ];
    let mut head = Head::BEGIN;
    let mut written = Vec::new();
    for (entry, number) in entries.iter().zip(1..) {
        assert_eq!(store.write_down(entry).await.unwrap(), number);
        written.push(Recorded::next(head, entry));
        head = written.last().unwrap().head();
    }
    assert_eq!(all(&store).await, written);
    assert_eq!(store.journal_head().await.unwrap(), head);
    let checked = check(&store).await.unwrap();
    assert_eq!((checked.pass, checked.entries, checked.digest), (true, 3, head.digest.to_string()));
    assert_eq!(store.entries_after(1, 1).await.unwrap(), written[1..2]);

    let numbers = async |wanted: Wanted, before, max| {
        let found = store.entries_before(&wanted, before, max).await.unwrap();
        found.into_iter().map(|entry| entry.number).collect::<Vec<_>>()
    };
    let any = Wanted::default;
    assert_eq!(numbers(any(), None, 9).await, [3, 2, 1]);
    assert_eq!(numbers(any(), None, 2).await, [3, 2]);
    assert_eq!(numbers(any(), Some(2), 9).await, [1]);
    let of = |actor| Wanted { actor: Some(actor), ..any() };
    assert_eq!(numbers(of(Actor::Account(BuyerId(8))), None, 9).await, [2]);
    assert_eq!(numbers(of(Actor::Shell), None, 9).await, [3]);
    assert_eq!(numbers(Wanted { action: Some("export.begun".to_owned()), ..any() }, None, 9).await, [1]);
    assert_eq!(numbers(Wanted { subject: Some("sale:3".to_owned()), ..any() }, None, 9).await, [3, 1]);
    let (from, to) = (Some(NOW.plus_ms(1)), Some(NOW.plus_ms(2)));
    assert_eq!(numbers(Wanted { from, ..any() }, None, 9).await, [3, 2]);
    assert_eq!(numbers(Wanted { to, ..any() }, None, 9).await, [2, 1]);
    assert_eq!(numbers(Wanted { from, to, ..any() }, None, 9).await, [2]);
    let both = Wanted { action: Some("replay.begun".to_owned()), ..of(Actor::Shell) };
    assert_eq!(numbers(both, None, 9).await, [0; 0]);
}

/// Some with an effect, some without: numbers have no holes, and no two entries follow the same one.
pub async fn of_many_who_write_at_once_the_chain_stays_one<S: Store>(store: S) {
    let sales = join_all((0..4).map(|_| new_sale(&store, counter::allotment(1, 0)))).await;
    let writing = (0..24_u64).map(|number| {
        let (store, sale) = (store.clone(), sales[number as usize % 4].id);
        tokio::spawn(async move {
            let by = author(number + 1, NOW);
            if number % 2 == 0 {
                store.write_down(&entry(by, Action::ExportBegun, Subject::Sale(sale))).await.unwrap();
                return true;
            }
            // Of those who raise one sale at once, the one that comes late finds it higher.
            let raised = store.raise_by(sale, 2 + number as u32, Some(&by)).await.unwrap();
            matches!(raised, Changed::Sale(_))
        })
    });
    let written = join_all(writing).await.into_iter().filter(|done| *done.as_ref().unwrap()).count();
    assert!(written >= 12 + 2, "{written}");
    let entries = all(&store).await;
    assert_eq!(entries.iter().map(|entry| entry.number).collect::<Vec<_>>(), (1..=written as u64).collect::<Vec<_>>());
    let checked = check(&store).await.unwrap();
    assert_eq!((checked.entries, checked.broken), (written as u64, None));
}

pub async fn an_effect_on_a_sale_is_one_with_its_entry<S: Store>(store: S) {
    let by = author(7, NOW);
    let by = Some(&by);
    let item = NewItem { title: "A lamp".to_owned(), description: "It shines.".to_owned() };
    let made = store.create_item_once(&item, Some(RequestId(1)), by).await.unwrap();
    assert_eq!(store.create_item_once(&item, Some(RequestId(1)), by).await.unwrap(), made);
    let words = |name: &str, subject: String, before: &str, after: &str| {
        (name.to_owned(), subject, before.to_owned(), after.to_owned())
    };
    let lamp = words("item.made", format!("item:{}", made.id), "", r#"{"title":"A lamp"}"#);
    assert_eq!(since(&store, 0).await, [lamp], "made once, and written down once");

    let sale = new_sale(&store, counter::allotment(5, 0)).await;
    assert_eq!(since(&store, 1).await, [], "nobody answers for it");
    let id = format!("sale:{}", sale.id);
    store.raise_by(sale.id, 9, by).await.unwrap();
    store.raise_by(sale.id, 9, by).await.unwrap();
    assert!(matches!(store.raise_by(sale.id, 8, by).await.unwrap(), Changed::Refused { .. }));
    assert_eq!(store.raise_by(SaleId(sale.id.0 + 1), 8, by).await.unwrap(), Changed::Missing);
    let raised = words("sale.raised", id.clone(), r#"{"capacity":5}"#, r#"{"capacity":9}"#);
    assert_eq!(since(&store, 1).await, [raised], "what changed nothing is nothing");
    for state in [SaleState::Paused, SaleState::Paused, SaleState::Active, SaleState::Closed, SaleState::Active] {
        store.set_state_by(sale.id, state, by).await.unwrap();
    }
    let moved = [
        words("sale.paused", id.clone(), r#"{"state":"active"}"#, r#"{"state":"paused"}"#),
        words("sale.resumed", id.clone(), r#"{"state":"paused"}"#, r#"{"state":"active"}"#),
        words("sale.closed", id, r#"{"state":"active"}"#, r#"{"state":"closed"}"#),
    ];
    assert_eq!(since(&store, 2).await, moved);
    let entries = all(&store).await;
    assert!(entries.iter().all(|entry| entry.actor == Actor::Account(BuyerId(7)) && entry.role == "desk"));
    assert!(check(&store).await.unwrap().pass);
}

pub async fn an_effect_on_units_is_one_with_its_entry<S: Store>(store: S) {
    let mut counter = Counter::open(store.clone(), 5, 0).await;
    let by = author(7, NOW);
    let by = Some(&by);
    let row = counter.reserved(&[(1, 2)]).await.remove(0);
    let payment = counter.begin_paying(&row, 1).await;
    assert!(matches!(store.confirm(row.id, payment, "N", NOW).await.unwrap(), Confirmed::Order(_)));
    assert_eq!(since(&store, 0).await, [], "a buyer is no operator");
    let reason = Some("for Ann, ann@example.org".to_owned());
    let one = RefundRequest { number: "N".into(), units: Some(vec![1]), reason, request: None };
    let RefundOutcome::Done(given) = store.refund_units_by(&one, NOW, by).await.unwrap() else { panic!() };
    assert!(matches!(store.refund_units_by(&one, NOW, by).await.unwrap(), RefundOutcome::Refunded { .. }));
    let told = since(&store, 0).await;
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].0.as_str(), told[0].1.as_str()), ("order.refunded", "order:N"));
    assert!(told[0].3.contains(r#""given_back":[1]"#), "{told:?}");
    assert!(!format!("{told:?}").contains("Ann"), "what was typed is not in it: {told:?}");

    let failed = given.entry.answered(&RefundAnswer::Failed { code: "no".into() }, PACE, NOW).unwrap();
    let settled = failed.settled(BuyerId(7), "by hand", NOW).unwrap();
    assert!(store.move_refund(&given.entry, &failed).await.unwrap());
    assert!(store.move_refund_by(&failed, &settled, by).await.unwrap());
    assert!(!store.move_refund_by(&failed, &settled, by).await.unwrap());
    let told = since(&store, 1).await;
    assert_eq!(told.len(), 1, "a provider's word is nobody's, and a move that came late is none: {told:?}");
    assert_eq!((told[0].0.as_str(), told[0].2.as_str()), ("refund.settled", r#"{"state":"failed"}"#));

    let new = NewBlock { sale: counter.sale.id, wanted: 2, asked: 2, reason: "a rope".into(), request: RequestId(9) };
    let BlockMade::Block(block) = store.create_block_by(&new, NOW, by).await.unwrap() else { panic!() };
    store.create_block_by(&new, NOW, by).await.unwrap();
    for _ in 0..2 {
        store.end_block_by(counter.sale.id, block.id, NOW, by).await.unwrap().unwrap();
    }
    let actions: Vec<_> = since(&store, 2).await.into_iter().map(|(action, ..)| action).collect();
    assert_eq!(actions, ["block.made", "block.ended"]);
    assert!(check(&store).await.unwrap().pass);
}

pub async fn a_change_of_an_account_is_one_with_its_entry<S: Store>(store: S) {
    let by = Author::shell(RequestId(5), NOW);
    let by = Some(&by);
    let make =
        async |email: &str, by| store.create_account("Ann", email, "hash", Role::Owner, Locale::En, by).await.unwrap();
    let ann = make("ann@example.org", by).await.unwrap();
    assert!(make("ann@example.org", by).await.is_none());
    let bob = make("bob@example.org", None).await.unwrap();
    store.set_role_by(bob.id, Role::Door, NOW, by).await.unwrap();
    store.set_role_by(bob.id, Role::Door, NOW, by).await.unwrap();
    store.set_role_by(ann.id, Role::Door, NOW, by).await.unwrap();
    store.reset_password_by(bob.id, "another", NOW, by).await.unwrap();
    store.reset_password_by(BuyerId(bob.id.0 + 1), "another", NOW, by).await.unwrap();
    let words = |name: &str, id: BuyerId, before: &str, after: &str| {
        (name.to_owned(), format!("account:{id}"), before.to_owned(), after.to_owned())
    };
    let told = [
        words("account.made", ann.id, "", r#"{"role":"owner"}"#),
        words("account.role_set", bob.id, r#"{"role":"owner"}"#, r#"{"role":"door"}"#),
        words("account.password_reset", bob.id, "", ""),
    ];
    assert_eq!(since(&store, 0).await, told, "the last owner stays, and nobody's password is nobody's");
    let entries = all(&store).await;
    assert!(entries.iter().all(|entry| entry.actor == Actor::Shell && entry.role.is_empty()));
    assert!(!format!("{entries:?}").contains("example.org"));
}
