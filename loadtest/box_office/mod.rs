//! The box office under load: so many connections buy tickets of some events for so long, and then it is counted. Of each event as many
//! tickets are sold as were asked for or are there, none twice; the ledger says the same; and tickets are whole.
//!
//! Every purchase has a key, and is sent again under it until it is known what became of it.

mod shoppers;
mod verdict;

use std::net::TcpListener;
use std::time::Duration;

use clap::Args;
use miaosha::kit::process::descriptors;
use serde_json::{Value, json};

use crate::client::authority;
use crate::target::Target;
use shoppers::Seen;

/// Where a box office is loaded that runs already.
const TEST_URL: &str = "TEST_URL";

#[derive(Args, Clone)]
pub struct Options {
    /// A box office that runs already, its events made by `miaosha seed --free`; else a shop is started for this run.
    #[arg(long, env = TEST_URL)]
    url: Option<String>,
    /// One event with 1,000 connections for 10 s, one with 5,000 for 30 s, three at once with 6,000 for 10 s.
    #[arg(long)]
    full: bool,
    /// Several events at once: those of `--events`.
    #[arg(long)]
    multi: bool,
    #[arg(long, default_value_t = 1)]
    event: u64,
    #[arg(long, value_delimiter = ',', default_values_t = [1, 2, 3])]
    events: Vec<u64>,
    #[arg(long, default_value_t = 1_000)]
    connections: usize,
    /// In seconds.
    #[arg(long, default_value_t = 10)]
    duration: u64,
    /// Of the shop that is started: tickets of each event.
    #[arg(long, default_value_t = 10_000)]
    stock: u32,
    /// Of the full suite: this share of its connections and of its time.
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
    /// Tickets of each scenario that are fetched and looked at.
    #[arg(long, default_value_t = 20)]
    tickets: usize,
    /// The last line is one JSON object.
    #[arg(long)]
    json: bool,
}

/// What is done to some events.
#[derive(Clone)]
pub struct Scenario {
    name: &'static str,
    /// By their numbers; of the shop that is started, the scenario has as many new ones.
    events: Vec<u64>,
    connections: usize,
    lasts: Duration,
}

pub async fn run(options: Options) -> Result<bool, String> {
    let room = descriptors::raise();
    let scenarios = scenarios(&options);
    if let Some(most) = scenarios.iter().map(|scenario| scenario.connections).max().filter(|most| *most > room) {
        return Err(format!(
            "{most} connections are asked for, and this process may open {room}; raise its limit of open files"
        ));
    }
    let (place, target) = match &options.url {
        Some(url) => (authority(url)?, None),
        None => {
            let place = free_place()?;
            (place.clone(), Some(Target::embedded(None, &settings(&place)).await?))
        }
    };
    let mut reports = Vec::new();
    let outcome = drive(&options, scenarios, &place, target.as_ref(), &mut reports).await;
    let ok = matches!(outcome, Ok(true));
    if let Some(target) = target {
        target.end(ok).await?;
    }
    if options.json {
        println!("{}", json!({ "pass": ok, "scenarios": reports }));
    }
    outcome
}

async fn drive(
    options: &Options,
    scenarios: Vec<Scenario>,
    place: &str,
    target: Option<&Target>,
    reports: &mut Vec<Value>,
) -> Result<bool, String> {
    let mut ok = true;
    for mut scenario in scenarios {
        if let Some(target) = target {
            scenario.events = target.seed(scenario.events.len(), options.stock).await?;
        }
        let seen = shoppers::buy(place, &scenario).await?;
        let report = verdict::judge(place, &scenario, &seen, options.tickets).await?;
        ok &= report.print();
        reports.push(report.json());
        if let Some(target) = target {
            ok &= audited(target, &scenario.events).await?;
        }
    }
    println!("{}", if ok { "PASS" } else { "FAIL" });
    Ok(ok)
}

/// Every invariant, as an operator checks them.
async fn audited(target: &Target, events: &[u64]) -> Result<bool, String> {
    let Some(audit) = target.audit(events).await? else { return Ok(true) };
    let lines = audit["in_words"].as_array().into_iter().flatten().filter_map(Value::as_str);
    lines.for_each(|line| println!("  audit: {line}"));
    Ok(audit["pass"] == true)
}

fn scenarios(options: &Options) -> Vec<Scenario> {
    let scaled = |name, events: &[u64], connections: f64, seconds: f64| Scenario {
        name,
        events: events.to_vec(),
        connections: (connections * options.scale).ceil() as usize,
        lasts: Duration::from_secs_f64((seconds * options.scale).max(1.0)),
    };
    if options.full {
        return vec![
            scaled("one event", &[1], 1_000.0, 10.0),
            scaled("one event, long", &[2], 5_000.0, 30.0),
            scaled("three events", &[1, 2, 3], 6_000.0, 10.0),
        ];
    }
    let (name, events) = match options.multi {
        true => ("several events", options.events.clone()),
        false => ("one event", vec![options.event]),
    };
    vec![Scenario { name, events, connections: options.connections, lasts: Duration::from_secs(options.duration) }]
}

fn settings(place: &str) -> String {
    format!(
        "MIAOSHA__BOX_OFFICE__ON=true\nMIAOSHA__BOX_OFFICE__LISTEN={place}\nMIAOSHA__BOX_OFFICE__CALLS_MAX={}\n",
        u32::MAX
    )
}

/// One that is free at this moment.
fn free_place() -> Result<String, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    listener.local_addr().map(|address| address.to_string()).map_err(|error| error.to_string())
}

/// By the event's number in the scenario.
type ByEvent = Vec<Seen>;
