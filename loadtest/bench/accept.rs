//! Accepted attempts of one publisher worker, beside an empty handler of one worker. Server on the first core, load on the
//! last; RabbitMQ takes its share of both. No consumer runs: deciding is another row.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};

use super::barrage::{self, Tally, Until};
use super::parts::{self, Cores, Part, command, keep_to_last_core};
use super::shots::Shots;
use super::table::Figure;
use super::world::{World, heard, keep_sold_out, sold_out};
use super::{Memories, Options};
use crate::rounds::median;

const WARM: Duration = Duration::from_millis(400);
const COUNTED: Duration = Duration::from_millis(1_600);
const CONNECTIONS: [usize; 3] = [64, 512, 2_048];
/// With fewer, connections that wait for a confirm leave the publisher idle: the confirm's way is measured, not the publisher.
const BUSY_CONNECTIONS: usize = 512;
/// Buyers come again after so many; to a publisher they are strangers each time.
const BUYERS: u64 = 200_000;
const REFERENCE: &str = "empty handler";
const TARGET: f64 = 0.5;

/// What one server did in one run.
#[derive(Clone, Copy)]
struct Run {
    per_s: f64,
    /// Of the server's own processor time: what others on this machine do hardly moves it.
    per_cpu_s: f64,
}

pub async fn figures(options: &Options, memories: &mut Memories) -> Result<Vec<Figure>, String> {
    let world = World::new().await?;
    let payments = world.part("payment-consumer").await?;
    let (gone, open) = (world.open_sale(1, 0).await?, world.open_sale(10_000, 2_000).await?);
    let publisher = Part::start("publisher", &world.env, &[("MIAOSHA__HTTP__WORKERS", "1")], Cores::First).await?;
    for sale in [gone, open] {
        heard(publisher.address, &world.keys, sale).await?;
    }
    let consumer = world.part("consumer").await?;
    sold_out(publisher.address, &world.keys, gone).await?;
    consumer.stop().await?;
    let pressed = tokio::spawn(keep_sold_out(publisher.address, &world.keys, gone));

    let empty = empty_handler().await?;
    keep_to_last_core().await;
    let at_empty = Arc::new(Shots::empty(&world.keys, BUYERS));
    let at_gone = Arc::new(Shots::attempts(&world.keys, gone.0, BUYERS));
    let at_open = Arc::new(Shots::attempts(&world.keys, open.0, BUYERS));
    let mut figures = Vec::new();
    for connections in CONNECTIONS {
        let (mut reference, mut at_once, mut accepted) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..options.runs {
            reference.push(measured(&empty, &at_empty, connections).await?.0);
            at_once.push(measured(&publisher, &at_gone, connections).await?.0);
            let (run, tally) = measured(&publisher, &at_open, connections).await?;
            if tally.accepted < tally.shed {
                return Err(format!("the publisher sent most attempts away: {tally:?}"));
            }
            accepted.push(run);
        }
        for (what, runs) in [("accepted (202)", &accepted), ("sold out at once", &at_once)] {
            let target = (connections >= BUSY_CONNECTIONS).then_some(TARGET);
            figures.extend(pair(&format!("{what}, {connections} connections"), runs, &reference, target));
        }
    }
    pressed.abort();
    memories.note(&publisher);
    memories.note(&payments);
    Ok(figures)
}

fn pair(name: &str, runs: &[Run], reference: &[Run], target: Option<f64>) -> [Figure; 2] {
    let middle = |runs: &[Run], of: fn(&Run) -> f64| median(runs.iter().map(of));
    let figure = |name: String, unit, of: fn(&Run) -> f64| {
        Figure::new(name, middle(runs, of), unit).beside(REFERENCE, middle(reference, of), target)
    };
    [
        figure(name.to_owned(), "/s", |run| run.per_s).note("moved by whatever else runs on these cores"),
        figure(format!("{name}, a second of processor"), "", |run| run.per_cpu_s).note("the server's own time"),
    ]
}

async fn measured(server: &Part, shots: &Arc<Shots>, connections: usize) -> Result<(Run, Tally), String> {
    let begun_at = Arc::new(Mutex::new(0.0));
    let (clock, mark) = (server.processor(), begun_at.clone());
    let on_counted = move || *mark.lock().expect("no thread panics while holding a number") = clock();
    let until = Until::Elapsed { warm: WARM, counted: COUNTED };
    let tally = barrage::run(server.address, shots.clone(), connections, until, on_counted, server.processor()).await?;
    let used = tally.gauge - *begun_at.lock().expect("no thread panics while holding a number");
    if tally.other > 0 {
        return Err(format!("{} answered what it should not: {tally:?}", server.name));
    }
    let answered = (tally.accepted + tally.at_once) as f64;
    Ok((Run { per_s: tally.per_s(), per_cpu_s: answered / used }, tally))
}

async fn empty_handler() -> Result<Part, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = command(own, Cores::First);
    command.args(["bench", "--serve-empty"]).stdout(std::process::Stdio::piped());
    let mut child = parts::spawn(command)?;
    let out = child.stdout.take().ok_or("the reference's output is piped")?;
    let mut line = String::new();
    BufReader::new(out).read_line(&mut line).await.map_err(|error| error.to_string())?;
    let address = line.trim().parse().map_err(|_| format!("the reference said {line} where its address was due"))?;
    Ok(Part::adopt("the empty handler", address, child))
}
