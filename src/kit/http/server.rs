//! How a server listens, and how it stops: readiness goes first, then the door closes, then what is inside is finished.

use std::any::Any;
use std::net::SocketAddr;
use std::time::Duration;

use actix_web::dev::Server;
use serde::Deserialize;
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerSettings {
    /// Where to listen. Port 0 takes a free one; the log says which.
    pub listen: SocketAddr,
    /// Threads that serve; 0 means one for each core.
    pub workers: usize,
    /// Open connections of one worker; beyond them none is accepted.
    pub connections_max: usize,
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

    pub fn unread(&self) -> Duration {
        Duration::from_millis(self.unread_ms_max)
    }

    pub fn head_timeout(&self) -> Duration {
        Duration::from_millis(self.head_ms_max)
    }
}

/// Has the kernel end a connection whose client is gone or does not read: nothing above it would, while bytes wait to be sent.
pub fn end_when_unread(connection: &dyn Any, unread: Duration) {
    if let Some(stream) = connection.downcast_ref::<TcpStream>() {
        // A connection that ended already has no options.
        let _ = SockRef::from(stream).set_tcp_user_timeout(Some(unread));
    }
}

/// `bound_server!(settings, drain_ms_max, || App::new()…)` is an `io::Result` of an `HttpServer` that is bound and listens to
/// no signals; `.run()` it and give it to [`serve`]. A macro, since the type of an application has no name.
#[macro_export]
macro_rules! bound_server {
    ($settings:expr, $drain_ms_max:expr, $factory:expr) => {{
        let settings: &$crate::kit::http::server::ServerSettings = $settings;
        let drain_ms_max: u64 = $drain_ms_max;
        let unread = settings.unread();
        actix_web::HttpServer::new($factory)
            .workers(settings.workers())
            .max_connections(settings.connections_max)
            .backlog(settings.backlog_max)
            .keep_alive(settings.keep_alive())
            .client_request_timeout(settings.head_timeout())
            .tcp_nodelay(true)
            .on_connect(move |connection, _| $crate::kit::http::server::end_when_unread(connection, unread))
            .disable_signals()
            // Rounded up: a drain is never cut short by the rounding.
            .shutdown_timeout(drain_ms_max.div_ceil(1_000))
            .bind(settings.listen)
    }};
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
