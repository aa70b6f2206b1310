//! What an idle shop costs, by how many sales are open: processor time in a second, beside the same process
//! without a sale. And how soon a publisher learns that one of many was changed, when only the ledger knows of it.

use std::time::{Duration, Instant};

use futures_util::{StreamExt, TryStreamExt, stream};
use miaosha::adapters::system::SystemClock;
use miaosha::domain::sale::{Allotment, QuestionKey, SaleState, StandbyUntil};
use miaosha::domain::shared::id::SaleId;
use miaosha::domain::shared::money::Money;
use miaosha::ports::sale::catalogue::{Catalogue, NewItem, NewSale};
use miaosha::ports::sale::turnstile::Turnstile;

use super::parts::{Cores, Part, command, sibling};
use super::table::Figure;
use super::world::{HOUR_MS, Shop, World, attempt_until, shortcut};
use super::{Memories, Options};
use crate::offer::OPERATOR;
use crate::rounds::median;

const OPEN: [u32; 3] = [10, 1_000, 10_000];
/// Sales that one command makes, at most.
const SEED_MAX: u32 = 1_000;
const SEED_AT_ONCE: usize = 16;
/// Until what was done to make the sales is over and forgotten: for some seconds a sale is followed after it was made.
const SETTLE: Duration = Duration::from_secs(20);
const COUNTED: Duration = Duration::from_secs(10);
const REFERENCE: &str = "no sale";
const CHANGES: usize = 5;

pub async fn figures(options: &Options, memories: &mut Memories) -> Result<Vec<Figure>, String> {
    let mut figures = in_the_shop(options, memories).await?;
    figures.extend(in_the_fleet(options, memories).await?);
    Ok(figures)
}

async fn in_the_shop(options: &Options, memories: &mut Memories) -> Result<Vec<Figure>, String> {
    let shop = Shop::open(&shortcut(true)).await?;
    let reference = used_by(&[&shop.part], options.runs).await[0];
    let state = shop.folder.display().to_string();
    let (mut figures, mut made) = (Vec::new(), 0);
    for open in OPEN {
        seed(open - made, &state).await?;
        made = open;
        figures.push(figure(&shop.part, open, used_by(&[&shop.part], options.runs).await[0], reference));
    }
    memories.note(&shop.part);
    shop.part.stop().await?;
    std::fs::remove_dir_all(&shop.folder).map_err(|error| error.to_string())?;
    Ok(figures)
}

async fn in_the_fleet(options: &Options, memories: &mut Memories) -> Result<Vec<Figure>, String> {
    let world = World::new().await?;
    let mut parts = Vec::new();
    for name in ["payment-consumer", "publisher", "consumer", "gateway"] {
        parts.push(world.part(name).await?);
    }
    let all: Vec<&Part> = parts.iter().collect();
    let references = used_by(&all, options.runs).await;
    let open = OPEN[OPEN.len() - 1];
    open_sales(&world, "Bench", open).await?;
    let used = used_by(&all, options.runs).await;
    let of = |(part, (used, reference)): (&&Part, (f64, f64))| figure(part, open, used, reference);
    let mut figures: Vec<Figure> = all.iter().zip(used.into_iter().zip(references)).map(of).collect();
    figures.push(change(&world, &parts[1], open).await?);
    for part in parts {
        memories.note(&part);
        part.stop().await?;
    }
    Ok(figures)
}

fn figure(part: &Part, open: u32, used: f64, reference: f64) -> Figure {
    let name = format!("idle {}, {open} open sales", part.name);
    Figure::new(name, used, "ms/s").beside(REFERENCE, reference, None).note("10 ms are one per cent of a core")
}

/// Milliseconds of processor time in a second, of each.
async fn used_by(parts: &[&Part], runs: usize) -> Vec<f64> {
    tokio::time::sleep(SETTLE).await;
    let clocks: Vec<_> = parts.iter().map(|part| part.processor()).collect();
    let mut used = vec![Vec::new(); parts.len()];
    for _ in 0..runs {
        let (begun, before) = (Instant::now(), clocks.iter().map(|clock| clock()).collect::<Vec<_>>());
        tokio::time::sleep(COUNTED).await;
        let elapsed = begun.elapsed().as_secs_f64();
        for ((used, clock), before) in used.iter_mut().zip(&clocks).zip(before) {
            used.push((clock() - before) * 1_000.0 / elapsed);
        }
    }
    used.into_iter().map(median).collect()
}

async fn seed(mut sales: u32, state: &str) -> Result<(), String> {
    while sales > 0 {
        let some = sales.min(SEED_MAX);
        let mut seed = command(sibling("miaosha")?, Cores::All);
        seed.args(["seed", &some.to_string(), "10", "--state", state]);
        let seeded = seed.output().await.map_err(|error| error.to_string())?;
        if !seeded.status.success() {
            return Err(format!("the sales were not made: {}", String::from_utf8_lossy(&seeded.stderr)));
        }
        sales -= some;
    }
    Ok(())
}

/// By hand, since the command is for shops in one process.
pub async fn open_sales(world: &World, title: &str, count: u32) -> Result<(), String> {
    let (ledger, turnstile) = (world.ledger().await?, world.turnstile().await?);
    let item = NewItem { title: title.to_owned(), description: String::new() };
    let item = ledger.create_item(&item).await.map_err(|fault| fault.to_string())?.id;
    let now = SystemClock::machine_now();
    let allotment = Allotment { capacity: 10, quantity_max: 1, standby_max: 10 };
    let sale = NewSale {
        item,
        price: Money { minor: 100_000, currency: "TWD".parse().map_err(|_| "TWD is a currency")? },
        allotment,
        standby_until: StandbyUntil::default(),
        hold_ms: 600_000,
        opens_at: now,
        closes_at: now.plus_ms(HOUR_MS),
        questions: Vec::new(),
        question_key: QuestionKey([7; 32]),
    };
    let one = async || {
        let made = ledger.create_sale(&sale).await?;
        match made {
            Some(made) => turnstile.open(made.id, made.generation, allotment).await,
            None => Ok(()),
        }
    };
    let made = stream::iter(0..count).map(|_| one()).buffer_unordered(SEED_AT_ONCE);
    made.try_collect::<()>().await.map_err(|fault| fault.to_string())
}

/// From the commit until the publisher answers by it; the longest of some.
async fn change(world: &World, publisher: &Part, open: u32) -> Result<Figure, String> {
    let ledger = world.ledger().await?;
    let newest = ledger.sales(1).await.map_err(|fault| fault.to_string())?;
    let sale: SaleId = newest.first().ok_or("there is no sale")?.id;
    let mut longest: f64 = 0.0;
    for turn in 0..CHANGES {
        // Not always at the same moment between two looks.
        tokio::time::sleep(Duration::from_millis(700 + 130 * turn as u64)).await;
        let (state, status) = if turn % 2 == 0 { (SaleState::Paused, 409) } else { (SaleState::Active, 400) };
        ledger.set_state(sale, state).await.map_err(|fault| fault.to_string())?;
        let begun = Instant::now();
        attempt_until(publisher.address, &world.keys, sale, OPERATOR.0, 0, status).await?;
        longest = longest.max(begun.elapsed().as_secs_f64() * 1_000.0);
    }
    Ok(Figure::new(format!("a change of one of {open} reaches a publisher"), longest, "ms")
        .note(format!("the longest of {CHANGES}; only the ledger was told of it")))
}
