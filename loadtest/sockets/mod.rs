//! Sockets: many buyers connected at once, from several processes and source addresses; how much each of them costs, how soon
//! all are told, and whether that changes beside abusive clients.

mod abusive;
pub mod beside;
mod clients;
mod errand;
mod gateways;
mod line;
mod rest;
mod seen;
mod stage;

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use futures_util::future::try_join_all;
use miaosha::adapters::system::SystemClock;
use miaosha::domain::people::Role;
use miaosha::faces::tokens::TokenKeys;
use serde_json::{Map, Value, json};

use crate::keys::TOKEN_MS;
use crate::offer::OPERATOR;
use errand::{Clients, Connected, Errand, Manners, Tally, add};
use gateways::Gateways;
use stage::Stage;

pub use clients::be_clients;

const FIRST_BUYER: u64 = 2_000_000_000_000;
/// Abusive clients are not among the measured ones.
const FIRST_ABUSIVE: u64 = 3_000_000_000_000;
/// Connections of one process of clients, at most: it has 20,000 descriptors.
const CLIENT_CONNECTIONS_MAX: u64 = 19_500;

#[derive(Clone, Copy, ValueEnum, PartialEq, Eq)]
pub enum World {
    /// A shop started for this run, with its lean listener.
    Embedded,
    /// Gateways that serve sockets alone, on the servers of `make fleet`.
    Cluster,
}

#[derive(Clone, Copy, ValueEnum, PartialEq, Eq, Debug)]
pub enum Transport {
    /// The listener for sockets alone.
    Lean,
    /// The shop's own port; an embedded shop's only.
    Shop,
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
    connections: u64,
    /// Which listener is asked; with both, one after the other, in the same run: `lean,shop`.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "lean")]
    transport: Vec<Transport>,
    /// Gateways of the socket fleet; an embedded shop is one.
    #[arg(long, default_value_t = 1)]
    gateways: usize,
    /// Connections opened at once, by each process of clients.
    #[arg(long, default_value_t = 64)]
    opening: usize,
    /// How often a client that could not connect tries again.
    #[arg(long, default_value_t = 5)]
    retries_max: u32,
    /// How long everybody is idle while the heartbeats' cost is measured.
    #[arg(long, default_value_t = 30)]
    hold_s: u64,
    /// Of the connected buyers, how many press the button and are told what became of it.
    #[arg(long, default_value_t = 1_000)]
    buyers: u64,
    /// How long all may take to be told.
    #[arg(long, default_value_t = 60)]
    told_s_max: u64,
    /// Half of the buyers give up their units, and soon all must have been told the ledger's last state: at most this late.
    #[arg(long, default_value_t = 90)]
    stale_s_max: u64,
    /// The fleet's broker is silent for so long while they do.
    #[arg(long, default_value_t = 0)]
    broker_paused_s: u64,
    /// Clients beside the others that ask and never read.
    #[arg(long, default_value_t = 0)]
    stubborn: u64,
    /// Clients beside the others that send garbage, oversized and fragmented frames.
    #[arg(long, default_value_t = 0)]
    garbage: u64,
    /// Rounds without and rounds beside these, in turns; medians are reported.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// The last line is one JSON object.
    #[arg(long)]
    json: bool,
    /// Set by this program for the processes it starts: what such a process is to do.
    #[arg(long, hide = true)]
    pub errand: Option<String>,
}

impl Options {
    fn crowd(&self, first: u64, count: u64, manners: Manners) -> Crowd {
        let (opening, retries_max, front) = (self.opening, self.retries_max, self.front);
        Crowd { first, step: 1, count, manners, opening, retries_max, front }
    }
}

pub async fn run(options: Options) -> Result<bool, String> {
    let mut all_well = true;
    let mut all = Map::new();
    for (number, transport) in options.transport.iter().enumerate() {
        let mut gateways = match options.world {
            World::Embedded => Gateways::shop(*transport).await?,
            World::Cluster if *transport == Transport::Shop => {
                return Err("gateways of the socket fleet have no port but the lean one".to_owned());
            }
            World::Cluster if options.front => Gateways::front(&options.fleet)?,
            World::Cluster => Gateways::fleet(&options.fleet, options.gateways).await?,
        };
        let outcome = drive(&options, &gateways).await;
        gateways.end().await;
        let (figures, is_well) = outcome?;
        all_well &= is_well;
        let name = format!("{transport:?}").to_lowercase();
        println!("transport {name}");
        for (key, value) in &figures {
            println!("  {key:36} {value}");
        }
        // The first one's figures stand by themselves.
        if number == 0 {
            all.extend(figures);
        } else {
            all.insert(name, figures.into());
        }
    }
    if options.json {
        println!("{}", Value::Object(all));
    }
    Ok(all_well)
}

/// The whole of what is measured with one transport.
async fn drive(options: &Options, gateways: &Gateways) -> Result<(Map<String, Value>, bool), String> {
    let keys = TokenKeys::parse(&gateways.keys).map_err(|error| error.to_string())?;
    let operator = keys.sign_access(OPERATOR, Role::Owner, SystemClock::machine_now(), TOKEN_MS);
    let mut stage = Stage { options, gateways, operator, sale: 0, told_by: Duration::from_secs(options.told_s_max) };
    stage.sale = stage.open_sale(&keys).await?;
    // What starting took is given back in a moment.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let (user_before, kernel_before) = (gateways.resident_bytes(), gateways::kernel_bytes());

    let began = Instant::now();
    let crowd = options.crowd(FIRST_BUYER, options.connections, Manners::Polite);
    let mut clients = crowd.start(&gateways.sockets, &gateways.keys, stage.sale)?;
    let entered = all_connected(&mut clients).await?;
    let took = began.elapsed();
    let connected = entered.connected;
    eprintln!("loadtest: {connected} connected in {:.1} s", took.as_secs_f64());

    let cpu_before = gateways.cpu_us();
    tokio::time::sleep(Duration::from_secs(options.hold_s)).await;
    let each_s = connected.max(1) as f64 * options.hold_s.max(1) as f64;
    let idle_cpu_us = (gateways.cpu_us() - cpu_before) as f64 / each_s;
    let user = gateways.resident_bytes().saturating_sub(user_before) as f64 / connected.max(1) as f64;
    // Both ends of every connection are on this machine.
    let kernel = gateways::kernel_bytes().saturating_sub(kernel_before) as f64 / (2 * connected.max(1)) as f64;

    let pressed = stage.press(&keys).await?;
    let status = stage.statuses(&mut clients, &pressed).await?;
    let stale = rest::stale(&stage, &keys, &mut clients, &pressed).await?;
    let told = stage.turn(&mut clients, "pause", "paused").await?;
    let mut figures = json!({
        "connected": connected, "connects_rps": (connected as f64 / took.as_secs_f64()).round(),
        "retried": entered.retried, "failures": entered.failures,
        "user_bytes_per_connection": user.round(), "kernel_bytes_per_connection": kernel.round(),
        "told": told.len(), "told_p50_ms": told.ms(0.5), "told_p99_ms": told.ms(0.99),
        "told_max_ms": told.ms(1.0),
        "status_sent": pressed.len(), "status_told": status.len(), "status_told_p50_ms": status.ms(0.5),
        "status_told_p99_ms": status.ms(0.99),
        "status_stale": stale.after_bound, "status_stale_at_first": stale.at_first, "status_current_after_ms": stale.took_ms,
        "idle_cpu_us_per_connection_s": (idle_cpu_us * 100.0).round() / 100.0,
        "gateway_processes": gateways.count(), "client_processes": clients.len(),
    });
    let mut all_told = told.len() == connected && status.len() == pressed.len() as u64 && stale.after_bound == 0;
    if options.stubborn + options.garbage > 0 {
        let (beside, told_all) = stage.beside_rude(&mut clients, connected).await?;
        figures["beside_rude"] = beside;
        all_told &= told_all;
    }
    let closed = last_words(&mut clients).await?;
    let is_well = connected == options.connections && all_told && closed.is_empty();
    figures["closed"] = json!(closed);
    let figures = figures.as_object().cloned().unwrap_or_default();
    Ok((figures, is_well))
}

/// Many clients of one kind.
pub struct Crowd {
    first: u64,
    step: u64,
    count: u64,
    manners: Manners,
    opening: usize,
    retries_max: u32,
    front: bool,
}

impl Crowd {
    /// An even share to each gateway, and of each as few processes as descriptors allow, each with an address of its own: one
    /// address has some 55,000 ports. It is another one in each run, for ports of the last one are not free for a minute.
    pub fn start(&self, gateways: &[String], keys: &str, sale: u64) -> Result<Vec<Clients>, String> {
        let mut clients = Vec::new();
        let share = self.count.div_ceil(gateways.len().max(1) as u64);
        let mut sent = 0;
        for gateway in gateways {
            let mut left = share.min(self.count - sent);
            while left > 0 {
                let processes = left.div_ceil(CLIENT_CONNECTIONS_MAX);
                let count = left.div_ceil(processes);
                let errand = Errand {
                    gateway: gateway.parse().map_err(|_| format!("{gateway} is no address"))?,
                    source: if self.front { Ipv4Addr::LOCALHOST } else { any_loopback() },
                    front: self.front,
                    first: self.first + sent * self.step,
                    count,
                    step: self.step,
                    sale,
                    opening: self.opening,
                    retries_max: self.retries_max,
                    manners: self.manners,
                };
                clients.push(Clients::start(&errand, keys)?);
                (sent, left) = (sent + count, left - count);
            }
        }
        Ok(clients)
    }
}

/// A front believes 127.0.0.1 alone when it says for whom it comes.
fn any_loopback() -> Ipv4Addr {
    Ipv4Addr::new(127, fastrand::u8(1..255), fastrand::u8(..), fastrand::u8(1..255))
}

async fn all_connected(clients: &mut [Clients]) -> Result<Connected, String> {
    let mut all = Connected::default();
    for part in try_join_all(clients.iter_mut().map(Clients::connected)).await? {
        all.connected += part.connected;
        all.retried += part.retried;
        add(&mut all.failures, &part.failures);
    }
    Ok(all)
}

/// Why sockets ended, since the beginning.
async fn last_words(clients: &mut [Clients]) -> Result<Tally, String> {
    let mut closed = Tally::new();
    for report in try_join_all(clients.iter_mut().map(|clients| clients.report(None, Duration::ZERO))).await? {
        add(&mut closed, &report.closed);
    }
    Ok(closed)
}
