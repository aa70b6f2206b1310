//! A shop with people in front of its till: they hold a unit each, and pay when a run says so.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use miaosha::adapters::system::SystemClock;
use miaosha::domain::people::Role;
use miaosha::domain::shared::id::{AttemptId, BuyerId, SaleId};
use miaosha::faces::tokens::TokenKeys;
use serde_json::json;

use super::commits;
use super::parts::{Cores, Part};
use super::shots::FIRST_BUYER;
use super::world::{HOUR_MS, Shop, World, heard};
use crate::client::Client;
use crate::keys::admission;
use crate::offer::Offer;
use crate::times::Times;

/// Orders of one run, at most: so many hold a unit when it begins.
const ORDERS_MAX: usize = 8_000;
/// Of each sale: more than all runs sell.
const CAPACITY: u32 = 1_000_000;
const PRICE_MINOR: i64 = 100_000;
const PRESSERS: u64 = 64;
const LOOK_EVERY: Duration = Duration::from_millis(50);
const HELD_WAIT_MAX: Duration = Duration::from_secs(60);
/// Who was told to come again does.
const COME_AGAIN: Duration = Duration::from_millis(10);
/// Where the sandbox has its books.
const BOOKS: &str = "MIAOSHA__PAYMENTS__SANDBOX_BOOKS";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where {
    Fleet,
    Embedded,
}

/// What an order costs, and how the provider takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Price {
    /// Paid to a sandbox whose books are there.
    InMemory,
    InLedger,
    Free,
}

pub struct Till {
    pub part: Part,
    /// Where presses go.
    press_at: SocketAddr,
    others: Vec<Part>,
    shop: Place,
    buyers: AtomicU64,
}

enum Place {
    Fleet(World),
    Embedded { folder: PathBuf, keys: TokenKeys },
}

/// Who waits in front of the till of some sales.
pub struct Line {
    sales: Vec<u64>,
    price: Price,
    holders: Mutex<VecDeque<Holder>>,
    /// Units that were pressed for so far.
    pressed: AtomicU64,
}

/// A hold, ready to be paid for.
struct Holder {
    access: String,
    body: String,
}

/// What one run gave.
#[derive(Debug, Clone, Copy, Default)]
pub struct Run {
    pub per_s: f64,
    pub p99_ms: f64,
    /// Of the till's process, an order.
    pub processor_ms: f64,
    /// Answers that told a buyer to come again.
    pub sent_away: f64,
    /// Of checkouts: how many shared a commit, and how long that took.
    pub group: f64,
    pub commit_ms: f64,
}

impl Till {
    pub async fn open(place: Where, price: Price) -> Result<Self, String> {
        let books = [(BOOKS, if price == Price::InMemory { "memory" } else { "ledger" })];
        match place {
            Where::Embedded => {
                let Shop { part, keys, folder } = Shop::open(&books).await?;
                let (press_at, shop) = (part.address, Place::Embedded { folder, keys });
                Ok(Self { part, press_at, others: Vec::new(), shop, buyers: AtomicU64::new(FIRST_BUYER) })
            }
            Where::Fleet => {
                let world = World::new().await?;
                let with_books = |name| Part::start(name, &world.env, &books, Cores::All);
                let (payments, part) = (with_books("payment-consumer").await?, with_books("gateway").await?);
                let (consumer, publisher) = (world.part("consumer").await?, world.part("publisher").await?);
                let (press_at, others) = (publisher.address, vec![publisher, consumer, payments]);
                Ok(Self { part, press_at, others, shop: Place::Fleet(world), buyers: AtomicU64::new(FIRST_BUYER) })
            }
        }
    }

    pub fn parts(&self) -> impl Iterator<Item = &Part> {
        self.others.iter().chain([&self.part])
    }

    pub async fn close(self) -> Result<(), String> {
        for part in self.others.into_iter().chain([self.part]) {
            part.stop().await?;
        }
        match self.shop {
            Place::Fleet(_) => Ok(()),
            Place::Embedded { folder, .. } => std::fs::remove_dir_all(&folder).map_err(|error| error.to_string()),
        }
    }

    fn keys(&self) -> &TokenKeys {
        match &self.shop {
            Place::Fleet(world) => &world.keys,
            Place::Embedded { keys, .. } => keys,
        }
    }

    /// Bare commits per second of its store.
    pub async fn commits(&self, connections: usize, counted: Duration) -> Result<f64, String> {
        match &self.shop {
            Place::Fleet(world) => commits::by_mariadb(&world.mysql_url, connections, counted).await,
            Place::Embedded { folder, .. } => {
                commits::by_sqlite(&folder.join("bare.sqlite"), connections, counted).await
            }
        }
        .map_err(|error| error.to_string())
    }

    pub async fn line(&self, price: Price, sales: u64) -> Result<Line, String> {
        let price_minor = if price == Price::Free { 0 } else { PRICE_MINOR };
        let offer = Offer { price_minor, ..Offer::new(SystemClock::machine_now(), CAPACITY) };
        let sales = offer.open(&self.part.address.to_string(), self.keys(), sales).await?;
        for sale in &sales {
            heard(self.press_at, self.keys(), SaleId(*sale)).await?;
        }
        Ok(Line { sales, price, holders: Mutex::default(), pressed: AtomicU64::new(0) })
    }

    /// As many pay as there are connections, each time one after the other.
    pub async fn run(&self, line: &Line, connections: usize, counted: Duration) -> Result<Run, String> {
        self.fill(line).await?;
        let used = self.part.processor();
        let committed = self.committed().await?;
        let (before, begun) = (used(), Instant::now());
        let payers = (0..connections).map(|_| self.pay(line, begun, counted));
        let (mut times, mut sent_away) = (Times::default(), 0);
        for (paid, away) in try_join_all(payers).await? {
            times.extend(paid);
            sent_away += away;
        }
        let (elapsed, orders) = (begun.elapsed().as_secs_f64(), times.len() as f64);
        let processor_ms = (used() - before) * 1_000.0 / orders.max(1.0);
        let [commits, checkouts, seconds] = self.committed().await?;
        let commits = (commits - committed[0]).max(1.0);
        Ok(Run {
            per_s: orders / elapsed,
            p99_ms: times.ms(0.99),
            processor_ms,
            sent_away: sent_away as f64,
            group: (checkouts - committed[1]) / commits,
            commit_ms: (seconds - committed[2]) * 1_000.0 / commits,
        })
    }

    /// The till's commits so far, the checkouts in them, and the seconds that they took.
    async fn committed(&self) -> Result<[f64; 3], String> {
        Ok([
            self.part.metric("miaosha_till_checkouts_count").await?,
            self.part.metric("miaosha_till_checkouts_sum").await?,
            self.part.metric("miaosha_till_commit_duration_seconds_sum").await?,
        ])
    }

    /// How long each order of one connection took, in microseconds, and how often it was told to come again.
    async fn pay(&self, line: &Line, begun: Instant, counted: Duration) -> Result<(Vec<u64>, u64), String> {
        let mut client = Client::new(&self.part.address.to_string());
        let (mut paid, mut away) = (Vec::new(), 0);
        while begun.elapsed() < counted
            && let Some(holder) = line.next()
        {
            let asked = Instant::now();
            while begun.elapsed() < counted {
                let answer = client.post("/v1/checkouts", &holder.access, holder.body.clone()).await?;
                match answer.status {
                    200 | 201 => {
                        paid.push(asked.elapsed().as_micros() as u64);
                        break;
                    }
                    202 | 409 | 429 | 503 => away += 1,
                    status => return Err(format!("a checkout was answered {status} {}", answer.json())),
                }
                tokio::time::sleep(COME_AGAIN).await;
            }
        }
        Ok((paid, away))
    }

    /// As many press as are missing, and every one of them gets a unit.
    async fn fill(&self, line: &Line) -> Result<(), String> {
        let missing = (ORDERS_MAX - line.holders().len()) as u64;
        let first = self.buyers.fetch_add(missing, Ordering::Relaxed);
        let buyers = |presser| (first + presser..first + missing).step_by(PRESSERS as usize);
        let held = try_join_all((0..PRESSERS).map(|presser| self.press(line, buyers(presser)))).await?;
        line.holders().extend(held.into_iter().flatten());
        let pressed = line.pressed.fetch_add(missing, Ordering::Relaxed) + missing;
        let all_held = async {
            while self.taken(line).await? < pressed {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            Ok(())
        };
        let late = || "those who pressed do not all hold a unit".to_owned();
        tokio::time::timeout(HELD_WAIT_MAX, all_held).await.map_err(|_| late())?
    }

    /// Units of its sales that are held or sold.
    async fn taken(&self, line: &Line) -> Result<u64, String> {
        let mut client = Client::new(&self.part.address.to_string());
        let mut taken = 0;
        for sale in &line.sales {
            let answer = client.get(&format!("/v1/sales/{sale}"), "").await?;
            let left =
                answer.json()["left"].as_u64().ok_or_else(|| format!("a sale was answered {}", answer.status))?;
            taken += u64::from(CAPACITY) - left;
        }
        Ok(taken)
    }

    async fn press(&self, line: &Line, buyers: impl Iterator<Item = u64>) -> Result<Vec<Holder>, String> {
        let mut client = Client::new(&self.press_at.to_string());
        let now = SystemClock::machine_now();
        let mut held = Vec::new();
        for buyer in buyers {
            let sale = line.sales[buyer as usize % line.sales.len()];
            let path = format!("/v1/sales/{sale}/attempts");
            let buyer = BuyerId(buyer);
            let admitted = admission(self.keys(), buyer, SaleId(sale));
            let attempt = loop {
                let answer = client.post(&path, &admitted, r#"{"quantity":1}"#).await?;
                match answer.status {
                    202 => break answer.json()["attempt_id"].as_str().and_then(|id| id.parse::<AttemptId>().ok()),
                    429 | 503 => tokio::time::sleep(COME_AGAIN).await,
                    status => return Err(format!("an attempt was answered {status} {}", answer.json())),
                }
            };
            let attempt = attempt.ok_or("an attempt that was accepted has no number")?;
            let token = self.keys().sign_checkout(attempt.into(), buyer, now, HOUR_MS);
            let body = match line.price {
                Price::Free => json!({ "checkout_token": token }),
                Price::InMemory | Price::InLedger => json!({ "checkout_token": token, "card": "ok" }),
            };
            let access = self.keys().sign_access(buyer, Role::Shopper, now, HOUR_MS);
            held.push(Holder { access, body: body.to_string() });
        }
        Ok(held)
    }
}

impl Line {
    fn holders(&self) -> MutexGuard<'_, VecDeque<Holder>> {
        self.holders.lock().expect("no buyer panics")
    }

    fn next(&self) -> Option<Holder> {
        self.holders().pop_front()
    }
}
