//! Every figure of speed in one table, each beside its reference, measured in the same run: what a machine can do differs, and
//! what others do on it meanwhile differs more; the ratio stays.
//!
//! A figure is the median of some short runs; figure and reference take turns. The servers are those that the environment
//! names (`make bench` starts them), the binaries are those that were built with this one.

mod accept;
mod bare;
mod barrage;
mod catalogue;
mod commits;
mod decide;
mod empty;
mod idle;
mod million;
mod orders;
mod parts;
mod press;
mod shots;
mod table;
mod till;
mod world;

use clap::{Args, ValueEnum};

use parts::{Memory, Part};
use table::Figure;

#[derive(Clone, Copy, ValueEnum, PartialEq, Eq)]
enum Row {
    Accept,
    Catalogue,
    Decide,
    Idle,
    Million,
    Orders,
    Press,
}

#[derive(Args)]
pub struct Options {
    /// Only these rows.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Row>,
    /// Runs of which a figure is the median; a million buyers come once.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Of the million.
    #[arg(long, default_value_t = 1_000_000)]
    buyers: u64,
    /// Orders by so many connections.
    #[arg(long, value_delimiter = ',', default_values_t = orders::CONNECTIONS)]
    connections: Vec<usize>,
    /// The last line is one JSON object.
    #[arg(long)]
    json: bool,
    /// Is the empty handler.
    #[arg(long, hide = true)]
    serve_empty: bool,
}

pub async fn run(options: Options) -> Result<bool, String> {
    let mut figures = Vec::new();
    let mut memories = Memories::default();
    for row in Row::value_variants() {
        if options.only.is_empty() || options.only.contains(row) {
            let begun = std::time::Instant::now();
            let more = match row {
                Row::Accept => accept::figures(&options, &mut memories).await?,
                Row::Catalogue => catalogue::figures(&options, &mut memories).await?,
                Row::Decide => decide::figures(&options, &mut memories).await?,
                Row::Idle => idle::figures(&options, &mut memories).await?,
                Row::Million => million::figures(&options, &mut memories).await?,
                Row::Orders => orders::figures(&options, &mut memories).await?,
                Row::Press => press::figures(&options, &mut memories).await?,
            };
            let name = row.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
            eprintln!("bench: {name} took {:.0} s", begun.elapsed().as_secs_f64());
            figures.extend(more);
        }
    }
    figures.extend(memories.figures());
    table::print(&figures);
    if options.json {
        println!("{}", table::json(&figures));
    }
    Ok(true)
}

impl Options {
    /// The reference is a process of its own.
    pub fn serves_empty(&self) -> bool {
        self.serve_empty
    }
}

pub use empty::serve as serve_empty;

/// What each binary needed under load, at most.
#[derive(Default)]
struct Memories(Vec<(&'static str, Memory)>);

impl Memories {
    fn note(&mut self, part: &Part) {
        let memory = part.memory();
        match self.0.iter_mut().find(|(name, _)| *name == part.name) {
            Some((_, most)) if most.peak_kb >= memory.peak_kb => {}
            Some((_, most)) => *most = memory,
            None => self.0.push((part.name, memory)),
        }
    }

    fn figures(&self) -> Vec<Figure> {
        let mb = |kb: u64| kb as f64 / 1024.0;
        let figure = |(name, memory): &(&str, Memory)| {
            Figure::new(format!("memory of {name}"), mb(memory.now_kb), "MiB")
                .note(format!("{:.1} MiB at its peak", mb(memory.peak_kb)))
        };
        self.0.iter().map(figure).collect()
    }
}
