//! Attempts that a shop accepts while it prints receipts, beside the same shop giving out receipts that were printed before, in
//! turns; and how long one more buyer waits meanwhile. The press has the lowest priority: what a sale needs it does not take.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use miaosha::adapters::system::SystemClock;
use miaosha::domain::people::Role;
use miaosha::domain::shared::id::{BuyerId, SaleId};
use miaosha::faces::tokens::TokenKeys;
use serde_json::json;

use super::barrage::{self, Until};
use super::parts::leave_to_all_cores;
use super::shots::Shots;
use super::table::Figure;
use super::world::{HOUR_MS, Shop, heard, open_sale, shortcut};
use super::{Memories, Options};
use crate::client::Client;
use crate::keys::admission;
use crate::offer::OPERATOR;
use crate::rounds::{is_other, median};
use crate::times::Times;

/// As many as the askers come to in one run.
const ORDERS: u64 = 400;
const ASKERS: u64 = 8;
/// Of each asker, between two receipts: with and without printing, as many are asked for.
const ASK_EVERY: Duration = Duration::from_millis(100);
const CONNECTIONS: usize = 64;
const BUYERS: u64 = 200_000;
const WARM: Duration = Duration::from_millis(500);
const COUNTED: Duration = Duration::from_secs(4);
/// What the run before left to do is done after this.
const AT_REST: Duration = Duration::from_secs(1);
const PROBE_EVERY: Duration = Duration::from_millis(5);
/// A share of what is accepted without printing.
const TARGET: f64 = 0.95;

struct Bench {
    address: String,
    keys: TokenKeys,
    sale: SaleId,
    /// Order number and its buyer.
    orders: Vec<(String, u64)>,
}

pub async fn figures(options: &Options, memories: &mut Memories) -> Result<Vec<Figure>, String> {
    leave_to_all_cores().await;
    let Shop { part, keys, folder } = Shop::open(&shortcut(false)).await?;
    let kept = open_sale(part.address, &keys, ORDERS as u32, 0).await?;
    let sale = open_sale(part.address, &keys, 10, 0).await?;
    for sale in [kept, sale] {
        heard(part.address, &keys, sale).await?;
    }
    let mut bench = Bench { address: part.address.to_string(), keys, sale, orders: Vec::new() };
    for buyer in 1..=ORDERS {
        let number = bench.buy(kept, buyer).await?;
        bench.orders.push((number, buyer));
    }
    let shots = Arc::new(Shots::attempts(&bench.keys, sale.0, BUYERS));
    let (mut quiet, mut printing, mut printed) = (Runs::default(), Runs::default(), 0);
    for run in 0..options.runs.max(3) * 2 {
        // Either kind begins with everything printed, and at rest.
        bench.ask_for_all().await?;
        tokio::time::sleep(AT_REST).await;
        if is_other(run) {
            bench.clean_up().await?;
            let (run, pages) = bench.run_asked(&shots).await?;
            printing.push(run);
            printed += pages;
        } else {
            quiet.push(bench.run_asked(&shots).await?.0);
        }
    }
    memories.note(&part);
    part.stop().await?;
    std::fs::remove_dir_all(&folder).map_err(|error| error.to_string())?;
    let note = format!("{printed} receipts were printed meanwhile; target within 5 %");
    Ok(vec![
        Figure::new("accepted while receipts are printed", median(printing.per_s), "/s")
            .beside("without", median(quiet.per_s), Some(TARGET))
            .note(note),
        Figure::new("p99 of one more buyer, printing", median(printing.p99_ms), "ms").beside(
            "without",
            median(quiet.p99_ms),
            None,
        ),
    ])
}

#[derive(Default)]
struct Runs {
    per_s: Vec<f64>,
    p99_ms: Vec<f64>,
}

impl Runs {
    fn push(&mut self, (per_s, p99_ms): (f64, f64)) {
        self.per_s.push(per_s);
        self.p99_ms.push(p99_ms);
    }
}

impl Bench {
    fn token(&self, buyer: u64) -> String {
        let (buyer, role) = if buyer == 0 { (OPERATOR, Role::Owner) } else { (BuyerId(buyer), Role::Shopper) };
        self.keys.sign_access(buyer, role, SystemClock::machine_now(), HOUR_MS)
    }

    async fn buy(&self, sale: SaleId, buyer: u64) -> Result<String, String> {
        let (mut client, token) = (Client::new(&self.address), self.token(buyer));
        let admission = admission(&self.keys, BuyerId(buyer), sale);
        client.post(&format!("/v1/sales/{sale}/attempts"), &admission, r#"{"quantity":1}"#).await?;
        let path = format!("/v1/sales/{sale}/reservation?wait_ms=5000");
        for _ in 0..100 {
            let standing = client.get(&path, &token).await?.json();
            if let Some(checkout) = standing["checkout_token"].as_str() {
                let body = json!({ "checkout_token": checkout, "card": "ok" }).to_string();
                let order = client.post("/v1/checkouts", &token, body).await?.json();
                let number = order["order_number"].as_str();
                return number.map(str::to_owned).ok_or_else(|| format!("a checkout was answered {order}"));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Err("a hold never came".to_owned())
    }

    /// Accepted in a second, and the 99th percentile of a buyer who asks beside them.
    async fn run(&self, shots: &Arc<Shots>) -> Result<(f64, f64), String> {
        let address = self.address.parse().map_err(|_| "an address is an address")?;
        let until = Until::Elapsed { warm: WARM, counted: COUNTED };
        let stop = AtomicBool::new(false);
        let (tally, waits) = tokio::join!(
            async {
                let tally = barrage::run(address, shots.clone(), CONNECTIONS, until, || (), || 0.0).await;
                stop.store(true, Ordering::Release);
                tally
            },
            self.probe(&stop)
        );
        Ok((tally?.per_s(), waits?.ms(0.99)))
    }

    async fn probe(&self, stop: &AtomicBool) -> Result<Times, String> {
        let (mut client, token) = (Client::new(&self.address), admission(&self.keys, BuyerId(999_999), self.sale));
        let path = format!("/v1/sales/{}/attempts", self.sale);
        let mut waits = Times::default();
        while !stop.load(Ordering::Acquire) {
            let asked = Instant::now();
            client.post(&path, &token, r#"{"quantity":1}"#).await?;
            waits.extend([asked.elapsed().as_micros() as u64]);
            tokio::time::sleep(PROBE_EVERY).await;
        }
        Ok(waits)
    }

    /// A run in which receipts are asked for, and how many were given out.
    async fn run_asked(&self, shots: &Arc<Shots>) -> Result<((f64, f64), u64), String> {
        let stop = AtomicBool::new(false);
        let (run, given) = tokio::join!(
            async {
                let run = self.run(shots).await;
                stop.store(true, Ordering::Release);
                run
            },
            try_join_all((0..ASKERS).map(|asker| self.ask_until(&stop, asker)))
        );
        Ok((run?, given?.into_iter().sum()))
    }

    async fn clean_up(&self) -> Result<(), String> {
        let body = r#"{"older_than_hours":0}"#;
        let done = Client::new(&self.address).post("/v1/admin/receipts/cleanup", &self.token(0), body).await?;
        if done.status == 200 { Ok(()) } else { Err(format!("a clean-up was answered {}", done.status)) }
    }

    async fn ask_for_all(&self) -> Result<(), String> {
        let mut client = Client::new(&self.address);
        for (number, buyer) in &self.orders {
            while client.get(&pdf_path(number), &self.token(*buyer)).await?.status != 200 {
                tokio::time::sleep(ASK_EVERY).await;
            }
        }
        Ok(())
    }

    /// One after another of its orders, each once; how many receipts were given out.
    async fn ask_until(&self, stop: &AtomicBool, asker: u64) -> Result<u64, String> {
        let (mut client, mut given) = (Client::new(&self.address), 0);
        let mut ticks = tokio::time::interval(ASK_EVERY);
        for (number, buyer) in self.orders.iter().skip(asker as usize).step_by(ASKERS as usize) {
            ticks.tick().await;
            if stop.load(Ordering::Acquire) {
                break;
            }
            given += u64::from(client.get(&pdf_path(number), &self.token(*buyer)).await?.status == 200);
        }
        Ok(given)
    }
}

fn pdf_path(number: &str) -> String {
    format!("/v1/orders/{number}/receipt.pdf")
}
