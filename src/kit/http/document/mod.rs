//! The description of every call, as OpenAPI 3.1: parts that faces declare beside their handlers, put together once a process.
//!
//! A handler's attribute says what is its own: parameters, body, good answers, and problems that others do not have. What
//! follows from a call's shape (a token, a key, a body, pages) is added by [`calls`] for all of them alike. Calls that only
//! operators may make are told to operators alone. It knows no sale.

mod calls;
pub mod params;
pub mod problems;
pub mod shapes;

use std::collections::BTreeSet;

use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::openapi::OpenApi;

use crate::kit::http::idempotency;
use crate::kit::http::packed::Packed;
use crate::kit::http::problem::{Kind, Rule};

/// Where a component's name begins.
const SCHEMAS: &str = "#/components/schemas/";
const DEPENDS_ON: &str = "Authorization, Accept-Encoding";

/// One face's calls.
pub struct Part {
    /// The tag of its calls.
    pub name: &'static str,
    pub about: &'static str,
    pub api: OpenApi,
    /// Problems that only its calls answer.
    pub kinds: Vec<Kind>,
    /// Rules that only its fields keep to.
    pub rules: &'static [Rule],
}

impl Part {
    pub fn new(name: &'static str, about: &'static str, api: OpenApi) -> Self {
        Self { name, about, api, kinds: Vec::new(), rules: &[] }
    }

    pub fn problems(mut self, kinds: &[Kind], rules: &'static [Rule]) -> Self {
        self.kinds.extend(kinds);
        Self { rules, ..self }
    }
}

/// What is known of every call, and what is told of it.
pub struct Document {
    whole: Value,
    kinds: Vec<Kind>,
    rules: Vec<Rule>,
    to_operators: Packed,
    to_anybody: Packed,
}

impl Document {
    /// `roles` says which roles have a permission.
    ///
    /// # Panics
    /// When two calls have one path and method, or two shapes one name, or two kinds of problems or two rules.
    pub fn new(info: Value, parts: impl IntoIterator<Item = Part>, roles: calls::Roles) -> Self {
        let (mut tags, mut paths, mut schemas) = (Vec::new(), Map::new(), Map::new());
        let (mut kinds, mut rules) = ([Kind::GENERAL, idempotency::KINDS].concat(), Rule::GENERAL.to_vec());
        for Part { name, about, api, kinds: own_kinds, rules: own_rules } in parts {
            kinds.extend(own_kinds);
            rules.extend(own_rules);
            tags.push(json!({ "name": name, "description": about }));
            let mut api = plain(&api);
            for (path, item) in members(&mut api["paths"]) {
                let known = paths.entry(path.as_str()).or_insert_with(|| json!({}));
                for (method, mut call) in object(item) {
                    call["tags"] = json!([name]);
                    calls::complete(&mut call, roles);
                    assert!(known.get(&method).is_none(), "{method} {path} is described twice");
                    known[method] = call;
                }
            }
            for (name, schema) in members(&mut api["components"]["schemas"]) {
                if name == problems::NAME {
                    continue;
                }
                let known = schemas.entry(name.as_str()).or_insert_with(|| schema.clone());
                assert_eq!(*known, schema, "two shapes have the name {name}");
            }
        }
        assert_no_two("kinds of problems", kinds.iter().map(|kind| kind.name()));
        assert_no_two("rules", rules.iter().map(|rule| rule.name()));
        schemas.insert(problems::NAME.to_owned(), plain(&problems::problem(&kinds, &rules)));
        let bearer = json!({ "type": "http", "scheme": "bearer", "bearerFormat": "JWT" });
        let schemes: Map<String, Value> = calls::tokens(&paths).map(|kind| (kind, bearer.clone())).collect();
        let mut whole = json!({
            "openapi": "3.1.0", "info": info, "servers": [{ "url": "/" }], "tags": tags, "paths": paths,
            "components": {
                "securitySchemes": schemes, "headers": calls::headers(), "responses": problems::responses(),
                "schemas": schemas,
            },
        });
        drop_unnamed(&mut whole);
        let told = |document: &Value, kept| Packed::new(document.to_string().into_bytes(), kept, DEPENDS_ON);
        let to_anybody = told(&public(&whole), "no-cache");
        Self { to_operators: told(&whole, "private, no-cache"), to_anybody, whole, kinds, rules }
    }

    /// Every kind of problem that is told of.
    pub fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// Every rule of a field that is told of.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    pub fn whole(&self) -> &Value {
        &self.whole
    }

    pub fn answer(&self, req: &HttpRequest, to_operator: bool) -> HttpResponse {
        let told = if to_operator { &self.to_operators } else { &self.to_anybody };
        told.answer(req)
    }
}

fn assert_no_two<'a>(what: &str, names: impl Iterator<Item = &'a str>) {
    let mut known = BTreeSet::new();
    for name in names {
        assert!(known.insert(name), "two {what} have the name {name}");
    }
}

/// Without what only operators may ask for, and without the shapes that only this names.
fn public(whole: &Value) -> Value {
    let mut document = whole.clone();
    let mut tags = BTreeSet::new();
    if let Some(paths) = document["paths"].as_object_mut() {
        for item in paths.values_mut().filter_map(Value::as_object_mut) {
            item.retain(|_, call| !calls::is_of_operators(call));
            tags.extend(item.values().filter_map(|call| call["tags"][0].as_str().map(str::to_owned)));
        }
        paths.retain(|_, item| item.as_object().is_some_and(|item| !item.is_empty()));
    }
    if let Some(listed) = document["tags"].as_array_mut() {
        listed.retain(|tag| tag["name"].as_str().is_some_and(|name| tags.contains(name)));
    }
    drop_unnamed(&mut document);
    document
}

/// Drops the shapes that no call names, neither directly nor through others.
fn drop_unnamed(document: &mut Value) {
    let (mut named, mut unread) = (BTreeSet::new(), BTreeSet::new());
    names(&document["paths"], &mut unread);
    names(&document["components"]["responses"], &mut unread);
    while let Some(name) = unread.pop_first() {
        let mut others = BTreeSet::new();
        names(&document["components"]["schemas"][&name], &mut others);
        named.insert(name);
        unread.extend(others.into_iter().filter(|other| !named.contains(other)));
    }
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        schemas.retain(|name, _| named.contains(name));
    }
}

/// The components that a piece of the document refers to.
fn names(piece: &Value, found: &mut BTreeSet<String>) {
    match piece {
        Value::Object(members) => {
            let named = members.get("$ref").and_then(|name| name.as_str()?.strip_prefix(SCHEMAS));
            found.extend(named.map(str::to_owned));
            members.values().for_each(|member| names(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| names(item, found)),
        _ => {}
    }
}

fn plain(part: &impl Serialize) -> Value {
    let mut plain = serde_json::to_value(part).expect("a description is JSON");
    join_lines(&mut plain);
    plain
}

/// A paragraph that was broken into lines in its source is one line here.
fn join_lines(piece: &mut Value) {
    match piece {
        Value::Object(members) => {
            if let Some(Value::String(text)) = members.get_mut("description") {
                let paragraphs: Vec<String> =
                    text.split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect();
                *text = paragraphs.join("\n\n");
            }
            members.values_mut().for_each(join_lines);
        }
        Value::Array(items) => items.iter_mut().for_each(join_lines),
        _ => {}
    }
}

fn members(value: &mut Value) -> Map<String, Value> {
    object(value.take())
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
