//! Decisions: the turnstile alone, and the consumer from the queue to the ledger, beside a bare loop of EVALSHA that
//! decides one attempt a call. The bare loop over sockets is the reference of all, the library's loop included.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use miaosha::adapters::redis::RedisTurnstile;
use miaosha::adapters::system::SystemClock;
use miaosha::domain::sale::Allotment;
use miaosha::domain::sale::attempt::{Attempt, Batch};
use miaosha::domain::sale::turn::Known;
use miaosha::domain::sale::turnstile::Reply;
use miaosha::domain::shared::id::BATCH_MAX;
use miaosha::domain::shared::id::{BatchId, BuyerId, SaleId};
use miaosha::ports::sale::attempts::Attempts;
use miaosha::ports::sale::turnstile::Turnstile;
use miaosha::workers::consumer;

use super::bare;
use super::parts::leave_to_all_cores;
use super::shots::FIRST_BUYER;
use super::table::Figure;
use super::world::{World, recorded, url_of};
use super::{Memories, Options};
use crate::keys::chance;
use crate::rounds::median;

const CAPACITY: u32 = 10_000;
const STANDBY_MAX: u32 = 2_000;
const COUNTED: Duration = Duration::from_millis(1_500);
const REFERENCE: &str = "bare EVALSHA loop";
const TARGET: f64 = 0.5;
const BATCHES: [usize; 4] = [1, 16, 256, 512];
/// Attempts that wait in the queue when the consumer starts, and how many of them came in a batch.
const DRAINS: [(u64, usize); 2] = [(256_000, 32), (1_000_000, 512)];
/// Batches handed to the broker at once.
const SUBMITS: usize = 64;
const LOOK_EVERY: Duration = Duration::from_millis(10);
const DRAIN_WAIT_MAX: Duration = Duration::from_secs(90);

pub async fn figures(options: &Options, memories: &mut Memories) -> Result<Vec<Figure>, String> {
    leave_to_all_cores().await;
    let url = url_of("MIAOSHA_REDIS_URL")?;
    let namespace = format!("bench-{:08x}", chance()? as u32);
    let turnstile = RedisTurnstile::connect(&url, &namespace).await.map_err(|fault| fault.to_string())?;
    let (mut bare, mut by_client, mut turns) = (Vec::new(), Vec::new(), vec![Vec::new(); BATCHES.len()]);
    for _ in 0..options.runs {
        bare.push(bare::by_sockets(&url, CAPACITY, COUNTED).await?);
        by_client.push(bare::by_client(&url, CAPACITY, COUNTED).await.map_err(|error| error.to_string())?);
        for (size, rates) in BATCHES.into_iter().zip(&mut turns) {
            rates.push(turnstile_loop(&turnstile, size).await?);
        }
    }
    let bare = median(bare);
    let beside = |name: String, rates: Vec<f64>, target| {
        Figure::new(name, median(rates), "decisions/s").beside(REFERENCE, bare, target)
    };
    let mut figures = vec![beside("bare EVALSHA loop, by the shop's Redis client".to_owned(), by_client, None)];
    for (size, rates) in BATCHES.into_iter().zip(turns) {
        let name = format!("turnstile, one sale, batches of {size}");
        let note = format!("{} in a call, a call at a time", at_once(size));
        figures.push(beside(name, rates, Some(TARGET)).note(note));
    }
    for (attempts, size) in DRAINS {
        let mut rates = Vec::new();
        for _ in 0..options.runs {
            rates.push(drain(attempts, size, memories).await?);
        }
        let name = format!("consumer, one sale, queue to ledger, batches of {size}");
        let note = format!("{attempts} attempts waiting; RabbitMQ, Lua, MariaDB");
        figures.push(beside(name, rates, Some(TARGET)).note(note));
    }
    Ok(figures)
}

/// One caller, one call at a time, as the consumer asks for one sale.
async fn turnstile_loop(turnstile: &RedisTurnstile, size: usize) -> Result<f64, String> {
    let sale = SaleId(fastrand::u64(1 << 40..1 << 50));
    let allotment = Allotment { capacity: CAPACITY, quantity_max: 1, standby_max: STANDBY_MAX };
    turnstile.open(sale, 1, allotment).await.map_err(|fault| fault.to_string())?;
    let begun = Instant::now();
    let mut known = Known::of(1);
    let mut decided = 0;
    while begun.elapsed() < COUNTED {
        let before = |number: usize| decided + (number * size) as u64;
        let batches = (0..at_once(size)).map(|number| batch(sale, before(number), size));
        let batches = batches.collect::<Result<Vec<_>, _>>()?;
        let batches: Vec<&Batch> = batches.iter().collect();
        match turnstile.reserve(sale, known, &batches).await.map_err(|fault| fault.to_string())? {
            Reply::Done(reserved) => known = reserved.last().ok_or("the turnstile said nothing")?.stamp.into(),
            Reply::Stale => return Err("the turnstile lost the sale".to_owned()),
        }
        decided += (size * batches.len()) as u64;
    }
    Ok(decided as f64 / begun.elapsed().as_secs_f64())
}

/// Batches in a call: as many as a consumer takes, and a call may have.
fn at_once(size: usize) -> usize {
    consumer::Settings::default().batches_max.min(BATCH_MAX / size)
}

/// Attempts of the buyers that follow the first `before`.
pub fn batch(sale: SaleId, before: u64, size: usize) -> Result<Batch, String> {
    let id = BatchId::new(SystemClock::machine_now().0 as u64, chance()?);
    let buyers = FIRST_BUYER + before..FIRST_BUYER + before + size as u64;
    Ok(Batch {
        id,
        sale,
        attempts: buyers.map(|buyer| Attempt { buyer: BuyerId(buyer), quantity: 1, waits: true }).collect(),
        traced: vec![],
    })
}

async fn drain(attempts: u64, size: usize, memories: &mut Memories) -> Result<f64, String> {
    let world = World::new().await?;
    let sale = world.open_sale(CAPACITY, STANDBY_MAX).await?;
    let batches = attempts / size as u64;
    let broker = world.broker().await?;
    let batch_of = |number: u64| batch(sale, number * size as u64, size);
    let mut number = 0;
    while number < batches {
        let some: Vec<_> = (number..batches.min(number + SUBMITS as u64)).map(batch_of).collect::<Result<_, _>>()?;
        number += some.len() as u64;
        try_join_all(some.into_iter().map(|batch| broker.submit(batch))).await.map_err(|shed| shed.to_string())?;
    }

    let ledger = world.ledger().await?;
    let consumer = world.part("consumer").await?;
    let started = Instant::now();
    // What was decided while the consumer became ready is not counted.
    let (first, begun) = (recorded(&ledger, sale).await?, Instant::now());
    while recorded(&ledger, sale).await? < batches {
        if started.elapsed() > DRAIN_WAIT_MAX {
            return Err("the consumer does not come to an end of the queue".to_owned());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let rate = ((batches - first) * size as u64) as f64 / begun.elapsed().as_secs_f64();
    memories.note(&consumer);
    consumer.stop().await?;
    Ok(rate)
}
