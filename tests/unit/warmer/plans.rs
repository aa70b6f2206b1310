//! Plans as they are written: what is refused, and by which name.

use std::time::Duration;

use miaosha::workers::warmer::Settings;
use miaosha::workers::warmer::plan::{Action, Plan};
use serde_json::{Value, json};

use crate::support::files::plan as sample;

fn refused(plan: &Value) -> String {
    Plan::read(plan, &Settings::default()).unwrap_err().to_string()
}

#[test]
fn the_sample_is_a_plan() {
    let mut written = sample();
    let plan = Plan::read(&written, &Settings::default()).unwrap();
    assert_eq!((plan.action, plan.event.as_str()), (Action::Warm, "spring-sale"));
    assert_eq!(plan.groups[0], ("miaosha-publisher".to_owned(), 12));
    assert_eq!(plan.until.rfc3339(), "2026-12-01T14:00:00Z");
    written["action"] = json!("cool");
    let cool = Plan::read(&written, &Settings::default()).unwrap();
    assert_eq!(cool, Plan { action: Action::Cool, ..plan });
    for part in ["groups", "instances", "functions", "target_groups", "wait_s_max"] {
        let mut less = sample();
        less.as_object_mut().unwrap().remove(part);
        Plan::read(&less, &Settings::default()).unwrap_or_else(|error| panic!("{part}: {error}"));
    }
    let less = Plan::read(
        &json!({"version": 1, "event": "e", "action": "cool", "until": "2026-12-01T14:00:00Z",
        "groups": [{"name": "g", "capacity": 1}]}),
        &Settings::default(),
    );
    assert_eq!(less.unwrap().wait, Duration::from_secs(600));
}

#[test]
fn the_field_that_is_wrong_is_named() {
    let arn = sample()["target_groups"][0].clone();
    let wrong = [
        ("/version", json!(2), "version: is 2"),
        ("/version", json!("1"), "version: is \"1\""),
        ("/event", json!("Spring Sale"), "event: "),
        ("/event", json!(""), "event: "),
        ("/event", json!("e".repeat(41)), "event: "),
        ("/event", json!(7), "event: invalid type"),
        ("/action", json!("start"), "action: unknown variant `start`"),
        ("/until", json!("tomorrow"), "until: is no time"),
        ("/until", json!("2026-02-30T00:00:00Z"), "until: is no time"),
        ("/wait_s_max", json!(841), "wait_s_max: is 841; 840 at most"),
        ("/wait_s_max", json!(-1), "wait_s_max: invalid value"),
        ("/groups/1/capacity", json!(0), "groups[1].capacity: is 0; 1 to 1000 (capacity_max)"),
        ("/groups/1/capacity", json!(1_001), "groups[1].capacity: is 1001"),
        ("/groups/1/capacity", json!(-3), "groups[1].capacity: invalid value"),
        ("/groups/1/capacity", json!("4"), "groups[1].capacity: invalid type"),
        ("/groups/1/name", json!(""), "groups[1].name: "),
        ("/groups/1/name", json!("miaosha-publisher"), "groups[1].name: miaosha-publisher comes twice"),
        ("/groups", json!(vec![json!({"name": "g", "capacity": 1}); 33]), "groups: are 33; 32 at most (groups_max)"),
        ("/groups", json!({}), "groups: invalid type"),
        ("/instances/0/value", json!("*"), "instances[0].value: has a wildcard"),
        ("/instances/0/tag", json!(""), "instances[0].tag: "),
        ("/functions/0/qualifier", json!("$LATEST"), "functions[0].qualifier: "),
        ("/functions/0/name", json!("arn:aws:lambda:x:1:function:y"), "functions[0].name: "),
        ("/functions/0/provisioned", json!(1_001), "functions[0].provisioned: is 1001"),
        ("/target_groups/0", json!("miaosha-publisher"), "target_groups[0]: is not the ARN"),
        ("/target_groups/1", arn, "target_groups[1]: arn:"),
    ];
    for (field, value, said) in wrong {
        let mut plan = sample();
        *plan.pointer_mut(field).unwrap() = value.clone();
        let why = refused(&plan);
        assert!(why.starts_with(said), "{field} = {value}: {why}");
    }
    let mut plan = sample();
    plan["groups"][0]["capcity"] = json!(3);
    assert!(refused(&plan).contains("groups[0].capcity: unknown field `capcity`"), "{}", refused(&plan));
    for field in ["version", "event", "action", "until"] {
        let mut plan = sample();
        plan.as_object_mut().unwrap().remove(field);
        let why = refused(&plan);
        assert!(why.contains(field), "{field}: {why}");
    }
    for nothing in [json!(null), json!([]), json!("warm"), json!({})] {
        assert!(refused(&nothing).starts_with("version: is missing"), "{nothing}");
    }
    let empty = json!({"version": 1, "event": "e", "action": "cool", "until": "2026-12-01T14:00:00Z"});
    assert!(refused(&empty).contains("are all empty"));
}

#[test]
fn a_slip_of_the_pen_does_not_keep_it_warm_for_years() {
    let mut plan = Plan::read(&sample(), &Settings::default()).unwrap();
    let settings = Settings { warm_ms_max: 604_800_000, ..Settings::default() };
    let now = plan.until.plus_ms(-604_800_000);
    assert_eq!(plan.lasts(now, &settings), Ok(()));
    let why = plan.lasts(now.plus_ms(-1), &settings).unwrap_err().to_string();
    assert!(why.starts_with("until: is 2026-12-01T14:00:00Z, more than 168 hours ahead"), "{why}");
    plan.action = Action::Cool;
    assert_eq!(plan.lasts(now.plus_ms(-1), &settings), Ok(()), "what is taken back may have been meant to last");
}
