//! How a server listens, and how it stops: readiness goes first, then the door closes, then what is inside is finished.

use std::fmt::Debug;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{HttpService, Request};
use actix_service::{IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt, apply_fn_factory, map_config};
use actix_web::Error;
use actix_web::dev::{AppConfig, Server, ServiceResponse};
use serde::Deserialize;
use socket2::{Domain, SockRef, Socket, Type};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::kit::http::connections::{Connections, Listener};
use crate::kit::http::last_words::LINGER;
use crate::kit::http::metric::Metric;
use crate::kit::http::pipeline::HeldBack;
use crate::kit::http::problem::Kind;
use crate::kit::http::proxies::Proxies;
use crate::kit::http::requests::one_by_one;

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerSettings {
    /// Where to listen. Port 0 takes a free one; the log says which.
    pub listen: SocketAddr,
    /// Threads that serve; 0 means one for each core.
    pub workers: usize,
    /// Open connections, for each worker; who comes beyond those of all workers is turned away.
    pub connections_max: usize,
    /// Open connections of one network, an address or of IPv6 a /64, in the whole process; never more than a quarter of all. Those of
    /// `trusted_proxies` are not counted.
    pub connections_per_network_max: usize,
    /// Networks in which only proxies of our own are: `loopback`, `private`, `10.0.0.0/8`, addresses; separated by commas. Of
    /// `X-Forwarded-For` nothing is believed from anywhere else.
    pub trusted_proxies: Proxies,
    /// Connections the system keeps waiting to be accepted.
    pub backlog_max: u32,
    /// How long an idle connection is kept. Longer than the proxy's in front, or its requests meet a closing door.
    pub keep_alive_ms: u64,
    /// How long the head of a request may take to arrive.
    pub head_ms_max: u64,
    /// How long `/readyz` says no before the door closes, so that a proxy in front has looked elsewhere by then.
    pub unready_ms: u64,
    /// How long a client may leave unread what was sent to it before its connection ends.
    pub unread_ms_max: u64,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            workers: 0,
            connections_max: 25_600,
            connections_per_network_max: 1_000,
            trusted_proxies: Proxies::default(),
            backlog_max: 4_096,
            keep_alive_ms: 75_000,
            head_ms_max: 5_000,
            unready_ms: 0,
            unread_ms_max: 30_000,
        }
    }
}

impl ServerSettings {
    pub fn workers(&self) -> usize {
        match self.workers {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            count => count,
        }
    }

    pub fn keep_alive(&self) -> Duration {
        Duration::from_millis(self.keep_alive_ms)
    }

    /// What counts the connections of all listeners, where the process has room for so many.
    pub fn connections(&self, connections_max: usize) -> Connections {
        Connections::new(connections_max, self.connections_per_network_max, self.trusted_proxies.clone())
    }

    pub fn unread(&self) -> Duration {
        Duration::from_millis(self.unread_ms_max)
    }

    pub fn head_timeout(&self) -> Duration {
        Duration::from_millis(self.head_ms_max)
    }
}

/// Has the kernel end a connection whose client is gone or does not read: nothing above it would, while bytes wait to be sent.
pub fn end_when_unread(stream: &TcpStream, unread: Duration) {
    // A connection that ended already has no options.
    let _ = SockRef::from(stream).set_tcp_user_timeout(Some(unread));
}

/// A socket that listens, with so many waiting to be accepted.
pub fn listener(listen: SocketAddr, backlog_max: u32) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(listen), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&listen.into())?;
    socket.listen(i32::try_from(backlog_max).unwrap_or(i32::MAX))?;
    Ok(socket.into())
}

/// Binds a server of these applications, one for each worker. It listens to no signals and runs once it is polled; [`serve`] does so.
pub fn bind<F, I, S>(
    settings: &ServerSettings,
    drain_ms_max: u64,
    connections: Connections,
    factory: F,
) -> io::Result<(SocketAddr, Server)>
where
    F: Fn() -> I + Send + Clone + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig, Response = ServiceResponse> + 'static,
    S::Error: Into<Error> + 'static,
    S::InitError: Debug,
    S::Service: 'static,
    <S::Service as Service<Request>>::Future: 'static,
{
    let listener = listener(settings.listen, settings.backlog_max)?;
    let address = listener.local_addr()?;
    let workers = settings.workers();
    let connections = connections.listener(settings.connections_max.saturating_mul(workers));
    let builder = Server::build()
        .workers(workers)
        .max_concurrent_connections(connections.taken_by_each(workers))
        .disable_signals()
        // Rounded up: a drain is never cut short by the rounding.
        .shutdown_timeout(drain_ms_max.div_ceil(1_000));
    let stops = builder.graceful_shutdown_signal();
    let settings = settings.clone();
    let service = move || {
        let stops = stops.clone();
        let app = factory().into_factory().map_err(|error| error.into().error_response());
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let stops = stops.clone();
                async move { stops.notified().await }
            })
            .keep_alive(settings.keep_alive())
            .client_request_timeout(settings.head_timeout())
            .client_disconnect_timeout(LINGER)
            .local_addr(address)
            .on_connect_ext(HeldBack::lend)
            .h1(one_by_one(map_config(app, |()| AppConfig::default())));
        guarded(http, connections.clone(), Some(settings.unread()))
    };
    Ok((address, builder.listen("http", listener, service)?.run()))
}

/// A connection that is not one too many is served to its end. What strangers are to blame for is counted and answered, so that they
/// write no log. `http` has its connections' valves lent, and says to them when requests begin.
pub fn guarded<S>(
    http: S,
    connections: Listener,
    unread: Option<Duration>,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = DispatchError, InitError = ()>
where
    S: ServiceFactory<
            (HeldBack, Option<SocketAddr>),
            Config = (),
            Response = (),
            Error = DispatchError,
            InitError = (),
        > + 'static,
{
    apply_fn_factory(http, move |stream: TcpStream, http: &S::Service| {
        let peer = stream.peer_addr().ok();
        let served = connections.open(peer.map(|peer| peer.ip())).map(|open| {
            // A connection that ended already has no options.
            let _ = stream.set_nodelay(true);
            unread.iter().for_each(|unread| end_when_unread(&stream, *unread));
            let held = HeldBack::new(stream, open);
            (held.valve(), http.call((held, peer)))
        });
        async move {
            let (valve, served) = match served {
                Ok(served) => served,
                Err(why) => {
                    metrics::counter!(Metric::ConnectionsRefused.name(), "why" => why.name()).increment(1);
                    return Ok(());
                }
            };
            let ended = served.await;
            if let Err(DispatchError::Body(error)) = &ended {
                tracing::warn!(%error, "an answer broke off");
            }
            let last_words = valve.last_words().map(|last_words| (last_words.problem(&ended), last_words));
            let is_malformed = match &last_words {
                Some((problem, _)) => problem.kind != Kind::REQUEST_TIMEOUT,
                None => matches!(ended, Err(DispatchError::Parse(_))),
            };
            if is_malformed {
                metrics::counter!(Metric::Malformed.name()).increment(1);
            }
            if let Some((problem, last_words)) = last_words {
                // Few connections need room for it.
                Box::pin(last_words.say(&problem)).await;
            }
            ended
        }
    })
}

/// Serves until the soft stop, finishes the requests that are inside, and returns; at the hard stop it drops them.
pub async fn serve(
    server: Server,
    unready_ms: u64,
    soft: CancellationToken,
    hard: CancellationToken,
) -> std::io::Result<()> {
    let handle = server.handle();
    let stop = async {
        soft.cancelled().await;
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(unready_ms)) => {}
            () = hard.cancelled() => {}
        }
        tokio::select! {
            biased;
            () = hard.cancelled() => handle.stop(false).await,
            () = handle.stop(true) => {}
        }
    };
    tokio::pin!(server);
    tokio::select! {
        ended = &mut server => ended,
        () = stop => server.await,
    }
}
