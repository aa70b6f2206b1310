//! Receipts away from the shop: verifying one, and a gate that works without a network.

use secrecy::ExposeSecret;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::adapters::system::SystemClock;
use crate::adapters::tls::Trust;
use crate::app::receipts::gate::{Gate, Pack, Written};
use crate::app::receipts::keys::{PublicKeys, ReceiptKeys};
use crate::app::receipts::token;
use crate::kit::process::Failure;
use crate::kit::process::config;
use crate::wire::commands::failed;
use crate::wire::config::Config;
use crate::wire::{call, folder};

/// Admissions handed over in one call; every shop takes so many.
const HANDED_MAX: usize = 200;
/// Who lets people in is an operator; the token comes from the environment, so that no shell remembers it.
const ACCESS_TOKEN: &str = "MIAOSHA_ACCESS_TOKEN";

/// Prints what a token says. 0: it is genuine; 1: it is not; 2: that could not be checked.
pub fn verify(token: &str, keys: Option<PathBuf>, state: &Path) -> ExitCode {
    let keys = match public_keys(keys, state) {
        Ok(keys) => keys,
        Err(error) => return failed(&error),
    };
    match token::verify(token.trim(), &keys) {
        Ok(proof) => {
            println!("genuine: sale {}, unit {}, reservation {}", proof.sale, proof.unit, proof.reservation);
            println!("Whether the unit was used or given back since, the shop knows.");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("not genuine: {error}");
            ExitCode::FAILURE
        }
    }
}

/// From the file (what `/v1/keys` answers, or a gate's pack), else from the environment, else from the shop's folder.
fn public_keys(file: Option<PathBuf>, state: &Path) -> Result<PublicKeys, Failure> {
    if let Some(file) = file {
        let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        return match serde_json::from_str::<Pack>(&text) {
            Ok(pack) => Ok(PublicKeys::from_jwks(&pack.keys)?),
            Err(_) => Ok(PublicKeys::from_json(&text)?),
        };
    }
    let config: Config = config::load(None)?;
    let from_environment = config.receipt_keys.expose_secret();
    if !from_environment.is_empty() {
        return Ok(ReceiptKeys::parse(from_environment)?.public().clone());
    }
    let keys = folder::kept_receipt_keys(state)?;
    let keys = keys.ok_or_else(|| format!("there are no keys in {}; name some by --keys", state.display()))?;
    Ok(keys.public().clone())
}

/// Reads tokens, a line each, as a scanner types them, and says for each whether to let its holder in.
pub fn gate(pack: &Path, file: &Path, name: &str) -> ExitCode {
    match serve_gate(pack, file, name) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn serve_gate(pack: &Path, file: &Path, name: &str) -> Result<(), Failure> {
    let pack: Pack = serde_json::from_str(&std::fs::read_to_string(pack)?)?;
    let utc_offset_minutes = pack.utc_offset_minutes;
    let mut gate = Gate::open(pack, file, name)?;
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let answer = gate.check_in(line.trim(), SystemClock::machine_now())?;
        writeln!(out, "{}", answer.words(utc_offset_minutes))?;
        out.flush()?;
    }
    Ok(())
}

/// Hands over what a gate wrote down, all of it: done again, it does no harm. Exits 1 when two gates let in the same unit.
pub fn merge(file: &Path, url: &str, issuers: Option<&Path>) -> ExitCode {
    let work = async {
        let issuers = issuers.map(std::fs::read_to_string).transpose()?;
        let trust = Trust::new(issuers.as_deref().unwrap_or_default())?;
        let token = std::env::var(ACCESS_TOKEN).map_err(|_| format!("{ACCESS_TOKEN} must hold an operator's token"))?;
        hand_all_over(file, url, &trust, &token).await
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime.map_err(Failure::from).and_then(|runtime| runtime.block_on(work)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => failed(&error),
    }
}

/// Prints what is contradicted, and says whether nothing is.
pub async fn hand_all_over(file: &Path, url: &str, trust: &Trust, token: &str) -> Result<bool, Failure> {
    let (written, mut contradicted) = (Written::of(file)?, 0);
    for entries in written.entries.chunks(HANDED_MAX) {
        let answer =
            hand_over(url, trust, token, &json!({ "device": written.device(), "admissions": entries })).await?;
        for line in answer["admissions"].as_array().into_iter().flatten().filter(|line| is_contradicted(line)) {
            contradicted += 1;
            println!("{line}");
        }
    }
    println!("{} handed over, {contradicted} contradicted", written.entries.len());
    Ok(contradicted == 0)
}

/// What the shop took back since it was handed over is no contradiction.
fn is_contradicted(line: &Value) -> bool {
    line["outcome"] != "admitted" && line["outcome"] != "undone"
}

async fn hand_over(url: &str, trust: &Trust, token: &str, body: &Value) -> Result<Value, Failure> {
    let (status, answer) = call::post(url, trust, "/v1/check-ins/merge", token, body).await?;
    let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
    if status.is_success() {
        Ok(answer)
    } else {
        Err(format!("the shop answered {status}: {}", answer["detail"]).into())
    }
}
