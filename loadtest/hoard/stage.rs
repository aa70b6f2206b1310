//! One shop with one sale, and the two sides that want its units: each has connections of its own, and nobody waits behind the other.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use hyper::Method;
use miaosha::adapters::system::SystemClock;
use miaosha::faces::tokens::TokenKeys;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Options;
use super::reserve::Reserve;
use super::scale::Scale;
use super::tally::{Side, Tally};
use crate::client::{Answer, Client};
use crate::offer::Offer;
use crate::target::Target;

/// Until the sale opens, at least: who comes before everybody else has been admitted by then.
const AHEAD_MS_MIN: i64 = 5_000;

pub struct Stage {
    pub options: Options,
    pub scale: Scale,
    pub sale: u64,
    pub keys: Arc<TokenKeys>,
    pub reserve: Reserve,
    pub stop: CancellationToken,
    bell: Instant,
    tally: Mutex<Tally>,
    hoarders: Pool,
    honest: Pool,
    honest_came: AtomicU64,
}

impl Stage {
    pub async fn open(options: &Options, target: &Target) -> Result<Arc<Self>, String> {
        let scale = Scale { hold_ms: options.hold_ms };
        let now = SystemClock::machine_now();
        let opens_at = now.plus_ms(AHEAD_MS_MIN.max(options.hold_ms / 10));
        let offer = Offer {
            quantity_max: options.quantity_max,
            standby_max: options.standby,
            hold_ms: options.hold_ms,
            opens_at,
            closes_at: opens_at.plus_ms((options.hold_ms * i64::from(options.periods)).max(3_600_000) * 2),
            ..Offer::new(now, options.capacity)
        };
        let sale = offer.open(&target.gateways[0], &target.keys, 1).await?[0];
        let left_ms = opens_at.since_ms(SystemClock::machine_now());
        Ok(Arc::new(Self {
            scale,
            sale,
            keys: target.keys.clone(),
            reserve: Reserve::new(options.places()),
            stop: CancellationToken::new(),
            bell: Instant::now() + Duration::from_millis(left_ms.max(0).unsigned_abs()),
            tally: Mutex::default(),
            hoarders: Pool::new(&target.gateways[0], options.connections),
            honest: Pool::new(&target.gateways[0], options.connections),
            honest_came: AtomicU64::new(0),
            options: options.clone(),
        }))
    }

    pub fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().expect("no buyer panics")
    }

    pub fn pool(&self, side: Side) -> &Pool {
        match side {
            Side::Hoarder => &self.hoarders,
            Side::Honest => &self.honest,
        }
    }

    /// The next honest person's.
    pub fn comes(&self) -> u64 {
        self.honest_came.fetch_add(1, Ordering::Relaxed)
    }

    /// Whether it goes on after this pause.
    pub async fn rest(&self, pause: Duration) -> bool {
        self.stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some()
    }

    pub async fn bell(&self) -> bool {
        self.stop.run_until_cancelled(tokio::time::sleep_until(self.bell)).await.is_some()
    }

    /// Since the bell, in hold periods.
    pub fn periods(&self) -> f64 {
        self.bell.elapsed().as_secs_f64() / self.scale.hold().as_secs_f64()
    }

    /// Until all is sold, or as long as the run may be.
    pub async fn last(&self) {
        self.bell().await;
        let periods = f64::from(self.options.periods);
        while self.periods() < periods && self.tally().honest.units < u64::from(self.options.capacity) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.stop.cancel();
    }
}

/// Connections of one side.
pub struct Pool {
    authority: String,
    open: Semaphore,
    idle: Mutex<Vec<Client>>,
}

impl Pool {
    fn new(authority: &str, connections: usize) -> Self {
        Self { authority: authority.to_owned(), open: Semaphore::new(connections), idle: Mutex::default() }
    }

    pub async fn call(
        &self,
        from: Ipv4Addr,
        (method, path): (Method, &str),
        token: &str,
        body: String,
    ) -> Result<Answer, String> {
        let _open = self.open.acquire().await.map_err(|error| error.to_string())?;
        let idle = self.idle.lock().expect("no buyer panics").pop();
        let mut client = idle.unwrap_or_else(|| Client::new(&self.authority));
        client.on_behalf_of(Some(from));
        let answer = client.send(method, path, token, body.into()).await;
        self.idle.lock().expect("no buyer panics").push(client);
        answer
    }
}
