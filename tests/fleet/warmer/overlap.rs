//! Events that overlap, come again, come late, or never end by themselves; and people who change the fleet in between.

use miaosha::adapters::aws::fleet::fleet;
use miaosha::adapters::system::SystemClock;
use serde_json::{Value, json};

use super::fixture::{Fixture, State};

#[tokio::test(flavor = "multi_thread")]
async fn an_overlapping_event_keeps_what_it_needs() {
    let fixture = Fixture::new().await;
    assert_eq!(fixture.warm("one", 6).await["outcome"], "ready");
    assert_eq!(fixture.warm("two", 4).await["outcome"], "ready");
    let both = [
        ("function one:live", "12 from 0"),
        ("function two:live", "8 from 0"),
        ("group one", "6 from 1-2-4"),
        ("group two", "4 from 1-2-4"),
        ("instance one", "1 from 0"),
        ("instance two", "1 from 0"),
    ];
    assert_eq!(fixture.state().await, State::warm("6-6-6", 12, &both));
    fixture.cool("one").await;
    assert_eq!(fixture.state().await, State::warm("4-4-4", 8, &[both[1], both[3], both[5]]));
    fixture.cool("two").await;
    assert_eq!(fixture.state().await, State::cold());
}

#[tokio::test(flavor = "multi_thread")]
async fn done_again_it_changes_nothing() {
    let fixture = Fixture::new().await;
    let plan = fixture.plan("one", "warm", 5);
    fixture.run(plan.clone()).await;
    let warm = fixture.state().await;
    fixture.front.changes();
    let again = fixture.run(plan).await;
    assert_eq!((&again["outcome"], &again["steps"]), (&json!("ready"), &json!(0)));
    assert_eq!((fixture.state().await, fixture.front.changes()), (warm, vec![]));
    fixture.cool("one").await;
    fixture.front.changes();
    assert_eq!(fixture.cool("one").await["outcome"], "cooled");
    assert_eq!(fixture.cool("never-warmed").await["outcome"], "cooled");
    assert_eq!((fixture.state().await, fixture.front.changes()), (State::cold(), vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_plan_for_the_same_event_takes_the_place_of_the_first() {
    let fixture = Fixture::new().await;
    fixture.warm("one", 6).await;
    fixture.warm("one", 3).await;
    assert_eq!(fixture.state().await.size, "3-3-4");
    assert_eq!(fixture.state().await.provisioned, 6);
    fixture.warm("one", 7).await;
    assert_eq!(fixture.state().await.size, "7-7-7");
    fixture.cool("one").await;
    assert_eq!(fixture.state().await, State::cold());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warm_after_the_end_raises_nothing() {
    let fixture = Fixture::new().await;
    let mut plan = fixture.plan("one", "warm", 5);
    plan["until"] = json!(SystemClock::machine_now().plus_ms(-1_000).rfc3339());
    assert_eq!(fixture.run(plan).await["outcome"], "over");
    assert_eq!(fixture.state().await, State::cold());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_lost_cool_left_is_taken_back_by_the_next_event() {
    let fixture = Fixture::new().await;
    fixture.warm("lost", 8).await;
    let past = SystemClock::machine_now().plus_ms(-60_000).rfc3339();
    // As it would stand there a day later.
    fixture.tag_group("miaosha:warm:lost", &format!("8/{past}/1-2-4")).await;
    let next = fixture.warm("next", 3).await;
    assert_eq!(next["groups"][0]["events"], json!({ "next": 3 }));
    assert_eq!(fixture.state().await.size, "3-3-4");
    assert_eq!(
        fixture.state().await.tags["group next"],
        "3 from 1-2-4",
        "the base is the one of before the lost event"
    );
    fixture.cool("next").await;
    assert_eq!(fixture.state().await.size, "1-2-4");
    fixture.cool("lost").await;
    assert_eq!(fixture.state().await, State::cold());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cool_of_an_older_plan_leaves_the_longer_one() {
    let fixture = Fixture::new().await;
    let older = fixture.plan("one", "cool", 5);
    let mut longer: Value = fixture.plan("one", "warm", 5);
    longer["until"] = json!(SystemClock::machine_now().plus_ms(7_200_000).rfc3339());
    fixture.run(longer.clone()).await;
    let warm = fixture.state().await;
    fixture.run(older).await;
    assert_eq!(fixture.state().await, warm);
    longer["action"] = json!("cool");
    fixture.run(longer).await;
    assert_eq!(fixture.state().await, State::cold());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_change_in_between_is_kept_or_set_right() {
    let fixture = Fixture::new().await;
    fixture.front.provision(&format!("{}:live", fixture.name), 3);
    fixture.warm("one", 4).await;
    fixture.size_group(4, 6, 9).await;
    fixture.warm("two", 5).await;
    assert_eq!(fixture.state().await.size, "5-6-9", "the load had added one, and somebody had allowed more");
    fixture.size_group(0, 1, 9).await;
    fixture.instances.stop_instances().instance_ids(&fixture.general[0]).send().await.unwrap();
    fixture.warm("two", 5).await;
    assert_eq!((fixture.state().await.size, fixture.state().await.running), ("5-5-9".to_owned(), 2));
    fixture.cool("one").await;
    fixture.cool("two").await;
    assert_eq!(fixture.state().await, State { provisioned: 3, ..State::cold() }, "as before the first event");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_ran_before_goes_on_running() {
    let fixture = Fixture::new().await;
    fixture.instances.start_instances().instance_ids(&fixture.general[1]).send().await.unwrap();
    fixture.warm("one", 4).await;
    assert_eq!(fixture.state().await.running, 2);
    fixture.cool("one").await;
    assert_eq!(fixture.state().await, State { running: 1, ..State::cold() });
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_at_once_lose_no_wish() {
    let fixture = Fixture::new().await;
    let other = crate::support::lambda::Function::run(
        crate::support::lambda::Program::warmer(),
        fixture.function.environment(),
    );
    for round in 0..5 {
        let (one, two) = (fixture.plan("one", "warm", 6), fixture.plan("two", "warm", 4));
        let (one, two) = tokio::join!(fixture.function.invoke(one), other.invoke(two));
        assert!(one.unwrap().is_ok() && two.unwrap().is_ok());
        assert_eq!(fixture.state().await.size, "6-6-6", "{round}");
        let (one, three) = (fixture.plan("one", "cool", 1), fixture.plan("three", "warm", 5));
        let (one, three) = tokio::join!(fixture.function.invoke(one), other.invoke(three));
        assert!(one.unwrap().is_ok() && three.unwrap().is_ok());
        let state = fixture.state().await;
        // At worst it is too large until the last event ends.
        assert!(["5-5-5", "6-6-6"].contains(&state.size.as_str()), "{round}: {state:?}");
        for event in ["two", "three"] {
            fixture.cool(event).await;
        }
        assert_eq!(fixture.state().await, State::cold(), "{round}");
    }
}

/// The twentieth is one of so many as may be; what more than these want, people look at.
#[tokio::test(flavor = "multi_thread")]
async fn so_many_events_at_once() {
    let fixture = Fixture::new().await;
    let until = SystemClock::machine_now().plus_ms(3_600_000).rfc3339();
    for number in 0..19 {
        fixture.tag_group(&format!("miaosha:warm:e{number}"), &format!("3/{until}/1-2-4")).await;
    }
    let twentieth = fixture.warm("own", 3).await;
    assert!(!twentieth.to_string().contains("events_max"), "{twentieth}");
    fixture.tag_group("miaosha:warm:e19", &format!("3/{until}/1-2-4")).await;
    let (_, why) = fixture.refused(fixture.plan("own", "warm", 3)).await;
    assert!(why.contains("21 events want something of it (events_max)"), "{why}");
}

/// A tag that more instances carry than may be is a slip of the pen.
#[tokio::test(flavor = "multi_thread")]
async fn so_many_instances_are_started() {
    use miaosha::ports::fleet::Tagged;
    let fixture = Fixture::new().await;
    let config = crate::support::moto::config().await;
    let named = [Tagged { tag: "miaosha:general".to_owned(), value: fixture.name.clone() }];
    let look = async |instances_max: usize| fleet(&config, instances_max).instances.look(&named).await;
    let there = look(fixture.general.len()).await.unwrap();
    assert_eq!(there.len(), fixture.general.len());
    let error = look(fixture.general.len() - 1).await.unwrap_err();
    assert!(error.to_string().contains("carry miaosha:general="), "{error}");
}
