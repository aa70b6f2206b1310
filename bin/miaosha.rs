//! The shop in one process, with nothing to install; and the operator's commands, for either world.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use miaosha::app::operator::Command;
use miaosha::domain::people::Role;
use miaosha::domain::shared::id::SaleId;
use miaosha::kit::telemetry::{self, LogFilter, Logs};
use miaosha::wire::shop::{self, ShopOptions};
use miaosha::wire::{commands, operators, plans, receipts};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROLES: &str = "owner (everything), desk (sells and gives back), door (lets in), viewer (sees figures)";

#[derive(Parser)]
#[command(name = "miaosha", version, about = "Sells scarce things to a million people at once")]
struct Arguments {
    /// What is logged: a level such as `debug`, or a filter as RUST_LOG has it, which it goes over.
    #[arg(long, global = true, value_name = "LEVEL")]
    log: Option<LogFilter>,
    /// With nothing else said: as `serve --box-office`.
    #[arg(long)]
    box_office: bool,
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Clone, Copy, ValueEnum, PartialEq, Eq)]
enum WorldName {
    /// A shop's folder on this machine.
    Embedded,
    /// The servers that the environment names.
    Cluster,
}

/// Which world a command speaks to.
#[derive(Args)]
struct Where {
    #[arg(long, value_enum, default_value = "embedded")]
    world: WorldName,
    /// The embedded shop's folder; it may be running.
    #[arg(long, default_value = ".miaosha")]
    state: PathBuf,
}

#[derive(Subcommand)]
enum What {
    /// Runs the shop. What `miaosha` does when nothing is said.
    Serve {
        #[arg(long, default_value = ".miaosha")]
        state: PathBuf,
        #[arg(long, default_value = "127.0.0.1:8080")]
        listen: SocketAddr,
        /// Probes, metrics and operators' commands.
        #[arg(long, default_value = "127.0.0.1:0")]
        inner_listen: SocketAddr,
        /// Makes no accounts and no sales.
        #[arg(long)]
        no_demo: bool,
        /// Sells without accounts as well, in one call, on port 3049: docs/box-office.md.
        #[arg(long)]
        box_office: bool,
    },
    /// Checks the invariants over ledger, turnstile and payments: PASS with figures, or the first divergence.
    Audit {
        #[command(flatten)]
        place: Where,
        /// Only these sales.
        #[arg(long = "sale")]
        sales: Vec<u64>,
        /// The last line is one JSON object.
        #[arg(long)]
        json: bool,
        /// Adds everything that was ever decided to the JSON object.
        #[arg(long)]
        turns: bool,
    },
    /// Checks that no entry of the journal was changed, left out or put in: PASS with the last digest, or the first break.
    Journal {
        #[command(flatten)]
        place: Where,
        /// The last line is one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Rebuilds a sale's turnstile from the ledger.
    Restore {
        #[command(flatten)]
        place: Where,
        #[arg(long)]
        sale: u64,
    },
    /// Whether a sale may be decided from a consumer's memory while Redis is away, where consumer.fallback.mode is by_hand.
    Fallback {
        #[command(flatten)]
        place: Where,
        #[arg(value_enum)]
        word: OnOff,
        sale: u64,
    },
    /// Brings the ledger's schema up to date, once, under a lock; the services only check it.
    Migrate {
        #[command(flatten)]
        place: Where,
    },
    /// Removes what is over and was kept for long enough, once through everything; sales are certified first.
    Tend {
        #[command(flatten)]
        place: Where,
        /// Says what would go, and removes nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Prints the public keys of access tokens, which socket gateways are given in place of MIAOSHA__TOKEN_KEYS. Reads that, and
    /// speaks to nothing.
    PublicKeys,
    /// Makes sales that are open now.
    Seed {
        #[command(flatten)]
        place: Where,
        #[arg(default_value_t = 5)]
        sales: u32,
        #[arg(default_value_t = 10_000)]
        capacity: u32,
        /// They cost nothing, so that the box office needs no card.
        #[arg(long)]
        free: bool,
    },
    /// Accounts that may do more than buy.
    Operator {
        #[command(subcommand)]
        what: OperatorWhat,
    },
    /// Seating plans of halls: docs/plans.md.
    Plan {
        #[command(subcommand)]
        what: PlanWhat,
    },
    /// Says whether a receipt's token is genuine: exit code 0, or 1 when it is not. Needs no network and no secret.
    Verify {
        token: String,
        /// A file of public keys, as `/v1/keys` answers, or a gate's pack. Else the environment's, else the shop's own.
        #[arg(long)]
        keys: Option<PathBuf>,
        #[arg(long, default_value = ".miaosha")]
        state: PathBuf,
    },
    /// The door, without the shop.
    Gate {
        #[command(subcommand)]
        what: GateWhat,
    },
    /// Messages that could not be decoded.
    Parked {
        #[command(subcommand)]
        what: ParkedWhat,
    },
}

#[derive(Clone, Copy, ValueEnum, PartialEq, Eq)]
enum OnOff {
    On,
    Off,
}

#[derive(Subcommand)]
enum OperatorWhat {
    /// Every operator: number, address, role.
    List {
        #[command(flatten)]
        place: Where,
    },
    /// A new operator; the password is read from standard input.
    Add {
        #[command(flatten)]
        place: Where,
        #[arg(long)]
        name: String,
        #[arg(long)]
        email: String,
        #[arg(long, default_value_t = Role::Owner, value_name = "ROLE", help = ROLES)]
        role: Role,
    },
    /// Another role for an account; whoever is logged in with it logs in anew.
    Role {
        #[command(flatten)]
        place: Where,
        #[arg(long)]
        email: String,
        #[arg(long, value_name = "ROLE", help = ROLES)]
        role: Role,
    },
    /// Makes a shopper of an operator.
    Remove {
        #[command(flatten)]
        place: Where,
        #[arg(long)]
        email: String,
    },
    /// Makes up another password and says it once; whoever is logged in with the account is logged out.
    Reset {
        #[command(flatten)]
        place: Where,
        #[arg(long)]
        email: String,
    },
}

#[derive(Subcommand)]
enum PlanWhat {
    /// Says what is wrong with a plan, each fault with its place: exit code 0, or 1 when it has errors.
    Check {
        /// Our own JSON, pretix's, or a table `area,row,seat,x,y`.
        file: PathBuf,
        /// The plan's name; a table has none, and gets its file's.
        #[arg(long)]
        name: Option<String>,
    },
    /// A summary, and a small picture in letters.
    Show {
        #[command(flatten)]
        place: Where,
        /// A file, or the hash of a kept plan.
        plan: String,
        #[arg(long)]
        name: Option<String>,
    },
    /// Makes a hall to try things on; the same seats and seed are the same hall.
    Make {
        /// From 500 to 60000.
        #[arg(long)]
        seats: usize,
        #[arg(long, default_value_t = 1)]
        seed: u64,
        #[arg(short, long)]
        output: PathBuf,
    },
    /// Keeps a plan and says its hash; the same plan again changes nothing.
    Import {
        #[command(flatten)]
        place: Where,
        file: PathBuf,
        #[arg(long)]
        name: Option<String>,
    },
}

#[derive(Subcommand)]
enum GateWhat {
    /// Reads tokens from standard input, a line each, and says whether to let their holder in.
    Serve {
        /// What `/v1/admin/sales/{id}/gate-pack` answered.
        #[arg(long)]
        pack: PathBuf,
        /// Where this gate writes down whom it let in; each gate has its own.
        #[arg(long)]
        file: PathBuf,
        #[arg(long, default_value = "")]
        name: String,
    },
    /// Hands over what a gate wrote down; an operator's token is in MIAOSHA_ACCESS_TOKEN. Exit code 1: some of it is contradicted.
    Merge {
        #[arg(long)]
        file: PathBuf,
        /// `https://host`, or `http://host:port` in a private network.
        #[arg(long)]
        url: String,
        /// Certificates of issuers in PEM, believed beside the public ones.
        #[arg(long)]
        issuers: Option<PathBuf>,
    },
}

#[derive(Subcommand)]
enum ParkedWhat {
    List {
        #[command(flatten)]
        place: Where,
    },
    /// Sends them back to where they were found.
    Replay {
        #[command(flatten)]
        place: Where,
    },
}

fn main() -> ExitCode {
    let Arguments { what, box_office, log } = Arguments::parse();
    let none = What::Serve {
        state: ".miaosha".into(),
        listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
        inner_listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        no_demo: false,
        box_office,
    };
    let what = what.unwrap_or(none);
    // A command that was not asked to says what came of it, and nothing else.
    if log.is_some() && !matches!(what, What::Serve { .. }) {
        telemetry::init_logs(Logs { filter: log.clone(), file: None });
    }
    match what {
        What::Serve { state, listen, inner_listen, no_demo, box_office } => {
            shop::main(ShopOptions { state, listen, inner_listen, demo: !no_demo, box_office, log })
        }
        What::Migrate { place } => commands::migrate(place.embedded()),
        What::PublicKeys => commands::public_keys(),
        What::Audit { place, sales, json, turns } => {
            let sales = sales.into_iter().map(SaleId).collect();
            commands::run(place.embedded(), Command::Audit { sales, turns }, json)
        }
        What::Journal { place, json } => commands::run(place.embedded(), Command::CheckJournal, json),
        What::Restore { place, sale } => commands::run(place.embedded(), Command::Restore { sale: SaleId(sale) }, true),
        What::Fallback { place, word, sale } => {
            let command = Command::Fallback { sale: SaleId(sale), on: word == OnOff::On };
            commands::run(place.embedded(), command, true)
        }
        What::Tend { place, dry_run } => commands::tend(place.embedded(), dry_run),
        What::Seed { place, sales, capacity, free } => {
            commands::run(place.embedded(), Command::Seed { sales, capacity, free }, true)
        }
        What::Operator { what } => operator(what),
        What::Plan { what } => plan(what),
        What::Verify { token, keys, state } => receipts::verify(&token, keys, &state),
        What::Gate { what: GateWhat::Serve { pack, file, name } } => receipts::gate(&pack, &file, &name),
        What::Gate { what: GateWhat::Merge { file, url, issuers } } => receipts::merge(&file, &url, issuers.as_deref()),
        What::Parked { what: ParkedWhat::List { place } } => commands::run(place.embedded(), Command::Parked, true),
        What::Parked { what: ParkedWhat::Replay { place } } => commands::run(place.embedded(), Command::Replay, true),
    }
}

fn operator(what: OperatorWhat) -> ExitCode {
    match what {
        OperatorWhat::List { place } => commands::run(place.embedded(), Command::Operators, true),
        OperatorWhat::Add { place, name, email, role } => operators::add(place.embedded(), name, email, role),
        OperatorWhat::Role { place, email, role } => {
            commands::run(place.embedded(), Command::SetRole { email, role }, true)
        }
        OperatorWhat::Remove { place, email } => {
            commands::run(place.embedded(), Command::SetRole { email, role: Role::Shopper }, true)
        }
        OperatorWhat::Reset { place, email } => operators::reset(place.embedded(), email),
    }
}

fn plan(what: PlanWhat) -> ExitCode {
    match what {
        PlanWhat::Check { file, name } => plans::check(&file, name),
        PlanWhat::Show { place, plan, name } => plans::show(place.embedded(), &plan, name),
        PlanWhat::Make { seats, seed, output } => plans::make(seats, seed, &output),
        PlanWhat::Import { place, file, name } => plans::import(place.embedded(), &file, name),
    }
}

impl Where {
    /// The shop's folder; nothing when the cluster is meant.
    fn embedded(self) -> Option<PathBuf> {
        (self.world == WorldName::Embedded).then_some(self.state)
    }
}
