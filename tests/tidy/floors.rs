//! Who may name whom. One package has no walls between its floors but these.

use super::source::{code, is_word, module, named, paths};

/// Which floors a floor may name; `a::b` is one room of a floor.
const FLOORS: [(&str, &[&str]); 8] = [
    ("domain", &["domain"]),
    ("ports", &["domain", "ports"]),
    ("adapters", &["domain", "ports", "adapters", "kit::telemetry", "kit::work"]),
    ("kit", &["kit", "domain::shared", "ports::platform"]),
    ("app", &["app", "domain", "ports", "kit::work", "kit::telemetry"]),
    ("faces", &["faces", "app", "domain", "ports", "kit"]),
    ("workers", &["workers", "app", "domain", "ports", "kit::work", "kit::telemetry"]),
    ("wire", &["wire", "workers", "faces", "app", "adapters", "ports", "domain", "kit"]),
];
/// Floors whose rooms do not name each other.
const WALLED: [&str; 3] = ["adapters", "faces", "workers"];
/// But for these.
const DOORS: [(&str, &str); 4] = [("sql", "tls"), ("redis", "tls"), ("rabbit", "tls"), ("sqlite_queue", "sql")];
/// What every face may name: what all of them stand on, and the tokens that they are shown. Neither names a face.
const UNDER_FACES: [&str; 2] = ["front", "tokens"];
/// What the kit names of the domain. Nothing else: the rest belongs to a subject, and a kit knows none.
const OF_NO_SUBJECT: [&[&str]; 4] = [
    &["domain", "shared", "id", "RequestId"],
    &["domain", "shared", "id", "TracedId"],
    &["domain", "shared", "time"],
    &["domain", "shared", "trace"],
];
/// Floors that have a room for each subject.
const WITH_SUBJECTS: [&str; 3] = ["domain", "ports", "app"];
/// Which subjects a subject may name, beside itself and the shared ones.
const SUBJECTS: [(&str, &[&str]); 11] = [
    ("shared", &[]),
    ("platform", &[]),
    ("fleet", &[]),
    ("people", &["sale", "money"]),
    ("sale", &["people"]),
    ("seating", &["people"]),
    ("money", &["people", "sale"]),
    ("receipts", &["people", "sale", "money", "mail"]),
    ("mail", &["people", "sale", "money"]),
    ("audit", &["people", "sale", "money", "receipts", "mail", "seating"]),
    ("operator", &["people", "sale", "money", "receipts", "mail", "audit", "seating"]),
];
/// What every subject may name.
const COMMON: [&str; 2] = ["shared", "platform"];
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
    ("csv", &["app/seating/", "faces/"]),
    ("iso_currency", &["domain/"]),
    ("fred", &["adapters/redis/"]),
    ("lapin", &["adapters/rabbit/"]),
    ("sqlx", &["adapters/sql/", "adapters/sqlite_queue/"]),
    ("actix_codec", &["kit/socket/"]),
    ("actix_http", &["kit/http/", "kit/socket/"]),
    ("actix_service", &["kit/http/", "kit/socket/"]),
    ("actix_ws", &["kit/socket/"]),
    ("opentelemetry", &["kit/telemetry/"]),
    ("opentelemetry_otlp", &["kit/telemetry/"]),
    ("opentelemetry_sdk", &["kit/telemetry/"]),
    ("socket2", &["kit/http/", "kit/socket/"]),
    ("hyper_rustls", &["adapters/stripe/"]),
    ("rustls", &["adapters/stripe/", "adapters/tls.rs"]),
    ("tokio_rustls", &["adapters/tls.rs"]),
    ("webpki_roots", &["adapters/tls.rs"]),
    ("pdf_writer", &["app/receipts/"]),
    ("subsetter", &["app/receipts/"]),
    ("rustybuzz", &["app/receipts/"]),
    ("typst_assets", &["app/receipts/"]),
    ("qrcode", &["app/receipts/"]),
    ("ed25519_dalek", &["app/receipts/", "kit/http/seal.rs"]),
    ("rustix", &["app/receipts/", "kit/process/"]),
    ("utoipa", &["kit/", "app/", "faces/"]),
    ("thread_priority", &["app/receipts/"]),
    ("actix_web", &["kit/", "faces/", "wire"]),
];
/// What the two lowest floors may use of others.
const PURE: [(&str, &[&str]); 2] = [
    (
        "src/domain/",
        &["base64", "idna", "iso_currency", "serde", "thiserror", "sha1", "sha2", "icu_casemap", "icu_normalizer"],
    ),
    ("src/ports/", &["async_trait", "data_encoding", "serde", "thiserror"]),
];
/// Parts of the standard library by which code reaches outside the process.
const WORLDLY: [&str; 7] = ["env", "fs", "io", "net", "process", "thread", "time"];
const WORLDLY_WORDS: [&str; 6] = ["async", "await", "dbg", "eprintln", "print", "println"];

pub fn floors(path: &str, text: &str) -> Vec<String> {
    let from = module(path);
    let targets = named(path, text);
    let wrong = targets.iter().filter_map(|to| wall(&from, to).map(|why| (to, why)));
    wrong.map(|(to, why)| format!("{path}: {} is not for it: {why}", to.join("::"))).collect()
}

/// What stands between the two, if anything.
fn wall(from: &[String], to: &[String]) -> Option<&'static str> {
    let here = from.first()?;
    let (_, may) = FLOORS.iter().find(|(floor, _)| floor == here)?;
    // A macro is named as if it stood at the root, and so is what every floor has of the ports: `Result` and `Fault`.
    let there = to.first().filter(|_| to.len() > 1)?;
    let is_room = |name: &String| name.starts_with(|c: char| c.is_lowercase());
    let (own, room) = (from.get(1), to.get(1).filter(|name| is_room(name)));
    let room = match room {
        Some(room) => room,
        None if there == "ports" && here != "domain" => return None,
        None => return (!may.contains(&there.as_str())).then_some("that floor is not for this one"),
    };
    if !may.iter().any(|may| *may == there || *may == format!("{there}::{room}")) {
        return Some("that floor is not for this one");
    }
    let is_known = |known: &&[&str]| known.len() <= to.len() && known.iter().zip(to).all(|(known, name)| known == name);
    if here == "kit" && there == "domain" && !OF_NO_SUBJECT.iter().any(is_known) {
        return Some("a kit knows no subject");
    }
    if here == there && WALLED.contains(&here.as_str()) {
        let own = own?;
        let stands_on = here == "faces" && UNDER_FACES.contains(&room.as_str()) && own != "tokens";
        let is_open = own == room || stands_on || DOORS.contains(&(own, room));
        return (!is_open).then_some("rooms of this floor do not name each other");
    }
    if WITH_SUBJECTS.contains(&here.as_str()) && WITH_SUBJECTS.contains(&there.as_str()) {
        let Some((own, may)) = own.and_then(|own| SUBJECTS.iter().find(|(subject, _)| subject == own)) else {
            return own.map(|_| "this room is no subject of the table");
        };
        let is_open =
            own == room || COMMON.contains(&room.as_str()) && *own != "shared" || may.contains(&room.as_str());
        return (!is_open).then_some("that subject is not for this one");
    }
    None
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
    let manifest = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"));
    let section = manifest.split("[dependencies]").nth(1).and_then(|rest| rest.split("\n[").next()).unwrap_or_default();
    section.lines().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name.replace('-', "_")).collect()
}

#[test]
fn walls_between_floors_are_seen() {
    let bad = [
        ("src/domain/sale/x.rs", "use crate::ports::Result;"),
        ("src/ports/sale/x.rs", "fn f() { crate::adapters::memory::x() }"),
        ("src/adapters/redis/x.rs", "use crate::{domain::shared::id, adapters::{memory::X}};"),
        ("src/adapters/redis/x.rs", "use super::super::rabbit::X;"),
        ("src/adapters/redis/x.rs", "use crate::app::sale::X;"),
        ("src/adapters/redis/x.rs", "use crate::kit::http::X;"),
        ("src/kit/http/x.rs", "use crate::domain::sale::Sale;"),
        ("src/kit/work/x.rs", "use crate::ports::sale::turnstile::X;"),
        ("src/kit/http/x.rs", "use crate::domain::shared::id::{BuyerId, RequestId};"),
        ("src/kit/http/x.rs", "fn f(role: crate::domain::people::Role) {}"),
        ("src/kit/http/x.rs", "use crate::faces::tokens::TokenKeys;"),
        ("src/kit/process/x.rs", "use crate::domain::shared::event::Event;"),
        ("src/kit/telemetry/x.rs", "use crate::ports::sale::attempts::Attempts;"),
        ("src/app/sale/x.rs", "use crate::kit::http::problem::X;"),
        ("src/app/sale/x.rs", "use crate::faces::front::X;"),
        ("src/faces/shop/x.rs", "use crate::faces::desk::X;"),
        ("src/faces/live/x.rs", "fn f(shop: crate::faces::shop::Shop) {}"),
        ("src/faces/front/x.rs", "use crate::faces::live::mailbox::Mailbox;"),
        ("src/faces/front/views/x.rs", "use crate::faces::publisher::X;"),
        ("src/faces/tokens/x.rs", "use crate::faces::front::Front;"),
        ("src/faces/desk/routes/x.rs", "use super::super::super::door::X;"),
        ("src/workers/relay/x.rs", "use crate::faces::front::X;"),
        ("src/faces/shop/x.rs", "use crate::workers::relay::X;"),
        ("src/faces/shop/x.rs", "use crate::adapters::system::SystemClock;"),
        ("src/workers/relay/x.rs", "use crate::kit::http::X;"),
        ("src/workers/relay/x.rs", "use crate::wire::config::X;"),
        ("src/workers/relay/x.rs", "use crate::elsewhere::X;"),
    ];
    for (path, text) in bad {
        assert_eq!(floors(path, text).len(), 1, "{path}: {text}");
    }
    let good = [
        ("src/adapters/sql/sqlite/x.rs", "use crate::adapters::sql::X; use super::writer; use crate::ports;"),
        ("src/adapters/mod.rs", "// crate::app\npub mod memory;"),
        ("src/adapters/redis/x.rs", "use crate::adapters::tls::Endpoint; use crate::ports::Result;"),
        (
            "src/kit/process/x.rs",
            "use crate::kit::http::probes; use crate::ports::Fault; use crate::domain::shared::id::RequestId;",
        ),
        ("src/faces/shop/x.rs", "use crate::{kit::http::problem, app::sale, ports::sale::X, domain::sale};"),
        ("src/faces/shop/x.rs", "use crate::faces::{front::Front, tokens::TokenKeys, shop::views::X};"),
        ("src/faces/front/x.rs", "use crate::faces::tokens::access::Principal;"),
        ("src/wire/x.rs", "use crate::{app, adapters::memory};"),
        ("src/lib.rs", "pub mod wire;"),
    ];
    for (path, text) in good {
        assert_eq!(floors(path, text), [""; 0], "{path}");
    }
}

#[test]
fn walls_between_subjects_are_seen() {
    let bad = [
        ("src/domain/shared/x.rs", "use crate::domain::sale::Sale;"),
        ("src/domain/sale/x.rs", "use crate::domain::money::order::Order;"),
        ("src/ports/sale/x.rs", "use crate::domain::receipts::Proof;"),
        ("src/app/money/x.rs", "use crate::app::audit::X;"),
        ("src/app/elsewhere/x.rs", "use crate::domain::sale::X;"),
    ];
    for (path, text) in bad {
        assert_eq!(floors(path, text).len(), 1, "{path}: {text}");
    }
    let good = [
        ("src/domain/sale/x.rs", "use crate::domain::{shared::id::SaleId, people::Role};"),
        (
            "src/app/money/x.rs",
            "use crate::{app::sale::tell, ports::platform::clock::Clock, domain::money::order::Order};",
        ),
        ("src/app/audit/x.rs", "use crate::app::{money, receipts};"),
    ];
    for (path, text) in good {
        assert_eq!(floors(path, text), [""; 0], "{path}");
    }
}

#[test]
fn strays_are_seen() {
    assert_eq!(libraries("src/app/sale/x.rs", "use lapin::Channel; fn f() { ::sqlx::query() }").len(), 1);
    assert_eq!(libraries("src/adapters/rabbit/x.rs", "use fred::prelude::*;").len(), 1);
    assert_eq!(libraries("src/adapters/sql/sqlite/x.rs", "use sqlx::{Row}; // lapin::x").len(), 0);
}

#[test]
fn impurity_is_seen() {
    for text in ["use tokio::time;", "use std::{fmt, env};", "async fn f() {}", "fn f() { fastrand::u64(..) }"] {
        assert_eq!(purity("src/domain/x.rs", text).len(), 1, "{text}");
    }
    assert_eq!(purity("src/ports/x.rs", "use sqlx::Row; async fn f() {}").len(), 1);
    assert_eq!(purity("src/domain/x.rs", "use std::fmt; use sha1::Sha1; /// async\n").len(), 0);
}
