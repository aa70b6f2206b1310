//! How a limit is tried without a machine's clock: calls that are held until the test lets them go, calls that never end, and
//! a time that stands until the test moves it.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::yield_now;
use tokio::time::Instant;

/// Calls wait here until they are let go. Clones are the same one.
#[derive(Clone)]
pub struct Hold(Arc<Held>);

struct Held {
    begun: AtomicUsize,
    running: AtomicUsize,
    go: Semaphore,
}

struct Running<'a>(&'a AtomicUsize);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Hold {
    pub fn new() -> Self {
        Self(Arc::new(Held { begun: AtomicUsize::new(0), running: AtomicUsize::new(0), go: Semaphore::new(0) }))
    }

    /// What a counterpart does before it answers.
    pub async fn enter(&self) {
        self.0.running.fetch_add(1, Ordering::SeqCst);
        let _running = Running(&self.0.running);
        self.0.begun.fetch_add(1, Ordering::SeqCst);
        self.0.go.acquire().await.unwrap().forget();
    }

    fn running(&self) -> usize {
        self.0.running.load(Ordering::SeqCst)
    }

    async fn begun(&self, calls: usize) {
        until("calls begin", || self.0.begun.load(Ordering::SeqCst) >= calls).await;
    }
}

/// Gives whatever can go on its turn, and sockets and threads a moment.
pub async fn settle() {
    for _ in 0..500 {
        yield_now().await;
    }
    std::thread::sleep(Duration::from_millis(30));
    for _ in 0..500 {
        yield_now().await;
    }
}

/// Comes to this while others go on, or never.
async fn until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..1_000 {
        if is_so() {
            return;
        }
        settle().await;
    }
    panic!("never: {what}");
}

/// `work` makes one call more than `max`: so many are made at once, and the last one when one of them has ended.
pub async fn at_once<T>(max: usize, hold: &Hold, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    let goes_on = async {
        hold.begun(max).await;
        settle().await;
        assert_eq!(hold.running(), max, "at once");
        hold.0.go.add_permits(1);
        hold.begun(max + 1).await;
        hold.0.go.add_permits(1_000);
    };
    tokio::select! {
        _ = &mut work => panic!("it ended before its calls were let go"),
        () = goes_on => {}
    }
    work.await
}

/// What there is comes in one take when it is as much as the limit, and in two when it is one more.
pub async fn in_takes(max: usize, takes: impl AsyncFn(usize) -> Vec<usize>) {
    assert_eq!(takes(max).await, [max]);
    assert_eq!(takes(max + 1).await, [max, 1]);
}

/// Calls that never end, and when each was made and given up. Clones are the same one.
#[derive(Clone, Default)]
pub struct Stuck(Arc<Mutex<Vec<Times>>>);

type Times = (Instant, Option<Instant>);

struct Stay<'a>(&'a Stuck, usize);

impl Drop for Stay<'_> {
    fn drop(&mut self) {
        self.0.0.lock().unwrap()[self.1].1 = Some(Instant::now());
    }
}

impl Stuck {
    pub async fn stay<T>(&self) -> T {
        let place = {
            let mut stays = self.0.lock().unwrap();
            stays.push((Instant::now(), None));
            stays.len() - 1
        };
        let _stay = Stay(self, place);
        std::future::pending().await
    }

    /// For how long each was waited for, in milliseconds; those that still are waited for are not among them.
    pub fn stays_ms(&self) -> Vec<u128> {
        let stays = self.0.lock().unwrap();
        stays.iter().filter_map(|(begun, left)| left.map(|left| (left - *begun).as_millis())).collect()
    }

    fn is_begun(&self) -> bool {
        !self.0.lock().unwrap().is_empty()
    }

    fn is_left(&self) -> bool {
        self.0.lock().unwrap().iter().any(|(_, left)| left.is_some())
    }
}

/// Tokio's time stands still, also while everybody waits: only [`Still::pass`] moves it. For tests that start paused.
pub struct Still(#[expect(dead_code, reason = "dropped, it lets time go")] mpsc::Sender<()>);

impl Still {
    pub fn new() -> Self {
        let (end, ended) = mpsc::channel::<()>();
        // Time does not go by itself while a thread works.
        tokio::task::spawn_blocking(move || ended.recv());
        Self(end)
    }

    pub async fn pass(&self, ms: u64) {
        tokio::time::advance(Duration::from_millis(ms)).await;
    }

    /// `work` waits since `begun`, and ends after so many milliseconds, and not one before.
    pub async fn ends_after<T>(&self, ms: u64, begun: impl Future<Output = ()>, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        let passes = async {
            begun.await;
            self.pass(ms - 1).await;
            settle().await;
        };
        tokio::select! {
            _ = &mut work => panic!("it ended before {ms} ms"),
            () = passes => {}
        }
        self.pass(1).await;
        tokio::select! {
            ended = &mut work => ended,
            () = settle() => panic!("it has not ended after {ms} ms"),
        }
    }

    /// `work` leaves the call after so many milliseconds, and not one before.
    pub async fn leaves_after<T>(&self, ms: u64, stuck: &Stuck, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        let passes = async {
            until("the call is made", || stuck.is_begun()).await;
            self.pass(ms - 1).await;
            settle().await;
            assert!(!stuck.is_left(), "it is left before {ms} ms");
            self.pass(1).await;
        };
        tokio::select! {
            biased;
            () = passes => {}
            _ = &mut work => panic!("it ended before {ms} ms"),
        }
        let ended = tokio::select! {
            biased;
            ended = &mut work => Some(ended),
            () = settle() => None,
        };
        assert!(stuck.is_left(), "it is not left after {ms} ms");
        match ended {
            Some(ended) => ended,
            None => work.await,
        }
    }
}
