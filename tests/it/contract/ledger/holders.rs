//! Holders by name: found by what their words begin with, once the sweeper has given orders their words.

use miaosha::domain::people::Role;
use miaosha::domain::receipts::holder::beginnings_asked;
use miaosha::domain::receipts::{Admission, Proof, Source};
use miaosha::domain::shared::id::SaleId;
use miaosha::domain::shared::locale::Locale;
use miaosha::ports::people::accounts::Erased;
use miaosha::ports::receipts::admissions::{Admitted, Shown};

use super::counter::{Counter, NOW, Store};
use super::journal::author;
use super::reports::pay;

async fn people<S: Store>(store: &S, names: &[&str]) -> Vec<u64> {
    let mut ids = Vec::new();
    for (number, name) in names.iter().enumerate() {
        let email = format!("p{number}@example.org");
        let made = store.create_account(name, &email, "hash", Role::Shopper, Locale::En, None).await.unwrap();
        ids.push(made.unwrap().id.0);
    }
    ids
}

async fn found<S: Store>(store: &S, sale: SaleId, asked: &str) -> Vec<(String, String)> {
    let beginnings = beginnings_asked(asked).unwrap();
    let holders = store.holders(sale, &beginnings, 9, &author(7, NOW)).await.unwrap();
    let mut found: Vec<_> = holders.found.into_iter().map(|one| (one.name, one.order.number)).collect();
    found.sort_unstable();
    found
}

pub async fn holders_are_found_by_name_a_moment_after<S: Store>(store: S) {
    let names = ["Ada Lovelace", "Adam Ant", "王小明", "王大明"];
    let ids = people(&store, &names).await;
    let mut other = Counter::open(store.clone(), 4, 0).await;
    let row = other.reserved(&[(ids[0], 1)]).await.remove(0);
    pay(&other, &row, 90).await;
    let mut counter = Counter::open(store.clone(), 9, 0).await;
    let sale = counter.sale.id;
    let rows = counter.reserved(&[(ids[0], 2), (ids[1], 1), (ids[2], 1), (ids[3], 1)]).await;
    for (row, number) in rows.iter().zip(1..) {
        pay(&counter, row, number).await;
    }
    assert_eq!(found(&store, sale, "ada").await, [], "not yet");
    let mut kept = 0;
    loop {
        match store.keep_holders(2).await.unwrap() {
            0 => break,
            some => kept += some,
        }
    }
    assert_eq!(kept, 5);
    let names =
        async |asked: &str| found(&store, sale, asked).await.into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names("ada").await, ["Ada Lovelace", "Adam Ant"]);
    assert_eq!(names("love ADA").await, ["Ada Lovelace"]);
    assert_eq!(names("小明").await, ["王小明"]);
    assert_eq!(names("王大").await, ["王大明"]);
    for nobody in ["adamant", "明王", "ada%x", "_da_m"] {
        assert_eq!(names(nobody).await, [""; 0], "{nobody}");
    }
    // As many as are wanted, and that there are more.
    let ada = beginnings_asked("ada").unwrap();
    for (max, shown, more) in [(1, 1, true), (2, 2, false)] {
        let holders = store.holders(sale, &ada, max, &author(7, NOW)).await.unwrap();
        assert_eq!((holders.found.len(), holders.more), (shown, more), "{max}");
    }
    // What is in, and nothing of another order.
    let proof = Proof { sale, unit: rows[0].state.units()[0], reservation: rows[0].id };
    let admission = Admission { proof, at: NOW, gate: "north".into(), source: Source::default() };
    assert_eq!(store.admit(&admission, Shown::Order, None).await.unwrap(), Admitted::Now);
    let holders = store.holders(sale, &ada, 9, &author(7, NOW)).await.unwrap();
    let admitted: Vec<_> = holders.found.iter().map(|one| one.admitted.len()).collect();
    assert_eq!((admitted.iter().sum::<usize>(), holders.found.len()), (1, 2));
    let written = store.entries_after(0, 1_000).await.unwrap();
    assert!(written.iter().all(|entry| entry.action == "holders.sought" && entry.subject == format!("sale:{sale}")));
    assert!(written.iter().all(|entry| !entry.after.to_lowercase().contains("ada")), "no name");
}

pub async fn who_is_erased_is_found_by_number_alone<S: Store>(store: S) {
    let ids = people(&store, &["Ada Lovelace", "Adam Ant"]).await;
    let mut counter = Counter::open(store.clone(), 9, 0).await;
    let sale = counter.sale.id;
    let rows = counter.reserved(&[(ids[0], 1), (ids[1], 1)]).await;
    // One order has its words before the person goes, and one after.
    pay(&counter, &rows[0], 1001).await;
    store.keep_holders(9).await.unwrap();
    pay(&counter, &rows[1], 1002).await;
    for row in &rows {
        assert!(matches!(store.erase(row.buyer, true, NOW, None).await.unwrap(), Erased::Done(_)));
    }
    store.keep_holders(9).await.unwrap();
    assert_eq!(found(&store, sale, "ada").await, []);
    assert_eq!(found(&store, sale, "n-1001").await, [(String::new(), "N-1001".to_owned())]);
    assert_eq!(found(&store, sale, "1002").await, [(String::new(), "N-1002".to_owned())]);
}
