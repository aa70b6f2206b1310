//! The runbook knows every alarm.

use std::collections::BTreeSet;

use super::rules::alerts;
use super::text;

#[test]
fn every_alarm_has_its_section_and_every_section_its_alarm() {
    let text = text("deploy/alarms.md");
    let sections: BTreeSet<&str> = text.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    let alerts = alerts();
    assert_eq!(sections, alerts.iter().map(String::as_str).collect());
    for section in text.split("\n### ").skip(1) {
        let (name, body) = section.split_once('\n').unwrap();
        assert!(body.contains("**Means.**") && body.contains("**Do.**"), "{name}");
    }
}
