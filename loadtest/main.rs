//! Load with a memory: distinct buyers, a constant rate of arrivals, latency from the intended start, and after every run
//! the question whether anything was oversold, lost, doubled, served out of turn or left idle.
//!
//! Exits 0 only if every invariant held.

mod balance;
mod bench;
mod box_office;
mod client;
mod follow;
mod hoard;
mod keys;
mod offer;
mod plan;
mod press;
mod receipts;
mod roll;
mod rounds;
mod rush;
mod sockets;
mod target;
mod times;
mod verdict;

use clap::{Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(name = "loadtest", about = "Load for a shop of one's own, on loopback addresses only")]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    #[command(args_override_self = true)]
    /// Everybody presses the button: attempts, holds, payments, lapses, and an audit in the end.
    Rush(plan::Options),
    /// Accounts that never pay press again and again, beside honest buyers: two shops side by side, one with the conditions of an
    /// admission and one without. Says who gets the units, and what a hold costs the attacker; fails if honest buyers get less with
    /// them. Accounts are signed by the shop's keys, and networks said in X-Forwarded-For.
    Hoard(hoard::Options),
    /// Tickets bought at a box office by some thousand connections at once, and counted: as many as were asked for or are there, none twice.
    BoxOffice(box_office::Options),
    /// Every figure of speed in one table, each beside its reference. `make bench` starts the servers it needs.
    Bench(bench::Options),
    /// Many buyers connected at once: what each costs, and how soon all are told.
    Sockets(sockets::Options),
    /// Many receipts printed, and every code read back from the drawn page and verified.
    Receipts(receipts::Options),
}

fn main() -> std::process::ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("the runtime starts");
    let outcome = match arguments.what {
        What::Rush(options) if options.sockets > 0 => runtime.block_on(sockets::beside::run(options)),
        What::Rush(options) => runtime.block_on(rush::run(options)),
        What::Hoard(options) => runtime.block_on(hoard::run(options)),
        What::Sockets(options) => runtime.block_on(async {
            match &options.errand {
                Some(errand) => sockets::be_clients(errand).await,
                None => sockets::run(options).await,
            }
        }),
        What::BoxOffice(options) => runtime.block_on(box_office::run(options)),
        What::Receipts(options) => receipts::run(&options).map_err(|error| error.to_string()),
        What::Bench(options) if options.serves_empty() => bench::serve_empty(),
        What::Bench(options) => runtime.block_on(bench::run(options)),
    };
    match outcome {
        Ok(true) => std::process::ExitCode::SUCCESS,
        Ok(false) => std::process::ExitCode::FAILURE,
        Err(error) => {
            eprintln!("loadtest: {error}");
            std::process::ExitCode::from(2)
        }
    }
}
