//! What a load balancer knows: which of the parts say that they are ready. It sends no request to the others, and tries another one
//! when a request could not be sent at all; what was sent is its buyer's to send again.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use hyper::Method;
use hyper::body::Bytes;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::client::{Answer, Client};

/// Between two looks at one part. The parts of a fleet that is rolled must say for longer that they are about to go.
const LOOK: Duration = Duration::from_millis(100);

/// The places where requests of one kind are taken.
#[derive(Default)]
pub struct Balance {
    places: Vec<Place>,
}

struct Place {
    authority: String,
    /// Where it says whether it is ready; a part without one is taken to be.
    inner: Option<Mutex<Client>>,
    ready: AtomicBool,
}

impl Balance {
    pub fn new(places: impl IntoIterator<Item = (String, Option<String>)>) -> Arc<Self> {
        let place = |(authority, inner): (String, Option<String>)| Place {
            authority,
            inner: inner.map(|inner| Mutex::new(Client::new(&inner))),
            ready: AtomicBool::new(true),
        };
        Arc::new(Self { places: places.into_iter().map(place).collect() })
    }

    pub async fn watch(self: Arc<Self>, stop: CancellationToken) {
        let looks = self.places.iter().map(|place| stop.run_until_cancelled(place.watch()));
        futures_util::future::join_all(looks).await;
    }

    /// Whether this one still takes requests.
    pub fn takes(&self, number: usize) -> bool {
        self.places[number % self.places.len()].ready.load(Ordering::Relaxed)
    }

    /// From this one on, the first that takes requests; where there is none, this one.
    pub fn choose(&self, from: usize) -> usize {
        (from..from + self.places.len()).find(|number| self.takes(*number)).unwrap_or(from)
    }

    pub fn client(&self, number: usize) -> Client {
        Client::new(&self.places[number % self.places.len()].authority)
    }
}

impl Place {
    async fn watch(&self) {
        let Some(inner) = &self.inner else { return };
        let mut inner = inner.lock().await;
        loop {
            let ready = matches!(tokio::time::timeout(LOOK * 5, inner.get("/readyz", "")).await, Ok(Ok(answer)) if answer.status == 200);
            self.ready.store(ready, Ordering::Relaxed);
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// One sender's way to the places: a connection to one of them, until that one goes.
pub struct Way {
    balance: Arc<Balance>,
    number: usize,
    client: Client,
    on_behalf_of: Option<Ipv4Addr>,
}

impl Way {
    pub fn new(balance: &Arc<Balance>, first: usize) -> Self {
        let number = balance.choose(first);
        Self { balance: balance.clone(), number, client: balance.client(number), on_behalf_of: None }
    }

    /// From where the next requests come, as a balancer in front of nginx would say it.
    pub fn on_behalf_of(&mut self, address: Option<Ipv4Addr>) {
        self.on_behalf_of = address;
        self.client.on_behalf_of(address);
    }

    /// To a place that takes requests, or where there is none, to one that does not say so.
    fn client(&mut self) -> &mut Client {
        if !self.balance.takes(self.number) {
            self.turn();
        }
        &mut self.client
    }

    pub async fn get(&mut self, needless: &Needless, path: &str, token: &str) -> Result<Answer, String> {
        self.send(needless, Method::GET, path, token, Bytes::new()).await
    }

    pub async fn post(&mut self, needless: &Needless, path: &str, token: &str, body: String) -> Result<Answer, String> {
        self.send(needless, Method::POST, path, token, body.into()).await
    }

    async fn send(
        &mut self,
        needless: &Needless,
        method: Method,
        path: &str,
        token: &str,
        body: Bytes,
    ) -> Result<Answer, String> {
        let mut answer = self.client().send(method.clone(), path, token, body.clone()).await;
        for _ in 0..self.tries() {
            if answer.is_ok() || self.client.was_sent() {
                break;
            }
            self.turn();
            answer = self.client().send(method.clone(), path, token, body.clone()).await;
        }
        needless.hear(&answer);
        answer
    }

    /// Places to try beside the first.
    fn tries(&self) -> usize {
        self.balance.places.len()
    }

    /// To another place than the one that did not answer.
    pub fn turn(&mut self) {
        let next = self.balance.choose(self.number + 1);
        self.number = next;
        self.client = self.balance.client(next);
        self.client.on_behalf_of(self.on_behalf_of);
    }
}

/// What buyers met that they would not have in a fleet that is left alone.
#[derive(Default)]
pub struct Needless {
    /// Answers 401, 429 and 5xx.
    pub refused: AtomicU64,
    /// Requests that were sent and not answered.
    pub unanswered: AtomicU64,
}

impl Needless {
    pub fn hear(&self, answer: &Result<Answer, String>) {
        let counter = match answer {
            Ok(answer) if answer.status == 401 || answer.status == 429 || answer.status >= 500 => &self.refused,
            Ok(_) => return,
            Err(_) => &self.unanswered,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub fn count(&self) -> u64 {
        self.refused.load(Ordering::Relaxed) + self.unanswered.load(Ordering::Relaxed)
    }
}
