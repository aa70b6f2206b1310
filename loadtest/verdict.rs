//! Was it right? What the buyers were told beside what the ledger holds.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::Ordering;

use miaosha::domain::sale::turn::Cause;
use miaosha::domain::shared::id::AttemptId;
use serde_json::{Value, json};

use crate::balance::Needless;
use crate::follow::Queue;
use crate::press::{PressAnswer, Pressed};
use crate::times::Times;

#[derive(Default)]
pub struct Verdict {
    buyers: u64,
    accepted: u64,
    sold_out_at_once: u64,
    refused: u64,
    shed: u64,
    unheard: u64,
    pub accept_rps: f64,
    accept_p50_ms: f64,
    pub accept_p99_ms: f64,
    pub decide_rps: f64,
    held: u64,
    standby: u64,
    sold_out: u64,
    unacknowledged: u64,
    pub sold: u64,
    oversold: u64,
    lost: u64,
    duplicated: u64,
    order_violations: u64,
    idle_units: u64,
    /// `PASS`, `FAIL` or, where no audit could be made, `none`.
    audit: String,
    first_divergence: String,
    surprises: Vec<String>,
    followed: String,
    /// Where a fleet was rolled: what it refused or left unanswered meanwhile.
    refused_needlessly: Option<u64>,
}

/// What the ledger decided of one attempt: its place in the order of decisions, and the turn's byte.
type Decisions = HashMap<AttemptId, (u64, u8)>;

pub fn judge(pressed: &[Pressed], audit: Option<&Value>, shed: u64, unheard: u64) -> Verdict {
    let mut verdict =
        Verdict { buyers: pressed.len() as u64, shed, unheard, audit: "none".to_owned(), ..Verdict::default() };
    for press in pressed {
        match press.answer {
            PressAnswer::Accepted(_) => verdict.accepted += 1,
            PressAnswer::SoldOut => verdict.sold_out_at_once += 1,
            PressAnswer::Refused(status) => {
                verdict.refused += 1;
                verdict.surprises.push(format!("an attempt was answered {status}"));
            }
        }
    }
    verdict.accepted += verdict.sold_out_at_once;
    verdict.sold_out = verdict.sold_out_at_once;
    verdict.surprises.truncate(5);
    verdict.latencies(pressed);
    if let Some(audit) = audit {
        verdict.compare(pressed, audit);
    }
    verdict
}

impl Verdict {
    pub fn note_followers(&mut self, queue: &Queue) {
        let tally = &queue.tally;
        let of = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        self.followed = format!(
            "{} paid ({} refunded), {} lapsed, {} refused, {} ended, {} never knew",
            of(&tally.paid),
            of(&tally.refunded),
            of(&tally.lapsed),
            of(&tally.refused),
            of(&tally.ended),
            queue.open()
        );
        self.surprises.extend(tally.surprises.lock().expect("no follower panics").iter().cloned());
        if queue.open() > 0 {
            self.surprises.push(format!("{} buyers never knew how it ended", queue.open()));
        }
    }

    pub fn note_needless(&mut self, needless: &Needless) {
        self.refused_needlessly = Some(needless.count());
    }

    pub fn holds(&self) -> bool {
        let clean = self.refused_needlessly.unwrap_or_default()
            + self.oversold
            + self.lost
            + self.duplicated
            + self.order_violations
            + self.idle_units
            == 0;
        let adds_up = self.audit == "none" || self.held + self.standby + self.sold_out == self.accepted;
        clean && adds_up && self.audit != "FAIL" && self.surprises.is_empty() && self.accepted == self.buyers
    }

    pub fn json(&self) -> Value {
        json!({
            "buyers": self.buyers,
            "accepted": self.accepted,
            "sold_out_at_once": self.sold_out_at_once,
            "accept_rps": round(self.accept_rps),
            "accept_p50_ms": self.accept_p50_ms,
            "accept_p99_ms": self.accept_p99_ms,
            "decide_rps": round(self.decide_rps),
            "held": self.held,
            "standby": self.standby,
            "sold_out": self.sold_out,
            "unacknowledged": self.unacknowledged,
            "refused_needlessly": self.refused_needlessly,
            "sold": self.sold,
            "oversold": self.oversold,
            "lost": self.lost,
            "duplicated": self.duplicated,
            "order_violations": self.order_violations,
            "idle_units": self.idle_units,
            "audit": self.audit,
        })
    }

    fn latencies(&mut self, pressed: &[Pressed]) {
        let took: Times = pressed.iter().map(|press| press.answered_us - press.intended_us).collect();
        self.accept_p50_ms = took.ms(0.50);
        self.accept_p99_ms = took.ms(0.99);
        let last = pressed.iter().map(|press| press.answered_us).max().unwrap_or(0);
        self.accept_rps = per_second(self.accepted, last as f64 / 1_000_000.0);
    }

    fn compare(&mut self, pressed: &[Pressed], audit: &Value) {
        self.audit = if audit["pass"] == true { "PASS" } else { "FAIL" }.to_owned();
        let sales = audit["sales"].as_array().cloned().unwrap_or_default();
        let mut first_turn = i64::MAX;
        let mut last_turn = i64::MIN;
        let mut decided = 0;
        for sale in &sales {
            self.figures(sale);
            let (decisions, twice) = decisions_of(sale);
            self.duplicated += twice;
            decided += decisions.len() as u64;
            for turn in sale["turns"].as_array().into_iter().flatten() {
                let at = turn["recorded_at"].as_i64().unwrap_or(0);
                first_turn = first_turn.min(at);
                last_turn = last_turn.max(at);
            }
            let own: Vec<&Pressed> = pressed.iter().filter(|press| sale["sale"].as_u64() == Some(press.sale)).collect();
            self.outcomes(&own, &decisions, sale);
            self.order(&own, &decisions);
        }
        let acknowledged = self.accepted - self.sold_out_at_once - self.lost;
        self.unacknowledged = decided.saturating_sub(acknowledged);
        if decided > 0 {
            self.decide_rps = per_second(decided, (last_turn - first_turn).max(1) as f64 / 1000.0);
        }
    }

    fn figures(&mut self, sale: &Value) {
        let figure = |name: &str| sale["figures"][name].as_u64().unwrap_or(0);
        self.sold += figure("sold");
        self.oversold += figure("sold").saturating_sub(figure("capacity"));
        let divergence = &sale["divergence"];
        match divergence["invariant"].as_u64() {
            None => return,
            Some(1) => self.oversold += 1,
            Some(4) => self.duplicated += 1,
            Some(6) => self.idle_units += figure("free"),
            Some(_) => {}
        }
        if self.first_divergence.is_empty() {
            self.first_divergence = format!("sale {}: {divergence}", sale["sale"]);
        }
    }

    /// First outcomes. One who was shed though the broker had the batch, and came again, is ALREADY: the first try counts.
    fn outcomes(&mut self, pressed: &[&Pressed], decisions: &Decisions, sale: &Value) {
        let byte_of = |attempt: &AttemptId| decisions.get(attempt).map(|(_, byte)| *byte);
        let firsts = first_reservations(sale);
        for press in pressed {
            let PressAnswer::Accepted(attempt) = press.answer else { continue };
            let byte = match byte_of(&attempt) {
                Some(b'A') => firsts.get(&press.buyer).and_then(byte_of).or(Some(b'A')),
                byte => byte,
            };
            match byte {
                Some(b'T') => self.held += 1,
                Some(b'S') => self.standby += 1,
                Some(b'R') => self.sold_out += 1,
                Some(other) => self.surprises.push(format!("attempt {attempt} was decided {}", other as char)),
                None => self.lost += 1,
            }
        }
    }

    /// A buyer that had a 202 before another's press left must be decided before it.
    fn order(&mut self, pressed: &[&Pressed], decisions: &Decisions) {
        let mut in_order: Vec<(u64, &Pressed)> = pressed
            .iter()
            .filter_map(|press| match press.answer {
                PressAnswer::Accepted(attempt) => decisions.get(&attempt).map(|(place, _)| (*place, *press)),
                _ => None,
            })
            .collect();
        in_order.sort_by_key(|(place, _)| *place);
        let mut latest_sent = 0;
        for (_, press) in in_order {
            if press.answered_us < latest_sent {
                self.order_violations += 1;
            }
            latest_sent = latest_sent.max(press.sent_us);
        }
    }
}

/// Every attempt the ledger has a turn for, and how many it has two for.
fn decisions_of(sale: &Value) -> (Decisions, u64) {
    let mut decisions = Decisions::new();
    let mut twice = 0;
    let mut place = 0;
    for turn in sale["turns"].as_array().into_iter().flatten() {
        let Some(Ok(Cause::Batch(batch))) = turn["cause"].as_str().map(str::parse::<Cause>) else { continue };
        for (index, byte) in turn["outcomes"].as_str().unwrap_or_default().bytes().enumerate() {
            place += 1;
            if decisions.insert(batch.attempt(index), (place, byte)).is_some() {
                twice += 1;
            }
        }
    }
    (decisions, twice)
}

/// Each buyer's first reservation: ids grow with time.
fn first_reservations(sale: &Value) -> HashMap<u64, AttemptId> {
    let mut firsts = HashMap::new();
    for pair in sale["reservations"].as_array().into_iter().flatten() {
        let id = pair[1].as_str().and_then(|text| text.parse::<AttemptId>().ok());
        if let (Some(buyer), Some(id)) = (pair[0].as_u64(), id) {
            let first = firsts.entry(buyer).or_insert(id);
            *first = id.min(*first);
        }
    }
    firsts
}

fn per_second(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { count as f64 / seconds } else { 0.0 }
}

fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "pressed   {} buyers: {} accepted ({} of them told sold out at once), {} refused; {} were shed and came again, {} got no answer and came again",
            self.buyers, self.accepted, self.sold_out_at_once, self.refused, self.shed, self.unheard
        )?;
        writeln!(
            f,
            "speed     {:.0} accepted/s, p50 {:.2} ms, p99 {:.2} ms; {:.0} decided/s",
            self.accept_rps, self.accept_p50_ms, self.accept_p99_ms, self.decide_rps
        )?;
        writeln!(
            f,
            "outcomes  {} held + {} standby + {} sold out; {} decided without a 202",
            self.held, self.standby, self.sold_out, self.unacknowledged
        )?;
        writeln!(f, "buyers    {}", self.followed)?;
        writeln!(f, "units     {} sold, {} oversold, {} idle", self.sold, self.oversold, self.idle_units)?;
        writeln!(
            f,
            "wrong     {} lost, {} duplicated, {} out of order",
            self.lost, self.duplicated, self.order_violations
        )?;
        if let Some(count) = self.refused_needlessly {
            writeln!(f, "rolled    {count} refused needlessly")?;
        }
        write!(f, "audit     {} {}", self.audit, self.first_divergence)?;
        for surprise in &self.surprises {
            write!(f, "\nsurprise  {surprise}")?;
        }
        Ok(())
    }
}
