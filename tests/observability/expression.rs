//! Reads a query as far as it must be: which metrics it names, and by which labels it chooses among them.

use super::sources::Metrics;

const WORDS: [&str; 16] = [
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "and",
    "or",
    "unless",
    "offset",
    "bool",
    "inf",
    "nan",
    "start",
    "end",
    "atan2",
];

#[derive(Debug, PartialEq, Eq)]
pub struct Named {
    pub metric: String,
    pub labels: Vec<String>,
}

/// Every metric that is named, with the labels in its braces.
pub fn named(query: &str) -> Vec<Named> {
    let mut found = Vec::new();
    let mut rest = query;
    while let Some(first) = rest.chars().next() {
        if first == '"' {
            let end = rest[1..].find('"').map_or(rest.len(), |end| end + 2);
            rest = &rest[end..];
        } else if first == '[' {
            rest = rest.split_once(']').map_or("", |(_, after)| after);
        } else if first.is_ascii_digit() || first == '$' {
            rest = rest[1..].trim_start_matches(|c: char| c.is_alphanumeric() || c == '_' || c == '.');
        } else if first.is_alphabetic() || first == '_' {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            rest = after;
            let next = after.trim_start();
            if ["by", "without", "on", "ignoring", "group_left", "group_right"].contains(&word) {
                rest = next.strip_prefix('(').and_then(|list| list.split_once(')')).map_or(after, |(_, after)| after);
            } else if !next.starts_with('(') && !WORDS.contains(&word) && next.strip_prefix("by").is_none() {
                let braces = next.strip_prefix('{').and_then(closed);
                let labels = braces.map(|(inside, after)| {
                    rest = after;
                    labels(inside)
                });
                found.push(Named { metric: word.to_owned(), labels: labels.unwrap_or_default() });
            }
        } else {
            rest = &rest[first.len_utf8()..];
        }
    }
    found
}

/// What stands before the brace that ends a selector, and what after it.
fn closed(text: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '}' if !quoted => return Some((&text[..at], &text[at + 1..])),
            _ => {}
        }
    }
    None
}

fn labels(inside: &str) -> Vec<String> {
    let mut labels = Vec::new();
    let mut quoted = false;
    let mut name = String::new();
    for c in inside.chars() {
        match c {
            '"' => quoted = !quoted,
            _ if quoted => {}
            '=' | '!' | '~' => {
                if !name.is_empty() {
                    labels.push(std::mem::take(&mut name));
                }
            }
            ',' | ' ' => name.clear(),
            _ => name.push(c),
        }
    }
    labels
}

/// What a query names that is not there.
pub fn strangers(query: &str, metrics: &Metrics, recorded: &[String]) -> Vec<String> {
    let mut strangers = Vec::new();
    for Named { metric, labels } in named(query) {
        if metric == "up" || recorded.contains(&metric) {
            continue;
        }
        match metrics.labels.get(&metric) {
            None => strangers.push(metric),
            Some(known) => {
                let unknown = labels.into_iter().filter(|label| !known.contains(label));
                strangers.extend(unknown.map(|label| format!("{metric}{{{label}}}")));
            }
        }
    }
    strangers
}

#[test]
fn a_query_is_read() {
    let query = r#"histogram_quantile(0.99, sum by (le, job) (rate(a_bucket{job="x{y}",why=~"a|b"}[$__rate_interval]))) > 5m
        or on () label_replace(absent(up{job="p"} == 1), "job", "p", "", "") / clamp_min(fleet:b:c1m, 1e3) offset 10m"#;
    let seen: Vec<(String, Vec<String>)> = named(query).into_iter().map(|named| (named.metric, named.labels)).collect();
    let labels = |labels: &[&str]| labels.iter().map(|label| (*label).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        seen,
        [
            ("a_bucket".to_owned(), labels(&["job", "why"])),
            ("up".into(), labels(&["job"])),
            ("fleet:b:c1m".into(), vec![])
        ]
    );
}

#[test]
fn strangers_are_found() {
    let metrics = Metrics::read();
    let of = |query: &str| strangers(query, &metrics, &["fleet:a:b".to_owned()]);
    assert_eq!(of("sum(rate(miaosha_gateway_cancels_total[5m])) / fleet:a:b"), [""; 0]);
    assert_eq!(of("miaosha_gateway_cancels"), ["miaosha_gateway_cancels"]);
    assert_eq!(
        of("rate(miaosha_gateway_sockets_closed_total{reason=\"gone\"}[1m])"),
        ["miaosha_gateway_sockets_closed_total{reason}"]
    );
    assert_eq!(of("fleet:a:c"), ["fleet:a:c"]);
}
