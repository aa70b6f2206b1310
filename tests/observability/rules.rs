//! Prometheus's own tools accept rules and configurations, and every alert is tried both ways.

use std::process::Command;

use serde_json::Value;

use super::expression::strangers;
use super::sources::Metrics;
use super::{root, text, yaml};

const ALERTS: &str = "deploy/prometheus/rules/alerts.yml";
const RECORDING: &str = "deploy/prometheus/rules/recording.yml";

fn promtool(arguments: &[&str]) {
    let output = Command::new("promtool").args(arguments).current_dir(root().join("deploy/prometheus")).output();
    let output = output.expect("promtool is installed by deploy/local/install.sh");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "promtool {arguments:?}: {said}");
}

fn rules(path: &str) -> Vec<Value> {
    let groups = yaml(&text(path))["groups"].as_array().unwrap().clone();
    groups.iter().flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
}

/// Names of alerts, in order.
pub fn alerts() -> Vec<String> {
    rules(ALERTS).iter().map(|rule| rule["alert"].as_str().unwrap().to_owned()).collect()
}

pub fn recorded() -> Vec<String> {
    rules(RECORDING).iter().map(|rule| rule["record"].as_str().unwrap().to_owned()).collect()
}

#[test]
#[cfg_attr(not(feature = "servers"), ignore = "asks promtool")]
fn prometheus_accepts_rules_and_configurations() {
    promtool(&["check", "rules", "rules/alerts.yml", "rules/recording.yml"]);
    promtool(&["check", "config", "prometheus.yml"]);
    promtool(&["check", "config", "prometheus.ec2.yml"]);
}

#[test]
#[cfg_attr(not(feature = "servers"), ignore = "asks promtool")]
fn every_alert_fires_when_it_should() {
    promtool(&["test", "rules", "tests.yml"]);
}

#[test]
fn every_alert_is_tried_both_ways() {
    let tests = yaml(&text("deploy/prometheus/tests.yml"));
    let tried: Vec<(String, bool)> = tests["tests"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|test| test["alert_rule_test"].as_array().unwrap())
        .map(|tried| {
            let fires = !tried["exp_alerts"].as_array().unwrap().is_empty();
            (tried["alertname"].as_str().unwrap().to_owned(), fires)
        })
        .collect();
    for alert in alerts() {
        for fires in [true, false] {
            assert!(tried.contains(&(alert.clone(), fires)), "{alert} is not tried where it fires: {fires}");
        }
    }
}

#[test]
fn rules_name_only_what_is_counted() {
    let (metrics, recorded) = (Metrics::read().with_foreign(), recorded());
    for rule in rules(ALERTS).iter().chain(&rules(RECORDING)) {
        let strangers = strangers(rule["expr"].as_str().unwrap(), &metrics, &recorded);
        assert!(strangers.is_empty(), "{rule}: {strangers:?}");
    }
}

#[test]
fn every_alert_says_how_urgent_it_is_and_where_to_read_on() {
    for rule in rules(ALERTS) {
        let name = rule["alert"].as_str().unwrap();
        assert!(["page", "warn"].contains(&rule["labels"]["severity"].as_str().unwrap()), "{name}");
        assert!(!rule["annotations"]["summary"].as_str().unwrap().is_empty(), "{name}");
        let url = format!("deploy/alarms.md#{}", name.to_lowercase());
        assert_eq!(rule["annotations"]["runbook_url"], url, "{name}");
    }
}
