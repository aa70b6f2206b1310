//! Whatever kind of problem or rule of a field is declared anywhere in the sources is in the document.

use std::collections::BTreeSet;
use std::path::Path;

use miaosha::wire::document;
use serde_json::Value;

/// Every source as one text.
fn sources(folder: &Path, text: &mut String) {
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            text.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}

fn text() -> String {
    let mut text = String::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../src"), &mut text);
    text
}

/// `NAME = "name", STATUS, "Title";` as it stands in a declaration.
fn kind(line: &str) -> Option<&str> {
    let (constant, rest) = line.trim().split_once(" = \"")?;
    let (name, rest) = rest.split_once("\", ")?;
    let (status, title) = rest.split_once(", \"")?;
    let is_constant = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    (is_constant(constant) && is_constant(status) && title.ends_with("\";")).then_some(name)
}

/// As the document has them.
fn listed(member: &str) -> Vec<&str> {
    let words = &document::DOCUMENT.whole()["components"]["schemas"]["Problem"]["properties"][member]["enum"];
    words.as_array().unwrap().iter().filter_map(Value::as_str).collect()
}

#[test]
fn every_kind_that_is_declared_is_listed() {
    let text = text();
    let declared: BTreeSet<&str> = text.lines().filter_map(kind).collect();
    let kinds = document::DOCUMENT.kinds();
    assert_eq!(declared, kinds.iter().map(|kind| kind.name()).collect());
    assert_eq!(listed("type"), kinds.iter().map(|kind| kind.type_uri()).collect::<Vec<_>>());
    assert!(declared.contains("sale_paused") && declared.contains("internal"), "{declared:?}");
    assert_eq!(text.matches("Kind::declared(").count(), 2, "kinds are declared by the two macros alone");
}

#[test]
fn every_rule_that_is_declared_is_listed() {
    let text = text();
    let declared = text.split("Rule::declared(\"").skip(1).chain(text.split("Rule = Rule(\"").skip(1));
    let declared: BTreeSet<&str> = declared.filter_map(|rest| rest.split('"').next()).collect();
    let rules = document::DOCUMENT.rules();
    assert_eq!(declared, rules.iter().map(|rule| rule.name()).collect());
    assert_eq!(listed("rule"), rules.iter().map(|rule| rule.name()).collect::<Vec<_>>());
    assert!(declared.contains("token_form") && declared.contains("missing"), "{declared:?}");
}
