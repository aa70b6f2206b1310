//! The OpenAPI document against the routes' sources, and against itself. Every answer that the suites see is compared with it
//! where they see it: `support::openapi`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use miaosha::http::problem::{Kind, Rule};
use serde_json::{Value, json};

use crate::support::openapi::{DOCUMENT, Seen, complaints, resolved};

/// Every `path("/v1/…")` of the gateway's routes, with its methods; whether each needs a key.
fn routed() -> BTreeMap<(String, String), bool> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/services/gateway/routes");
    let mut found = BTreeMap::new();
    for file in folder.read_dir().unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        routes_of(&text, &mut found);
    }
    // Their paths are constants: sockets have a listener of their own, too, and the publisher compares text.
    found.insert(("get".into(), "/ws".into()), false);
    found.insert(("post".into(), "/v1/sales/{id}/attempts".into()), false);
    found
}

fn routes_of(text: &str, found: &mut BTreeMap<(String, String), bool>) {
    for piece in text.split("path(\"").skip(1) {
        let Some((path, rest)) = piece.split_once('"') else { continue };
        // Up to the end of the chain that registers it.
        let rest = rest.split(';').next().unwrap_or_default();
        for method in ["get", "post", "put", "delete", "patch"] {
            for (at, _) in rest.match_indices(&format!("web::{method}()")) {
                let is_once = rest[..at].rsplit(".route(").next().is_some_and(|before| before.contains("once::<"));
                found.insert((method.to_owned(), path.to_owned()), is_once);
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
        let post_of_operators = route.0 == "post" && route.1.starts_with("/v1/admin/");
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
        assert_eq!(
            responses.contains_key("401"),
            operation["security"] != json!([]) || path == "/v1/sessions",
            "{path}"
        );
    }
}

#[test]
fn every_kind_of_problem_is_in_the_list() {
    let listed = &DOCUMENT["components"]["schemas"]["Problem"]["properties"]["type"]["enum"];
    let kinds: Vec<String> = Kind::ALL.iter().map(|kind| format!("/problems/{}", kind.name())).collect();
    let listed: Vec<&str> = listed.as_array().unwrap().iter().map(|kind| kind.as_str().unwrap()).collect();
    assert_eq!(kinds.iter().map(String::as_str).collect::<BTreeSet<_>>(), listed.into_iter().collect());
}

#[test]
fn every_rule_of_a_field_is_in_the_list() {
    let listed = &DOCUMENT["components"]["schemas"]["Problem"]["properties"]["rule"]["enum"];
    let listed: Vec<&str> = listed.as_array().unwrap().iter().map(|rule| rule.as_str().unwrap()).collect();
    assert_eq!(Rule::ALL.iter().map(|rule| rule.name()).collect::<Vec<_>>(), listed);
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
    let problem = json!({ "type": "/problems/busy", "title": "x", "status": 503, "detail": "x" });
    assert!(verdict("GET", number, 503, "application/problem+json", &problem) > 0, "no Retry-After");
    let unknown = json!({ "type": "/problems/new", "title": "x", "status": 404, "detail": "x" });
    assert!(verdict("GET", number, 404, "application/problem+json", &unknown) > 0, "another kind");
}
