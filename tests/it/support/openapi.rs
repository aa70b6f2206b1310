//! Whether an answer is one that the document describes. A small judge of the part of JSON Schema that the document uses; a
//! keyword it does not know makes it fail, so that nothing in the document is there for show.

use std::sync::LazyLock;

use actix_web::http::header::HeaderMap;
use serde_json::{Map, Value};

pub static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../../src/services/gateway/openapi.json")).unwrap());

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
            Some(media) if given.ends_with("json") => judge(&media["schema"], seen.body, "body", &mut complaints),
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
    let mut complaints = Vec::new();
    if seen.status != status {
        return vec![format!("{} is not in the document", seen.status)];
    }
    judge(&DOCUMENT["components"]["schemas"]["Problem"], seen.body, "body", &mut complaints);
    complaints
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

fn judge(schema: &'static Value, value: &Value, at: &str, complaints: &mut Vec<String>) {
    let schema = resolved(schema);
    for (keyword, rule) in schema.as_object().unwrap() {
        let holds = match keyword.as_str() {
            "description" => true,
            "type" => match rule {
                Value::Array(types) => types.iter().any(|name| is_of(name, value)),
                name => is_of(name, value),
            },
            "enum" => rule.as_array().unwrap().contains(value),
            "const" => rule == value,
            "minimum" => value.as_i64().is_none_or(|number| number >= rule.as_i64().unwrap()),
            "maximum" => value.as_i64().is_none_or(|number| number <= rule.as_i64().unwrap()),
            "minLength" => value.as_str().is_none_or(|text| text.chars().count() as u64 >= rule.as_u64().unwrap()),
            "maxLength" => value.as_str().is_none_or(|text| text.chars().count() as u64 <= rule.as_u64().unwrap()),
            "maxItems" => value.as_array().is_none_or(|list| list.len() as u64 <= rule.as_u64().unwrap()),
            "pattern" => value.as_str().is_none_or(|text| matches(rule.as_str().unwrap(), text)),
            "required" => {
                let names = rule.as_array().unwrap();
                value
                    .as_object()
                    .is_none_or(|object| names.iter().all(|name| object.contains_key(name.as_str().unwrap())))
            }
            "additionalProperties" => {
                let known = schema["properties"].as_object().unwrap();
                *rule == true || value.as_object().is_none_or(|object| object.keys().all(|key| known.contains_key(key)))
            }
            "properties" => {
                for (name, schema) in rule.as_object().unwrap() {
                    if let Some(value) = value.get(name) {
                        judge(schema, value, &format!("{at}.{name}"), complaints);
                    }
                }
                true
            }
            "items" => {
                for (index, value) in value.as_array().into_iter().flatten().enumerate() {
                    judge(rule, value, &format!("{at}[{index}]"), complaints);
                }
                true
            }
            "oneOf" => {
                let fits = |schema: &&'static Value| {
                    let mut against = Vec::new();
                    judge(schema, value, at, &mut against);
                    against.is_empty()
                };
                rule.as_array().unwrap().iter().filter(fits).count() == 1
            }
            other => panic!("the document uses `{other}`, which nobody checks"),
        };
        if !holds {
            complaints.push(format!("{at} breaks {keyword} {rule}: {value}"));
        }
    }
}

fn is_of(name: &Value, value: &Value) -> bool {
    match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("the document uses the type `{other}`, which nobody checks"),
    }
}

/// `^[set]{n}$` and `^[set]+$`: lengths are checked by themselves.
fn matches(pattern: &str, text: &str) -> bool {
    let set = pattern.strip_prefix("^[").and_then(|rest| rest.split(']').next());
    let set: Vec<char> = set.unwrap_or_else(|| panic!("nobody checks {pattern}")).chars().collect();
    let mut ranges = Vec::new();
    let mut rest = &set[..];
    while let [first, tail @ ..] = rest {
        (ranges, rest) = match tail {
            ['-', last, tail @ ..] => ([ranges, vec![*first..=*last]].concat(), tail),
            _ => ([ranges, vec![*first..=*first]].concat(), tail),
        };
    }
    text.chars().all(|c| ranges.iter().any(|range| range.contains(&c)))
}
