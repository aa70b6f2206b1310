//! The presses of the button: each at a moment fixed beforehand, and again when it was shed or no answer came.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use miaosha::domain::shared::id::{AttemptId, BuyerId};

use crate::balance::Way;
use crate::follow::{Followed, Queue};
use crate::plan::{ANSWER, FIRST_BUYER, Plan};

/// What the button's press became, for one buyer.
#[derive(Clone, Copy)]
pub struct Pressed {
    pub buyer: u64,
    pub sale: u64,
    /// Microseconds from the rush's start: when it was meant to be pressed, when the answered request left, when the answer came.
    pub intended_us: u64,
    pub sent_us: u64,
    pub answered_us: u64,
    pub answer: PressAnswer,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum PressAnswer {
    Accepted(AttemptId),
    SoldOut,
    Refused(u16),
}

/// What all connections share of the presses.
pub struct Presses {
    pub start: Instant,
    next: AtomicU64,
    open: AtomicU64,
    again: Mutex<BinaryHeap<Reverse<(Instant, u64)>>>,
    pub shed: AtomicU64,
    pub unheard: AtomicU64,
}

impl Presses {
    pub fn of(buyers: u64, start: Instant) -> Arc<Self> {
        Arc::new(Self {
            start,
            next: AtomicU64::new(0),
            open: AtomicU64::new(buyers),
            again: Mutex::default(),
            shed: AtomicU64::new(0),
            unheard: AtomicU64::new(0),
        })
    }

    /// How many buyers have come.
    pub fn came(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }
}

/// One connection's share of the presses.
pub async fn press_all(plan: Arc<Plan>, presses: Arc<Presses>, queue: Arc<Queue>, publisher: usize) -> Vec<Pressed> {
    let mut way = Way::new(&plan.publishers, publisher);
    let mut pressed = Vec::new();
    tokio::time::sleep_until(presses.start.into()).await;
    let give_up =
        presses.start + Duration::from_secs(plan.options.buyers / plan.options.rate + plan.options.settle_s_max);
    while presses.open.load(Ordering::Relaxed) > 0 && Instant::now() < give_up {
        let Some((number, intended)) = presses.next_press(&plan).await else {
            continue;
        };
        let sent = Instant::now();
        match press(&plan, &mut way, number).await {
            Ok(Press::Answered(answer)) => {
                presses.open.fetch_sub(1, Ordering::Relaxed);
                let since = |at: Instant| at.duration_since(presses.start).as_micros() as u64;
                let sale = plan.sale(number);
                if let PressAnswer::Accepted(attempt) = answer {
                    queue.enter(Followed { buyer: FIRST_BUYER + number, sale, attempt: attempt.to_string() });
                }
                let (intended_us, sent_us, answered_us) = (since(intended), since(sent), since(Instant::now()));
                pressed.push(Pressed { buyer: FIRST_BUYER + number, sale, intended_us, sent_us, answered_us, answer });
            }
            Ok(Press::Shed { retry_after_s }) => {
                presses.shed.fetch_add(1, Ordering::Relaxed);
                presses.press_again(number, Duration::from_secs(retry_after_s));
            }
            Err(_unheard) => {
                presses.unheard.fetch_add(1, Ordering::Relaxed);
                way.turn();
                presses.press_again(number, Duration::from_millis(50));
            }
        }
    }
    pressed
}

impl Presses {
    /// The next press that is due, or nothing while everything that is left waits for later.
    async fn next_press(&self, plan: &Plan) -> Option<(u64, Instant)> {
        let intended = |number: u64| self.start + Duration::from_secs_f64(number as f64 / plan.options.rate as f64);
        let again = {
            let mut again = self.again.lock().expect("no presser panics");
            match again.peek() {
                Some(Reverse((due, _))) if *due <= Instant::now() => again.pop(),
                _ => None,
            }
        };
        if let Some(Reverse((_, number))) = again {
            return Some((number, intended(number)));
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        if number >= plan.options.buyers {
            tokio::time::sleep(Duration::from_millis(5)).await;
            return None;
        }
        let at = intended(number);
        if at > Instant::now() {
            tokio::time::sleep_until(at.into()).await;
        }
        Some((number, at))
    }

    fn press_again(&self, number: u64, after: Duration) {
        self.again.lock().expect("no presser panics").push(Reverse((Instant::now() + after, number)));
    }
}

enum Press {
    Answered(PressAnswer),
    Shed { retry_after_s: u64 },
}

async fn press(plan: &Plan, way: &mut Way, number: u64) -> Result<Press, String> {
    let token = plan.admission(BuyerId(FIRST_BUYER + number), plan.sale(number));
    way.on_behalf_of(plan.address(FIRST_BUYER + number));
    let path = format!("/v1/sales/{}/attempts", plan.sale(number));
    let body = format!(r#"{{"question_id":0,"answer":"{ANSWER}","quantity":{}}}"#, plan.quantity(number));
    let answer = way.post(&plan.needless, &path, &token, body).await?;
    Ok(match answer.status {
        202 => match answer.json()["attempt_id"].as_str().and_then(|id| id.parse().ok()) {
            Some(attempt) => Press::Answered(PressAnswer::Accepted(attempt)),
            None => Press::Answered(PressAnswer::Refused(202)),
        },
        200 => Press::Answered(PressAnswer::SoldOut),
        429 | 502 | 503 | 504 => Press::Shed { retry_after_s: answer.retry_after_s.unwrap_or(1) },
        status => Press::Answered(PressAnswer::Refused(status)),
    })
}
