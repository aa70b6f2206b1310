//! One line of a trace: Redis, memories, ledger, what the workers have in hand.

use super::NAMES;
use super::state::{History, Standing, State, Turnstile, Work, released};

pub fn picture(state: &State) -> String {
    let mut line = format!("Redis {}", turnstile(&state.redis));
    if state.reach != super::state::ALL {
        line += &format!(" (reached by {:03b})", state.reach);
    }
    for (consumer, memory) in state.memory.iter().enumerate() {
        if let Some(memory) = memory {
            line += &format!(" | memory {} {}", consumer + 1, turnstile(memory));
        }
    }
    let ledger = &state.ledger;
    line += &format!(" | L g{}{}", ledger.generation, history(&ledger.highest()));
    for (reservation, row) in ledger.rows.iter().enumerate().filter(|(_, row)| row.standing != Standing::Unborn) {
        line += &format!(" r{reservation}:{:?}", row.standing);
        if row.standing == Standing::Held {
            line += &format!("@u{}", row.unit);
        }
        if row.is_unfreed() {
            line += "(unfreed)";
        }
    }
    if ledger.lease.by != 0 {
        line += &format!(" lease:{}{}", ledger.lease.by, if ledger.lease.endless { "(endless)" } else { "" });
    }
    line += &format!(" | active {}", state.active + 1);
    if state.lock != 0 {
        line += &format!(" | locked by {}", state.lock);
    }
    for (slot, work) in state.work.iter().enumerate().filter(|(_, work)| **work != Work::Idle) {
        line += &format!(" | {} {}", NAMES[slot], in_hand(work));
    }
    line
}

fn history(history: &History) -> String {
    history.causes().iter().map(|cause| format!(".{}", name(*cause))).collect()
}

fn name(cause: u8) -> String {
    released(cause).map_or(format!("b{cause}"), |reservation| format!("free{reservation}"))
}

fn turnstile(turnstile: &Turnstile) -> String {
    if turnstile.generation == 0 {
        return "missing".into();
    }
    let names = |those: &[u8]| {
        let names: Vec<String> = those.iter().filter(|r| **r != 0).map(|r| format!("r{}", r - 1)).collect();
        names.join(" ")
    };
    let (owner, standby) = (names(&turnstile.owner), names(&turnstile.standby));
    format!("g{}{} taken[{owner}] standby[{standby}]", turnstile.generation, history(&turnstile.history))
}

fn in_hand(work: &Work) -> String {
    match work {
        Work::Ask { cause, generation, .. } => format!("asks for {} at g{generation}", name(*cause)),
        Work::Record { answer, .. } => {
            let before = history(&answer.before);
            format!("has g{}{before}.{} {:?}", answer.generation, name(answer.cause), answer.said)
        }
        Work::Ack { batch } => format!("acks b{batch}"),
        Work::Put(new) => format!("puts {}", turnstile(new)),
        Work::Idle => String::new(),
    }
}
