//! The connections: each buys one ticket after the other, and knows of each what became of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::task::JoinSet;

use super::{ByEvent, Scenario};
use crate::client::Client;
use crate::times::Times;

/// How long a purchase whose answer is not known is sent again, after the last one was begun.
const SETTLE: Duration = Duration::from_secs(60);
const AGAIN: Duration = Duration::from_millis(200);
/// Connections opened at once.
const OPENED_AT_ONCE: usize = 256;

/// What was seen of one event.
#[derive(Default)]
pub struct Seen {
    /// Each purchase's ticket, and where it is.
    pub bought: Vec<(String, String)>,
    pub sold_out: u64,
    /// Answers that said to come again, and connections that broke.
    pub again: u64,
    /// Purchases of which nobody said in time what became of them.
    pub unknown: u64,
    pub times: Times,
    pub strange: Vec<String>,
}

impl Seen {
    pub fn asked(&self) -> u64 {
        self.bought.len() as u64 + self.sold_out
    }

    fn add(&mut self, other: Seen) {
        self.bought.extend(other.bought);
        self.strange.extend(other.strange);
        self.sold_out += other.sold_out;
        self.again += other.again;
        self.unknown += other.unknown;
        self.times.add(&other.times);
    }
}

/// All connections are open before the first ticket is asked for.
pub async fn buy(place: &str, scenario: &Scenario) -> Result<ByEvent, String> {
    let mut clients = Vec::new();
    while clients.len() < scenario.connections {
        let some = OPENED_AT_ONCE.min(scenario.connections - clients.len());
        let opened = join_all((0..some).map(|_| async {
            let mut client = Client::new(place);
            client.open().await.map(|()| client)
        }));
        for client in opened.await {
            clients.push(client?);
        }
    }
    let until = Instant::now() + scenario.lasts;
    let events: Arc<[u64]> = scenario.events.clone().into();
    let mut shoppers = JoinSet::new();
    for (number, client) in clients.into_iter().enumerate() {
        shoppers.spawn(shopper(client, events.clone(), number, until));
    }
    let mut all: ByEvent = events.iter().map(|_| Seen::default()).collect();
    while let Some(seen) = shoppers.join_next().await {
        let seen = seen.map_err(|error| error.to_string())?;
        all.iter_mut().zip(seen).for_each(|(all, seen)| all.add(seen));
    }
    Ok(all)
}

async fn shopper(mut client: Client, events: Arc<[u64]>, number: usize, until: Instant) -> ByEvent {
    let mut all: ByEvent = events.iter().map(|_| Seen::default()).collect();
    let mut turn = number;
    while Instant::now() < until {
        let at = turn % events.len();
        turn += 1;
        purchase(&mut client, events[at], until, &mut all[at]).await;
    }
    all
}

/// Under one key, until it is known what became of it.
async fn purchase(client: &mut Client, event: u64, until: Instant, seen: &mut Seen) {
    let (path, began) = (format!("/buy/{event}"), Instant::now());
    client.under(Some(format!("{:032x}", fastrand::u128(..))));
    while Instant::now() < until + SETTLE {
        let answer = client.post(&path, "", "").await;
        match &answer {
            Ok(answer) if answer.status == 200 => {
                let data = &answer.json()["data"];
                let text = |name: &str| data[name].as_str().unwrap_or_default().to_owned();
                seen.bought.push((text("ticket"), text("url")));
            }
            Ok(answer) if answer.status == 409 && answer.json()["type"] == "/problems/sold_out" => seen.sold_out += 1,
            // Not decided yet, too many at once, or what was held lapsed meanwhile: under the same key it is the same purchase.
            Ok(answer) if matches!(answer.status, 202 | 409 | 503) => {
                seen.again += 1;
                tokio::time::sleep(AGAIN).await;
                continue;
            }
            Err(_) => {
                seen.again += 1;
                tokio::time::sleep(AGAIN).await;
                continue;
            }
            Ok(answer) => seen.strange.push(format!("{} {}", answer.status, answer.json())),
        }
        seen.times.extend([began.elapsed().as_micros() as u64]);
        return;
    }
    seen.unknown += 1;
}
