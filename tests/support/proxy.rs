//! A network between a process and a server that a test can cut, close, or turn into a black hole.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

#[derive(Clone, Copy, Default)]
struct NetworkFaults {
    /// A connection ends when this moves.
    cuts: u64,
    /// New connections end at once.
    closed: bool,
    /// Connections stay open, and nothing gets through.
    hole: bool,
    /// What the server says does not get through.
    mute: bool,
}

pub struct Proxy {
    pub port: u16,
    faults: Arc<watch::Sender<NetworkFaults>>,
}

impl Proxy {
    pub async fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let faults = Arc::new(watch::Sender::new(NetworkFaults::default()));
        let state = faults.clone();
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                if !state.borrow().closed {
                    tokio::spawn(carry(client, server.clone(), state.subscribe()));
                }
            }
        });
        Self { port, faults }
    }

    /// Ends every connection; new ones get through.
    pub fn cut(&self) {
        self.faults.send_modify(|faults| faults.cuts += 1);
    }

    /// Ends every connection, and new ones until it is opened again.
    pub fn close(&self) {
        self.faults.send_modify(|faults| faults.closed = true);
        self.cut();
    }

    pub fn open(&self) {
        self.faults.send_modify(|faults| faults.closed = false);
    }

    pub fn hole(&self, hole: bool) {
        self.faults.send_modify(|faults| faults.hole = hole);
    }

    pub fn mute(&self, mute: bool) {
        self.faults.send_modify(|faults| faults.mute = mute);
    }
}

async fn carry(client: TcpStream, server: String, mut state: watch::Receiver<NetworkFaults>) {
    let Ok(server) = TcpStream::connect(server).await else { return };
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let up = pump(from_client, to_server, state.clone(), |faults| !faults.hole);
    let down = pump(from_server, to_client, state.clone(), |faults| !faults.hole && !faults.mute);
    let cuts = state.borrow().cuts;
    tokio::select! {
        biased;
        _ = state.wait_for(|faults| faults.cuts != cuts) => {}
        () = up => {}
        () = down => {}
    }
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut state: watch::Receiver<NetworkFaults>,
    is_fair: impl Fn(&NetworkFaults) -> bool,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let _ = state.wait_for(&is_fair).await;
        if to.write_all(&buffer[..count]).await.is_err() {
            break;
        }
    }
}

/// `scheme://user:password@host:port/rest`, its server reached by way of a proxy, under the same name.
pub async fn by_proxy(url: &str) -> (String, Proxy) {
    let (before, rest) = url.rsplit_once('@').unwrap();
    let (server, path) = rest.split_once('/').unwrap();
    let (host, _) = server.rsplit_once(':').unwrap();
    let proxy = Proxy::to(server.replace("localhost", "127.0.0.1")).await;
    (format!("{before}@{host}:{}/{path}", proxy.port), proxy)
}
