//! One process of clients: each connects, says hello, answers heartbeats, and remembers when it was told what. Who cannot
//! connect tries again, a few times, and says why.

use std::collections::HashMap;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use miaosha::adapters::system::SystemClock;
use miaosha::domain::people::Role;
use miaosha::domain::shared::id::BuyerId;
use miaosha::faces::tokens::TokenKeys;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::TOKEN_MS;
use super::abusive;
use super::errand::{Connected, Errand, KEYS, Manners, Question, Report, Tally};
use super::line::{self, Line, TRY_MAX};
use crate::client::address_of;

/// How long everybody may take to connect.
const CONNECT_S_MAX: u64 = 600;
/// Before the first retry; twice as long before each one after it.
const RETRY_MS: u64 = 200;

#[derive(Default)]
pub struct Seen {
    ready: AtomicU64,
    /// Who will not be ready any more.
    lost: AtomicU64,
    retried: AtomicU64,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    failures: Tally,
    closed: Tally,
    told: Vec<(String, i64)>,
    statuses: Vec<(u64, i64)>,
    last: HashMap<u64, (String, u64)>,
}

/// What one client remembers.
#[derive(Default)]
struct Heard {
    is_ready: bool,
    state: Option<String>,
}

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

impl Seen {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn failed(&self, why: String) {
        *self.book().failures.entry(why).or_default() += 1;
    }

    pub fn closed(&self, why: String) {
        *self.book().closed.entry(why).or_default() += 1;
    }

    pub fn is_under_way(&self) {
        self.ready.fetch_add(1, Ordering::Relaxed);
    }

    fn report(&self, state: Option<&str>) -> Report {
        let mut book = self.book();
        let told = state.map(|state| book.told_of(state).collect()).unwrap_or_default();
        book.told = Vec::new();
        let last = book.last.iter().map(|(buyer, (id, version))| (*buyer, id.clone(), *version)).collect();
        Report { told, statuses: std::mem::take(&mut book.statuses), last, closed: book.closed.clone() }
    }

    /// One text that a client was told.
    fn hear(&self, buyer: u64, heard: &mut Heard, text: &[u8]) {
        let now = SystemClock::machine_now().0;
        let Ok(word) = serde_json::from_slice::<Value>(text) else { return };
        if let (Some(id), Some(version)) = (word["reservation_id"].as_str(), word["version"].as_u64()) {
            self.book().last.insert(buyer, (id.to_owned(), version));
        }
        match (word["type"].as_str(), word["state"].as_str()) {
            (Some("status"), _) if !heard.is_ready => {
                heard.is_ready = true;
                self.ready.fetch_add(1, Ordering::Relaxed);
            }
            (Some("status"), _) => self.book().statuses.push((buyer, now)),
            (Some("sale"), Some(state)) => {
                let before = heard.state.replace(state.to_owned());
                if before.is_some_and(|before| before != state) {
                    self.book().told.push((state.to_owned(), now));
                }
            }
            _ => {}
        }
    }
}

impl Book {
    fn told_of<'a>(&'a self, state: &'a str) -> impl Iterator<Item = i64> + 'a {
        self.told.iter().filter(move |(told, _)| told == state).map(|(_, at)| *at)
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
