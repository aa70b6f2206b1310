//! At rest: what every socket was told last, beside what the ledger says. Some who hold something give it up, perhaps while the
//! broker says nothing; from then on it is only a matter of time.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use hyper::Method;
use hyper::body::Bytes;
use miaosha::adapters::system::SystemClock;
use miaosha::domain::people::Role;
use miaosha::domain::shared::id::BuyerId;
use miaosha::faces::tokens::TokenKeys;

use super::errand::Clients;
use super::stage::Stage;
use crate::client::{Client, address_of};
use crate::keys::TOKEN_MS;
use crate::target::Target;

const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// Who give up, or ask, at once.
const ASKERS: usize = 16;
/// Of a call while the fleet is away.
const TRIES_MAX: u32 = 200;

pub struct Stale {
    /// When the broker was back, and everybody who wanted to had given up.
    pub at_first: usize,
    pub after_bound: usize,
    /// Until no client was behind any more.
    pub took_ms: u64,
}

/// The reservation and its version.
type Known = HashMap<u64, (String, u64)>;

pub async fn stale(
    stage: &Stage<'_>,
    keys: &TokenKeys,
    clients: &mut [Clients],
    pressed: &HashMap<u64, i64>,
) -> Result<Stale, String> {
    let buyers: Vec<u64> = pressed.keys().copied().collect();
    let leavers: Vec<u64> = buyers.iter().copied().filter(|buyer| buyer % 2 == 0).collect();
    let silence = Duration::from_secs(stage.options.broker_paused_s);
    let paused = async {
        match silence.is_zero() {
            true => Ok(()),
            false => Target::fleet(&stage.options.fleet, false)?.pause("rabbitmq", silence).await,
        }
    };
    let leave = async {
        // Into the middle of the silence.
        tokio::time::sleep(silence / 4).await;
        ask(stage, keys, &leavers, Method::DELETE).await.map(drop)
    };
    // Whatever comes of the one, the broker goes on.
    let (paused, left) = tokio::join!(paused, leave);
    paused.and(left)?;
    let truth = ask(stage, keys, &buyers, Method::GET).await?;
    let began = Instant::now();
    let at_first = behind(clients, &truth).await?;
    let mut left = at_first;
    while left > 0 && began.elapsed() < Duration::from_secs(stage.options.stale_s_max) {
        tokio::time::sleep(LOOK_AGAIN).await;
        left = behind(clients, &truth).await?;
    }
    Ok(Stale { at_first, after_bound: left, took_ms: began.elapsed().as_millis() as u64 })
}

async fn behind(clients: &mut [Clients], truth: &Known) -> Result<usize, String> {
    let reports = try_join_all(clients.iter_mut().map(|clients| clients.report(None, Duration::ZERO))).await?;
    let told: Known =
        reports.into_iter().flat_map(|report| report.last).map(|(buyer, id, at)| (buyer, (id, at))).collect();
    Ok(truth.iter().filter(|(buyer, known)| told.get(*buyer) != Some(*known)).count())
}

/// What each buyer's reservation is, or is after he gave it up.
async fn ask(stage: &Stage<'_>, keys: &TokenKeys, buyers: &[u64], method: Method) -> Result<Known, String> {
    let share = buyers.len().div_ceil(ASKERS).max(1);
    let path = format!("/v1/sales/{}/reservation", stage.sale);
    let asked = buyers.chunks(share).map(|buyers| {
        let (path, method) = (&path, &method);
        async move {
            let mut client = Client::new(&stage.gateways.http);
            let mut known = Vec::new();
            for buyer in buyers {
                let token = keys.sign_access(BuyerId(*buyer), Role::Shopper, SystemClock::machine_now(), TOKEN_MS);
                client.on_behalf_of(stage.options.front.then(|| address_of(*buyer)));
                let mut tries = 0;
                loop {
                    let answer = client.send(method.clone(), path, &token, Bytes::new()).await?;
                    let body = answer.json();
                    match (answer.status, body["reservation_id"].as_str(), body["version"].as_u64()) {
                        (200, Some(id), Some(version)) => known.push((*buyer, (id.to_owned(), version))),
                        (404 | 429 | 502 | 503 | 504, ..) if tries < TRIES_MAX => {
                            tries += 1;
                            tokio::time::sleep(Duration::from_millis(200)).await;
                            continue;
                        }
                        (status, ..) => return Err(format!("{method} {path} was answered {status} {body}")),
                    }
                    break;
                }
            }
            Ok::<_, String>(known)
        }
    });
    Ok(try_join_all(asked).await?.into_iter().flatten().collect())
}
