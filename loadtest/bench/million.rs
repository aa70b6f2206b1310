//! From the first attempt to the last decision of a million buyers for 10,000 units, as fast as 512 connections can press.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use miaosha::domain::shared::id::SaleId;
use miaosha::faces::tokens::TokenKeys;

use super::barrage::{self, Tally, Until};
use super::parts::{Cores, Part, command, leave_to_all_cores, sibling};
use super::shots::Shots;
use super::table::Figure;
use super::world::{self, Shop, World, heard, open_sale};
use super::{Memories, Options};

const CAPACITY: u32 = 10_000;
const STANDBY_MAX: u32 = 2_000;
const CONNECTIONS: usize = 512;
const DECIDED: &str = "miaosha_consumer_attempts_total";
const LOOK_EVERY: Duration = Duration::from_millis(50);
const DECIDE_WAIT_MAX: Duration = Duration::from_secs(120);

pub async fn figures(options: &Options, memories: &mut Memories) -> Result<Vec<Figure>, String> {
    leave_to_all_cores().await;
    let mut figures = Vec::new();
    for shortcut in [false, true] {
        figures.push(cluster(options, shortcut, memories).await?);
    }
    for shortcut in [false, true] {
        figures.push(embedded(options, shortcut, memories).await?);
    }
    Ok(figures)
}

async fn cluster(options: &Options, shortcut: bool, memories: &mut Memories) -> Result<Figure, String> {
    let world = World::new().await?;
    let sale = world.open_sale(CAPACITY, STANDBY_MAX).await?;
    let payments = world.part("payment-consumer").await?;
    let consumer = world.part("consumer").await?;
    let publisher = Part::start("publisher", &world.env, &world::shortcut(shortcut), Cores::All).await?;
    let rushed = rush(&publisher, &consumer, &world.keys, sale, options.buyers).await?;
    let audit = world.audit(sale).await?;
    for part in [&publisher, &consumer, &payments] {
        memories.note(part);
    }
    for part in [publisher, consumer, payments] {
        part.stop().await?;
    }
    Ok(figure("cluster", shortcut, options.buyers, rushed, audit))
}

async fn embedded(options: &Options, shortcut: bool, memories: &mut Memories) -> Result<Figure, String> {
    let Shop { part: shop, keys, folder } = Shop::open(&world::shortcut(shortcut)).await?;
    let sale = open_sale(shop.address, &keys, CAPACITY, STANDBY_MAX).await?;
    let rushed = rush(&shop, &shop, &keys, sale, options.buyers).await?;
    let mut audit = command(sibling("miaosha")?, Cores::All);
    audit.arg("audit").arg("--state").arg(&folder);
    let audit = audit.output().await.map_err(|error| error.to_string())?.status.success();
    memories.note(&shop);
    shop.stop().await?;
    std::fs::remove_dir_all(&folder).map_err(|error| error.to_string())?;
    Ok(figure("embedded", shortcut, options.buyers, rushed, audit))
}

struct Rushed {
    tally: Tally,
    accepting: Duration,
    whole: Duration,
}

/// `publisher` takes attempts in, `consumer` counts what it decided; they may be one process.
async fn rush(
    publisher: &Part,
    consumer: &Part,
    keys: &TokenKeys,
    sale: SaleId,
    buyers: u64,
) -> Result<Rushed, String> {
    let address: SocketAddr = publisher.address;
    heard(address, keys, sale).await?;
    let shots = Arc::new(Shots::attempts(keys, sale.0, buyers));
    let before = consumer.metric(DECIDED).await?;
    let begun = Instant::now();
    let tally = barrage::run(address, shots, CONNECTIONS, Until::Answered, || (), || 0.0).await?;
    let accepting = begun.elapsed();
    while consumer.metric(DECIDED).await? - before < tally.accepted as f64 {
        if begun.elapsed() > accepting + DECIDE_WAIT_MAX {
            return Err(format!("some of what was accepted is never decided: {tally:?}"));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(Rushed { tally, accepting, whole: begun.elapsed() })
}

fn figure(world: &str, shortcut: bool, buyers: u64, rushed: Rushed, audit: bool) -> Figure {
    let Rushed { tally, accepting, whole } = rushed;
    let how = if shortcut { "on" } else { "off" };
    let note = format!(
        "answered in {:.1} s; {} by 202, {} at once, {} came again, {} else; audit {}",
        accepting.as_secs_f64(),
        tally.accepted,
        tally.at_once,
        tally.shed,
        tally.other,
        if audit { "PASS" } else { "FAIL" },
    );
    Figure::new(format!("{buyers} buyers, {world}, shortcut {how}"), whole.as_secs_f64(), "s").note(note)
}
