//! The cases of Autobahn's test suite, run by a runner of our time against either transport's frames, over an echo.
//!
//! What belongs to compression (12, 13) is not run: none is offered. What is a measurement with messages of megabytes (9) is run
//! only where `MIAOSHA_CONFORMANCE=all` asks for it: it takes minutes, and a buyer's message has four kilobytes at most.

mod echo;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

/// Fewer would mean that something was not run.
const CASES_MIN: usize = 245;
const ALLOWED: [&str; 3] = ["OK", "NON-STRICT", "INFORMATIONAL"];

#[tokio::test]
async fn the_shops_frames_are_judged_by_the_public_suite() {
    judged_by_the_public_suite("shop", echo::over_the_shops_frames()).await;
}

#[tokio::test]
async fn the_lean_frames_are_judged_by_the_public_suite() {
    judged_by_the_public_suite("lean", echo::over_the_lean_frames()).await;
}

async fn judged_by_the_public_suite(transport: &str, address: SocketAddr) {
    let emulators = std::env::var("MIAOSHA_EMULATORS").expect("MIAOSHA_EMULATORS names the folder of the emulators");
    let folder = tempfile::tempdir().unwrap();
    let is_all = std::env::var("MIAOSHA_CONFORMANCE").is_ok_and(|which| which == "all");
    let left_out: &[&str] = if is_all { &["12.*", "13.*"] } else { &["9.*", "12.*", "13.*"] };
    let mut suite = Command::new(PathBuf::from(emulators).join("bin/kosoku"));
    suite.args(["--mode", "fuzzingclient", "--parallelism", "16", "--outdir"]).arg(folder.path());
    for case in left_out {
        suite.args(["--exclude", case]);
    }
    let ended = suite.arg(address.to_string()).stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true).status();
    let status = ended.await.expect("the suite is installed");
    let report = std::fs::read_to_string(folder.path().join("index.json"));
    let report = report.unwrap_or_else(|error| panic!("the suite ended with {status} and no report: {error}"));
    let report: BTreeMap<String, BTreeMap<String, Value>> = serde_json::from_str(&report).unwrap();
    let cases = report.values().next().expect("a report is of somebody");
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut failed = Vec::new();
    for (case, result) in cases {
        let (behavior, close) = (result["behavior"].as_str().unwrap(), result["behaviorClose"].as_str().unwrap());
        *counts.entry((behavior, close)).or_default() += 1;
        if !ALLOWED.contains(&behavior) || !ALLOWED.contains(&close) {
            failed.push(format!("{case}: {behavior}, close {close}"));
        }
    }
    println!("{transport}: {} cases: {counts:?}", cases.len());
    assert_eq!(failed, Vec::<String>::new(), "of {} cases", cases.len());
    assert!(cases.len() >= CASES_MIN, "{} cases", cases.len());
}
