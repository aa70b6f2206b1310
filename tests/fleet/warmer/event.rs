//! One event from its schedules to healthy targets and back, as EventBridge Scheduler and Lambda would run it. What the function
//! logged is printed.

use std::time::Duration;

use miaosha::adapters::system::SystemClock;
use serde_json::{Value, json};

use super::fixture::{ALIAS, Fixture, State};
use crate::support::files::plan as sample;
use crate::support::moto;

/// Two schedules, as an operator's tool writes them.
async fn schedule(name: &str, at: &str, input: &Value) {
    let body = json!({ "ScheduleExpression": format!("at({at})"), "FlexibleTimeWindow": { "Mode": "OFF" },
        "Target": { "Arn": "arn:aws:lambda:eu-central-1:123456789012:function:miaosha-warmer",
            "RoleArn": "arn:aws:iam::123456789012:role/scheduler", "Input": input.to_string() } });
    let path = format!("/schedules/{name}");
    let (status, said) = moto::call("scheduler", "POST", &path, "application/json", body.to_string()).await;
    assert_eq!(status, 200, "{said}");
}

/// When it is due, and the payload it then sends.
async fn scheduled(name: &str) -> (String, Value) {
    let path = format!("/schedules/{name}");
    let (status, said) = moto::call("scheduler", "GET", &path, "application/json", String::new()).await;
    assert_eq!(status, 200, "{said}");
    let schedule: Value = serde_json::from_str(&said).unwrap();
    let input = schedule["Target"]["Input"].as_str().unwrap();
    (schedule["ScheduleExpression"].as_str().unwrap().to_owned(), serde_json::from_str(input).unwrap())
}

/// The sample, with the names of this fixture.
fn plan(fixture: &Fixture, until: &str) -> Value {
    let mut plan = sample();
    plan["until"] = json!(until);
    plan["groups"] = json!([{ "name": fixture.name, "capacity": 12 }]);
    plan["instances"][0]["value"] = json!(fixture.name);
    plan["functions"][0]["name"] = json!(fixture.name);
    assert_eq!(plan["functions"][0]["qualifier"], ALIAS);
    plan["target_groups"] = json!([fixture.fed, fixture.stood]);
    plan
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_from_its_schedule_to_healthy_targets_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let fixture = Fixture::with(Duration::from_secs(900), Some(log.clone())).await;
    let until = SystemClock::machine_now().plus_ms(7_200_000).rfc3339();
    let warm = plan(&fixture, &until);
    let mut cool = warm.clone();
    cool["action"] = json!("cool");
    let opens = SystemClock::machine_now().rfc3339();
    let names = ["warm", "cool"].map(|action| format!("{action}-{}", fixture.name));
    schedule(&names[0], opens.trim_end_matches('Z'), &warm).await;
    schedule(&names[1], until.trim_end_matches('Z'), &cool).await;
    assert_eq!(fixture.state().await, State::cold());
    // Targets and functions take their time.
    fixture.front.take_time(5, 3);
    let mut told = Vec::new();

    let (at, payload) = scheduled(&names[0]).await;
    let ready = fixture.run(payload).await;
    told.push(format!("{at} warm -> {ready}"));
    assert_eq!(ready["outcome"], "ready", "{ready}");
    assert_eq!(ready["not_ready"], json!([]));
    assert_eq!(ready["groups"][0]["level"], "12-12-12");
    assert_eq!(ready["functions"][0]["events"], json!({ "spring-sale": 20 }));
    assert_eq!(ready["target_groups"][0]["level"], "12");
    assert_eq!(ready["target_groups"][1]["level"], "2");
    let warm = State::warm(
        "12-12-12",
        20,
        &[
            ("function spring-sale:live", "20 from 0"),
            ("group spring-sale", "12 from 1-2-4"),
            ("instance spring-sale", "1 from 0"),
        ],
    );
    assert_eq!(fixture.state().await, warm);

    let (at, payload) = scheduled(&names[1]).await;
    let cooled = fixture.run(payload).await;
    told.push(format!("{at} cool -> {cooled}"));
    assert_eq!(cooled["outcome"], "cooled", "{cooled}");
    assert_eq!(fixture.state().await, State::cold());

    let log = std::fs::read_to_string(log).unwrap();
    println!("{log}{}", told.join("\n"));
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let said = |message: &str| lines.iter().filter(|line| line["message"] == message).count();
    assert_eq!((said("warmed"), said("cooled")), (1, 1));
    assert!(said("looked") >= 5, "targets were looked at until they were healthy");
    let last = |outcome: &str| lines.iter().any(|line| line["outcome"] == outcome && line["level"] == "INFO");
    assert!(last("ready") && last("cooled"));
}
