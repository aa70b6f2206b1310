//! The sale that everybody watches: its turns, the presses of some, and the rounds beside abusive clients.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use miaosha::adapters::system::SystemClock;
use miaosha::domain::shared::id::{BuyerId, SaleId};
use miaosha::faces::tokens::TokenKeys;
use serde_json::{Value, json};

use super::errand::{Clients, Manners, Tally, add};
use super::gateways::Gateways;
use super::{FIRST_ABUSIVE, FIRST_BUYER, Options, all_connected, last_words};
use crate::client::{Client, address_of};
use crate::keys::admission;
use crate::offer::Offer;
use crate::rounds::{is_other, median};
use crate::times::Times;

const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// Presses of personal messages at once.
const PRESSERS: usize = 16;

/// What one transport is measured on.
pub struct Stage<'a> {
    pub options: &'a Options,
    pub gateways: &'a Gateways,
    pub operator: String,
    pub sale: u64,
    pub told_by: Duration,
}

impl Stage<'_> {
    /// Everybody gets one: what is measured is telling.
    pub async fn open_sale(&self, keys: &TokenKeys) -> Result<u64, String> {
        let now = SystemClock::machine_now();
        let capacity = self.options.buyers.max(1) as u32;
        let offer = Offer { standby_max: 10, closes_at: now.plus_ms(7_200_000), ..Offer::new(now, capacity) };
        Ok(offer.open(&self.gateways.http, keys, 1).await?[0])
    }

    /// Some press the button; says when each had its 202.
    pub async fn press(&self, keys: &TokenKeys) -> Result<HashMap<u64, i64>, String> {
        let buyers = self.options.buyers.min(self.options.connections);
        let buyers: Vec<u64> = (0..buyers).map(|n| FIRST_BUYER + n).collect();
        let share = buyers.len().div_ceil(PRESSERS).max(1);
        let pressed = buyers.chunks(share).map(|buyers| async move {
            let mut client = Client::new(&self.gateways.publisher);
            let mut accepted = Vec::new();
            for buyer in buyers {
                let token = admission(keys, BuyerId(*buyer), SaleId(self.sale));
                client.on_behalf_of(self.options.front.then(|| address_of(*buyer)));
                let body = r#"{"question_id":0,"answer":"-","quantity":1}"#;
                let path = format!("/v1/sales/{}/attempts", self.sale);
                for _ in 0..50 {
                    let answer = client.post(&path, &token, body).await?;
                    match answer.status {
                        202 => accepted.push((*buyer, SystemClock::machine_now().0)),
                        404 | 429 | 502 | 503 | 504 => {
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

    /// From each press's 202 until its buyer was told what became of it.
    pub async fn statuses(&self, clients: &mut [Clients], pressed: &HashMap<u64, i64>) -> Result<Times, String> {
        let began = Instant::now();
        let mut told: HashMap<u64, i64> = HashMap::new();
        while told.len() < pressed.len() && began.elapsed() < self.told_by {
            tokio::time::sleep(LOOK_AGAIN).await;
            let reports = clients.iter_mut().map(|clients| clients.report(None, Duration::ZERO));
            for (buyer, at) in try_join_all(reports).await?.into_iter().flat_map(|report| report.statuses) {
                if let Some(accepted) = pressed.get(&buyer) {
                    told.entry(buyer).or_insert(at - accepted);
                }
            }
        }
        Ok(Times::of_ms(told.into_values()))
    }

    /// The sale takes a turn, and everybody is told: how long that took, of each.
    pub async fn turn(&self, clients: &mut [Clients], verb: &str, state: &str) -> Result<Times, String> {
        let began_ms = SystemClock::machine_now().0;
        let mut gateway = Client::new(&self.gateways.http);
        let path = format!("/v1/admin/sales/{}/{verb}", self.sale);
        let answer = gateway.post(&path, &self.operator, "{}").await?;
        if answer.status >= 300 {
            return Err(format!("{path}: {} {}", answer.status, answer.json()));
        }
        let reports = clients.iter_mut().map(|clients| clients.report(Some(state), self.told_by));
        let reports = try_join_all(reports).await?;
        Ok(Times::of_ms(reports.iter().flat_map(|report| &report.told).map(|at| at - began_ms)))
    }

    /// Rounds without and beside abusive clients, in turns: the medians of their percentiles.
    pub async fn beside_rude(&self, clients: &mut [Clients], connected: u64) -> Result<(Value, bool), String> {
        let mut turns = [("resume", "open"), ("pause", "paused")].into_iter().cycle();
        let mut figures: [Vec<(f64, f64, f64)>; 2] = [Vec::new(), Vec::new()];
        let (mut all_told, mut thrown_out) = (true, Tally::new());
        for round in 0..self.options.rounds.max(1) * 2 {
            let is_beside = is_other(round);
            let mut abusive = if is_beside { self.let_in_the_abusive().await? } else { Vec::new() };
            let (verb, state) = turns.next().unwrap_or_default();
            let told = self.turn(clients, verb, state).await?;
            all_told &= told.len() == connected;
            figures[usize::from(is_beside)].push((told.ms(0.5), told.ms(0.99), told.ms(1.0)));
            add(&mut thrown_out, &last_words(&mut abusive).await?);
            drop(abusive);
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
        let [without, beside] = figures;
        let of = |rounds: &[(f64, f64, f64)]| {
            json!({
                "told_p50_ms": median(rounds.iter().map(|round| round.0)),
                "told_p99_ms": median(rounds.iter().map(|round| round.1)),
                "told_max_ms": median(rounds.iter().map(|round| round.2)),
            })
        };
        let value = json!({
            "without": of(&without), "beside": of(&beside), "rounds": self.options.rounds,
            "stubborn": self.options.stubborn, "garbage": self.options.garbage, "thrown_out": thrown_out,
        });
        Ok((value, all_told))
    }

    /// They are left a while to do their worst.
    async fn let_in_the_abusive(&self) -> Result<Vec<Clients>, String> {
        let crowds = [(Manners::Stubborn, self.options.stubborn), (Manners::Garbage, self.options.garbage)];
        let mut abusive = Vec::new();
        for (manners, count) in crowds {
            let crowd = self.options.crowd(FIRST_ABUSIVE + abusive.len() as u64 * 1_000_000, count, manners);
            abusive.extend(crowd.start(&self.gateways.sockets, &self.gateways.keys, self.sale)?);
        }
        all_connected(&mut abusive).await?;
        tokio::time::sleep(Duration::from_secs(5)).await;
        Ok(abusive)
    }
}
