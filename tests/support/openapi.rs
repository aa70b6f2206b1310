//! Whether an answer is one that the document describes, and says nothing that the document does not.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use actix_web::http::header::HeaderMap;
use jsonschema::{Draft, Registry, Validator};
use miaosha::wire::document;
use serde_json::{Map, Value, json};

/// As operators are told it: of every call.
pub static DOCUMENT: LazyLock<&Value> = LazyLock::new(|| document::DOCUMENT.whole());

pub struct Seen<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub status: u16,
    pub headers: &'a HeaderMap,
    pub body: &'a Value,
}

/// What the document says against an answer; empty when it conforms.
pub fn complaints(seen: &Seen<'_>) -> Vec<String> {
    let path = plain(seen.path.split(['?', '#']).next().unwrap_or_default());
    let Some(item) = item(&path) else { return is_problem(seen, 404) };
    let Some(operation) = item.get(&seen.method.to_ascii_lowercase()) else { return is_problem(seen, 405) };
    // How a router reads an escaped slash or nothing at all is its own business.
    if path.contains('%') && seen.status == 404 {
        return is_problem(seen, 404);
    }
    let Some(response) = operation["responses"].get(seen.status.to_string()) else {
        return vec![format!("status {} is not described: {}", seen.status, seen.body)];
    };
    let response = resolved(response);
    let mut complaints = Vec::new();
    for (name, header) in response["headers"].as_object().into_iter().flatten() {
        if resolved(header)["required"] == true && !seen.headers.contains_key(name.as_str()) {
            complaints.push(format!("the header {name} is missing"));
        }
    }
    let given = seen.headers.get("content-type").map_or("", |value| value.to_str().unwrap());
    let given = given.split(';').next().unwrap_or_default();
    match response["content"].as_object() {
        None if given.is_empty() => {}
        None => complaints.push(format!("a body of {given} is not described")),
        Some(content) => match content.get(given) {
            None => complaints.push(format!("the content type `{given}` is not described")),
            Some(media) if given.ends_with("json") => complaints.extend(judge(&media["schema"], seen.body)),
            Some(_) => {}
        },
    }
    complaints
}

/// Escapes of what needs none mean the same as it.
fn plain(path: &str) -> String {
    let mut parts = path.split('%');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok()).map(char::from);
        match code.filter(|c| c.is_ascii_alphanumeric() || "-._~".contains(*c)) {
            Some(c) => plain.extend([c].into_iter().chain(part[2..].chars())),
            None => plain.extend(['%'].into_iter().chain(part.chars())),
        }
    }
    plain
}

fn is_problem(seen: &Seen<'_>, status: u16) -> Vec<String> {
    if seen.status != status {
        return vec![format!("{} is not in the document", seen.status)];
    }
    judge(&DOCUMENT["components"]["schemas"]["Problem"], seen.body)
}

/// The path item whose template fits; one without parameters goes first.
fn item(path: &str) -> Option<&'static Map<String, Value>> {
    let paths = DOCUMENT["paths"].as_object().unwrap();
    if let Some(item) = paths.get(path) {
        return item.as_object();
    }
    let given: Vec<&str> = path.split('/').collect();
    let fits = |template: &str| {
        let parts: Vec<&str> = template.split('/').collect();
        let mut both = parts.iter().zip(&given);
        parts.len() == given.len()
            && both.all(|(part, word)| part == word || (part.starts_with('{') && !word.is_empty()))
    };
    paths.iter().find(|(template, _)| fits(template)).and_then(|(_, item)| item.as_object())
}

pub fn resolved(value: &'static Value) -> &'static Value {
    match value["$ref"].as_str() {
        Some(name) => resolved(DOCUMENT.pointer(name.trim_start_matches('#')).unwrap_or_else(|| panic!("{name}"))),
        None => value,
    }
}

/// Where the judge's shapes refer to.
const SHAPES: &str = "urn:shop";

/// What the document's shapes refer to.
static NAMED: LazyLock<Registry<'static>> = LazyLock::new(|| {
    let shapes = members(&DOCUMENT["components"]["schemas"], |shape| strict(shape, false));
    let shapes = Draft::Draft202012.create_resource(json!({ "components": { "schemas": shapes } }));
    Registry::new().add(SHAPES, shapes).unwrap().prepare().unwrap()
});

/// By the places of their shapes in the document.
static JUDGES: LazyLock<Mutex<HashMap<usize, Arc<Validator>>>> = LazyLock::new(Mutex::default);

fn judge(shape: &'static Value, value: &Value) -> Vec<String> {
    let place = std::ptr::from_ref(shape).addr();
    let known = JUDGES.lock().unwrap().get(&place).cloned();
    let judge = known.unwrap_or_else(|| {
        let options = jsonschema::options().with_draft(Draft::Draft202012).with_registry(&NAMED);
        let judge = Arc::new(options.build(&strict(shape, true)).unwrap());
        JUDGES.lock().unwrap().insert(place, judge.clone());
        judge
    });
    judge.iter_errors(value).map(|error| format!("body{}: {error}", error.instance_path())).collect()
}

/// A shape as the judge reads it: nothing may be there that it does not describe. Clients are told no such thing, so that answers
/// may grow. A part of a whole describes some members only, and the whole closes them all.
fn strict(shape: &Value, is_whole: bool) -> Value {
    const COMPOSED: [&str; 3] = ["allOf", "oneOf", "anyOf"];
    let Some(keywords) = shape.as_object() else { return shape.clone() };
    let mut strict_shape = Map::new();
    for (keyword, rule) in keywords {
        let rule = match keyword.as_str() {
            "$ref" => json!(format!("{SHAPES}{}", rule.as_str().unwrap())),
            "properties" => members(rule, |shape| strict(shape, true)),
            "items" | "additionalProperties" => strict(rule, true),
            "prefixItems" => rule.as_array().unwrap().iter().map(|shape| strict(shape, true)).collect(),
            composed if COMPOSED.contains(&composed) => {
                rule.as_array().unwrap().iter().map(|shape| strict(shape, false)).collect()
            }
            _ => rule.clone(),
        };
        strict_shape.insert(keyword.clone(), rule);
    }
    let describes = ["$ref", "properties"].iter().chain(&COMPOSED).any(|keyword| keywords.contains_key(*keyword));
    if is_whole && describes && !keywords.contains_key("additionalProperties") {
        strict_shape.insert("unevaluatedProperties".to_owned(), json!(false));
    }
    Value::Object(strict_shape)
}

fn members(of: &Value, change: impl Fn(&Value) -> Value) -> Value {
    of.as_object().unwrap().iter().map(|(name, value)| (name.clone(), change(value))).collect()
}
