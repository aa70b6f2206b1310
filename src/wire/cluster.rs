//! The Cluster world: Redis Cluster, RabbitMQ and MySQL, and the four binaries on it.

use secrecy::ExposeSecret;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use tokio_util::sync::CancellationToken;

use crate::adapters::system::SystemClock;
use crate::app::audit::tend::Tender;
use crate::app::receipts::Receipts;
use crate::app::receipts::keys::ReceiptKeys;
use crate::faces::live::Live;
use crate::faces::publisher;
use crate::faces::tokens::TokenKeys;
use crate::faces::tokens::access::AccessKeys;
use crate::faces::tokens::admission::AdmissionKeys;
use crate::kit::http::answers;
use crate::kit::http::connections::Connections;
use crate::kit::http::server;
use crate::kit::process::{Failure, Process};
use crate::kit::telemetry::traced::{Systems, name_systems};
use crate::kit::work::lifecycle::Lifecycle;
use crate::kit::work::settings::ConfigError;
use crate::ports::Fault;
use crate::ports::platform::clock::LedgerTime;
use crate::ports::platform::fault::NoFaults;
use crate::ports::platform::tasks::AnyTasks;
use crate::wire::config::Config;
use crate::wire::gateway::{self, Gateway};
use crate::wire::servers::Servers;
use crate::wire::sockets::Sockets;
use crate::wire::world::{Backends, World};
use crate::wire::{archive, box_office, fallback, mail, provider, watch};
use crate::workers::consumer::{self, Consumer};
use crate::workers::mailer;
use crate::workers::payment_consumer;
use crate::workers::relay;
use crate::workers::tender;

const CONNECT_AGAIN: Duration = Duration::from_secs(1);

const SYSTEMS: Systems = Systems { turnstile: "redis", ledger: "mysql", queue: "rabbitmq", signals: "rabbitmq" };

/// Connects to every part, waiting for those that are not there yet. A schema that does not fit is not waited for.
pub async fn connect(
    config: &Config,
    stop: &CancellationToken,
    tasks: AnyTasks,
) -> Result<(World, Arc<SystemClock>), Failure> {
    connect_to(config, stop, tasks, Redis::WaitedFor).await
}

/// What a process does whose Redis is away when it begins.
enum Redis {
    WaitedFor,
    /// It begins without it, and connects when Redis is there.
    Later,
}

async fn connect_to(
    config: &Config,
    stop: &CancellationToken,
    tasks: AnyTasks,
    redis: Redis,
) -> Result<(World, Arc<SystemClock>), Failure> {
    let servers = Servers::of(config)?;
    let store = waited_for(stop, || servers.mysql(config.mysql.pool_max)).await?;
    store.verify_schema().await?;
    let store = Arc::new(servers.with_replica(store)?);
    let turnstile = Arc::new(match redis {
        Redis::WaitedFor => waited_for(stop, || servers.redis()).await?,
        Redis::Later => servers.redis_later().await?,
    });
    name_systems(SYSTEMS);
    let broker = Arc::new(waited_for(stop, || servers.rabbit(tasks.clone())).await?);
    let clock = Arc::new(SystemClock::unmeasured());
    clock.measured(store.time().await?.since_ms(SystemClock::machine_now()));
    let world = World::new(Backends {
        places: turnstile.clone(),
        tries: turnstile.clone(),
        turnstile,
        payments: provider::choose(
            &config.stripe,
            provider::sandbox(config.payments.sandbox_books, store.sandbox(&*tasks)),
            store.clone(),
        )?,
        store,
        queue: broker.clone(),
        signals: broker,
        archive: archive::open(&config.archive).await?,
        clock: clock.clone(),
        faults: Arc::new(NoFaults),
    });
    Ok((world, clock))
}

async fn waited_for<T, F>(stop: &CancellationToken, connect: impl Fn() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Fault>>,
{
    loop {
        let fault = match connect().await {
            Ok(part) => return Ok(part),
            Err(fault) => fault,
        };
        tracing::warn!(part = fault.part, error = %fault.what, "a part is not there yet");
        tokio::select! {
            () = tokio::time::sleep(CONNECT_AGAIN) => {}
            () = stop.cancelled() => return Err(format!("stopped before every part was there; {fault}").into()),
        }
    }
}

fn receipt_keys(config: &Config) -> Result<Arc<ReceiptKeys>, Failure> {
    Ok(Arc::new(ReceiptKeys::parse(config.receipt_keys.expose_secret())?))
}

/// Needs the broker only: no database and no Redis is configured where attempts come in, and no key but those of admissions.
pub(super) async fn publisher(process: Process<Config>) -> Result<(), Failure> {
    let Process { config, lifecycle, readiness, connections_max, .. } = process;
    let keys = Arc::new(AdmissionKeys::parse(config.token_keys.expose_secret())?);
    let servers = Servers::of(&config)?;
    name_systems(SYSTEMS);
    let broker = Arc::new(waited_for(&lifecycle.soft, || servers.rabbit(lifecycle.tasks())).await?);
    let clock = Arc::new(SystemClock::unmeasured());
    let needs = publisher::Needs { attempts: broker.clone(), news: broker, clock: clock.clone() };
    let publisher = publisher::Publisher::new(needs, keys, config.publisher.clone());
    readiness.watch({
        let publisher = publisher.clone();
        move || publisher.problems()
    });
    let hearing = publisher.clone();
    let connections = config.http.connections(connections_max);
    let (address, server) = server::bind(&config.http, config.process.drain_ms_max, connections, move || {
        let publisher = publisher.clone();
        answers::app().configure(|cfg| publisher::routes(cfg, publisher))
    })?;
    // While the listener is open attempts come in, also after the soft stop, and a pause has to be received.
    let closed = CancellationToken::new();
    let closes = closed.clone().drop_guard();
    let (by_news, soft) = (watch::ByNews::new(clock), lifecycle.soft.clone());
    lifecycle.supervise("publisher.news", async move {
        hearing.run_and_tell(&closed, move |sent_at| by_news.heard(sent_at)).await;
        // A door that fell shut is a failure of its own.
        soft.cancelled().await;
    });
    readiness.started();
    let served = serve(server, address, config.http.unready_ms, &lifecycle).await;
    drop(closes);
    served
}

pub(super) async fn consumer(process: Process<Config>) -> Result<(), Failure> {
    let Process { config, lifecycle, readiness, .. } = process;
    config.consumer.fallback.check().map_err(ConfigError::new)?;
    // One that can decide without it begins without it.
    let redis = if config.consumer.fallback.is_on() { Redis::Later } else { Redis::WaitedFor };
    let (mut world, clock) = connect_to(&config, &lifecycle.soft, lifecycle.tasks(), redis).await?;
    fallback::check_partitions(&*world.fallbacks, config.rabbit.partitions).await?;
    let fallback = fallback::prepare(&config, &mut world, &readiness);
    let needed = if fallback.is_some() { watch::BESIDE_A_MEMORY } else { watch::ALL };
    watch::parts(&world, needed, &readiness, &lifecycle, Some(clock));
    readiness.started();
    let consumer = Consumer::new(world.needs(), config.consumer);
    let consumer = match fallback {
        None => consumer,
        Some(fallback) => {
            payment_consumer::start_beside_a_memory(world.needs(), config.payments, &lifecycle);
            consumer.with_fallback(fallback)
        }
    };
    consumer::start(Arc::new(consumer), &lifecycle);
    lifecycle.soft.cancelled().await;
    Ok(())
}

pub(super) async fn payment_consumer(process: Process<Config>) -> Result<(), Failure> {
    let Process { config, lifecycle, readiness, .. } = process;
    config.payments.check().map_err(ConfigError::new)?;
    config.tender.check().map_err(ConfigError::new)?;
    provider::said(&config, &readiness)?;
    let receipt_keys = receipt_keys(&config)?;
    let (world, clock) = connect(&config, &lifecycle.soft, lifecycle.tasks()).await?;
    watch::parts(&world, watch::ALL, &readiness, &lifecycle, Some(clock));
    archive::clear_drafts(&config.archive).await?;
    let (office, mails) = (mail::office(&config.mail).await?, mail::kept(&config.mail));
    let receipts = Receipts::new(world.needs(), receipt_keys, config.receipts, config.mail.utc_offset_minutes);
    readiness.started();
    lifecycle.accompany("receipts.press", receipts.clone().closed());
    lifecycle.supervise("receipts", receipts.clone().run(lifecycle.clone()));
    let attached = Some(receipts.for_mail());
    lifecycle.supervise("mail", mailer::run(world.needs(), config.mail, office, attached, lifecycle.clone()));
    lifecycle.supervise("relay", relay::run(world.needs(), config.relay, lifecycle.clone()));
    let tender = Tender::new(world.needs(), config.tender, mails);
    lifecycle.supervise("tender", tender::run(tender, lifecycle.clone()));
    payment_consumer::start(world.needs(), config.payments, &lifecycle);
    lifecycle.soft.cancelled().await;
    Ok(())
}

pub(super) async fn gateway(process: Process<Config>) -> Result<(), Failure> {
    if process.config.gateway.sockets.only {
        return sockets(process).await;
    }
    let Process { config, lifecycle, readiness, connections_max, .. } = process;
    provider::said(&config, &readiness)?;
    let keys = Arc::new(TokenKeys::parse(config.token_keys.expose_secret())?);
    let (world, clock) = connect(&config, &lifecycle.soft, lifecycle.tasks()).await?;
    watch::parts(&world, watch::LEDGER, &readiness, &lifecycle, Some(clock));
    let offset = config.mail.utc_offset_minutes;
    let receipts = Receipts::new(world.needs(), receipt_keys(&config)?, config.receipts.clone(), offset);
    lifecycle.accompany("receipts.press", receipts.clone().closed());
    let gateway = Gateway::new(world.needs(), keys, receipts.clone(), config.faces(), &lifecycle);
    readiness.watch({
        let gateway = gateway.clone();
        move || gateway.problems()
    });
    let running = gateway.clone();
    lifecycle.supervise("gateway", async move { running.run().await });
    let connections = config.http.connections(connections_max);
    serve_sockets(gateway.live(), connections.clone(), &lifecycle)?;
    box_office::serve(&world, &gateway, &receipts, &config, connections.clone(), &lifecycle)?;
    let (address, server) = server::bind(&config.http, config.process.drain_ms_max, connections, move || {
        let gateway = gateway.clone();
        answers::app().configure(|cfg| gateway::routes(cfg, gateway))
    })?;
    readiness.started();
    serve(server, address, config.http.unready_ms, &lifecycle).await
}

/// A gateway of sockets and nothing else: nobody pays here, nobody logs in, and no key is here that could sign.
async fn sockets(process: Process<Config>) -> Result<(), Failure> {
    let Process { config, lifecycle, readiness, connections_max, .. } = process;
    let keys = AccessKeys::parse(config.token_keys.expose_secret())?;
    let (world, clock) = connect(&config, &lifecycle.soft, lifecycle.tasks()).await?;
    watch::parts(&world, watch::LEDGER, &readiness, &lifecycle, Some(clock));
    let sockets = Sockets::new(world.needs(), keys, config.faces(), &lifecycle);
    readiness.watch({
        let live = sockets.live().clone();
        move || live.problems()
    });
    serve_sockets(sockets.live(), config.http.connections(connections_max), &lifecycle)?;
    lifecycle.supervise("gateway", async move { sockets.run().await });
    readiness.started();
    lifecycle.soft.cancelled().await;
    Ok(())
}

/// The listener for sockets alone, if there is to be one: on the tracker, so that a drain waits for its sockets.
pub fn serve_sockets(live: &Live, connections: Connections, lifecycle: &Lifecycle) -> Result<(), Failure> {
    let Some((address, server)) = live.lean(connections)? else { return Ok(()) };
    tracing::info!(%address, "serving sockets");
    let live = live.clone();
    lifecycle.supervise("sockets.listener", async move {
        if let Err(error) = live.serve_lean(server).await {
            tracing::error!(%error, "the sockets' listener failed");
        }
    });
    Ok(())
}

/// Serves until the soft stop; requests that were begun are finished.
pub async fn serve(server: Server, address: SocketAddr, unready_ms: u64, lifecycle: &Lifecycle) -> Result<(), Failure> {
    tracing::info!(%address, "serving");
    Ok(server::serve(server, unready_ms, lifecycle.soft.clone(), lifecycle.hard.clone()).await?)
}
