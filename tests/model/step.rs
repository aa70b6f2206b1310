//! One step of an actor, and how a trace shows it.

use std::fmt;

use crate::explorer;
use crate::state::{Kind, R, RAISE, STANDBY, Scenario, Standing, State, TAKEN, Work, released};

#[derive(Debug, Clone, Copy)]
pub enum Who {
    /// A worker's slot.
    Worker(Kind, u8),
    Time,
    Buyer,
    Operator,
    Fault,
    Provider,
}

#[derive(Debug, Clone, Copy)]
pub struct Action {
    pub who: Who,
    pub what: &'static str,
    /// A batch, reservation or payment.
    pub which: u8,
    pub result: &'static str,
}

impl explorer::Action for Action {
    fn is_fault(&self) -> bool {
        matches!(self.who, Who::Fault)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.who {
            Who::Worker(kind, slot) => write!(f, "{kind:?} {slot}: ")?,
            who => write!(f, "{who:?}: ")?,
        }
        write!(f, "{}", self.what.replace('#', &self.which.to_string()))?;
        if !self.result.is_empty() {
            write!(f, " -> {}", self.result)?;
        }
        Ok(())
    }
}

/// Collects what can happen next.
pub struct Steps<'a> {
    pub scenario: &'a Scenario,
    pub state: &'a State,
    pub out: &'a mut Vec<(Action, State)>,
}

impl Steps<'_> {
    /// `change` makes the next state and says how it went.
    pub fn add(&mut self, who: Who, what: &'static str, which: usize, change: impl FnOnce(&mut State) -> &'static str) {
        let mut next = *self.state;
        let result = change(&mut next);
        if next != *self.state {
            self.out.push((Action { who, what, which: which as u8, result }, next));
        }
    }

    pub fn who(&self, slot: usize) -> Who {
        Who::Worker(self.scenario.slots[slot], slot as u8)
    }
}

/// One line: turnstile, ledger, money, what the workers have in hand.
pub fn picture(scenario: &Scenario, state: &State) -> String {
    let mut line = String::from("T ");
    let turnstile = &state.turnstile;
    if turnstile.generation == 0 {
        line += "missing";
    } else {
        line += &format!("g{}.{} taken[", turnstile.generation, turnstile.revision);
        for owner in &turnstile.core.owner[..turnstile.core.capacity as usize] {
            line += &if *owner == 0 { "- ".into() } else { format!("r{} ", owner - 1) };
        }
        line = line.trim_end().to_string() + "] standby[";
        line += &turnstile.core.waiting().map(|r| format!("r{r}")).collect::<Vec<_>>().join(" ");
        line += "]";
    }
    let ledger = &state.ledger;
    line += &format!(" | L g{}.{}", ledger.generation, ledger.highest().0);
    for (reservation, row) in ledger.rows.iter().enumerate().filter(|(_, r)| r.standing != Standing::Unborn) {
        line += &format!(" r{reservation}:{:?}", row.standing);
        for unit in (0..8).filter(|u| row.units & (1 << u) != 0) {
            line += &format!("@u{unit}");
        }
        if row.is_unfreed() {
            line += "(unfreed)";
        }
        if row.overdue && row.is_holding() {
            line += "(overdue)";
        }
        if row.standing == Standing::Paying {
            line += &format!("(p{})", row.payment);
        }
    }
    for (payment, reservation) in ledger.payments.iter().enumerate().filter(|(_, r)| **r != 0) {
        line += &format!(" p{payment}/r{}:{:?}", reservation - 1, state.provider.money[payment]);
    }
    for (slot, work) in state.work.iter().enumerate().filter(|(_, w)| **w != Work::Idle) {
        line += &format!(" | {:?} {slot} {}", scenario.slots[slot], in_hand(work));
    }
    line
}

fn cause(cause: u8) -> String {
    match released(cause) {
        Some(reservation) => format!("release r{reservation}"),
        None if cause == RAISE => "raise".into(),
        None => format!("batch b{cause}"),
    }
}

fn said(said: &[u8; R]) -> String {
    let mut text = String::new();
    for (reservation, said) in said.iter().enumerate().filter(|(_, s)| **s != 0) {
        let word = match said & 0xf0 {
            TAKEN => "taken",
            STANDBY => "standby",
            _ => "no",
        };
        text += &format!(" r{reservation} {word}");
    }
    text
}

fn in_hand(work: &Work) -> String {
    match work {
        Work::Ask { cause: first, second, generation, known, .. } => {
            let second = second.map(|c| format!(" and {}", cause(c))).unwrap_or_default();
            format!("asks for {}{second} at g{generation}, knows .{}", cause(*first), known.0)
        }
        Work::Record { first, second } => {
            let mut text =
                format!("has g{}.{} {}:{}", first.generation, first.revision, cause(first.cause), said(&first.said));
            if second.revision != 0 {
                text += &format!(", .{} {}:{}", second.revision, cause(second.cause), said(&second.said));
            }
            text
        }
        Work::Lock { carried, reason } => format!("wants to restore g{carried} ({reason:?})"),
        Work::Judge { generation, reason, .. } => format!("has the lock of g{generation} ({reason:?})"),
        Work::Rewrite { from, reason } => format!("restores g{from} ({reason:?})"),
        Work::Replace { generation, locked, .. } => {
            format!("puts g{generation}{}", if *locked { "" } else { " (lost the lock)" })
        }
        Work::Compare { generation, revision, .. } => format!("saw g{generation}.{revision}"),
        other => format!("{other:?}"),
    }
}
