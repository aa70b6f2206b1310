//! What the settings may say, and what they may not.

use std::process::Command;

use miaosha::kit::process::config::load_with;
use miaosha::wire::config::Config;
use miaosha::wire::servers::Servers;

use crate::support::servers::{mysql_url, tls, unique_name};

fn said(settings: &[(&str, &str)]) -> Result<(), String> {
    let settings = settings.iter().map(|(key, value)| (format!("MIAOSHA__{key}"), (*value).to_owned()));
    let config: Config = load_with(None, settings).unwrap();
    Servers::of(&config).map(drop).map_err(|error| error.to_string())
}

#[track_caller]
fn refused(settings: &[(&str, &str)], because: &str) {
    let why = said(settings).unwrap_err();
    assert!(why.contains(because), "{why}");
}

const BY_TLS: [(&str, &str); 3] = [
    ("REDIS__URL", "rediss-cluster://cache:6379"),
    ("RABBIT__URL", "amqps://ann:secret@broker/%2f"),
    ("MYSQL__URL", "mysql://ann:secret@db/miaosha?ssl-mode=VERIFY_IDENTITY"),
];
const IN_THE_CLEAR: [(&str, &str); 3] = [
    ("REDIS__URL", "redis-cluster://cache:6379"),
    ("RABBIT__URL", "amqp://ann:secret@broker/%2f"),
    ("MYSQL__URL", "mysql://ann:secret@db/miaosha?ssl-mode=disabled"),
];

#[test]
fn each_url_asks_for_tls_or_for_none() {
    said(&BY_TLS).unwrap();
    said(&IN_THE_CLEAR).unwrap();
    said(&[("MYSQL__URL", "mysql://ann:secret@db/miaosha")]).unwrap();
    // A part is told what it needs.
    said(&[("TLS__REQUIRED", "true")]).unwrap();
}

#[test]
fn what_is_required_is_asked_for() {
    said(&[&BY_TLS[..], &[("TLS__REQUIRED", "true")]].concat()).unwrap();
    for ((key, url), name) in IN_THE_CLEAR.into_iter().zip(["redis.url", "rabbit.url", "mysql.url"]) {
        refused(&[(key, url), ("TLS__REQUIRED", "true")], name);
    }
    refused(&[("MYSQL__URL", "mysql://ann:secret@db/miaosha"), ("TLS__REQUIRED", "true")], "tls.required");
}

/// TLS that any server may answer, or that a peer may turn off, is none.
#[test]
fn nothing_between_is_taken() {
    for (query, because) in [
        ("ssl-mode=preferred", "ssl-mode"),
        ("ssl-mode=required", "ssl-mode"),
        ("ssl-mode=verify_ca", "ssl-mode"),
        ("ssl-mode=", "ssl-mode"),
        ("ssl_mode=verify_identity", "ssl_mode"),
        ("sslmode=verify_identity", "sslmode"),
        ("ssl-mode=verify_identity&ssl-ca=/x.pem", "tls.ca_file"),
        ("ssl-mode=verify_identity&ssl-mode=disabled", "for none"),
    ] {
        refused(&[("MYSQL__URL", &format!("mysql://ann:secret@db/miaosha?{query}"))], because);
    }
    refused(&[("MYSQL__URL", "mysqls://ann:secret@db/miaosha")], "mysql.url");
    refused(&[("REDIS__URL", "https://cache")], "rediss-cluster");
    refused(&[("RABBIT__URL", "amqpss://cache")], "rabbit.url");
}

#[test]
fn the_issuers_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let good = tls().pem("ca.pem");
    said(&[("TLS__CA_FILE", &file("good.pem", &good))]).unwrap();
    said(&[("TLS__CA_FILE", &file("two.pem", &format!("# ours\n{good}\n{}", tls().pem("stranger.pem"))))]).unwrap();
    refused(&[("TLS__CA_FILE", &file("empty.pem", "\n"))], "it is empty");
    refused(&[("TLS__CA_FILE", &file("none.pem", "not a certificate"))], "no certificate");
    refused(&[("TLS__CA_FILE", &file("key.pem", &tls().pem("ca.key")))], "no certificate");
    let torn = good.replace("-----END", "AAAA\n-----END");
    refused(&[("TLS__CA_FILE", &file("torn.pem", &format!("{good}{torn}")))], "certificate 2");
    refused(&[("TLS__CA_FILE", "/nowhere/at-all.pem")], "/nowhere/at-all.pem");
}

/// Exit code and words of `miaosha migrate`.
fn migrate(url: &str, ca_file: &str) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_miaosha"));
    command
        .args(["migrate", "--world", "cluster"])
        .env("MIAOSHA__MYSQL__URL", url)
        .env("MIAOSHA__TLS__CA_FILE", ca_file);
    let output = command.output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_command_says_who_is_not_believed() {
    let servers = tls();
    let file = |name: &str| servers.folder.join(name).display().to_string();
    assert_eq!(migrate(&servers.mysql_url, &file("ca.pem")).0, Some(0));
    let (code, words) = migrate(&servers.mysql_url, &file("stranger.pem"));
    assert!(code == Some(2) && words.contains("ledger") && words.contains("UnknownIssuer"), "{words}");
    // The database user there may come by TLS only.
    let in_the_clear = servers.mysql_url.replace("verify_identity", "disabled");
    assert_eq!(migrate(&in_the_clear, "").0, Some(2));
    let (code, words) = migrate(&format!("{}?{}=x", mysql_url(), unique_name()), "");
    assert!(code == Some(2) && words.contains("only ssl-mode is known"), "{words}");
}
