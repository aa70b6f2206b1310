//! Paid orders of one sale, over HTTP to the gateway, beside bare commits of two inserts on as many connections.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use miaosha::adapters::system::SystemClock;
use miaosha::domain::people::Role;
use miaosha::domain::shared::id::{AttemptId, BuyerId};
use miaosha::ports::sale::attempts::Attempts;
use serde_json::json;
use sqlx::{Connection, Executor, MySqlConnection};

use super::decide::batch;
use super::parts::{Part, leave_to_all_cores};
use super::table::Figure;
use super::world::{World, recorded};
use super::{Memories, Options};
use crate::client::Client;
use crate::rounds::median;

const CONNECTIONS: usize = 16;
const BATCH: usize = 500;
const BATCHES: u64 = 40;
const COUNTED: Duration = Duration::from_secs(3);
const TOKEN_MS: i64 = 3_600_000;

/// A hold, ready to be paid for.
struct Holder {
    access: String,
    body: String,
}

pub async fn figures(options: &Options, memories: &mut Memories) -> Result<Vec<Figure>, String> {
    leave_to_all_cores().await;
    let world = World::new().await?;
    let holders = holders(&world).await?;
    let payments = world.part("payment-consumer").await?;
    let gateway = world.part("gateway").await?;
    let next = AtomicUsize::new(0);
    let (mut bare, mut paid) = (Vec::new(), Vec::new());
    for _ in 0..options.runs {
        bare.push(bare_commits(&world.mysql_url).await.map_err(|error| error.to_string())?);
        paid.push(checkouts(&gateway, &holders, &next).await?);
    }
    memories.note(&gateway);
    memories.note(&payments);
    let figure = Figure::new(format!("paid orders, one sale, {CONNECTIONS} connections"), median(paid), "orders/s");
    let note = "an order is five commits, two of them the sandbox provider's";
    Ok(vec![figure.beside("bare commits of two inserts", median(bare), None).note(note)])
}

/// As many holds as there are attempts: every one of them wins.
async fn holders(world: &World) -> Result<Vec<Holder>, String> {
    let count = BATCHES * BATCH as u64;
    let sale = world.open_sale(count as u32, 0).await?;
    let (broker, ledger) = (world.broker().await?, world.ledger().await?);
    let now = SystemClock::machine_now();
    let mut holders = Vec::new();
    for number in 0..BATCHES {
        let batch = batch(sale, number * BATCH as u64, BATCH)?;
        for (index, attempt) in batch.attempts.iter().enumerate() {
            holders.push(world.holder(batch.attempt_id(index), attempt.buyer, now));
        }
        broker.submit(batch).await.map_err(|shed| shed.to_string())?;
    }
    let consumer = world.part("consumer").await?;
    while recorded(&ledger, sale).await? < BATCHES {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    consumer.stop().await?;
    Ok(holders)
}

impl World {
    fn holder(&self, attempt: AttemptId, buyer: BuyerId, now: miaosha::domain::shared::time::Timestamp) -> Holder {
        let token = self.keys.sign_checkout(attempt.into(), buyer, now, TOKEN_MS);
        Holder {
            access: self.keys.sign_access(buyer, Role::Shopper, now, TOKEN_MS),
            body: json!({ "checkout_token": token, "card": "ok" }).to_string(),
        }
    }
}

async fn checkouts(gateway: &Part, holders: &[Holder], next: &AtomicUsize) -> Result<f64, String> {
    let begun = Instant::now();
    let buyers = (0..CONNECTIONS).map(|_| async {
        let mut client = Client::new(&gateway.address.to_string());
        let mut paid = 0;
        while begun.elapsed() < COUNTED
            && let Some(holder) = holders.get(next.fetch_add(1, Ordering::Relaxed))
        {
            let answer = client.post("/v1/checkouts", &holder.access, holder.body.clone()).await?;
            if answer.status != 201 {
                return Err(format!("a checkout was answered {} {}", answer.status, answer.json()));
            }
            paid += 1;
        }
        Ok::<u64, String>(paid)
    });
    let paid: u64 = try_join_all(buyers).await?.into_iter().sum();
    Ok(paid as f64 / begun.elapsed().as_secs_f64())
}

async fn bare_commits(url: &str) -> Result<f64, sqlx::Error> {
    let mut connection = MySqlConnection::connect(url).await?;
    let tables = "CREATE TABLE IF NOT EXISTS bench_a (id BIGINT PRIMARY KEY, word VARCHAR(64)) ENGINE = InnoDB; \
                  CREATE TABLE IF NOT EXISTS bench_b (id BIGINT PRIMARY KEY, word VARCHAR(64)) ENGINE = InnoDB; \
                  TRUNCATE bench_a; TRUNCATE bench_b";
    sqlx::raw_sql(tables).execute(&mut connection).await?;
    let next = AtomicU64::new(1);
    let begun = Instant::now();
    let writers = (0..CONNECTIONS).map(|_| async {
        let mut connection = MySqlConnection::connect(url).await?;
        let mut commits = 0;
        while begun.elapsed() < COUNTED {
            let id = next.fetch_add(1, Ordering::Relaxed);
            let mut transaction = connection.begin().await?;
            for insert in ["INSERT INTO bench_a VALUES (?, 'a word')", "INSERT INTO bench_b VALUES (?, 'a word')"] {
                transaction.execute(sqlx::query(insert).bind(id)).await?;
            }
            transaction.commit().await?;
            commits += 1;
        }
        Ok::<u64, sqlx::Error>(commits)
    });
    let commits: u64 = try_join_all(writers).await?.into_iter().sum();
    Ok(commits as f64 / begun.elapsed().as_secs_f64())
}
