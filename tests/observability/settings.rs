//! Whatever tells a binary something by its environment tells it something it knows.

use std::collections::BTreeSet;

use miaosha::kit::process::config::load_with;
use miaosha::wire::config::Config;

use super::{files, root};

const PLACES: [&str; 7] = ["docker-compose.yml", "terraform", ".github", "deploy", "nginx", "README.md", "docs"];
/// How names are made, told by example.
const EXAMPLES: [&str; 1] = ["MIAOSHA__TABLE__KEY"];

/// Names in a text. One that is cut short (`MIAOSHA__MAIL__…`) is a table's and not looked at.
fn names(text: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let mut names = BTreeSet::new();
    for (at, _) in text.match_indices("MIAOSHA__") {
        let rest = &text[at..];
        let end = rest.find(|c: char| !is_name(c)).unwrap_or(rest.len());
        let name = &rest[..end];
        if !name.ends_with("__") && !EXAMPLES.contains(&name) {
            names.insert(name.to_owned());
        }
    }
    names
}

/// Whatever the value is worth: only an unknown key is refused as one.
fn is_known(name: &str) -> bool {
    let env = [(name.to_owned(), "1".to_owned())];
    match load_with::<Config>(None, env) {
        Ok(_) => true,
        Err(error) => !error.to_string().contains("unknown field"),
    }
}

#[test]
fn every_name_is_known_to_the_configuration() {
    let mut seen = 0;
    for path in files(&PLACES) {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let at = path.strip_prefix(root()).unwrap().display();
        for name in names(&text) {
            assert!(is_known(&name), "{at}: {name} is nothing that a binary knows");
            seen += 1;
        }
    }
    assert!(seen > 40, "{seen}");
}

#[test]
fn what_nobody_knows_is_found() {
    assert!(is_known("MIAOSHA__RABBIT__URL") && is_known("MIAOSHA__GATEWAY__SOCKETS__LEAN__LISTEN"));
    assert!(!is_known("MIAOSHA__RABIT__URL") && !is_known("MIAOSHA__GATEWAY__SOCKETS__LISTEN"));
    let found = names("x MIAOSHA__A__B=1 MIAOSHA__MAIL__… MIAOSHA__TABLE__KEY MIAOSHA__C_D'");
    assert_eq!(found, ["MIAOSHA__A__B", "MIAOSHA__C_D"].map(str::to_owned).into());
}
