//! Who got what of a sale, and what it cost.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Hoarder,
    Honest,
}

#[derive(Default)]
pub struct Tally {
    pub hoarders: Party,
    pub honest: Party,
    /// Digests that hoarders had to try.
    pub digests: u64,
    /// Hold periods after the bell at which units were sold, one for each.
    pub sold_at: Vec<f64>,
    pub surprises: Vec<String>,
}

#[derive(Default)]
pub struct Party {
    /// That were ever given an admission.
    pub accounts: BTreeSet<u64>,
    pub holds: u64,
    /// Paid for.
    pub units: u64,
    /// By what a call was turned away, in the shop's words.
    turned: BTreeMap<String, Turned>,
}

#[derive(Default)]
struct Turned {
    calls: u64,
    accounts: BTreeSet<u64>,
}

impl Tally {
    pub fn of(&mut self, side: Side) -> &mut Party {
        match side {
            Side::Hoarder => &mut self.hoarders,
            Side::Honest => &mut self.honest,
        }
    }

    /// A few are enough to see what is wrong.
    pub fn surprise(&mut self, what: String) {
        if self.surprises.len() < 5 {
            self.surprises.push(what);
        }
    }
}

impl Party {
    pub fn turn_away(&mut self, account: u64, by: &str) {
        let turned = self.turned.entry(by.to_owned()).or_default();
        turned.calls += 1;
        turned.accounts.insert(account);
    }

    fn turned(&self) -> Value {
        let each = self.turned.iter();
        let each =
            each.map(|(by, turned)| (by.clone(), json!({ "accounts": turned.accounts.len(), "calls": turned.calls })));
        Value::Object(each.collect())
    }
}

/// What one shop gave.
pub struct Figures {
    pub tally: Tally,
    pub periods: f64,
    pub capacity: u32,
    /// Of a core of this machine, for the work that a shop would have asked for.
    pub work_s: f64,
    /// Units sold by the books, and whether these are right.
    pub booked: Option<u64>,
}

impl Figures {
    /// What honest buyers were told is what the books say, and nobody else paid.
    pub fn adds_up(&self) -> bool {
        let Tally { hoarders, honest, surprises, .. } = &self.tally;
        self.booked == Some(honest.units) && hoarders.units == 0 && surprises.is_empty()
    }

    pub fn json(&self) -> Value {
        let Tally { hoarders, honest, digests, sold_at, surprises } = &self.tally;
        let holds = hoarders.holds + honest.holds;
        let a_hold = |whole: f64| round(whole / hoarders.holds.max(1) as f64);
        let half = sold_at.get((self.capacity as usize).div_ceil(2).saturating_sub(1));
        json!({
            "hold_periods": round(self.periods),
            "honest_units": honest.units,
            "honest_share_of_units": round(honest.units as f64 / f64::from(self.capacity)),
            "honest_buyers": honest.accounts.len(),
            "honest_holds": honest.holds,
            "honest_share_of_holds": round(honest.holds as f64 / holds.max(1) as f64),
            "hoarders_units": hoarders.units,
            "hoarders_holds": hoarders.holds,
            "first_sold_after_periods": sold_at.first().copied().map(round),
            "half_sold_after_periods": half.copied().map(round),
            "hoarders_accounts": hoarders.accounts.len(),
            "hoarders_accounts_a_hold": a_hold(hoarders.accounts.len() as f64),
            "hoarders_digests": digests,
            "hoarders_work_s": round(self.work_s),
            "hoarders_work_s_a_hold": a_hold(self.work_s),
            "hoarders_turned_away": hoarders.turned(),
            "honest_turned_away": honest.turned(),
            "booked_units": self.booked,
            "surprises": surprises,
        })
    }
}

fn round(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}
