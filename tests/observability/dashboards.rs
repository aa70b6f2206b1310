//! Dashboards are whole, and show only what is counted.

use std::collections::BTreeSet;

use serde_json::Value;

use super::expression::strangers;
use super::rules::recorded;
use super::sources::Metrics;
use super::{files, root, text, yaml};

fn dashboards() -> Vec<(String, Value)> {
    let files = files(&["deploy/grafana/dashboards"]);
    let read = |path: std::path::PathBuf| {
        let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        let dashboard = serde_json::from_str(&text(&name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        (name, dashboard)
    };
    files.into_iter().map(read).collect()
}

fn panels(dashboard: &Value) -> Vec<Value> {
    let panels = dashboard["panels"].as_array().unwrap();
    panels.iter().filter(|panel| panel["type"] != "row").cloned().collect()
}

#[test]
fn there_is_one_for_a_sale_each_service_and_the_servers() {
    let names: BTreeSet<String> =
        dashboards().iter().map(|(_, board)| board["uid"].as_str().unwrap().to_owned()).collect();
    let wanted = ["sale", "publisher", "consumer", "payment-consumer", "gateway", "sockets", "broker", "stores"];
    assert_eq!(names, wanted.map(str::to_owned).into());
}

#[test]
fn dashboards_show_only_what_is_counted() {
    let (metrics, recorded) = (Metrics::read().with_foreign(), recorded());
    let mut shown = 0;
    for (name, dashboard) in dashboards() {
        let mut ids = BTreeSet::new();
        for panel in panels(&dashboard) {
            assert!(ids.insert(panel["id"].as_u64().unwrap()), "{name}: two panels of one number");
            let title = panel["title"].as_str().unwrap();
            assert_eq!(panel["datasource"]["uid"], "prometheus", "{name}: {title}");
            for target in panel["targets"].as_array().unwrap() {
                let query = target["expr"].as_str().unwrap();
                let strangers = strangers(query, &metrics, &recorded);
                assert!(strangers.is_empty(), "{name}: {title}: {strangers:?}");
                shown += 1;
            }
        }
    }
    assert!(shown > 60, "{shown}");
}

/// A query is also one that Prometheus can read: as rules they go through its own tool.
#[test]
#[cfg_attr(not(feature = "servers"), ignore = "asks promtool")]
fn prometheus_can_read_every_query() {
    let mut rules = String::from("groups:\n  - name: dashboards\n    rules:\n");
    for (_, dashboard) in dashboards() {
        for panel in panels(&dashboard) {
            for target in panel["targets"].as_array().unwrap() {
                let query =
                    target["expr"].as_str().unwrap().replace("$__rate_interval", "1m").replace("$__range", "1h");
                let query = serde_json::to_string(&query).unwrap();
                rules.push_str(&format!("      - {{record: \"shown:{}\", expr: {query}}}\n", rules.len()));
            }
        }
    }
    let file = tempfile::NamedTempFile::with_suffix(".yml").unwrap();
    std::fs::write(file.path(), rules).unwrap();
    let output = std::process::Command::new("promtool").args(["check", "rules"]).arg(file.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn grafana_finds_them_and_their_source() {
    let provider = yaml(&text("deploy/grafana/provisioning/dashboards/miaosha.yml"));
    assert_eq!(provider["providers"][0]["options"]["path"], "/etc/grafana/dashboards");
    let sources = yaml(&text("deploy/grafana/provisioning/datasources/miaosha.yml"));
    let source = &sources["datasources"][0];
    assert_eq!((source["uid"].as_str(), source["url"].as_str()), (Some("prometheus"), Some("http://prometheus:9090")));
    assert_eq!(sources["datasources"][1]["url"], "http://jaeger:16686");
    let compose = yaml(&text("docker-compose.yml"));
    for name in ["prometheus", "jaeger", "grafana"] {
        assert!(compose["services"][name].is_object(), "{name}");
    }
}
