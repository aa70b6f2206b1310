//! How long and how often Redis is asked, by a counterpart that takes everything but a script.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::poll;
use miaosha::adapters::redis::RedisTurnstile;
use miaosha::domain::shared::id::SaleId;
use miaosha::ports::sale::turnstile::Turnstile;
use socket2::{Domain, Socket, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::unconstrained;
use tokio::time::Instant;

/// What becomes of who asks.
#[derive(Clone, Copy, PartialEq)]
enum NetworkFault {
    /// A script is never answered.
    Silent,
    /// A script ends its connection.
    HangsUp,
    /// No client is connected, and one that comes is sent away.
    Away,
}

struct Redis {
    url: String,
    fault: watch::Sender<NetworkFault>,
    scripts: Arc<AtomicUsize>,
    came: Arc<Mutex<Vec<Instant>>>,
}

impl Redis {
    async fn start(fault: NetworkFault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        let here = Self { url, fault: watch::Sender::new(fault), scripts: Arc::default(), came: Arc::default() };
        let (faults, scripts, came) = (here.fault.subscribe(), here.scripts.clone(), here.came.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                came.lock().unwrap().push(Instant::now());
                let (mut away, faults, scripts) = (faults.clone(), faults.clone(), scripts.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        biased;
                        _ = away.wait_for(|fault| *fault == NetworkFault::Away) => {}
                        _ = serve(stream, faults, scripts) => {}
                    }
                });
            }
        });
        here
    }

    async fn turnstile(&self) -> RedisTurnstile {
        RedisTurnstile::connect(self.url.as_str(), "limits").await.unwrap()
    }
}

async fn serve(
    mut stream: TcpStream,
    faults: watch::Receiver<NetworkFault>,
    scripts: Arc<AtomicUsize>,
) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    loop {
        while let Some((words, length)) = command(&bytes) {
            bytes.drain(..length);
            let answer = match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                ["PING", ..] => "+PONG\r\n",
                ["CLIENT", "ID"] => ":1\r\n",
                ["INFO", ..] => "$21\r\nredis_version:7.0.0\r\n\r\n",
                ["EVALSHA", ..] => {
                    scripts.fetch_add(1, Ordering::SeqCst);
                    if *faults.borrow() == NetworkFault::HangsUp {
                        return Ok(());
                    }
                    ""
                }
                _ => "+OK\r\n",
            };
            stream.write_all(answer.as_bytes()).await?;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(());
        }
    }
}

/// One command, once it is there to its end, and its length in bytes.
fn command(bytes: &[u8]) -> Option<(Vec<String>, usize)> {
    // A number behind a sign, and where the line ends.
    let line = |at: usize| {
        let length = bytes[at..].windows(2).position(|two| two == b"\r\n")?;
        let number: usize = std::str::from_utf8(&bytes[at + 1..at + length]).unwrap().parse().unwrap();
        Some((number, at + length + 2))
    };
    let (count, mut end) = line(0)?;
    let mut words = Vec::new();
    for _ in 0..count {
        let (length, start) = line(end)?;
        end = start + length + 2;
        words.push(String::from_utf8_lossy(bytes.get(start..end)?).trim_end().to_owned());
    }
    Some((words, end))
}

/// How long it takes to fail.
async fn fails_after<T: std::fmt::Debug>(work: impl Future<Output = miaosha::ports::Result<T>>) -> u128 {
    let begun = Instant::now();
    work.await.unwrap_err();
    begun.elapsed().as_millis()
}

#[tokio::test(start_paused = true)]
async fn redis_may_take_so_long() {
    let redis = Redis::start(NetworkFault::Silent).await;
    let turnstile = redis.turnstile().await;
    assert_eq!(fails_after(turnstile.look(SaleId(1))).await, 3_000);
    assert_eq!(fails_after(turnstile.snapshot(SaleId(1))).await, 60_000);
}

/// No connection is accepted: the system keeps one that waits, and drops what the others send.
#[tokio::test(start_paused = true)]
async fn a_connection_to_redis_may_take_so_long() {
    let full = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    full.bind(&"127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
    full.listen(0).unwrap();
    let address = full.local_addr().unwrap();
    let waiting = [(); 3].map(|()| {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_nonblocking(true).unwrap();
        let _ = socket.connect(&address);
        socket
    });
    let url = format!("redis://{}", address.as_socket().unwrap());
    assert_eq!(fails_after(async { RedisTurnstile::connect(url.as_str(), "limits").await.map(drop) }).await, 2_000);
    drop(waiting);
}

#[tokio::test(start_paused = true)]
async fn a_call_is_sent_to_redis_so_often() {
    let redis = Redis::start(NetworkFault::HangsUp).await;
    redis.turnstile().await.look(SaleId(1)).await.unwrap_err();
    assert_eq!(redis.scripts.load(Ordering::SeqCst), 3);
}

/// Of both connections, which keep their turns.
#[tokio::test(start_paused = true)]
async fn redis_is_looked_for_again_and_again() {
    let redis = Redis::start(NetworkFault::Silent).await;
    let _turnstile = redis.turnstile().await;
    redis.fault.send_replace(NetworkFault::Away);
    tokio::time::sleep(Duration::from_secs(60)).await;
    let came = redis.came.lock().unwrap();
    let late = &came[came.len() - 20..];
    let waits: Vec<u128> = late.iter().zip(&late[2..]).map(|(first, next)| (*next - *first).as_millis()).collect();
    assert_eq!(waits, [1_000; 18]);
}

#[tokio::test]
async fn so_many_calls_wait_for_redis() {
    let redis = Redis::start(NetworkFault::Silent).await;
    let turnstile = redis.turnstile().await;
    let mut looks: Vec<_> = (0..1_001).map(|sale| Box::pin(turnstile.look(SaleId(sale)))).collect();
    // Before any task has a turn to send them.
    let ask = async {
        let mut waiting = 0;
        for look in &mut looks {
            waiting += usize::from(poll!(look).is_pending());
        }
        waiting
    };
    assert_eq!(unconstrained(ask).await, 1_000);
}
