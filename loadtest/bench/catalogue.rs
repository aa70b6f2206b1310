//! What a page of the catalogue costs, by how many sales there are: the first page, one in the middle, and searches that find all, one
//! or none, beside the same of a shop with ten. Each look comes later than a gateway remembers the one before, so that the ledger is
//! asked each time.

use std::time::{Duration, Instant};

use super::idle::open_sales;
use super::parts::Part;
use super::table::Figure;
use super::world::World;
use super::{Memories, Options};
use crate::client::{Answer, Client};
use crate::rounds::median;

const FEW: u32 = 10;
const MANY: u32 = 10_000;
const RARE: &str = "Zebra";
/// Longer than a page is remembered (`catalogue_age_ms_max`).
const FORGOTTEN: Duration = Duration::from_millis(250);
const LOOKS: usize = 15;

const ASKED: [(&str, &str); 6] = [
    ("the first page", "?limit=10"),
    ("a page in the middle", "?limit=10&after="),
    ("by the opening", "?limit=10&order=opening"),
    ("a search that finds all", "?limit=10&search=bench"),
    ("a search that finds one", "?limit=10&search=zebra"),
    ("a search that finds none", "?limit=10&search=unicorn"),
];

pub async fn figures(_: &Options, memories: &mut Memories) -> Result<Vec<Figure>, String> {
    let world = World::new().await?;
    let gateway = world.part("gateway").await?;
    open_sales(&world, RARE, 1).await?;
    open_sales(&world, "Bench", FEW - 1).await?;
    let few = looks(&gateway, FEW).await?;
    open_sales(&world, "Bench", MANY - FEW).await?;
    let many = looks(&gateway, MANY).await?;
    memories.note(&gateway);
    gateway.stop().await?;
    let figure = |(&(what, _), (many, few)): (&(&str, &str), (f64, f64))| {
        Figure::new(format!("{what}, {MANY} sales"), many, "ms").beside("ten sales", few, None)
    };
    Ok(ASKED.iter().zip(many.into_iter().zip(few)).map(figure).collect())
}

/// Milliseconds, the median of some looks, of each that is asked.
async fn looks(gateway: &Part, sales: u32) -> Result<Vec<f64>, String> {
    let mut client = Client::new(&gateway.address.to_string());
    let mut medians = Vec::new();
    for (what, query) in ASKED {
        // Sales are numbered from 1.
        let middle = if query.ends_with("after=") { (sales / 2 + 1).to_string() } else { String::new() };
        let path = format!("/v1/sales{query}{middle}");
        let mut took = Vec::new();
        for _ in 0..LOOKS {
            tokio::time::sleep(FORGOTTEN).await;
            let begun = Instant::now();
            let answer: Answer = client.get(&path, "").await?;
            took.push(begun.elapsed().as_secs_f64() * 1_000.0);
            let found = answer.json().as_array().map(Vec::len);
            let right = match what {
                "a search that finds none" => found == Some(0),
                "a search that finds one" => found == Some(1),
                _ => found.is_some_and(|found| found > 1),
            };
            if answer.status != 200 || !right {
                return Err(format!("{path} was answered {} {}", answer.status, answer.json()));
            }
        }
        medians.push(median(took));
    }
    Ok(medians)
}
