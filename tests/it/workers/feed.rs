//! What publishers are told: what moves, at once; everything, when they ask; and what does not change, in rounds that cost the same
//! however many sales there are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use miaosha::app::sale::feed::{Feed, SaleFeedPublisher, announce};
use miaosha::app::sale::rounds;
use miaosha::domain::people::{Revoked, Role};
use miaosha::domain::sale::{SaleState, StandbyUntil};
use miaosha::domain::shared::id::SaleId;
use miaosha::domain::shared::locale::Locale;
use miaosha::faces::publisher::{self, Publisher};
use miaosha::faces::tokens::admission::AdmissionKeys;
use miaosha::kit::work::lifecycle::Lifecycle;
use miaosha::ports::platform::clock::Clock;
use miaosha::ports::sale::feed::{NewsRequest, NewsStream, SaleNews, SaleSnapshot};
use miaosha::wire::world::World;
use miaosha::workers::payment_consumer::{Job, Sweeper};

use super::fixture::{Fixture, HOLD_MS, allotment, payment_settings};
use crate::matrix::places::{How, Plan};
use crate::matrix::provider::{Lever, ProviderState};
use crate::matrix::watched::Watched;

/// More than one part of a round has.
const MANY: usize = 150;
/// Parts of a round over that many.
const PARTS: usize = 3;
/// Nothing ever moved so lately: only rounds find anything.
const BLIND: rounds::Settings = rounds::Settings { round_ms: 60_000, moved_ms: -86_400_000 };
const PATIENCE: Duration = Duration::from_secs(30);

fn feed(fixture: &Fixture, settings: rounds::Settings) -> Feed {
    Feed::new(fixture.world.needs(), settings)
}

/// The same world, each call of which goes by this plan.
fn watched(fixture: &Fixture, plan: &Arc<Plan>) -> World {
    let provider = Lever::new(fixture.world.clone(), plan.clone(), Arc::new(ProviderState::default()));
    Watched::world(&fixture.world, plan, Arc::new(provider))
}

async fn many(fixture: &Fixture, count: usize) -> BTreeSet<SaleId> {
    let mut sales = BTreeSet::new();
    for _ in 0..count {
        sales.insert(fixture.new_sale(allotment(2, 2), HOLD_MS).await.id);
    }
    sales
}

/// Publishes something that all subscribers get after all that was published before, and gives what came until then.
async fn heard(fixture: &Fixture, stream: &mut Box<dyn NewsStream>) -> Vec<SaleSnapshot> {
    let mark = SaleSnapshot { answers: vec![u64::MAX], ..SaleSnapshot::default() };
    fixture.world.news.publish(&mark).await.unwrap();
    let mut heard = Vec::new();
    loop {
        let bulletin = tokio::time::timeout(PATIENCE, stream.next()).await.expect("everything arrives").unwrap();
        if bulletin.answers == mark.answers {
            return heard;
        }
        heard.push(bulletin);
    }
}

fn words(heard: &[SaleSnapshot]) -> impl Iterator<Item = &SaleNews> {
    heard.iter().flat_map(|bulletin| &bulletin.sales)
}

fn told_of(heard: &[SaleSnapshot]) -> BTreeSet<SaleId> {
    words(heard).map(|word| word.sale.id).collect()
}

/// Whatever moves a sale is told with the next look, once.
pub async fn what_moves_is_told(fixture: Fixture) {
    let fixture = fixture.with_sale_until(allotment(1, 1), StandbyUntil::Paid).await;
    let (feed, mut stream) = (feed(&fixture, rounds::Settings::default()), fixture.world.news.news().await.unwrap());
    let mut next = async || {
        feed.tell_moved().await.unwrap();
        let heard = heard(&fixture, &mut stream).await;
        let mut words = words(&heard).map(|word| (word.sale.id, word.sale.state, word.exhausted.unwrap()));
        let first = words.next().map(|(sale, state, exhausted)| {
            assert_eq!(sale, fixture.sale);
            (state, exhausted)
        });
        assert_eq!(words.count(), 0, "each once");
        first
    };
    assert_eq!(next().await, Some((SaleState::Active, false)), "it is new");
    assert_eq!(next().await, None);
    fixture.decide([fixture.batch(1..=2)]).await;
    assert_eq!(next().await, Some((SaleState::Active, true)), "a turn");
    assert_eq!(next().await, None);
    fixture.cancel(2).await;
    fixture.sweeper().sweep_one(Job::Unfreed).await.unwrap();
    assert_eq!(next().await, Some((SaleState::Active, false)), "one more may wait");
    fixture.pay(1).await;
    assert_eq!(next().await, Some((SaleState::Active, true)), "an order: the line goes home");
    fixture.world.catalogue.set_state(fixture.sale, SaleState::Paused).await.unwrap();
    assert_eq!(next().await, Some((SaleState::Paused, true)), "an operator");
    fixture.world.catalogue.raise(fixture.sale, 2).await.unwrap();
    assert_eq!(next().await, Some((SaleState::Paused, false)), "an operator, in the ledger only");
    fixture.wipe().await;
    fixture.sweeper().sweep_one(Job::Watch).await.unwrap();
    assert_eq!(next().await, Some((SaleState::Paused, false)), "a restore");
    assert_eq!(next().await, None);
    // Another process that publishes says the same, or something newer.
    let other = Feed::new(fixture.world.needs(), rounds::Settings::default());
    other.tell_moved().await.unwrap();
    assert_eq!(told_of(&heard(&fixture, &mut stream).await), BTreeSet::from([fixture.sale]));
}

/// The ledger has the next generation, the turnstile still the one before, in which all was taken: until the restore is done there is
/// no turnstile, and nobody is sent away for it. What was seen there is not taken for said, either.
pub async fn a_turnstile_of_another_generation_is_none(fixture: Fixture) {
    let fixture = fixture.with_sale(allotment(1, 1)).await;
    let (feed, mut stream) = (feed(&fixture, rounds::Settings::default()), fixture.world.news.news().await.unwrap());
    let herald = SaleFeedPublisher::new(fixture.world.needs(), Duration::ZERO);
    let mut said = async || {
        let heard = heard(&fixture, &mut stream).await;
        words(&heard).map(|word| (word.exhausted.unwrap(), word.generation)).collect::<Vec<_>>()
    };
    fixture.decide([fixture.batch(1..=2)]).await;
    feed.tell_moved().await.unwrap();
    assert_eq!(said().await.last(), Some(&(true, 1)));

    fixture.cancel(1).await;
    let half = fixture.world.restoring.restore(fixture.sale, 1, fixture.clock.now()).await.unwrap();
    let (snapshot, promoted) = half.expect("it is of the first generation");
    assert_eq!(promoted.len(), 1);
    feed.tell_moved().await.unwrap();
    assert_eq!(said().await, [(false, 2)], "one more may wait");
    herald.look(fixture.sale).await;
    assert_eq!(said().await, [(false, 2)]);

    fixture.world.turnstile.restore(fixture.sale, &snapshot).await.unwrap();
    fixture.decide([fixture.batch([3])]).await;
    herald.look(fixture.sale).await;
    assert_eq!(said().await, [(true, 2)]);
}

/// No publisher hears of a draft, whatever moves it, whoever asks and whoever tells; of what is published, with the next look.
pub async fn a_draft_is_told_when_it_is_published(fixture: Fixture) {
    let draft = fixture.new_draft(allotment(2, 2)).await.id;
    let (feed, mut stream) = (feed(&fixture, rounds::Settings::default()), fixture.world.news.news().await.unwrap());
    let asked = vec![NewsRequest::Everything { number: 1 }, NewsRequest::Sales { sales: vec![draft] }];
    fixture.sweeper().sweep().await.unwrap();
    feed.tell_moved().await.unwrap();
    feed.beat().await.unwrap();
    feed.answer(asked).await.unwrap();
    announce(&fixture.world.needs(), draft).await.unwrap();
    assert_eq!(told_of(&heard(&fixture, &mut stream).await), BTreeSet::new());
    fixture.world.drafts.publish(draft, None).await.unwrap();
    feed.tell_moved().await.unwrap();
    assert_eq!(told_of(&heard(&fixture, &mut stream).await), BTreeSet::from([draft]));
}

/// What was not sent is told with the next look.
pub async fn what_could_not_be_told_is_told_later(fixture: Fixture) {
    let fixture = fixture.with_sale(allotment(1, 1)).await;
    let mut stream = fixture.world.news.news().await.unwrap();
    let feed = Feed::new(watched(&fixture, &Plan::new(Some((1, How::Away)))).needs(), rounds::Settings::default());
    // It finds what moved, and cannot read it.
    feed.tell_moved().await.unwrap_err();
    assert_eq!(told_of(&heard(&fixture, &mut stream).await), BTreeSet::new());
    feed.tell_moved().await.unwrap();
    assert_eq!(told_of(&heard(&fixture, &mut stream).await), BTreeSet::from([fixture.sale]));
}

/// Who logged out is told with the next beat; what failed of it is told with the one after.
pub async fn a_log_out_that_could_not_be_told_is_told_later(fixture: Fixture) {
    let mut stream = fixture.world.news.news().await.unwrap();
    for call in 1..=3 {
        let gone = logged_out(&fixture, &format!("x{call}@example.org")).await;
        let feed = Feed::new(watched(&fixture, &Plan::new(Some((call, How::Away)))).needs(), BLIND);
        let (_, before) = (feed.beat().await, heard(&fixture, &mut stream).await);
        feed.beat().await.unwrap();
        let after = heard(&fixture, &mut stream).await;
        let told = |heard: &[SaleSnapshot]| heard.iter().any(|bulletin| bulletin.revoked.contains(&gone));
        assert!(told(&before) || told(&after), "call {call}");
    }
}

async fn logged_out(fixture: &Fixture, email: &str) -> Revoked {
    let accounts = &fixture.world.accounts;
    let account = accounts.create_account("X", email, "-", Role::Shopper, Locale::En, None).await.unwrap().unwrap();
    accounts.log_out_everywhere(account.id, fixture.world.clock.now(), None).await.unwrap().unwrap()
}

/// A round tells all sales, so many at a time; and what operators decided, without a look at any turnstile.
pub async fn a_round_finds_what_nobody_told(fixture: Fixture) {
    let sales = many(&fixture, MANY).await;
    let (feed, mut stream) = (feed(&fixture, BLIND), fixture.world.news.news().await.unwrap());
    let first = *sales.first().unwrap();
    fixture.world.catalogue.set_state(first, SaleState::Paused).await.unwrap();
    feed.tell_moved().await.unwrap();
    assert_eq!(told_of(&heard(&fixture, &mut stream).await), BTreeSet::new(), "the word of it was lost");
    fixture.turnstile.set_away(true);
    let mut told = Vec::new();
    for _ in 0..PARTS {
        feed.beat().await.unwrap();
        let part = heard(&fixture, &mut stream).await;
        assert!(!part.is_empty(), "the time comes with each");
        assert!(words(&part).count() <= 64);
        told.extend(part);
    }
    assert_eq!(told_of(&told), sales);
    assert_eq!(words(&told).count(), MANY, "each once");
    assert!(words(&told).all(|word| word.exhausted.is_none()));
    let paused = words(&told).filter(|word| word.sale.state == SaleState::Paused).map(|word| word.sale.id);
    assert_eq!(paused.collect::<Vec<_>>(), [first]);
    // And again from the beginning.
    feed.beat().await.unwrap();
    assert!(told_of(&heard(&fixture, &mut stream).await).contains(&first));
}

/// A publisher that asks gets all there is, in messages of a bounded size, and is told when that was all.
pub async fn who_asks_is_told_everything(fixture: Fixture) {
    let (sales, gone) = (many(&fixture, MANY).await, logged_out(&fixture, "x@example.org").await);
    let (feed, mut stream) = (feed(&fixture, BLIND), fixture.world.news.news().await.unwrap());
    let mut requests = fixture.world.news.requests().await.unwrap();
    for number in [7, 8] {
        fixture.world.news.request(&NewsRequest::Everything { number }).await.unwrap();
    }
    let mut asked = Vec::new();
    while asked.len() < 2 {
        asked.extend(tokio::time::timeout(PATIENCE, requests.next()).await.unwrap().unwrap());
    }
    feed.answer(asked).await.unwrap();
    let all = heard(&fixture, &mut stream).await;
    assert_eq!(told_of(&all), sales);
    assert_eq!(words(&all).count(), MANY, "who asks together is told together");
    let answers: Vec<u64> = all.iter().flat_map(|bulletin| bulletin.answers.clone()).collect();
    assert_eq!(answers, [7, 8]);
    assert_eq!(all.last().unwrap().answers, [7, 8], "said when it is all told");
    assert!(all[0].revoked == [gone] && all[0].sales.is_empty(), "first of all whom to refuse");
    assert!(all.iter().all(|bulletin| bulletin.sales.len() <= 64));

    // Of some sales: whether they are exhausted.
    let some: Vec<SaleId> = sales.iter().copied().take(2).collect();
    feed.answer(vec![NewsRequest::Sales { sales: some.clone() }]).await.unwrap();
    let words_of: BTreeMap<SaleId, Option<bool>> =
        words(&heard(&fixture, &mut stream).await).map(|word| (word.sale.id, word.exhausted)).collect();
    assert_eq!(words_of, some.iter().map(|sale| (*sale, Some(false))).collect());
}

/// A publisher that comes first, and sales that were made while nothing was published: it knows nothing and says so, asks, and knows
/// everything with the answer.
pub async fn a_publisher_that_joins_learns_everything(fixture: Fixture) {
    let sales = many(&fixture, MANY).await;
    let lifecycle = Lifecycle::new();
    let keys = Arc::new(AdmissionKeys::parse(&format!("admission:d1:{}", "d".repeat(64))).unwrap());
    let publisher = Publisher::new(fixture.world.needs(), keys, publisher::Settings::default());
    let running = tokio::spawn({
        let (publisher, lifecycle) = (publisher.clone(), lifecycle.clone());
        async move { publisher.run(&lifecycle).await }
    });
    let feed = feed(&fixture, BLIND);
    let mut requests = fixture.world.news.requests().await.unwrap();
    let asked = tokio::time::timeout(PATIENCE, requests.next()).await.expect("it asks by itself").unwrap();
    assert!(matches!(asked[..], [NewsRequest::Everything { .. }]), "{asked:?}");
    feed.beat().await.unwrap();
    let knows = |sale: &SaleId| publisher.knows(*sale);
    until(|| sales.iter().any(knows)).await;
    assert_eq!(publisher.problems(), ["news"], "a part of a round is not everything");
    feed.answer(asked).await.unwrap();
    until(|| publisher.problems().is_empty()).await;
    assert!(sales.iter().all(knows));

    // From then on it is told what changes.
    let new = fixture.new_sale(allotment(1, 0), HOLD_MS).await.id;
    assert!(!publisher.knows(new));
    Feed::new(fixture.world.needs(), rounds::Settings::default()).tell_moved().await.unwrap();
    until(|| publisher.knows(new)).await;
    assert!(requests.next().now_or_never().is_none(), "and asks no more");
    lifecycle.soft.cancel();
    running.await.unwrap();
}

/// Sales are read, and lists learn of them, so many at once.
#[tokio::test]
async fn many_sales_are_read_and_listed_in_pieces() {
    for (count, pieces) in [(511, 1), (512, 2)] {
        let fixture = super::embedded::fixture().await;
        many(&fixture, count).await;
        let plan = Plan::new(None);
        let world = watched(&fixture, &plan);
        let calls = |name| plan.came_by().iter().filter(|place| place.to_string().ends_with(name)).count();
        Sweeper::new(world.needs(), payment_settings()).sweep_one(Job::Lists).await.unwrap();
        Feed::new(world.needs(), BLIND).answer(vec![NewsRequest::Everything { number: 1 }]).await.unwrap();
        assert_eq!((calls(".keep_lists"), calls(".sales_round")), (pieces, pieces), "{count} sales");
    }
}

async fn until(holds: impl Fn() -> bool) {
    let holds = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, holds).await.expect("it comes to be");
}

/// The whole store of turnstiles is emptied under sales that no client asks for: found with the first of them that anybody
/// comes by, and all are restored.
pub async fn many_emptied(fixture: Fixture) {
    let sales = many(&fixture, MANY).await;
    let settings = miaosha::workers::payment_consumer::Settings { rounds: BLIND, ..payment_settings() };
    let sweeper = Sweeper::new(fixture.world.needs(), settings);
    for _ in 0..PARTS {
        sweeper.sweep_one(Job::Watch).await.unwrap();
    }
    fixture.wipe().await;
    sweeper.sweep_one(Job::Watch).await.unwrap();
    for sale in sales {
        assert!(fixture.world.turnstile.look(sale).await.unwrap().is_some(), "{sale} is not restored");
    }
}

/// One of many is lost, and no request touches it: within a round it is found.
pub async fn one_emptied(fixture: Fixture) {
    let sales: Vec<SaleId> = many(&fixture, MANY).await.into_iter().collect();
    let settings = miaosha::workers::payment_consumer::Settings { rounds: BLIND, ..payment_settings() };
    let sweeper = Sweeper::new(fixture.world.needs(), settings);
    let lost = sales[MANY / 2];
    let mut there = BTreeMap::new();
    for sale in sales.iter().filter(|sale| **sale != lost) {
        there.insert(*sale, fixture.world.turnstile.snapshot(*sale).await.unwrap().unwrap());
    }
    for _ in 0..PARTS {
        sweeper.sweep_one(Job::Watch).await.unwrap();
    }
    fixture.wipe().await;
    for (sale, snapshot) in there {
        fixture.world.turnstile.restore(sale, &snapshot).await.unwrap();
    }
    for _ in 0..PARTS {
        sweeper.sweep_one(Job::Watch).await.unwrap();
    }
    assert!(fixture.world.turnstile.look(lost).await.unwrap().is_some());
}

/// Calls to parts of the world in one second of a shop in which nothing happens: as many for fifty sales as for three times that.
pub async fn what_nobody_touches_costs_nothing(fixture: Fixture) {
    let mut costs = Vec::new();
    let mut sales = 0;
    for count in [50, MANY] {
        many(&fixture, count - sales).await;
        sales = count;
        let plan = Plan::new(None);
        let world = watched(&fixture, &plan);
        let feed = Feed::new(world.needs(), BLIND);
        let settings = miaosha::workers::payment_consumer::Settings { rounds: BLIND, ..payment_settings() };
        let sweeper = Sweeper::new(world.needs(), settings);
        // Round after round, until every sale was looked into once and found to be well.
        for _ in 0..PARTS {
            sweeper.sweep().await.unwrap();
            feed.beat().await.unwrap();
        }
        let mut cost = [0; PARTS];
        for cost in &mut cost {
            let before = plan.came_by().len();
            sweeper.sweep().await.unwrap();
            feed.beat().await.unwrap();
            feed.tell_moved().await.unwrap();
            *cost = plan.came_by().len() - before;
        }
        costs.push(cost.into_iter().max().unwrap());
    }
    assert!(costs[0] < 50, "fewer calls than sales: {costs:?}");
    // A part in the middle of a round does not count the sales first; the bulletins of one are no more.
    assert!(costs[1] <= costs[0], "{costs:?}");
}
