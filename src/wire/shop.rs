//! The Embedded world: everything in one process, everything it remembers in one folder.
//!
//! The folder is locked while a shop runs on it; operators' commands then go to that shop, over its inner port.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::ServiceConfig;
use tokio::runtime::Handle;

use crate::adapters::folder::FolderArchive;
use crate::adapters::memory::places::MemoryPlaces;
use crate::adapters::memory::signals::MemorySignals;
use crate::adapters::memory::tries::MemoryTries;
use crate::adapters::memory::turnstile::MemoryTurnstile;
use crate::adapters::sql::sqlite::SqliteStore;
use crate::adapters::sqlite_queue::SqliteQueue;
use crate::adapters::system::SystemClock;
use crate::app::audit::tend::Tender;
use crate::app::mail::Settings as MailSettings;
use crate::app::receipts::Receipts;
use crate::faces::publisher;
use crate::kit::http::answers;
use crate::kit::http::server;
use crate::kit::process::config;
use crate::kit::process::{self, Failure, Process};
use crate::kit::telemetry::traced::{Systems, name_systems};
use crate::kit::telemetry::{LogFilter, Logs};
use crate::kit::work::settings::ConfigError;
use crate::ports::platform::fault::NoFaults;
use crate::ports::platform::tasks::AnyTasks;
use crate::wire::box_office::Named;
use crate::wire::cluster::{serve, serve_sockets};
use crate::wire::commands::{Commands, failed};
use crate::wire::config::{Config, EmbeddedConfig, StripeConfig};
use crate::wire::folder::{self, ShopFacts};
use crate::wire::gateway::{self, Gateway};
use crate::wire::world::{Backends, World};
use crate::wire::{box_office, demo, mail, provider, watch};
use crate::workers::consumer::{self, Consumer};
use crate::workers::mailer;
use crate::workers::payment_consumer::{self, Books};
use crate::workers::relay;
use crate::workers::tender;

/// Between two looks whether the button works yet, and how long the lines to try wait for it.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
const TELL_WAIT: Duration = Duration::from_secs(10);

pub struct ShopOptions {
    pub state: PathBuf,
    pub listen: SocketAddr,
    pub inner_listen: SocketAddr,
    /// Accounts and sales to try the shop with, where there are none yet.
    pub demo: bool,
    /// Whether there is a box office beside it.
    pub box_office: bool,
    /// What is logged.
    pub log: Option<LogFilter>,
}

/// `miaosha serve`, the whole of it.
pub fn main(options: ShopOptions) -> ExitCode {
    let mut config: Config = match config::load(None) {
        Ok(config) => config,
        Err(error) => return failed(&error),
    };
    let mut named = Named::default();
    if options.box_office {
        named = match box_office::named(&mut config, &box_office::surroundings()) {
            Ok(named) => named,
            Err(error) => return failed(&error),
        };
    }
    config.embedded.state = options.state;
    config.http.listen = options.listen;
    config.process.inner_listen = options.inner_listen;
    let commands = match Commands::new() {
        Ok(commands) => commands,
        Err(error) => return failed(&error),
    };
    let routes = {
        let commands = commands.clone();
        move |cfg: &mut ServiceConfig| commands.routes(cfg)
    };
    let logs = Logs { filter: options.log.or(named.log), file: named.log_file };
    process::run("miaosha", logs, config, routes, move |process| {
        if named.is_told_of_redis {
            tracing::info!("REDIS_URL says nothing to a shop in one process: its turnstile is in its memory");
        }
        shop(process, commands, options.demo)
    })
}

async fn shop(process: Process<Config>, commands: Commands, with_demo: bool) -> Result<(), Failure> {
    let Process { mut config, lifecycle, readiness, inner_address, connections_max, .. } = process;
    config.payments.check().map_err(ConfigError::new)?;
    config.tender.check().map_err(ConfigError::new)?;
    if with_demo && !config.http.listen.ip().is_loopback() {
        let why = "a demo has an account that everybody knows, and listens for this machine alone: say --no-demo, or listen on a loopback address";
        return Err(ConfigError::new(why).into());
    }
    let state = config.embedded.state.clone();
    let _lock = folder::lock(&state)?;
    let keys = Arc::new(folder::token_keys(&state)?);
    name_systems(Systems { turnstile: "memory", ledger: "sqlite", queue: "sqlite", signals: "memory" });
    let world = open(&config.embedded, &config.stripe, config.payments.sandbox_books, lifecycle.tasks()).await?;
    provider::tell(world.payments.provider(), &readiness);
    commands.serve(world.needs());
    // Before the publisher asks for everything: what comes later is told half a second later.
    let demo = if with_demo { demo::prepare(&world, &state).await? } else { None };

    if demo.is_some() {
        config.gateway.admission = config.gateway.admission.without_conditions();
        config.gateway.second_factor = false;
        config.box_office = config.box_office.without_conditions();
    }

    watch::parts(&world, watch::ALL, &readiness, &lifecycle, None);
    let admissions = Arc::new(keys.for_publisher());
    let publisher = publisher::Publisher::new(world.needs(), admissions, config.publisher.clone());
    let receipt_keys = Arc::new(folder::receipt_keys(&state)?);
    let offset = config.mail.utc_offset_minutes;
    let receipts = Receipts::new(world.needs(), receipt_keys, config.receipts.clone(), offset);
    let gateway = Gateway::new(world.needs(), keys, receipts.clone(), config.faces(), &lifecycle);
    let (hearing, stops) = (publisher.clone(), lifecycle.clone());
    lifecycle.supervise("publisher.news", async move { hearing.run(&stops).await });
    let running = gateway.clone();
    lifecycle.supervise("gateway", async move { running.run().await });
    lifecycle.accompany("receipts.press", receipts.clone().closed());
    lifecycle.supervise("receipts", receipts.clone().run(lifecycle.clone()));
    let consumer = Consumer::new(world.needs(), config.consumer.clone());
    consumer::start(Arc::new(consumer), &lifecycle);
    payment_consumer::start(world.needs(), config.payments.clone(), &lifecycle);
    lifecycle.supervise("relay", relay::run(world.needs(), config.relay.clone(), lifecycle.clone()));

    let connections = config.http.connections(connections_max);
    serve_sockets(gateway.live(), connections.clone(), &lifecycle)?;
    box_office::serve(&world, &gateway, &receipts, &config, connections.clone(), &lifecycle)?;
    let pressed = publisher.clone();
    let (address, server) = server::bind(&config.http, config.process.drain_ms_max, connections, move || {
        let (publisher, gateway) = (publisher.clone(), gateway.clone());
        answers::app().configure(|cfg| publisher::routes(cfg, publisher)).configure(|cfg| gateway::routes(cfg, gateway))
    })?;
    let letters = letters(&config, address);
    let (office, mails) = (mail::office(&letters).await?, mail::kept(&letters));
    let tender = Tender::new(world.needs(), config.tender.clone(), mails);
    lifecycle.supervise("tender", tender::run(tender, lifecycle.clone()));
    // The folder is ours alone: a process that delivered from it before has ended.
    world.letters.void_claims(world.clock.now()).await?;
    let attached = Some(receipts.for_mail());
    lifecycle.supervise("mail", mailer::run(world.needs(), letters, office, attached, lifecycle.clone()));
    let facts = ShopFacts {
        url: format!("http://{address}"),
        inner_url: format!("http://{inner_address}"),
        secret: commands.secret().to_owned(),
    };
    facts.write(&state)?;
    readiness.started();
    if let Some(demo) = demo {
        let told = lifecycle.soft.clone().run_until_cancelled_owned(tell(pressed, demo, facts));
        lifecycle.finish_on(&Handle::current(), "demo", told);
    }
    serve(server, address, config.http.unready_ms, &lifecycle).await?;
    ShopFacts::remove(&state);
    Ok(())
}

/// Says what to try, once trying it at once is not answered with "come again"; at the latest after a while.
async fn tell(publisher: publisher::Publisher, demo: demo::Demo, facts: ShopFacts) {
    let opens = async {
        while !(publisher.problems().is_empty() && publisher.knows(demo.open)) {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    let _ = tokio::time::timeout(TELL_WAIT, opens).await;
    println!("{}", demo.says(&facts.url, &facts.inner_url));
}

/// A shop without a mail server writes its mails into its folder, and knows by itself where it is.
fn letters(config: &Config, address: SocketAddr) -> MailSettings {
    let mut letters = config.mail.clone();
    if letters.folder.as_os_str().is_empty() {
        letters.folder = config.embedded.state.join("mail");
    }
    if letters.shop_url.is_empty() {
        letters.shop_url = format!("http://{address}");
    }
    letters
}

/// Opens the folder's world. The turnstiles are in memory: the sweeper restores each from the ledger.
pub async fn open(
    config: &EmbeddedConfig,
    stripe: &StripeConfig,
    books: Books,
    tasks: AnyTasks,
) -> Result<World, Failure> {
    let store = Arc::new(SqliteStore::open(&config.state.join("ledger.sqlite"), tasks.clone()).await?);
    store.migrate().await?;
    let file = config.state.join("queue.sqlite");
    let queue = SqliteQueue::open(&file, config.partitions, config.queue_messages_max, tasks.clone()).await?;
    let archive = match config.archive.as_os_str().is_empty() {
        true => FolderArchive::new(&config.state.join("archive")),
        false => FolderArchive::new(&config.archive),
    };
    archive.clear_drafts().await?;
    Ok(World::new(Backends {
        turnstile: Arc::new(MemoryTurnstile::new()),
        places: Arc::new(MemoryPlaces::new()),
        tries: Arc::new(MemoryTries::new()),
        payments: provider::choose(stripe, provider::sandbox(books, store.sandbox(&*tasks)), store.clone())?,
        store,
        queue: Arc::new(queue),
        signals: Arc::new(MemorySignals::new()),
        archive: Arc::new(archive),
        clock: Arc::new(SystemClock::local()),
        faults: Arc::new(NoFaults),
    }))
}
