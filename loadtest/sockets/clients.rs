//! One process of clients: each connects, says hello, answers heartbeats, and remembers when it was told what. Who cannot
//! connect tries again, a few times, and says why.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use miaosha::adapters::system::SystemClock;
use miaosha::domain::people::Role;
use miaosha::domain::shared::id::BuyerId;
use miaosha::faces::tokens::TokenKeys;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::abusive;
use super::errand::{Connected, Errand, KEYS, Manners, Question};
use super::line::{self, Line, TRY_MAX};
use super::seen::{Heard, Seen};
use crate::client::address_of;
use crate::keys::TOKEN_MS;

/// How long everybody may take to connect.
const CONNECT_S_MAX: u64 = 600;
/// Before the first retry; twice as long before each one after it.
const RETRY_MS: u64 = 200;

/// The whole of such a process.
pub async fn be_clients(errand: &str) -> Result<bool, String> {
    let errand: Errand = serde_json::from_str(errand).map_err(|error| error.to_string())?;
    let keys = std::env::var(KEYS).map_err(|error| error.to_string())?;
    let keys = Arc::new(TokenKeys::parse(&keys).map_err(|error| error.to_string())?);
    let (seen, errand) = (Arc::new(Seen::default()), Arc::new(errand));
    let turns = Arc::new(Semaphore::new(errand.opening.max(1)));
    let (start, all) = (errand.clone(), seen.clone());
    tokio::spawn(async move {
        for number in 0..start.count {
            let Ok(turn) = turns.clone().acquire_owned().await else { return };
            let buyer = BuyerId(start.first + number * start.step);
            let token = keys.sign_access(buyer, Role::Shopper, SystemClock::machine_now(), TOKEN_MS);
            let (errand, seen) = (start.clone(), all.clone());
            match errand.manners {
                Manners::Polite => drop(tokio::spawn(be_polite(errand, buyer.0, token, turn, seen))),
                Manners::Stubborn => drop(tokio::spawn(abusive::be_stubborn(errand, token, turn, seen))),
                Manners::Garbage => drop(tokio::spawn(abusive::be_garbage(errand, number, token, turn, seen))),
            }
        }
    });
    let is_everybody = || seen.ready.load(Ordering::Relaxed) + seen.lost.load(Ordering::Relaxed) >= errand.count;
    wait_for(Duration::from_secs(CONNECT_S_MAX), is_everybody).await;
    let (connected, retried) = (seen.ready.load(Ordering::Relaxed), seen.retried.load(Ordering::Relaxed));
    say(&Connected { connected, retried, failures: seen.book().failures.clone() })?;
    loop {
        let asked = tokio::task::spawn_blocking(|| std::io::stdin().lines().next()).await;
        let Ok(Some(Ok(question))) = asked else { return Ok(true) };
        let question: Question = serde_json::from_str(&question).map_err(|error| error.to_string())?;
        let within = Duration::from_millis(question.within_ms);
        if let Some(state) = &question.state {
            wait_for(within, || seen.book().told_of(state).count() as u64 >= connected).await;
        }
        say(&seen.report(question.state.as_deref()))?;
    }
}

/// Until it is ready its turn is kept, so that no more than some are on their way.
async fn be_polite(errand: Arc<Errand>, buyer: u64, token: String, turn: OwnedSemaphorePermit, seen: Arc<Seen>) {
    let hello = line::hello(&token, errand.sale);
    drop(token);
    for number in 0..=errand.retries_max {
        let entered = tokio::time::timeout(TRY_MAX, enter(&errand, &hello, buyer, &seen)).await;
        match entered.unwrap_or_else(|_| Err("not told where it stands in time".to_owned())) {
            Ok((mut line, mut heard)) => {
                drop((turn, hello, errand));
                loop {
                    if let Err(why) = line.hear(|text| seen.hear(buyer, &mut heard, text)).await {
                        return seen.closed(why);
                    }
                }
            }
            Err(why) => seen.failed(why),
        }
        if number < errand.retries_max {
            seen.retried.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(RETRY_MS << number.min(6))).await;
        }
    }
    seen.lost.fetch_add(1, Ordering::Relaxed);
}

/// Connects, says hello, and waits until it is told where it stands.
async fn enter(errand: &Errand, hello: &[u8], buyer: u64, seen: &Seen) -> Result<(Line, Heard), String> {
    let on_behalf_of = errand.front.then(|| address_of(buyer));
    let mut line = Line::open(errand.gateway, errand.source, None, on_behalf_of).await?;
    line.send(hello).await?;
    let mut heard = Heard::default();
    while !heard.is_ready {
        let some = line.hear(|text| seen.hear(buyer, &mut heard, text)).await;
        some.map_err(|why| format!("before it was told: {why}"))?;
    }
    Ok((line, heard))
}

fn say(word: &impl Serialize) -> Result<(), String> {
    let text = serde_json::to_string(word).map_err(|error| error.to_string())?;
    let mut out = std::io::stdout();
    writeln!(out, "{text}").and_then(|()| out.flush()).map_err(|error| error.to_string())
}

async fn wait_for(within: Duration, is_so: impl Fn() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let _ = tokio::time::timeout(within, wait).await;
}
