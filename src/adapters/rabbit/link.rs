//! One connection, and the task that makes it anew for ever. The client library's own recovery is off: it brings channels
//! back before their queues, is silent to consumers, and does not know when to give up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use lapin::runtime::default_runtime;
use lapin::tcp::OwnedTLSConfig;
use lapin::uri::{AMQPScheme, AMQPUri};
use lapin::{Channel, Connection, ConnectionProperties};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::metric::Metric;
use super::topology::Topology;
use super::{Background, CALL, PART, fault};
use crate::adapters::tls::{Endpoint, Trust};
use crate::kit::work::backoff::doubling;
use crate::ports::Result;
use crate::ports::platform::tasks::AnyTasks;

/// Twice this without a sign of life, and a connection is dead.
const HEARTBEAT_S: u16 = 10;
/// The library keeps 64 frames' worth of buffers for each connection; a full batch of attempts fits in a frame of this size.
const FRAME_BYTES_MAX: u32 = 32 * 1024;
/// How often a connection is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// Between two tries to connect; up to twice as long by chance.
const BACKOFF_MIN: Duration = Duration::from_millis(50);
const BACKOFF_MAX: Duration = Duration::from_secs(1);

#[derive(Clone)]
pub(super) struct Link {
    line: watch::Receiver<Option<Arc<Line>>>,
}

/// A connection that is trusted until a call finds that it does not answer.
pub(super) struct Line {
    /// Counts the link's connections.
    pub(super) number: u64,
    connection: Connection,
    suspect: AtomicBool,
}

impl Line {
    fn new(number: u64, connection: Connection) -> Arc<Self> {
        Arc::new(Self { number, connection, suspect: AtomicBool::new(false) })
    }

    fn is_up(&self) -> bool {
        let status = self.connection.status();
        status.connected() && !status.blocked() && !self.suspect.load(Ordering::Acquire)
    }

    fn is_over(&self) -> bool {
        !self.connection.status().connected() || self.suspect.load(Ordering::Acquire)
    }

    /// Has it made anew.
    pub(super) fn suspect(&self) {
        self.suspect.store(true, Ordering::Release);
    }

    /// Asks the broker for something, on a channel of its own.
    pub(super) async fn ask<T>(
        &self,
        ask: impl AsyncFnOnce(&Channel) -> lapin::Result<T>,
    ) -> lapin::Result<(Channel, T)> {
        let channel = self.connection.create_channel().await?;
        let answer = ask(&channel).await?;
        Ok((channel, answer))
    }

    /// The same; a call that gets no answer at all marks the connection as suspect.
    pub(super) async fn call<T>(&self, ask: impl AsyncFnOnce(&Channel) -> lapin::Result<T>) -> Result<(Channel, T)> {
        match timeout(CALL, self.ask(ask)).await {
            Ok(answer) => answer.map_err(fault),
            Err(_) => {
                self.suspect();
                Err(fault("the broker does not answer"))
            }
        }
    }
}

impl Link {
    /// The first connection is made before this returns.
    pub(super) async fn open(
        at: &Endpoint,
        name: &'static str,
        topology: Arc<Topology>,
        background: &Background,
    ) -> Result<Self> {
        let (uri, trust) = uri(at)?;
        let dial = Dial { uri, trust, name, topology, tasks: background.tasks.clone() };
        let first = Line::new(1, dial.connect().await.map_err(|(_, error)| error)?);
        let (sender, line) = watch::channel(Some(first.clone()));
        background.run("broker.link", dial.supervise(first, sender));
        Ok(Self { line })
    }

    pub(super) fn is_up(&self) -> bool {
        self.line.borrow().as_ref().is_some_and(|line| line.is_up())
    }

    pub(super) fn line(&self) -> Result<Arc<Line>> {
        self.line.borrow().clone().ok_or_else(|| fault("the broker is away"))
    }

    /// Waits for a connection; `None` when there will never be one again.
    pub(super) async fn wait(&mut self) -> Option<Arc<Line>> {
        self.line.wait_for(Option::is_some).await.ok()?.clone()
    }

    /// Waits until the connection of this number is not the one any more.
    pub(super) async fn lost(&mut self, number: u64) {
        let _ = self.line.wait_for(|line| line.as_ref().is_none_or(|line| line.number != number)).await;
    }

    pub(super) async fn channel(&self) -> Result<Channel> {
        Ok(self.line()?.call(async |_| Ok(())).await?.0)
    }
}

/// Where the broker is, and whom we believe to be it, if it is spoken to by TLS. The library's words for a bad URL show it.
pub(super) fn uri(at: &Endpoint) -> Result<(AMQPUri, Option<Trust>)> {
    let mut uri: AMQPUri =
        at.url.parse().map_err(|_| fault("its URL is not of the form amqps://user:password@host/vhost"))?;
    uri.query.heartbeat.get_or_insert(HEARTBEAT_S);
    uri.query.frame_max.get_or_insert(FRAME_BYTES_MAX);
    let trust = at.trust(PART, uri.scheme == AMQPScheme::AMQPS)?;
    Ok((uri, trust))
}

struct Dial {
    uri: AMQPUri,
    trust: Option<Trust>,
    name: &'static str,
    topology: Arc<Topology>,
    tasks: AnyTasks,
}

impl Dial {
    /// A connection on which everything is declared. Where there is none, also says whether the other side was silent.
    async fn connect(&self) -> Result<Connection, (bool, crate::ports::Fault)> {
        let properties = ConnectionProperties::default().with_connection_name(format!("miaosha {}", self.name).into());
        let connecting = async {
            let runtime = default_runtime()?;
            let connection =
                Connection::connect_uri_with_config(self.uri.clone(), properties, self.tls(), runtime).await?;
            let channel = connection.create_channel().await?;
            self.topology.declare(&channel).await?;
            channel.close(200, "done".into()).await?;
            Ok::<_, lapin::Error>(connection)
        };
        match timeout(2 * CALL, connecting).await {
            Ok(Ok(connection)) => {
                metrics::counter!(Metric::Connections.name(), "link" => self.name).increment(1);
                Ok(connection)
            }
            Ok(Err(error)) => Err((false, fault(error))),
            Err(_) => Err((true, fault("the broker does not answer"))),
        }
    }

    /// What the library believes beside the public roots; it reads no more of it where the URL asks for no TLS.
    fn tls(&self) -> OwnedTLSConfig {
        let extra = self.trust.as_ref().and_then(Trust::extra);
        OwnedTLSConfig { identity: None, cert_chain: extra.map(str::to_owned) }
    }

    /// Whether a server that speaks AMQP is there. An attempt to connect cannot be given up: the library waits in a thread of
    /// its own for a silent peer, so after one such attempt we knock first.
    async fn knock(&self) -> std::io::Result<()> {
        let host = self.uri.authority.host.as_str();
        let stream = TcpStream::connect((host, self.uri.authority.port)).await?;
        match &self.trust {
            None => greet(stream).await,
            Some(trust) => greet(trust.connect(host, stream).await?).await,
        }
    }

    async fn redial(&self) -> Connection {
        // Jitter: every process of the fleet lost its connections in the same moment.
        let mut waits = waits().with_jitter().build();
        let mut wary = false;
        loop {
            sleep(waits.next().unwrap_or(BACKOFF_MAX)).await;
            if wary && !matches!(timeout(CALL, self.knock()).await, Ok(Ok(()))) {
                continue;
            }
            match self.connect().await {
                Ok(connection) => return connection,
                Err((silent, error)) => {
                    tracing::warn!(link = self.name, %error, "the broker is away");
                    wary = silent;
                }
            }
        }
    }

    async fn supervise(self, mut line: Arc<Line>, sender: watch::Sender<Option<Arc<Line>>>) {
        loop {
            watch_over(&line).await;
            tracing::warn!(link = self.name, "the connection to the broker is lost");
            sender.send_replace(None);
            let number = line.number + 1;
            self.tasks.detach("broker.grave", Box::pin(bury(line)));
            line = Line::new(number, self.redial().await);
            sender.send_replace(Some(line.clone()));
        }
    }
}

/// Between tries to connect.
fn waits() -> ExponentialBuilder {
    doubling(BACKOFF_MIN, BACKOFF_MAX)
}

async fn greet(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> std::io::Result<()> {
    stream.write_all(b"AMQP\0\0\x09\x01").await?;
    stream.flush().await?;
    stream.read_u8().await.map(drop)
}

async fn watch_over(line: &Line) {
    while !line.is_over() {
        sleep(LOOK).await;
    }
}

/// A connection that is closed while the other side is silent never ends, for closing stops its heartbeat. One that is not
/// trusted is kept until the heartbeat gives it up, or until it proves to be alive after all.
async fn bury(line: Arc<Line>) {
    let give_up = async {
        while line.connection.status().connected() {
            sleep(LOOK).await;
        }
    };
    let _ = timeout(3 * Duration::from_secs(u64::from(HEARTBEAT_S)), give_up).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_broker_is_looked_for_at_longer_and_longer_times() {
        let waits_ms = waits().build().map(|wait| wait.as_millis());
        assert_eq!(waits_ms.take(7).collect::<Vec<_>>(), [50, 100, 200, 400, 800, 1_000, 1_000]);
    }
}
