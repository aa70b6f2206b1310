//! What the function says of what is not ready, what cannot be done, and what cannot be read.

use std::time::Duration;

use serde_json::{Value, json};

use super::fixture::{Fixture, State};

/// For a fleet that is asked through real calls while the machine does much else.
const PATIENCE: Duration = Duration::from_secs(30);

fn why<'a>(answer: &'a Value, kind: &str) -> &'a str {
    let all = answer["not_ready"].as_array().unwrap();
    all.iter().find(|one| one["kind"] == kind).and_then(|one| one["why"].as_str()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_ready_is_said_before_the_time_is_up() {
    let fixture = Fixture::with(PATIENCE, None).await;
    fixture.front.take_time(usize::MAX, usize::MAX);
    let answer = fixture.warm("one", 5).await;
    assert_eq!(answer["outcome"], "not_ready", "{answer}");
    assert_eq!(why(&answer, "target_group"), "0 of 5 are healthy; 5 initial (Elb.RegistrationInProgress)");
    assert_eq!(why(&answer, "function"), "0 of 10 are provisioned");
    assert_eq!(answer["groups"][0]["level"], "5-5-5", "all of it was asked for");
    fixture.front.take_time(0, 0);
    fixture.front.provision(&format!("{}:live", fixture.name), 10);
    assert_eq!(fixture.warm("one", 5).await["outcome"], "ready");
    fixture.cool("one").await;
    assert_eq!(fixture.state().await, State::cold());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_stands_still_is_not_healthy() {
    let fixture = Fixture::with(PATIENCE, None).await;
    let mut plan = fixture.plan("one", "warm", 3);
    plan.as_object_mut().unwrap().remove("instances");
    let answer = fixture.run(plan).await;
    assert_eq!(answer["outcome"], "not_ready");
    assert_eq!(why(&answer, "target_group"), "0 of 1 are healthy; 2 unused (Target.InvalidState)");
    assert_eq!(fixture.warm("one", 3).await["outcome"], "ready", "with its instances started");
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrency_that_fails_is_asked_for_again() {
    let fixture = Fixture::with(PATIENCE, None).await;
    fixture.front.fail_provisioning(true);
    let answer = fixture.warm("one", 5).await;
    assert_eq!(answer["outcome"], "not_ready");
    let said = "0 of 10 are provisioned, and then it failed: not enough concurrency is left";
    assert_eq!(why(&answer, "function"), said);
    let puts = fixture.front.changes().iter().filter(|call| *call == "PutProvisionedConcurrency").count();
    assert!(puts > 1, "{puts}");
    fixture.front.fail_provisioning(false);
    assert_eq!(fixture.warm("one", 5).await["outcome"], "ready");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_is_an_error_and_stops_nothing_else() {
    let fixture = Fixture::with(PATIENCE, None).await;
    fixture.front.refuse(Some("UpdateAutoScalingGroup"));
    let mut plan = fixture.plan("one", "warm", 5);
    plan["functions"][0]["qualifier"] = json!("live");
    plan["groups"].as_array_mut().unwrap().push(json!({ "name": "nobody", "capacity": 3 }));
    let (kind, said) = fixture.refused(plan.clone()).await;
    assert_eq!(kind, "Fleet");
    assert!(said.starts_with("one; "), "{said}");
    assert!(said.contains("group nobody: is not there"), "{said}");
    assert!(
        said.contains(&format!("group {}: level 5-5-5: ", fixture.name)) && said.contains("AccessDenied"),
        "{said}"
    );
    let state = fixture.state().await;
    assert_eq!((state.size.as_str(), state.running, state.provisioned), ("1-2-4", 2, 10), "the rest is done");
    fixture.front.refuse(None);
    plan["action"] = json!("cool");
    assert_eq!(fixture.run(plan).await["outcome"], "cooled", "what is not there needs no cooling");
    assert_eq!(fixture.state().await, State::cold());
}

#[tokio::test(flavor = "multi_thread")]
async fn when_nobody_answers_it_answers_in_time() {
    let fixture = Fixture::with(PATIENCE, None).await;
    fixture.front.stop(0, crate::support::front::Edge::Before);
    let (kind, said) = fixture.refused(fixture.plan("one", "warm", 5)).await;
    assert_eq!((kind.as_str(), said.as_str()), ("Fleet", "one; fleet all: calls took longer than there was time for"));
    fixture.front.go_on();
    assert_eq!(fixture.warm("one", 5).await["outcome"], "ready");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_that_nobody_can_read_is_left_to_people() {
    let fixture = Fixture::with(PATIENCE, None).await;
    fixture.tag_group("miaosha:warm:other", "12 or so").await;
    let (_, said) = fixture.refused(fixture.plan("one", "warm", 5)).await;
    let expected = format!("group {}: the tag miaosha:warm:other=12 or so cannot be read", fixture.name);
    assert!(said.contains(&expected), "{said}");
    let group =
        fixture.groups.describe_auto_scaling_groups().auto_scaling_group_names(&fixture.name).send().await.unwrap();
    assert_eq!(group.auto_scaling_groups()[0].desired_capacity(), Some(2), "it may hold the only word of the base");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_is_none_is_refused_by_the_field() {
    let fixture = Fixture::new().await;
    let mut plan = fixture.plan("one", "warm", 5);
    plan["groups"][0]["capacity"] = json!("five");
    let (kind, said) = fixture.refused(plan).await;
    assert_eq!(kind, "Plan");
    assert!(said.starts_with("plan: groups[0].capacity: invalid type: string \"five\""), "{said}");
    let mut plan = fixture.plan("one", "warm", 5);
    plan["until"] = json!("2062-01-01T00:00:00Z");
    assert!(fixture.refused(plan).await.1.starts_with("plan: until: is 2062"));
    assert_eq!(fixture.state().await, State::cold());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_belongs_to_a_group_is_not_stopped() {
    let fixture = Fixture::new().await;
    fixture.warm("one", 3).await;
    fixture.cool("one").await;
    let group =
        fixture.groups.describe_auto_scaling_groups().auto_scaling_group_names(&fixture.name).send().await.unwrap();
    let ids = group.auto_scaling_groups()[0].instances().iter().map(|one| one.instance_id().unwrap().to_owned());
    let ids: Vec<_> = ids.collect();
    assert_eq!(ids.len(), 2);
    let all = fixture.instances.describe_instances().set_instance_ids(Some(ids)).send().await.unwrap();
    for instance in all.reservations().iter().flat_map(|reservation| reservation.instances()) {
        let value = |key: &str| instance.tags().iter().find(|tag| tag.key() == Some(key)).and_then(|tag| tag.value());
        assert_eq!(value("miaosha:general"), Some(fixture.name.as_str()), "it would have been found");
        assert_eq!(instance.state().unwrap().name().unwrap().as_str(), "running");
    }
}
