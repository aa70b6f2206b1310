//! The OpenAPI document against the routes' sources, and against itself. Every answer that the suites see is compared with it
//! where they see it: `support::openapi`.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use miaosha::faces::front::Settings;
use serde_json::{Value, json};

use crate::support::files::path;
use crate::support::openapi::{DOCUMENT, Seen, complaints, resolved};

fn sources() -> Vec<String> {
    let (mut texts, mut unread) = (Vec::new(), vec![path("src")]);
    while let Some(path) = unread.pop() {
        match path.is_dir() {
            true => unread.extend(path.read_dir().unwrap().map(|entry| entry.unwrap().path())),
            false => texts.push(std::fs::read_to_string(path).unwrap()),
        }
    }
    texts
}

/// Every `path("/v1/…")` of the sources, with its methods; whether each needs a key.
fn routed() -> BTreeMap<(String, String), bool> {
    let mut found = BTreeMap::new();
    sources().iter().for_each(|text| routes_of(text, &mut found));
    // Their paths are constants: sockets have a listener of their own, too, and the publisher compares text.
    found.insert(("get".into(), "/ws".into()), false);
    found.insert(("post".into(), "/v1/sales/{id}/attempts".into()), false);
    found
}

fn routes_of(text: &str, found: &mut BTreeMap<(String, String), bool>) {
    for piece in text.split("path(\"/").skip(1) {
        let Some((path, rest)) = piece.split_once('"') else { continue };
        let path = format!("/{path}");
        // Up to the end of the chain that registers it.
        let rest = rest.split(';').next().unwrap_or_default();
        for method in ["get", "post", "put", "delete", "patch"] {
            for (at, _) in rest.match_indices(&format!("web::{method}()")) {
                let is_once = rest[..at].rsplit(".route(").next().is_some_and(|before| before.contains("once"));
                found.insert((method.to_owned(), path.clone()), is_once);
            }
        }
    }
}

fn described() -> BTreeMap<(String, String), &'static Value> {
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().iter();
        methods.map(move |(method, operation)| ((method.clone(), path.clone()), operation))
    });
    operations.collect()
}

/// A plan is named by what it says: the same one again is the same one.
const KEPT_BY_ITSELF: [&str; 1] = ["/v1/admin/plans"];

#[test]
fn every_route_is_described_and_nothing_else() {
    let (routed, described) = (routed(), described());
    let routes: BTreeSet<_> = routed.keys().collect();
    let operations: BTreeSet<_> = described.keys().collect();
    assert!(routes.len() > 15, "the sources were read: {routes:?}");
    assert_eq!(routes.difference(&operations).collect::<Vec<_>>(), Vec::<&&_>::new(), "routes that are not described");
    assert_eq!(operations.difference(&routes).collect::<Vec<_>>(), Vec::<&&_>::new(), "described, and not routed");
    for (route, is_once) in &routed {
        let parameters = described[route]["parameters"].as_array().into_iter().flatten().map(resolved);
        let has_key = parameters.into_iter().any(|parameter| parameter["name"] == "Idempotency-Key");
        assert_eq!(has_key, *is_once, "{route:?}: whether a key is needed");
        let is_told_apart = KEPT_BY_ITSELF.contains(&route.1.as_str());
        let post_of_operators = route.0 == "post" && route.1.starts_with("/v1/admin/") && !is_told_apart;
        assert!(*is_once || !post_of_operators, "{route:?}: every operator's POST needs a key");
    }
}

#[test]
fn the_routes_are_read_from_their_sources() {
    let mut found = BTreeMap::new();
    let text = r#"cfg.service(path("/a").route(web::get().to(x)).route(once::<W>(By::Buyer, web::post().to(y))))
        .service(path("/b/{id}").route(web::delete().to(z)));  other(web::put());"#;
    routes_of(text, &mut found);
    let named = |method: &str, path: &str| (method.to_owned(), path.to_owned());
    let wanted = [(named("delete", "/b/{id}"), false), (named("get", "/a"), false), (named("post", "/a"), true)];
    assert_eq!(found.into_iter().collect::<Vec<_>>(), wanted);
}

#[test]
fn every_operation_is_whole() {
    let mut names = BTreeSet::new();
    for ((method, path), operation) in described() {
        assert!(names.insert(operation["operationId"].as_str().unwrap()), "{method} {path}: its name is taken");
        let responses = operation["responses"].as_object().unwrap();
        assert!(
            responses.keys().any(|status| status.starts_with('2') || status == "101"),
            "{method} {path}: how does it end well?"
        );
        for (status, response) in responses {
            assert!(resolved(response)["description"].is_string(), "{method} {path} {status}");
        }
        let parameters: Vec<_> = operation["parameters"].as_array().into_iter().flatten().map(resolved).collect();
        for name in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
            let is_there = |parameter: &&&Value| parameter["name"] == name && parameter["in"] == "path";
            assert!(parameters.iter().find(is_there).is_some(), "{method} {path}: {name}");
        }
        let requirements: Vec<_> = operation["security"].as_array().into_iter().flatten().collect();
        let needs_token = !requirements.is_empty() && requirements.iter().all(|one| **one != json!({}));
        // A token that is shown where none is needed is a good one, at the box office.
        let may_be_wrong = ["/v1/sessions", "/buy/{event}"].contains(&path.as_str());
        assert_eq!(responses.contains_key("401"), needs_token || may_be_wrong, "{path}");
    }
}

/// Of two the document would keep one, silently.
#[test]
fn no_two_shapes_have_one_name() {
    let (mut names, texts) = (BTreeSet::new(), sources());
    for derived in texts.iter().flat_map(|text| text.split("#[derive(").skip(1)) {
        let Some((_, item)) = derived.split_once(")]").filter(|(traits, _)| traits.contains("ToSchema")) else {
            continue;
        };
        let (renamed, declared) =
            (item.find("#[schema(as = "), item.find("struct ").into_iter().chain(item.find("enum ")).min());
        let declared = declared.expect("a shape is a struct or an enum");
        let name = match renamed.filter(|renamed| *renamed < declared) {
            Some(renamed) => &item[renamed + "#[schema(as = ".len()..],
            None => item[declared..].split_once(' ').unwrap().1,
        };
        let name = name.split(|c: char| !c.is_alphanumeric()).next().unwrap();
        assert!(names.insert(name.to_owned()), "two shapes have the name {name}");
    }
    assert!(names.len() > 50 && names.contains("Sale") && names.contains("OrderFacts"), "{names:?}");
}

#[test]
fn what_is_referred_to_is_there() {
    let mut names = Vec::new();
    references(&DOCUMENT, &mut names);
    assert!(names.len() > 200, "{}", names.len());
    for name in names {
        assert!(DOCUMENT.pointer(name.trim_start_matches('#')).is_some(), "{name} is referred to");
    }
}

fn references(piece: &'static Value, names: &mut Vec<&str>) {
    match piece {
        Value::Object(members) => {
            names.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|member| references(member, names));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, names)),
        _ => {}
    }
}

/// What an attribute cannot take from the code.
#[test]
fn the_longest_wait_is_the_one_that_is_told() {
    let parameters = DOCUMENT["paths"]["/v1/sales/{id}/reservation"]["get"]["parameters"].as_array().unwrap();
    let wait = parameters.iter().find(|parameter| parameter["name"] == "wait_ms").unwrap();
    assert_eq!(wait["schema"]["maximum"], Settings::default().wait_ms_max);
}

/// The judge can say no.
#[test]
fn what_is_not_described_is_seen() {
    let money = json!({ "minor": 1, "currency": "TWD", "decimals": 2 });
    let order = json!({
        "order_number": "0000-0000-0000", "sale_id": 1, "units": [1], "amount": money, "placed_at": 1, "refunded": false,
        "refunded_units": [], "refunded_amount": money,
    });
    let with = |pointer: &str, value: Value| {
        let mut order = order.clone();
        *order.pointer_mut(pointer).unwrap() = value;
        order
    };
    let mut more = order.clone();
    more["surprise"] = json!(1);
    let mut less = order.clone();
    less.as_object_mut().unwrap().remove("units");
    let number = "/v1/orders/0000-0000-0000";
    let verdict = |method: &str, path: &str, status: u16, kind: &'static str, body: &Value| {
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static("content-type"), HeaderValue::from_static(kind));
        complaints(&Seen { method, path, status, headers: &headers, body }).len()
    };
    let json = "application/json";
    assert_eq!(verdict("GET", number, 200, json, &order), 0);
    for bad in [more, less, with("/amount/minor", json!(1.5)), with("/amount/currency", json!("twd")), json!([])] {
        assert!(verdict("GET", number, 200, json, &bad) > 0, "{bad}");
    }
    assert!(verdict("GET", number, 201, json, &order) > 0, "another status");
    assert!(verdict("GET", number, 200, "text/plain", &order) > 0, "another content type");
    assert!(verdict("PUT", number, 200, json, &order) > 0, "another method");
    assert!(verdict("GET", "/v1/nothing", 200, json, &order) > 0, "another path");
    let mut deep = order.clone();
    deep["amount"]["surprise"] = json!(1);
    assert!(verdict("GET", number, 200, json, &deep) > 0, "a member of a member");
    assert!(verdict("GET", "/v1/orders", 200, json, &json!([order])) > 0, "a list's orders have titles");
    let check_in = |kind: &str, facts: Value| {
        let mut problem = json!({ "type": format!("/problems/{kind}"), "title": "x", "status": 409, "detail": "x" });
        problem.as_object_mut().unwrap().extend(facts.as_object().unwrap().clone());
        verdict("POST", "/v1/check-ins", 409, "application/problem+json", &problem)
    };
    let there = json!({ "sale_id": 1, "unit": 2 });
    assert_eq!((check_in("in_flight", json!({})), check_in("elsewhere", there.clone())), (0, 0));
    for (kind, facts) in
        [("in_flight", &there), ("conflict", &json!({})), ("elsewhere", &json!({})), ("already_admitted", &there)]
    {
        assert!(check_in(kind, facts.clone()) > 0, "{kind} {facts}");
    }
    let problem = json!({ "type": "/problems/busy", "title": "x", "status": 503, "detail": "x" });
    assert!(verdict("GET", number, 503, "application/problem+json", &problem) > 0, "no Retry-After");
    let unknown = json!({ "type": "/problems/new", "title": "x", "status": 404, "detail": "x" });
    assert!(verdict("GET", number, 404, "application/problem+json", &unknown) > 0, "another kind");
}
