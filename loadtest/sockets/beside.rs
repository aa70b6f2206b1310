//! A rush while many of its buyers are connected: how soon after the ledger's record each of them is told, and what the sockets
//! cost the rush. Rounds without and with sockets follow each other on one world, each with a sale of its own.

use std::collections::HashMap;
use std::time::Duration;

use miaosha::domain::sale::turn::Cause;
use miaosha::domain::shared::id::AttemptId;
use serde_json::{Value, json};

use super::errand::{Clients, Manners};
use super::gateways::{Gateways, free};
use super::{Crowd, all_connected, last_words};
use crate::plan::{FIRST_BUYER, Options, World};
use crate::press::{PressAnswer, Pressed};
use crate::rounds::{is_other, median};
use crate::rush;
use crate::target::Target;
use crate::times::Times;

const OPENING: usize = 64;
const RETRIES_MAX: u32 = 5;

/// How soon the connected were told, and how many of them the decision left with nothing: these are not told.
#[derive(Default)]
struct Told {
    took: Times,
    missing: u64,
    refused: u64,
}

pub async fn run(options: Options) -> Result<bool, String> {
    if options.url.is_some() || !options.kill.is_empty() || options.sales != 1 || options.sockets > options.buyers {
        return Err("--sockets goes with one sale and neither --url nor --kill; at most each buyer has one".to_owned());
    }
    let mut fleet = None;
    let mut target = match options.world {
        World::Embedded => Target::embedded(Some(free()?), "").await?,
        World::Cluster => {
            let mut target = Target::fleet(&options.fleet, false)?;
            let gateways = Gateways::fleet(&options.fleet, options.socket_gateways).await?;
            target.sockets = gateways.sockets.clone();
            fleet = Some(gateways);
            target
        }
    };
    let outcome = drive(&options, &mut target).await;
    if let Some(gateways) = &mut fleet {
        gateways.end().await;
    }
    target.end(matches!(outcome, Ok(true))).await?;
    outcome
}

async fn drive(options: &Options, target: &mut Target) -> Result<bool, String> {
    let (mut without, mut with, mut told) = (Vec::new(), Vec::new(), Told::default());
    let mut all_well = true;
    // The first round warms the fleet up and is not counted.
    rush_once(options, target, false).await?;
    for round in 0..options.rounds.max(1) * 2 {
        let is_with = is_other(round);
        let (verdict, this) = rush_once(options, target, is_with).await?;
        eprintln!("loadtest: {} sockets: {verdict}", if is_with { "with" } else { "without" });
        all_well &= verdict.holds();
        if let Some(this) = this {
            told.took.add(&this.took);
            (told.missing, told.refused) = (told.missing + this.missing, told.refused + this.refused);
        }
        if is_with { &mut with } else { &mut without }.push(verdict);
    }
    let of = |verdicts: &[crate::verdict::Verdict]| {
        json!({
            "accept_rps": median(verdicts.iter().map(|verdict| verdict.accept_rps)).round(),
            "accept_p99_ms": median(verdicts.iter().map(|verdict| verdict.accept_p99_ms)),
            "decide_rps": median(verdicts.iter().map(|verdict| verdict.decide_rps)).round(),
        })
    };
    let (without, with) = (of(&without), of(&with));
    let rps = |figures: &Value| figures["accept_rps"].as_f64().unwrap_or(0.0);
    let figures = json!({
        "buyers": options.buyers, "sockets": options.sockets, "rounds": options.rounds,
        "without_sockets": without, "with_sockets": with,
        "accept_ratio": (rps(&with) / rps(&without) * 1_000.0).round() / 1_000.0,
        "status_told": told.took.len(), "status_missing": told.missing, "connected_refused": told.refused,
        "status_told_p50_ms": told.took.ms(0.5), "status_told_p99_ms": told.took.ms(0.99),
        "status_told_max_ms": told.took.ms(1.0),
    });
    for (key, value) in figures.as_object().into_iter().flatten() {
        println!("{key:24} {value}");
    }
    if options.json {
        println!("{figures}");
    }
    Ok(all_well && told.missing == 0)
}

async fn rush_once(
    options: &Options,
    target: &mut Target,
    is_with: bool,
) -> Result<(crate::verdict::Verdict, Option<Told>), String> {
    let sales = rush::open_sales(options, target).await?;
    let mut clients = if is_with { connect(options, target, sales[0]).await? } else { Vec::new() };
    let round = rush::rush(options, target, sales).await?;
    if !is_with {
        return Ok((round.verdict, None));
    }
    let mut first_told: HashMap<u64, i64> = HashMap::new();
    for clients in &mut clients {
        for (buyer, at) in clients.report(None, Duration::ZERO).await?.statuses {
            let first = first_told.entry(buyer).or_insert(at);
            *first = at.min(*first);
        }
    }
    let closed = last_words(&mut clients).await?;
    if !closed.is_empty() {
        eprintln!("loadtest: sockets ended in the middle: {closed:?}");
    }
    let told = compare(options, &round.pressed, round.audit.as_ref(), &first_told);
    Ok((round.verdict, Some(told)))
}

/// Every so many of those buyers who can get a row of the ledger: a buyer whom the decision leaves with nothing is not told.
fn step(options: &Options) -> u64 {
    let rows = u64::from(options.capacity) + u64::from(options.standby);
    (options.buyers.min(rows) / options.sockets).max(1)
}

async fn connect(options: &Options, target: &Target, sale: u64) -> Result<Vec<Clients>, String> {
    let crowd = Crowd {
        first: FIRST_BUYER,
        step: step(options),
        count: options.sockets,
        manners: Manners::Polite,
        opening: OPENING,
        retries_max: RETRIES_MAX,
        front: false,
    };
    let mut clients = crowd.start(&target.sockets, &target.key_text, sale)?;
    let entered = all_connected(&mut clients).await?;
    if entered.connected != options.sockets {
        return Err(format!("{} of {} connected: {:?}", entered.connected, options.sockets, entered.failures));
    }
    Ok(clients)
}

/// From the moment that the turn says it was recorded at, which lies before its commit, to the message's arrival.
fn compare(options: &Options, pressed: &[Pressed], audit: Option<&Value>, first_told: &HashMap<u64, i64>) -> Told {
    let mut decided: HashMap<AttemptId, (i64, u8)> = HashMap::new();
    let sales = audit.and_then(|audit| audit["sales"].as_array()).into_iter().flatten();
    for turn in sales.flat_map(|sale| sale["turns"].as_array().into_iter().flatten()) {
        let Some(Ok(Cause::Batch(batch))) = turn["cause"].as_str().map(str::parse::<Cause>) else { continue };
        let at = turn["recorded_at"].as_i64().unwrap_or(0);
        for (index, byte) in turn["outcomes"].as_str().unwrap_or_default().bytes().enumerate() {
            decided.insert(batch.attempt(index), (at, byte));
        }
    }
    let step = step(options);
    let mut told = Told::default();
    let mut waits_ms = Vec::new();
    for press in pressed {
        let number = press.buyer - FIRST_BUYER;
        if !number.is_multiple_of(step) || number / step >= options.sockets {
            continue;
        }
        let PressAnswer::Accepted(attempt) = press.answer else { continue };
        match (decided.get(&attempt), first_told.get(&press.buyer)) {
            (Some((at, b'T' | b'S')), Some(told_at)) => waits_ms.push(told_at - at),
            (Some((_, b'T' | b'S')), None) => told.missing += 1,
            (Some((_, b'R')), _) => told.refused += 1,
            _ => {}
        }
    }
    told.took = Times::of_ms(waits_ms);
    told
}
