//! As much load as one thread can make: connections that each send the next request when the last was answered.
//!
//! A closed loop says how much a server can take, and nothing about how long buyers wait: that is what `rush` is for.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::task::LocalSet;

use super::shots::Shots;

/// Bytes of an answer, at most.
const ANSWER_BYTES_MAX: usize = 4_096;

#[derive(Clone, Copy)]
pub enum Until {
    /// For so long, after a warm-up that is not counted; buyers come again from the first when there are no more.
    Elapsed { warm: Duration, counted: Duration },
    /// Every buyer was answered 202 or 200; one that gets a 503 comes again after `Retry-After`.
    Answered,
}

#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    pub accepted: u64,
    /// 200: "sold out" at once, or the reference's empty answer.
    pub at_once: u64,
    pub shed: u64,
    pub other: u64,
    pub counted: Duration,
    /// What the gauge said when counting ended.
    pub gauge: f64,
}

impl Tally {
    pub fn per_s(&self) -> f64 {
        (self.accepted + self.at_once) as f64 / self.counted.as_secs_f64()
    }
}

struct Barrage {
    shots: Arc<Shots>,
    until: Until,
    next: Cell<u64>,
    again: RefCell<VecDeque<(Instant, u64)>>,
    open: Cell<u64>,
    stop: Cell<bool>,
    tally: RefCell<Tally>,
}

/// Runs on a thread of its own until it is done. `on_counted` is called when counting begins, `gauge` when it ends.
pub async fn run(
    address: SocketAddr,
    shots: Arc<Shots>,
    connections: usize,
    until: Until,
    on_counted: impl FnOnce() + Send + 'static,
    gauge: impl FnOnce() -> f64 + Send + 'static,
) -> Result<Tally, String> {
    let work = move || -> io::Result<Tally> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        LocalSet::new().block_on(&runtime, fire(address, shots, connections, until, on_counted, gauge))
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
}

async fn fire(
    address: SocketAddr,
    shots: Arc<Shots>,
    connections: usize,
    until: Until,
    on_counted: impl FnOnce(),
    gauge: impl FnOnce() -> f64,
) -> io::Result<Tally> {
    let open = Cell::new(shots.count());
    let barrage = Rc::new(Barrage {
        shots,
        until,
        next: Cell::new(0),
        again: RefCell::default(),
        open,
        stop: Cell::new(false),
        tally: RefCell::default(),
    });
    let mut streams = Vec::new();
    for _ in 0..connections {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    let mut begun = Instant::now();
    let workers: Vec<_> =
        streams.into_iter().map(|stream| tokio::task::spawn_local(barrage.clone().work(stream))).collect();
    match until {
        Until::Answered => on_counted(),
        Until::Elapsed { warm, counted } => {
            tokio::time::sleep(warm).await;
            *barrage.tally.borrow_mut() = Tally::default();
            begun = Instant::now();
            on_counted();
            tokio::time::sleep(counted).await;
            barrage.stop.set(true);
        }
    }
    let counted = barrage.tally();
    let (elapsed, gauged) = (begun.elapsed(), gauge());
    for worker in workers {
        worker.await.map_err(io::Error::other)??;
    }
    Ok(match until {
        Until::Answered => Tally { counted: begun.elapsed(), ..barrage.tally() },
        Until::Elapsed { .. } => Tally { counted: elapsed, gauge: gauged, ..counted },
    })
}

impl Barrage {
    fn tally(&self) -> Tally {
        *self.tally.borrow()
    }

    async fn work(self: Rc<Self>, stream: TcpStream) -> io::Result<()> {
        let mut request = Vec::new();
        let mut answer = Vec::with_capacity(ANSWER_BYTES_MAX);
        loop {
            let number = match self.take() {
                Take::Fire(number) => number,
                Take::Wait(until) => {
                    tokio::time::sleep_until(until.into()).await;
                    continue;
                }
                Take::Over => return Ok(()),
            };
            self.shots.write(number, &mut request);
            send(&stream, &request).await?;
            let heard = hear(&stream, &mut answer).await?;
            self.count(number, heard);
        }
    }

    fn take(&self) -> Take {
        if self.stop.get() {
            return Take::Over;
        }
        let next = self.next.get();
        if matches!(self.until, Until::Elapsed { .. }) || next < self.shots.count() {
            self.next.set(next + 1);
            return Take::Fire(next);
        }
        if self.open.get() == 0 {
            return Take::Over;
        }
        let now = Instant::now();
        let mut again = self.again.borrow_mut();
        match again.front() {
            Some(&(due, number)) if due <= now => {
                again.pop_front();
                Take::Fire(number)
            }
            Some(&(due, _)) => Take::Wait(due),
            None => Take::Wait(now + Duration::from_millis(5)),
        }
    }

    fn count(&self, number: u64, heard: Heard) {
        let mut tally = self.tally.borrow_mut();
        match heard.status {
            202 => tally.accepted += 1,
            200 => tally.at_once += 1,
            503 => {
                tally.shed += 1;
                let after = Duration::from_secs(heard.retry_after_s.unwrap_or(1));
                self.again.borrow_mut().push_back((Instant::now() + after, number));
                return;
            }
            _ => tally.other += 1,
        }
        self.open.set(self.open.get().saturating_sub(1));
    }
}

enum Take {
    Fire(u64),
    Wait(Instant),
    Over,
}

async fn send(stream: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match stream.try_write(bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => stream.writable().await?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

struct Heard {
    status: u16,
    retry_after_s: Option<u64>,
}

async fn hear(stream: &TcpStream, answer: &mut Vec<u8>) -> io::Result<Heard> {
    answer.clear();
    loop {
        stream.readable().await?;
        match stream.try_read_buf(answer) {
            Ok(0) => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed a connection")),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error),
        }
        if let Some(heard) = read(answer)? {
            return Ok(heard);
        }
        if answer.len() >= ANSWER_BYTES_MAX {
            return Err(io::Error::other("an answer was longer than any of ours"));
        }
    }
}

/// `None` while some of it is missing.
fn read(answer: &[u8]) -> io::Result<Option<Heard>> {
    let Some(head) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let odd = || io::Error::other("an answer was not HTTP/1.1");
    let text = std::str::from_utf8(&answer[..head]).map_err(|_| odd())?;
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.get(9..12)?.parse().ok()).ok_or_else(odd)?;
    let mut heard = Heard { status, retry_after_s: None };
    let mut length = 0;
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().map_err(|_| odd())?;
        } else if name.eq_ignore_ascii_case("retry-after") {
            heard.retry_after_s = value.parse().ok();
        }
    }
    Ok((answer.len() >= head + 4 + length).then_some(heard))
}
