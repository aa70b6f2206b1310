//! Seating plans: kept once, given back byte for byte.

use miaosha::domain::people::author::Author;
use miaosha::domain::seating::hall::hall;
use miaosha::domain::seating::{Layout, Plan, PlanHash, Report};
use miaosha::domain::shared::id::RequestId;
use miaosha::domain::shared::time::Timestamp;

use super::counter::{NOW, Store};

/// A hall of so many seats.
pub fn plan(seats: usize, name: &str) -> Plan {
    let layout = Layout { name: name.to_owned(), ..hall(seats, 1) };
    Plan::check(layout, &mut Report::default()).unwrap()
}

pub async fn a_plan_is_kept_once_and_given_back_as_it_is<S: Store>(store: S) {
    let (small, named) = (plan(500, "Hall"), plan(500, "Große Halle \"北\" \\ 😀"));
    let by = Author::shell(RequestId(7), NOW);
    assert_eq!(store.plan(small.hash()).await.unwrap(), None);
    assert!(store.keep_plan(&small, NOW, Some(&by)).await.unwrap());
    assert!(store.keep_plan(&named, NOW, None).await.unwrap());
    assert_eq!(store.plan(small.hash()).await.unwrap(), Some(small.canonical().to_owned()));
    let kept = store.plan(named.hash()).await.unwrap().unwrap();
    assert_eq!((kept.as_str(), PlanHash::of(kept.as_bytes())), (named.canonical(), named.hash()));

    assert!(!store.keep_plan(&small, Timestamp(NOW.0 + 1), Some(&by)).await.unwrap(), "it is known");
    let entries = store.entries_after(0, 9).await.unwrap();
    let told: Vec<_> = entries.iter().map(|entry| (entry.action.as_str(), entry.subject.clone())).collect();
    assert_eq!(told, [("plan.kept", format!("plan:{:.32}", small.hash().to_string()))], "once, by who answers for it");
    assert_eq!(entries[0].after, format!(r#"{{"hash":"{}","seats":500}}"#, small.hash()));
    assert_eq!(store.plan(PlanHash([0; 32])).await.unwrap(), None);
}

pub async fn the_largest_plan_is_kept<S: Store>(store: S) {
    let large = plan(60_000, "Stadium");
    assert!(store.keep_plan(&large, NOW, None).await.unwrap());
    assert!(store.plan(large.hash()).await.unwrap() == Some(large.canonical().to_owned()));
}

/// Two at once: one of them is the first.
pub async fn a_plan_that_two_keep_at_once_is_new_to_one<S: Store>(store: S) {
    let (plan, by) = (plan(500, "Hall"), Author::shell(RequestId(7), NOW));
    let keep = || store.keep_plan(&plan, NOW, Some(&by));
    let (one, two) = tokio::join!(keep(), keep());
    assert!(one.unwrap() != two.unwrap());
    assert_eq!(store.entries_after(0, 9).await.unwrap().len(), 1);
}
