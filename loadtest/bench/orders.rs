//! Orders over HTTP, of holds that are there: paid to the sandbox with its books in memory, where they stand for another's machine, and
//! with its books in the shop's own ledger; and free ones. Each beside bare commits of two inserts on as many connections, in turns.

use std::time::Duration;

use super::parts::leave_to_all_cores;
use super::table::Figure;
use super::till::{Price, Run, Till, Where};
use super::{Memories, Options};
use crate::rounds::median;

pub const CONNECTIONS: [usize; 3] = [16, 64, 256];
/// How many connections the target is of.
const BUSY_CONNECTIONS: usize = 64;
const SALES: [u64; 2] = [1, 5];
const COUNTED: Duration = Duration::from_millis(1_500);
const REFERENCE: &str = "bare commits of two inserts";
const TARGET: f64 = 0.5;
/// Where an outside provider takes the money, and what asks it for nothing: an order is then the ledger's work alone.
const SHOPS: [&[Price]; 2] = [&[Price::InMemory, Price::Free], &[Price::InLedger]];

pub async fn figures(options: &Options, memories: &mut Memories) -> Result<Vec<Figure>, String> {
    leave_to_all_cores().await;
    let mut figures = Vec::new();
    for place in [Where::Fleet, Where::Embedded] {
        for prices in SHOPS {
            let till = Till::open(place, prices[0]).await?;
            figures.extend(of_till(&till, place, prices, options).await?);
            till.parts().for_each(|part| memories.note(part));
            till.close().await?;
        }
    }
    Ok(figures)
}

async fn of_till(till: &Till, place: Where, prices: &[Price], options: &Options) -> Result<Vec<Figure>, String> {
    let mut lines = Vec::new();
    for &price in prices {
        for sales in SALES {
            lines.push((price, sales, till.line(price, sales).await?));
        }
    }
    let mut figures = Vec::new();
    for &connections in &options.connections {
        let mut bare = Vec::new();
        let mut orders = vec![Vec::new(); lines.len()];
        for _ in 0..options.runs {
            bare.push(till.commits(connections, COUNTED).await?);
            for ((_, _, line), orders) in lines.iter().zip(&mut orders) {
                orders.push(till.run(line, connections, COUNTED).await?);
            }
        }
        let bare = median(bare);
        for ((price, sales, _), runs) in lines.iter().zip(&orders) {
            let target = (connections == BUSY_CONNECTIONS).then_some(TARGET);
            let name = format!("{}, {connections} connections", named(place, *price, *sales));
            let figure = Figure::new(name, middle(runs, |run| run.per_s), "orders/s");
            figures.push(figure.beside(REFERENCE, bare, target).note(noted(place, runs)));
        }
    }
    Ok(figures)
}

fn named(place: Where, price: Price, sales: u64) -> String {
    let place = match place {
        Where::Fleet => "fleet",
        Where::Embedded => "embedded",
    };
    let orders = match price {
        Price::InMemory => "paid orders, books in memory",
        Price::InLedger => "paid orders, books in the ledger",
        Price::Free => "free orders",
    };
    let sales = if sales == 1 { "one sale".to_owned() } else { format!("{sales} sales") };
    format!("{orders}, {place}, {sales}")
}

/// What an order costs of the gateway's time, or of the whole shop's where it is one process.
fn noted(place: Where, runs: &[Run]) -> String {
    let process = if place == Where::Fleet { "gateway" } else { "shop" };
    let (p99, processor) = (middle(runs, |run| run.p99_ms), middle(runs, |run| run.processor_ms));
    let mut note = format!("p99 {p99:.1} ms; {processor:.2} ms of the {process}'s processor time an order");
    let (group, commit_ms) = (middle(runs, |run| run.group), middle(runs, |run| run.commit_ms));
    note.push_str(&format!("; {group:.0} checkouts a commit of {commit_ms:.1} ms"));
    let sent_away = middle(runs, |run| run.sent_away);
    if sent_away > 0.0 {
        note.push_str(&format!("; {sent_away} times told to come again"));
    }
    note
}

fn middle(runs: &[Run], of: fn(&Run) -> f64) -> f64 {
    median(runs.iter().map(of))
}
