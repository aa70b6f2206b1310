//! What buyers do after their 202: ask what became of it, pay or let the hold lapse, and wait on standby.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use miaosha::domain::shared::id::BuyerId;
use serde_json::json;

use crate::balance::Way;
use crate::plan::Plan;

/// Between two questions of one buyer: soon while the decision is due, later while only time can change the answer.
const ASK_AGAIN_MS: u64 = 200;
const WAIT_AGAIN_MS: u64 = 1_000;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Followed {
    pub buyer: u64,
    pub sale: u64,
    pub attempt: String,
}

/// Buyers to ask for, earliest first; shared by the followers.
#[derive(Default)]
pub struct Queue {
    waiting: Mutex<BinaryHeap<Reverse<(Instant, u64, Followed)>>>,
    open: AtomicU64,
    count: AtomicU64,
    /// Buyers, of their sales, who were on standby when they asked last.
    standing_by: Mutex<HashSet<(u64, u64)>>,
    pub tally: Tally,
}

#[derive(Default)]
pub struct Tally {
    pub paid: AtomicU64,
    /// Of the buyers that paid.
    pub refunded: AtomicU64,
    pub declined: AtomicU64,
    pub lapsed: AtomicU64,
    pub refused: AtomicU64,
    pub ended: AtomicU64,
    /// Answers that no buyer should ever get.
    pub surprises: Mutex<Vec<String>>,
}

impl Queue {
    pub fn enter(&self, followed: Followed) {
        self.open.fetch_add(1, Ordering::Relaxed);
        self.later(followed, ASK_AGAIN_MS);
    }

    /// Buyers whose end is not known yet.
    pub fn open(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }

    /// Whether every open buyer is on standby, waiting for what another might give back.
    fn all_stand_by(&self) -> bool {
        self.standing_by.lock().expect("no follower panics").len() as u64 == self.open()
    }

    fn note(&self, followed: &Followed, stands_by: bool) {
        let mut standing_by = self.standing_by.lock().expect("no follower panics");
        let who = (followed.sale, followed.buyer);
        if stands_by {
            standing_by.insert(who)
        } else {
            standing_by.remove(&who)
        };
    }

    fn later(&self, followed: Followed, ms: u64) {
        let at = Instant::now() + Duration::from_millis(ms);
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        self.waiting.lock().expect("no follower panics").push(Reverse((at, number, followed)));
    }

    fn due(&self) -> Result<Followed, Duration> {
        let mut waiting = self.waiting.lock().expect("no follower panics");
        let Some(Reverse((at, ..))) = waiting.peek() else {
            return Err(Duration::from_millis(20));
        };
        let now = Instant::now();
        if *at > now {
            return Err((*at - now).min(Duration::from_millis(20)));
        }
        let Some(Reverse((_, _, followed))) = waiting.pop() else {
            return Err(Duration::from_millis(20));
        };
        Ok(followed)
    }

    fn done(&self, counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Waits until every buyer knows how it ended. There are no more presses; when nothing is held or being paid either, the operator
/// closes the sales: until then standby would wait on.
pub async fn settle(plan: &Plan, queue: &Queue, within: Duration) {
    let give_up = Instant::now() + within;
    let mut way = Way::new(&plan.gateways, 0);
    let mut to_close = plan.sales.iter().peekable();
    while queue.open() > 0 && Instant::now() < give_up {
        tokio::time::sleep(Duration::from_millis(100)).await;
        while queue.all_stand_by()
            && let Some(sale) = to_close.peek()
        {
            match close(plan, &mut way, **sale).await {
                Ok(200) => drop(to_close.next()),
                // The gateway may be away, or busy.
                Ok(_) | Err(_) => {
                    way.turn();
                    break;
                }
            }
        }
    }
}

async fn close(plan: &Plan, way: &mut Way, sale: u64) -> Result<u16, String> {
    let path = format!("/v1/admin/sales/{sale}/close");
    Ok(way.post(&plan.needless, &path, &plan.operator_token(), "{}".to_owned()).await?.status)
}

/// One follower: asks for buyer after buyer on one connection, until it is told to stop.
pub async fn follow(plan: Arc<Plan>, queue: Arc<Queue>, gateway: usize, stop: tokio_util::sync::CancellationToken) {
    let mut way = Way::new(&plan.gateways, gateway);
    while !stop.is_cancelled() {
        let followed = match queue.due() {
            Ok(followed) => followed,
            Err(wait) => {
                tokio::time::sleep(wait).await;
                continue;
            }
        };
        if let Err(_unheard) = ask(&plan, &queue, &mut way, &followed).await {
            // The gateway may be away: the balancer in front would choose the next one.
            way.turn();
            queue.later(followed, ASK_AGAIN_MS);
        }
    }
}

async fn ask(plan: &Plan, queue: &Queue, way: &mut Way, followed: &Followed) -> Result<(), String> {
    let token = plan.token(BuyerId(followed.buyer));
    way.on_behalf_of(plan.address(followed.buyer));
    let path = format!("/v1/sales/{}/reservation?attempt={}&wait_ms=0", followed.sale, followed.attempt);
    let answer = way.get(&plan.needless, &path, &token).await?;
    let body = answer.json();
    if [429, 502, 503, 504].contains(&answer.status) {
        queue.later(followed.clone(), answer.retry_after_s.unwrap_or(1) * 1000);
        return Ok(());
    }
    queue.note(followed, body["status"] == "standby");
    match (answer.status, body["status"].as_str().unwrap_or_default()) {
        (200, "pending") => queue.later(followed.clone(), ASK_AGAIN_MS),
        (200, "refused" | "already") => queue.done(&queue.tally.refused),
        (200, "standby" | "paying") => queue.later(followed.clone(), WAIT_AGAIN_MS),
        (200, "held") if plan.pays(followed.buyer) => {
            let checkout = body["checkout_token"].as_str().unwrap_or_default();
            pay(plan, queue, way, followed, &token, checkout).await?;
        }
        (200, "held") => queue.later(followed.clone(), WAIT_AGAIN_MS),
        (200, "confirmed") => match plan.refunds(followed.buyer) {
            None => queue.done(&queue.tally.paid),
            Some(all) => refund(plan, queue, way, followed, &body, all).await?,
        },
        (200, "lapsed") => queue.done(&queue.tally.lapsed),
        (200, "ended" | "cancelled" | "refunded") => queue.done(&queue.tally.ended),
        _ => {
            surprise(queue, format!("GET {path}: {} {body}", answer.status));
            queue.done(&queue.tally.ended);
        }
    }
    Ok(())
}

async fn pay(
    plan: &Plan,
    queue: &Queue,
    way: &mut Way,
    who: &Followed,
    token: &str,
    checkout: &str,
) -> Result<(), String> {
    let body = json!({ "checkout_token": checkout, "card": "ok" }).to_string();
    let answer = way.post(&plan.needless, "/v1/checkouts", token, body).await?;
    match answer.status {
        200 | 201 if plan.refunds(who.buyer).is_some() => queue.later(who.clone(), ASK_AGAIN_MS),
        200 | 201 => queue.done(&queue.tally.paid),
        402 => {
            queue.tally.declined.fetch_add(1, Ordering::Relaxed);
            queue.later(who.clone(), WAIT_AGAIN_MS);
        }
        // Time ran out under it, or the answer is still to come: the next question tells.
        202 | 401 | 409 | 429 | 502 | 503 | 504 => queue.later(who.clone(), ASK_AGAIN_MS),
        status => {
            surprise(queue, format!("POST /v1/checkouts: {status} {}", answer.json()));
            queue.later(who.clone(), WAIT_AGAIN_MS);
        }
    }
    Ok(())
}

/// An operator gives back what this buyer paid for: all of it, or the first unit. An answer that got lost is asked for again, and
/// then the unit has gone back already.
async fn refund(
    plan: &Plan,
    queue: &Queue,
    way: &mut Way,
    who: &Followed,
    standing: &serde_json::Value,
    all: bool,
) -> Result<(), String> {
    let path = format!("/v1/admin/orders/{}/refunds", standing["order_number"].as_str().unwrap_or_default());
    let body = if all { json!({}) } else { json!({ "units": [standing["units"][0]] }) };
    let answer = way.post(&plan.needless, &path, &plan.operator_token(), body.to_string()).await?;
    match answer.status {
        201 | 409 => {
            queue.tally.refunded.fetch_add(1, Ordering::Relaxed);
            queue.done(&queue.tally.paid);
        }
        429 | 502 | 503 | 504 => queue.later(who.clone(), WAIT_AGAIN_MS),
        status => {
            surprise(queue, format!("POST {path}: {status} {}", answer.json()));
            queue.done(&queue.tally.ended);
        }
    }
    Ok(())
}

fn surprise(queue: &Queue, what: String) {
    let mut surprises = queue.tally.surprises.lock().expect("no follower panics");
    if surprises.len() < 10 {
        surprises.push(what);
    }
}
