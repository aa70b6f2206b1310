//! The metrics there are, read from the closed lists of the sources, with the labels they are counted by.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{files, root, text};

#[derive(Debug, Default)]
pub struct Metrics {
    /// By name; a histogram's are those of its series.
    pub labels: BTreeMap<String, BTreeSet<String>>,
}

/// What a scrape adds.
pub const TARGET: [&str; 5] = ["job", "instance", "zone", "role", "service"];

impl Metrics {
    pub fn read() -> Self {
        let mut metrics = Self::default();
        let mut names: BTreeMap<(String, String), String> = BTreeMap::new();
        let sources: Vec<(String, String)> = files(&["src"])
            .into_iter()
            .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
            .map(|path| path.strip_prefix(root()).unwrap().to_string_lossy().into_owned())
            .map(|path| (path.clone(), text(&path)))
            .collect();
        for (path, code) in sources.iter().filter(|(path, _)| path.ends_with("metric.rs")) {
            let room = path.trim_end_matches("metric.rs").to_owned();
            let histograms = described(code, "histogram");
            for (variant, name) in variants(code) {
                let series = if histograms.contains(&variant) { &["_bucket", "_sum", "_count"][..] } else { &[""][..] };
                for end in series {
                    metrics.labels.entry(format!("{name}{end}")).or_default();
                }
                names.insert((room.clone(), variant), name);
            }
        }
        metrics.labels.insert("miaosha_restores_total".into(), BTreeSet::from(["grounds".into()]));
        metrics.labels.insert("miaosha_omissions_total".into(), BTreeSet::from(["what".into()]));
        for (path, code) in &sources {
            for (variant, label) in labelled(code) {
                let Some(name) = nearest(&names, path, &variant) else { continue };
                for (of, labels) in &mut metrics.labels {
                    if of.strip_prefix(name).is_some_and(|end| ["", "_bucket", "_sum", "_count"].contains(&end)) {
                        labels.insert(label.clone());
                    }
                }
            }
        }
        for (name, labels) in &mut metrics.labels {
            if name.ends_with("_bucket") {
                labels.insert("le".into());
            }
            labels.extend(TARGET.map(str::to_owned));
        }
        metrics
    }

    /// Those of the servers' exporters, which are not ours to define.
    pub fn with_foreign(mut self) -> Self {
        for line in text("deploy/prometheus/foreign-metrics.txt").lines().filter(|line| !line.starts_with('#')) {
            let mut words = line.split_whitespace().map(str::to_owned);
            let Some(name) = words.next() else { continue };
            self.labels.entry(name).or_default().extend(words.chain(TARGET.map(str::to_owned)));
        }
        self
    }
}

/// `Metric::Variant => "name"`.
fn variants(code: &str) -> Vec<(String, String)> {
    let arms = code.split("Metric::").skip(1);
    let arm = |arm: &str| {
        let (variant, rest) = arm.split_once(" => \"")?;
        let (name, _) = rest.split_once('"')?;
        let plain = variant.chars().all(|c| c.is_alphanumeric()) && name.starts_with("miaosha_");
        plain.then(|| (variant.to_owned(), name.to_owned()))
    };
    arms.filter_map(arm).collect()
}

/// Variants that are described as of this kind.
fn described(code: &str, kind: &str) -> BTreeSet<String> {
    let arm = |arm: &str| {
        let (variant, rest) = arm.split_once(" => ")?;
        let rest = rest.trim_start_matches(['{', ' ', '\n']);
        rest.starts_with(&format!("metrics::describe_{kind}!")).then(|| variant.to_owned())
    };
    let call = |call: &str| Some(call.trim_start().strip_prefix("Metric::")?.split_once(".name()")?.0.to_owned());
    let described = format!("describe_{kind}!(");
    let calls = code.split(&described).skip(1).filter_map(call);
    code.split("Metric::").skip(1).filter_map(arm).chain(calls).collect()
}

/// Variants and labels of calls such as `metrics::counter!(Metric::X.name(), "label" => …)`.
fn labelled(code: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for call in code.split("metrics::").skip(1) {
        let Some((macro_name, rest)) = call.split_once("!(") else { continue };
        if !["counter", "gauge", "histogram"].contains(&macro_name) {
            continue;
        }
        let Some(rest) = rest.trim_start().strip_prefix("Metric::") else { continue };
        let Some((variant, rest)) = rest.split_once(".name()") else { continue };
        let arguments = rest.split([';', '}']).next().unwrap_or_default();
        let labels = arguments.split(" => ").map(|before| before.trim_end().trim_end_matches('"'));
        let mut labels: Vec<&str> = labels.filter_map(|before| before.rsplit('"').next()).collect();
        labels.pop();
        found.extend(labels.into_iter().map(|label| (variant.to_owned(), label.to_owned())));
    }
    found
}

/// The list of the nearest folder above.
fn nearest<'n>(names: &'n BTreeMap<(String, String), String>, path: &str, variant: &str) -> Option<&'n String> {
    let above = Path::new(path).ancestors().skip(1);
    above.map(|folder| format!("{}/", folder.display())).find_map(|room| names.get(&(room, variant.to_owned())))
}

#[test]
fn the_lists_are_read_with_their_labels() {
    let metrics = Metrics::read();
    let has = |name: &str, label: &str| metrics.labels.get(name).is_some_and(|labels| labels.contains(label));
    for (name, label) in [
        ("miaosha_publisher_attempts_shed_total", "reason"),
        ("miaosha_publisher_confirm_seconds_bucket", "le"),
        ("miaosha_gateway_sockets_closed_total", "why"),
        ("miaosha_payments_sweep_seconds_count", "work"),
        ("miaosha_payments_faults_total", "part"),
        ("miaosha_http_faults_total", "kind"),
        ("miaosha_broker_connections_total", "link"),
    ] {
        assert!(has(name, label), "{name} by {label}: {:?}", metrics.labels.get(name));
    }
    assert!(!has("miaosha_gateway_sockets", "why"));
    assert!(!metrics.labels.contains_key("miaosha_publisher_confirm_seconds"), "a histogram has no series of its name");
    assert!(metrics.labels.len() > 90, "{}", metrics.labels.len());
}
