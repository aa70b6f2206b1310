//! Events that overlap, come again, come late, or never end by themselves; and people who change the fleet in between.

use miaosha::adapters::aws::fleet::fleet;
use miaosha::adapters::system::SystemClock;
use serde_json::{Value, json};

use super::house::{House, State};

#[tokio::test(flavor = "multi_thread")]
async fn an_overlapping_event_keeps_what_it_needs() {
    let house = House::new().await;
    assert_eq!(house.warm("one", 6).await["outcome"], "ready");
    assert_eq!(house.warm("two", 4).await["outcome"], "ready");
    let both = [
        ("function one:live", "12 from 0"),
        ("function two:live", "8 from 0"),
        ("group one", "6 from 1-2-4"),
        ("group two", "4 from 1-2-4"),
        ("instance one", "1 from 0"),
        ("instance two", "1 from 0"),
    ];
    assert_eq!(house.state().await, State::warm("6-6-6", 12, &both));
    house.cool("one").await;
    assert_eq!(house.state().await, State::warm("4-4-4", 8, &[both[1], both[3], both[5]]));
    house.cool("two").await;
    assert_eq!(house.state().await, State::cold());
}

#[tokio::test(flavor = "multi_thread")]
async fn done_again_it_changes_nothing() {
    let house = House::new().await;
    let plan = house.plan("one", "warm", 5);
    house.run(plan.clone()).await;
    let warm = house.state().await;
    house.front.changes();
    let again = house.run(plan).await;
    assert_eq!((&again["outcome"], &again["steps"]), (&json!("ready"), &json!(0)));
    assert_eq!((house.state().await, house.front.changes()), (warm, vec![]));
    house.cool("one").await;
    house.front.changes();
    assert_eq!(house.cool("one").await["outcome"], "cooled");
    assert_eq!(house.cool("never-warmed").await["outcome"], "cooled");
    assert_eq!((house.state().await, house.front.changes()), (State::cold(), vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_plan_for_the_same_event_takes_the_place_of_the_first() {
    let house = House::new().await;
    house.warm("one", 6).await;
    house.warm("one", 3).await;
    assert_eq!(house.state().await.size, "3-3-4");
    assert_eq!(house.state().await.provisioned, 6);
    house.warm("one", 7).await;
    assert_eq!(house.state().await.size, "7-7-7");
    house.cool("one").await;
    assert_eq!(house.state().await, State::cold());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warm_after_the_end_raises_nothing() {
    let house = House::new().await;
    let mut plan = house.plan("one", "warm", 5);
    plan["until"] = json!(SystemClock::machine_now().plus_ms(-1_000).rfc3339());
    assert_eq!(house.run(plan).await["outcome"], "over");
    assert_eq!(house.state().await, State::cold());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_lost_cool_left_is_taken_back_by_the_next_event() {
    let house = House::new().await;
    house.warm("lost", 8).await;
    let past = SystemClock::machine_now().plus_ms(-60_000).rfc3339();
    // As it would stand there a day later.
    house.tag_group("miaosha:warm:lost", &format!("8/{past}/1-2-4")).await;
    let next = house.warm("next", 3).await;
    assert_eq!(next["groups"][0]["events"], json!({ "next": 3 }));
    assert_eq!(house.state().await.size, "3-3-4");
    assert_eq!(house.state().await.tags["group next"], "3 from 1-2-4", "the base is the one of before the lost event");
    house.cool("next").await;
    assert_eq!(house.state().await.size, "1-2-4");
    house.cool("lost").await;
    assert_eq!(house.state().await, State::cold());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cool_of_an_older_plan_leaves_the_longer_one() {
    let house = House::new().await;
    let older = house.plan("one", "cool", 5);
    let mut longer: Value = house.plan("one", "warm", 5);
    longer["until"] = json!(SystemClock::machine_now().plus_ms(7_200_000).rfc3339());
    house.run(longer.clone()).await;
    let warm = house.state().await;
    house.run(older).await;
    assert_eq!(house.state().await, warm);
    longer["action"] = json!("cool");
    house.run(longer).await;
    assert_eq!(house.state().await, State::cold());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_change_in_between_is_kept_or_set_right() {
    let house = House::new().await;
    house.front.provision(&format!("{}:live", house.name), 3);
    house.warm("one", 4).await;
    house.size_group(4, 6, 9).await;
    house.warm("two", 5).await;
    assert_eq!(house.state().await.size, "5-6-9", "the load had added one, and somebody had allowed more");
    house.size_group(0, 1, 9).await;
    house.instances.stop_instances().instance_ids(&house.general[0]).send().await.unwrap();
    house.warm("two", 5).await;
    assert_eq!((house.state().await.size, house.state().await.running), ("5-5-9".to_owned(), 2));
    house.cool("one").await;
    house.cool("two").await;
    assert_eq!(house.state().await, State { provisioned: 3, ..State::cold() }, "as before the first event");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_ran_before_goes_on_running() {
    let house = House::new().await;
    house.instances.start_instances().instance_ids(&house.general[1]).send().await.unwrap();
    house.warm("one", 4).await;
    assert_eq!(house.state().await.running, 2);
    house.cool("one").await;
    assert_eq!(house.state().await, State { running: 1, ..State::cold() });
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_at_once_lose_no_wish() {
    let house = House::new().await;
    let other =
        crate::support::lambda::Function::run(crate::support::lambda::Program::warmer(), house.function.environment());
    for round in 0..5 {
        let (one, two) = (house.plan("one", "warm", 6), house.plan("two", "warm", 4));
        let (one, two) = tokio::join!(house.function.invoke(one), other.invoke(two));
        assert!(one.unwrap().is_ok() && two.unwrap().is_ok());
        assert_eq!(house.state().await.size, "6-6-6", "{round}");
        let (one, three) = (house.plan("one", "cool", 1), house.plan("three", "warm", 5));
        let (one, three) = tokio::join!(house.function.invoke(one), other.invoke(three));
        assert!(one.unwrap().is_ok() && three.unwrap().is_ok());
        let state = house.state().await;
        // At worst it is too large until the last event ends.
        assert!(["5-5-5", "6-6-6"].contains(&state.size.as_str()), "{round}: {state:?}");
        for event in ["two", "three"] {
            house.cool(event).await;
        }
        assert_eq!(house.state().await, State::cold(), "{round}");
    }
}

/// The twentieth is one of so many as may be; what more than these want, people look at.
#[tokio::test(flavor = "multi_thread")]
async fn so_many_events_at_once() {
    let house = House::new().await;
    let until = SystemClock::machine_now().plus_ms(3_600_000).rfc3339();
    for number in 0..19 {
        house.tag_group(&format!("miaosha:warm:e{number}"), &format!("3/{until}/1-2-4")).await;
    }
    let twentieth = house.warm("own", 3).await;
    assert!(!twentieth.to_string().contains("events_max"), "{twentieth}");
    house.tag_group("miaosha:warm:e19", &format!("3/{until}/1-2-4")).await;
    let (_, why) = house.refused(house.plan("own", "warm", 3)).await;
    assert!(why.contains("21 events want something of it (events_max)"), "{why}");
}

/// A tag that more instances carry than may be is a slip of the pen.
#[tokio::test(flavor = "multi_thread")]
async fn so_many_instances_are_started() {
    use miaosha::ports::fleet::Tagged;
    let house = House::new().await;
    let config = crate::support::moto::config().await;
    let named = [Tagged { tag: "miaosha:general".to_owned(), value: house.name.clone() }];
    let look = async |instances_max: usize| fleet(&config, instances_max).instances.look(&named).await;
    let there = look(house.general.len()).await.unwrap();
    assert_eq!(there.len(), house.general.len());
    let error = look(house.general.len() - 1).await.unwrap_err();
    assert!(error.to_string().contains("carry miaosha:general="), "{error}");
}
