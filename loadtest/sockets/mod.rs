//! Sockets: many buyers connected at once, from several processes and source addresses; how much each of them costs, and how
//! soon all are told.

mod clients;
mod gateways;

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use futures_util::future::{join_all, try_join_all};
use miaosha::adapters::system::SystemClock;
use miaosha::domain::id::BuyerId;
use miaosha::http::auth::TokenKeys;
use miaosha::ports::accounts::Role;
use serde_json::{Value, json};

use crate::client::{Client, address_of};
use crate::percentile::percentile_ms;
use clients::Clients;
use gateways::Gateways;

pub use clients::be_clients;

const FIRST_BUYER: u64 = 2_000_000_000_000;
const OPERATOR: BuyerId = BuyerId(999_999_999_999);
const TOKEN_MS: i64 = 3 * 3_600_000;
/// Connections of one process of clients, at most: it has 20,000 descriptors.
const CLIENT_CONNECTIONS_MAX: usize = 18_000;
/// Presses of personal messages at once.
const PRESSERS: usize = 16;

#[derive(Clone, Copy, ValueEnum, PartialEq, Eq)]
pub enum World {
    /// A shop started for this run, with its lean listener.
    Embedded,
    /// Gateways that serve sockets alone, on the servers of `make fleet`.
    Cluster,
}

#[derive(Args, Clone)]
pub struct Options {
    #[arg(long, value_enum, default_value = "embedded")]
    world: World,
    /// The fleet's folder.
    #[arg(long, default_value = ".fleet")]
    fleet: PathBuf,
    /// Through the fleet's nginx to its own socket gateways, every buyer from an address of its own.
    #[arg(long)]
    front: bool,
    #[arg(long, default_value_t = 15_000)]
    connections: usize,
    /// Gateways of the socket fleet; an embedded shop is one.
    #[arg(long, default_value_t = 1)]
    gateways: usize,
    /// Connections opened at once, by each process of clients.
    #[arg(long, default_value_t = 64)]
    pub opening: usize,
    /// How long everybody is idle while the heartbeats' cost is measured.
    #[arg(long, default_value_t = 30)]
    hold_s: u64,
    /// Of the connected buyers, how many press the button and are told what became of it.
    #[arg(long, default_value_t = 1_000)]
    buyers: usize,
    /// How long all may take to be told.
    #[arg(long, default_value_t = 60)]
    told_s_max: u64,
    /// The last line is one JSON object.
    #[arg(long)]
    json: bool,
    /// Set by this program for the processes it starts: where to connect, first buyer, connections, source address, sale, and
    /// whether it is a front.
    #[arg(long, hide = true, num_args = 6)]
    pub clients: Option<Vec<String>>,
}

pub async fn run(options: Options) -> Result<bool, String> {
    let mut gateways = Gateways::start(&options).await?;
    let outcome = drive(&options, &gateways).await;
    gateways.end().await;
    outcome
}

async fn drive(options: &Options, gateways: &Gateways) -> Result<bool, String> {
    let keys = TokenKeys::parse(&gateways.keys).map_err(|error| error.to_string())?;
    let now = SystemClock::machine_now();
    let operator = keys.sign_access(OPERATOR, Role::Operator, now, TOKEN_MS);
    let sale = open_sale(options, gateways, &operator).await?;
    let (user_before, kernel_before) = (gateways.resident_bytes(), gateways::kernel_bytes());

    let began = Instant::now();
    let mut clients = start_clients(options, gateways, sale)?;
    let connected: usize = try_join_all(clients.iter_mut().map(Clients::connected)).await?.into_iter().sum();
    let took = began.elapsed();
    let connects_rps = connected as f64 / took.as_secs_f64();
    eprintln!("loadtest: {connected} connected in {:.1} s", took.as_secs_f64());

    let cpu_before = gateways.cpu_us();
    tokio::time::sleep(Duration::from_secs(options.hold_s)).await;
    let idle_cpu_us = (gateways.cpu_us() - cpu_before) as f64 / connected as f64 / options.hold_s as f64;
    let user = gateways.resident_bytes().saturating_sub(user_before) as f64 / connected as f64;
    // Both ends of every connection are on this machine.
    let kernel = gateways::kernel_bytes().saturating_sub(kernel_before) as f64 / (2 * connected) as f64;

    let pressed = press(options, gateways, &keys, sale).await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let paused_ms = SystemClock::machine_now().0;
    let mut gateway = Client::new(&gateways.http);
    let answer = gateway.post(&format!("/v1/admin/sales/{sale}/pause"), &operator, "{}").await?;
    if answer.status >= 300 {
        return Err(format!("the sale could not be paused: {} {}", answer.status, answer.json()));
    }
    let told_by = Duration::from_secs(options.told_s_max);
    let reports = join_all(clients.iter_mut().map(|clients| clients.report(told_by))).await;
    let reports: Vec<Value> = reports.into_iter().collect::<Result<_, _>>()?;

    let told = sorted_us(reports.iter().flat_map(|report| numbers(&report["paused"])).map(|at| at - paused_ms));
    let statuses = reports.iter().flat_map(|report| report["statuses"].as_array().into_iter().flatten());
    let status = sorted_us(statuses.filter_map(|pair| {
        let accepted = pressed.get(&pair[0].as_u64()?)?;
        Some(pair[1].as_i64()? - accepted)
    }));
    let left: u64 = reports.iter().filter_map(|report| report["closed"].as_u64()).sum();
    let figures = json!({
        "connected": connected, "connects_rps": connects_rps.round(),
        "user_bytes_per_connection": user.round(), "kernel_bytes_per_connection": kernel.round(),
        "told": told.len(), "told_p50_ms": percentile_ms(&told, 0.5), "told_p99_ms": percentile_ms(&told, 0.99),
        "told_max_ms": percentile_ms(&told, 1.0),
        "status_sent": pressed.len(), "status_told": status.len(), "status_told_p50_ms": percentile_ms(&status, 0.5),
        "status_told_p99_ms": percentile_ms(&status, 0.99),
        "idle_cpu_us_per_connection_s": (idle_cpu_us * 100.0).round() / 100.0,
        "closed": left, "gateway_processes": gateways.count(), "client_processes": clients.len(),
    });
    for (key, value) in figures.as_object().into_iter().flatten() {
        println!("{key:32} {value}");
    }
    if options.json {
        println!("{figures}");
    }
    let all_told = told.len() == connected && status.len() == pressed.len();
    Ok(connected == options.connections && all_told && left == 0)
}

fn sorted_us(ms: impl Iterator<Item = i64>) -> Vec<u64> {
    let mut us: Vec<u64> = ms.map(|ms| u64::try_from(ms).unwrap_or(0) * 1_000).collect();
    us.sort_unstable();
    us
}

fn numbers(value: &Value) -> impl Iterator<Item = i64> + '_ {
    value.as_array().into_iter().flatten().filter_map(Value::as_i64)
}

fn start_clients(options: &Options, gateways: &Gateways, sale: u64) -> Result<Vec<Clients>, String> {
    let mut clients = Vec::new();
    let share = options.connections.div_ceil(gateways.sockets.len());
    let mut opened = 0;
    for gateway in &gateways.sockets {
        let mut left = share.min(options.connections - opened);
        while left > 0 {
            let count = left.min(CLIENT_CONNECTIONS_MAX);
            // A front believes only 127.0.0.1; two ends have as many connections as there are ports.
            let source = if options.front { "127.0.0.1".to_owned() } else { format!("127.0.0.{}", 10 + clients.len()) };
            let first = FIRST_BUYER + opened as u64;
            clients.push(Clients::start(gateway, first, count, &source, sale, &gateways.keys, options)?);
            (opened, left) = (opened + count, left - count);
        }
    }
    Ok(clients)
}

/// Everybody gets one: what is measured is telling.
async fn open_sale(options: &Options, gateways: &Gateways, operator: &str) -> Result<u64, String> {
    let now = SystemClock::machine_now();
    let mut gateway = Client::new(&gateways.http);
    let item = json!({ "title": "Sockets", "description": "told at once" }).to_string();
    let item = gateway.post("/v1/admin/items", operator, item).await?.json()["id"].clone();
    let sale = json!({
        "item_id": item, "price": { "minor": 100, "currency": "TWD" },
        "capacity": options.buyers.max(1), "quantity_max": 1, "standby_max": 10, "hold_ms": 3_600_000,
        "opens_at": now.0 - 1_000, "closes_at": now.0 + 7_200_000, "questions": [],
    });
    let sale = gateway.post("/v1/admin/sales", operator, sale.to_string()).await?;
    sale.json()["id"].as_u64().ok_or_else(|| format!("no sale: {} {}", sale.status, sale.json()))
}

/// Some press the button; says when each had its 202.
async fn press(
    options: &Options,
    gateways: &Gateways,
    keys: &TokenKeys,
    sale: u64,
) -> Result<HashMap<u64, i64>, String> {
    let buyers: Vec<u64> = (0..options.buyers.min(options.connections) as u64).map(|n| FIRST_BUYER + n).collect();
    let share = buyers.len().div_ceil(PRESSERS).max(1);
    let pressed = buyers.chunks(share).map(|buyers| async move {
        let mut client = Client::new(&gateways.publisher);
        let mut accepted = Vec::new();
        for buyer in buyers {
            let token = keys.sign_access(BuyerId(*buyer), Role::Shopper, SystemClock::machine_now(), TOKEN_MS);
            client.on_behalf_of(options.front.then(|| address_of(*buyer)));
            let body = r#"{"question_id":0,"answer":"-","quantity":1}"#;
            let path = format!("/v1/sales/{sale}/attempts");
            for _ in 0..50 {
                let answer = client.post(&path, &token, body).await?;
                match answer.status {
                    202 => accepted.push((*buyer, SystemClock::machine_now().0)),
                    429 | 502 | 503 | 504 => {
                        tokio::time::sleep(Duration::from_millis(200)).await;
                        continue;
                    }
                    status => return Err(format!("an attempt was answered {status} {}", answer.json())),
                }
                break;
            }
        }
        Ok(accepted)
    });
    Ok(try_join_all(pressed).await?.into_iter().flatten().collect())
}
