//! Who may name whom. One package has no walls between its floors but these.

use super::source::{code, is_word, module, named, paths};

/// Lowest first. What shares a floor does not name each other, except that the process kit serves the web kit's probes.
const FLOORS: [&[&str]; 5] = [&["domain"], &["ports"], &["adapters", "http", "runtime"], &["services"], &["wire"]];
/// What adapters share: `sql` is mounted in each of two, beside its `dialect`; `tls` says whom to believe.
const SHARED: [(&str, &str); 6] =
    [("mysql", "sql"), ("sqlite", "sql"), ("sql", "dialect"), ("mysql", "tls"), ("redis", "tls"), ("rabbit", "tls")];
/// What a kit that knows no sale does not name.
const OF_A_SALE: [&str; 6] = ["sale", "turn", "turnstile", "ledger", "catalogue", "attempts"];
/// Where a library is at home, and nowhere else.
const ROOMS: &[(&str, &[&str])] = &[
    ("aws_config", &["adapters/aws/"]),
    ("aws_lambda_events", &["adapters/aws/"]),
    ("aws_sdk_autoscaling", &["adapters/aws/"]),
    ("aws_sdk_ec2", &["adapters/aws/"]),
    ("aws_sdk_elasticloadbalancingv2", &["adapters/aws/"]),
    ("aws_sdk_lambda", &["adapters/aws/"]),
    ("aws_sdk_s3", &["adapters/aws/"]),
    ("aws_sdk_sqs", &["adapters/aws/"]),
    ("aws_smithy_http_client", &["adapters/aws/"]),
    ("lambda_runtime", &["adapters/aws/"]),
    ("lettre", &["adapters/mail/"]),
    ("csv", &["services/"]),
    ("iso_currency", &["domain/"]),
    ("fred", &["adapters/redis/"]),
    ("lapin", &["adapters/rabbit/"]),
    ("sqlx", &["adapters/mysql/", "adapters/sqlite/", "adapters/sql/"]),
    ("actix_codec", &["http/socket/"]),
    ("actix_http", &["http/socket/"]),
    ("actix_service", &["http/socket/"]),
    ("actix_ws", &["http/socket/"]),
    ("opentelemetry", &["runtime/telemetry/"]),
    ("opentelemetry_otlp", &["runtime/telemetry/"]),
    ("opentelemetry_sdk", &["runtime/telemetry/"]),
    ("socket2", &["http/"]),
    ("hyper_rustls", &["adapters/stripe/"]),
    ("rustls", &["adapters/stripe/", "adapters/tls.rs"]),
    ("tokio_rustls", &["adapters/tls.rs"]),
    ("webpki_roots", &["adapters/tls.rs"]),
    ("krilla", &["services/receipts/"]),
    ("rustybuzz", &["services/receipts/"]),
    ("typst_assets", &["services/receipts/"]),
    ("qrcode", &["services/receipts/"]),
    ("ed25519_dalek", &["services/receipts/"]),
    ("rustix", &["services/receipts/"]),
    ("thread_priority", &["services/receipts/"]),
    ("actix_web", &["http/", "runtime/", "services/", "wire"]),
];
/// What the two lowest floors may use of others.
const PURE: [(&str, &[&str]); 2] =
    [("src/domain/", &["iso_currency", "serde", "thiserror", "sha1"]), ("src/ports/", &["serde", "thiserror"])];
/// Parts of the standard library through which the world comes in.
const WORLDLY: [&str; 7] = ["env", "fs", "io", "net", "process", "thread", "time"];
const WORLDLY_WORDS: [&str; 6] = ["async", "await", "dbg", "eprintln", "print", "println"];

fn floor(name: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&name))
}

pub fn floors(path: &str, text: &str) -> Vec<String> {
    let from = module(path);
    let targets = named(path, text);
    let wrong = targets.iter().filter(|to| !may_name(&from, to));
    wrong.map(|to| format!("{path}: {} is not for it", to.join("::"))).collect()
}

fn may_name(from: &[String], to: &[String]) -> bool {
    let (Some(here), Some(there)) = (from.first(), to.first()) else { return true };
    // A macro is named as if it stood at the root.
    let (Some(low), Some(high)) = (floor(here), floor(there)) else { return floor(here).is_none() || to.len() == 1 };
    let kit = here == "http" || here == "runtime";
    if kit && there != here && to.get(1).is_some_and(|part| OF_A_SALE.contains(&part.as_str())) {
        return false;
    }
    if there == "adapters" {
        return match (from.get(1), to.get(1)) {
            _ if here != "adapters" => here == "wire",
            (Some(own), Some(other)) => own == other || SHARED.contains(&(own, other)),
            _ => true,
        };
    }
    here == there || low > high || (here == "runtime" && there == "http")
}

pub fn libraries(path: &str, text: &str) -> Vec<String> {
    let code = code(text);
    let at_home = |rooms: &[&str]| rooms.iter().any(|room| path.starts_with(&format!("src/{room}")));
    let strays = ROOMS.iter().filter(|(library, rooms)| !at_home(rooms) && !paths(&code, library).is_empty());
    strays.map(|(library, rooms)| format!("{path}: {library} is only for {rooms:?}")).collect()
}

pub fn purity(path: &str, text: &str) -> Vec<String> {
    let code = code(text);
    let mut complaints = Vec::new();
    let allowed = PURE.iter().find(|(floor, _)| path.starts_with(floor)).map_or(&[][..], |(_, libraries)| *libraries);
    for library in dependencies() {
        if !allowed.contains(&library.as_str()) && !paths(&code, &library).is_empty() {
            complaints.push(format!("{path}: {library} is nothing for this floor"));
        }
    }
    if path.starts_with("src/domain/") {
        let worldly = paths(&code, "std").into_iter().filter(|named| WORLDLY.contains(&named[1].as_str()));
        complaints.extend(worldly.map(|named| format!("{path}: {} comes in by the door", named.join("::"))));
        let words = code.split(|c| !is_word(c)).filter(|word| WORLDLY_WORDS.contains(word));
        complaints.extend(words.map(|word| format!("{path}: `{word}` is nothing for the kernel")));
    }
    complaints
}

/// As code writes them.
fn dependencies() -> Vec<String> {
    let manifest = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
    let section = manifest.split("[dependencies]").nth(1).and_then(|rest| rest.split("\n[").next()).unwrap_or_default();
    section.lines().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name.replace('-', "_")).collect()
}

pub fn joins(path: &str, text: &str) -> Vec<String> {
    let targets = named(path, text);
    let names = |floor: &str| targets.iter().any(|to| to.first().is_some_and(|first| first == floor));
    let joins = names("adapters") && names("services") && !path.starts_with("src/wire");
    if joins { vec![format!("{path}: only src/wire names both an adapter and a service")] } else { Vec::new() }
}

#[test]
fn floors_are_seen() {
    let bad = [
        ("src/domain/x.rs", "use crate::ports::Result;"),
        ("src/ports/x.rs", "fn f() { crate::adapters::memory::x() }"),
        ("src/adapters/redis/x.rs", "use crate::{domain::id, adapters::{memory::X}};"),
        ("src/adapters/redis/x.rs", "use super::super::rabbit::X;"),
        ("src/adapters/sqlite/x.rs", "use crate::adapters::mysql::X;"),
        ("src/adapters/redis.rs", "use crate::services::X;"),
        ("src/adapters/redis.rs", "use crate::runtime::X;"),
        ("src/http/x.rs", "use crate::runtime::X;"),
        ("src/http/x.rs", "use crate::domain::sale::Sale;"),
        ("src/services/gateway/x.rs", "use crate::adapters::system::SystemClock;"),
        ("src/services/gateway/x.rs", "use crate::wire;"),
        ("src/services/gateway/x.rs", "use crate::elsewhere::X;"),
    ];
    for (path, text) in bad {
        assert_eq!(floors(path, text).len(), 1, "{path}: {text}");
    }
    let good = [
        ("src/adapters/sqlite/x.rs", "use crate::adapters::sql::X; use super::writer; use crate::ports;"),
        ("src/adapters/mod.rs", "// crate::services\npub mod memory;"),
        ("src/runtime/mod.rs", "use crate::http::probes;"),
        ("src/services/x.rs", "use crate::{http::problem, runtime, ports::ledger, domain::sale};"),
        ("src/wire.rs", "use crate::{services, adapters};"),
        ("src/lib.rs", "pub mod wire;"),
    ];
    for (path, text) in good {
        assert_eq!(floors(path, text), [""; 0], "{path}");
    }
}

#[test]
fn strays_are_seen() {
    assert_eq!(libraries("src/services/x.rs", "use lapin::Channel; fn f() { ::sqlx::query() }").len(), 1);
    assert_eq!(libraries("src/adapters/rabbit/x.rs", "use fred::prelude::*;").len(), 1);
    assert_eq!(libraries("src/adapters/sqlite/x.rs", "use sqlx::{Row}; // lapin::x").len(), 0);
}

#[test]
fn impurity_is_seen() {
    for text in ["use tokio::time;", "use std::{fmt, env};", "async fn f() {}", "fn f() { fastrand::u64(..) }"] {
        assert_eq!(purity("src/domain/x.rs", text).len(), 1, "{text}");
    }
    assert_eq!(purity("src/ports/x.rs", "use sqlx::Row; async fn f() {}").len(), 1);
    assert_eq!(purity("src/domain/x.rs", "use std::fmt; use sha1::Sha1; /// async\n").len(), 0);
}

#[test]
fn joins_are_seen() {
    let text = "use crate::{adapters::memory, services::news};";
    assert_eq!(joins("src/runtime/x.rs", text).len(), 1);
    assert_eq!(joins("bin/x.rs", &text.replace("crate", "miaosha")).len(), 1);
    assert_eq!(joins("src/wire/shop.rs", text).len(), 0);
}
