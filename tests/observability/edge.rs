//! What the edge counts: the firewall's rules, nginx, the runbook's table and the description of the calls agree, and no call that
//! changes something was forgotten.

use std::collections::{BTreeMap, BTreeSet};

use miaosha::wire::document;

use super::text;

/// `METHOD /path`, with a star for each part that is not fixed.
type Route = (String, String);

struct Rule {
    count: u64,
    routes: BTreeSet<Route>,
}

fn starred(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { "*" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// What is between the quotes of `key = [ … ]` or `key = "…"`.
fn quoted(line: &str, key: &str, end: char) -> Vec<String> {
    let rest = line.split_once(&format!("{key} = ")).map_or("", |(_, rest)| rest);
    let rest = rest.split(end).next().unwrap_or_default();
    rest.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Rules of the firewall: how many a minute, of which methods and paths.
fn firewall() -> BTreeMap<String, (u64, Vec<String>, Vec<String>)> {
    let text = text("terraform/modules/firewall/main.tf");
    let rules = text.split_once("\n  rules = {\n").unwrap().1.split_once("\n  }\n").unwrap().0;
    let read = |line: &str| {
        let (name, rest) = line.trim().split_once(" = {").unwrap();
        let count = rest.split_once("count = ").unwrap().1.split(',').next().unwrap().parse().unwrap();
        (name.trim().to_owned(), (count, quoted(rest, "method", ','), quoted(rest, "paths", ']')))
    };
    rules.lines().map(read).collect()
}

/// Rows of the runbook's table.
fn table() -> BTreeMap<String, Rule> {
    let text = text("deploy/edge.md");
    let rows =
        text.lines().skip_while(|line| !line.starts_with("| rule ")).skip(2).take_while(|line| line.starts_with('|'));
    let read = |line: &str| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let routes = cells[2].split('`').filter_map(|route| route.split_once(" /"));
        let routes = routes.map(|(method, path)| (method.to_owned(), starred(&format!("/{path}")))).collect();
        (cells[1].trim_matches('`').to_owned(), Rule { count: cells[3].parse().unwrap(), routes })
    };
    rows.map(read).collect()
}

#[test]
fn the_table_is_what_the_firewall_counts() {
    let (rules, table) = (firewall(), table());
    assert!(rules.len() >= 9, "{rules:?}");
    assert_eq!(rules.keys().collect::<Vec<_>>(), table.keys().collect::<Vec<_>>());
    for (name, (count, method, paths)) in &rules {
        assert_eq!(*count, table[name].count, "{name}");
        let told: BTreeSet<&String> = table[name].routes.iter().map(|(_, path)| path).collect();
        assert_eq!(told, paths.iter().collect::<BTreeSet<_>>(), "{name}");
        if let Some(method) = method.first().filter(|method| !method.is_empty()) {
            assert!(table[name].routes.iter().all(|(told, _)| told == method), "{name}");
        }
    }
}

/// Whatever changes something and is not an operator's has a rule, or stands among those that are counted with all.
#[test]
fn no_call_that_changes_something_was_forgotten() {
    let text = text("deploy/edge.md");
    let alone = text.split_once("Counted by `all` alone").unwrap().1.split("\n\n").next().unwrap();
    let alone: BTreeSet<Route> = alone
        .split('`')
        .filter_map(|route| route.split_once(" /"))
        .map(|(method, path)| (method.to_owned(), starred(&format!("/{path}"))))
        .collect();
    let ruled: BTreeSet<Route> = table().into_values().flat_map(|rule| rule.routes).collect();
    assert_eq!(alone.intersection(&ruled).collect::<Vec<_>>(), Vec::<&Route>::new(), "both");
    let mut seen = 0;
    for (path, item) in document::DOCUMENT.whole()["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys().map(|method| method.to_uppercase()) {
            // The box office has a port of its own, which is not behind the firewall.
            if method == "GET" || path.starts_with("/v1/admin/") || !path.starts_with("/v1/") {
                continue;
            }
            let route = (method, starred(path));
            assert!(
                ruled.contains(&route) || alone.contains(&route),
                "{route:?} is counted by nothing that is meant for it"
            );
            seen += 1;
        }
    }
    assert!(seen >= 10, "{seen}");
    let known: BTreeSet<String> =
        document::DOCUMENT.whole()["paths"].as_object().unwrap().keys().map(|path| starred(path)).collect();
    for (method, path) in &alone {
        assert!(known.contains(path), "{method} {path} is no call");
    }
}

/// The doors of accounts are the same paths at nginx.
#[test]
fn nginx_is_as_narrow_for_accounts() {
    let shop = text("nginx/shop.conf");
    let narrow = shop.split("\nlocation ").find(|place| place.contains("zone=entry ")).unwrap();
    let paths = narrow.split_once("^/v1/(").unwrap().1.split_once(")$ {").unwrap().0;
    let paths: BTreeSet<String> = paths.split('|').map(|path| format!("/v1/{path}")).collect();
    let table = table();
    let told = ["entry", "leaving"].iter().flat_map(|rule| &table[*rule].routes).map(|(_, path)| path.clone());
    assert_eq!(paths, told.collect::<BTreeSet<_>>());
    assert!(text("nginx/rates.conf").contains("\"~^(GET|HEAD)$\" \"\";"), "who only looks is not counted there");
}
