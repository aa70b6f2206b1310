//! The specification itself under random commands: what must hold after each, told without its own words.

use std::collections::{BTreeMap, BTreeSet};

use miaosha::adapters::memory::turnstile::MemoryTurnstile;
use miaosha::domain::sale::turn::{Answer, Promotion};
use miaosha::domain::sale::turnstile::{Reply, Snapshot};
use miaosha::domain::shared::id::ReservationId;
use miaosha::ports::sale::turnstile::Turnstile;

use super::commands::{Command, Life, Said, seed};

const LIVES: u64 = 100;
const COMMANDS: u64 = 1_000;

#[tokio::test]
async fn no_unit_twice_none_lost_none_idle_and_standby_in_order() {
    let (seed, model) = (seed(), MemoryTurnstile::new());
    let mut promotions = 0;
    for number in 1..=LIVES {
        let mut life = Life::new(seed, number);
        for command in life.beginning() {
            command.run(&model, life.sale).await;
        }
        for at in 0..COMMANDS {
            let command = life.next(&model).await;
            let before = model.snapshot(life.sale).await.unwrap().unwrap();
            let said = command.run(&model, life.sale).await;
            let after = model.snapshot(life.sale).await.unwrap().unwrap();
            let found = holds(&after).and_then(|()| moved(&before, &after, &command, &said));
            match found {
                Ok(count) => promotions += count,
                Err(broken) => {
                    panic!("MIAOSHA_SEED={seed}, life {number}, command {at}: {broken}\n{command:?}\n{said:?}")
                }
            }
        }
    }
    assert!(promotions > 2_000, "{promotions} promotions are too few to say anything");
}

/// Of every state.
fn holds(state: &Snapshot) -> Result<(), String> {
    let fresh = state.next_unit..=state.allotment.capacity;
    let held = state.taken.values().flat_map(|taken| taken.units.iter().copied());
    let units: Vec<u32> = held.chain(state.returned.iter().copied()).chain(fresh).collect();
    let distinct: BTreeSet<u32> = units.iter().copied().collect();
    if distinct.len() != units.len() {
        return Err(format!("a unit is twice among {units:?}"));
    }
    if !distinct.iter().copied().eq(1..=state.allotment.capacity) {
        return Err(format!("the units are {distinct:?}, the capacity is {}", state.allotment.capacity));
    }
    if let Some(taken) = state.taken.values().find(|taken| taken.units.is_empty()) {
        return Err(format!("{taken:?} has nothing and is live"));
    }
    let free = units.len() - state.taken.values().map(|taken| taken.units.len()).sum::<usize>();
    if let Some(party) = state.standby.iter().find(|party| usize::from(party.quantity) <= free) {
        return Err(format!("{free} units are idle while {party:?} waits"));
    }
    let buyers = state.taken.values().map(|taken| taken.buyer).chain(state.standby.iter().map(|party| party.buyer));
    let people: BTreeSet<_> = buyers.clone().collect();
    if people.len() != buyers.count() {
        return Err("a buyer has two live reservations".into());
    }
    if !state.standby.iter().is_sorted_by(|a, b| a.arrival < b.arrival) {
        return Err("two parties arrived at once".into());
    }
    let greedy = state.taken.values().find(|taken| taken.units.len() > usize::from(state.allotment.quantity_max));
    greedy.map_or(Ok(()), |taken| Err(format!("{taken:?} is more than one attempt may have")))
}

/// Of every move; says how many parties were promoted.
fn moved(before: &Snapshot, after: &Snapshot, command: &Command, said: &Said) -> Result<usize, String> {
    let mut line: Vec<(ReservationId, usize)> =
        before.standby.iter().map(|party| (party.reservation, party.quantity.into())).collect();
    let mut free = before.free() as usize;
    match (command, said) {
        (_, Said::Reserved(Reply::Stale) | Said::Released(Reply::Stale) | Said::Raised(Reply::Stale)) => {
            if before == after { Ok(0) } else { Err("a stale call changed something".into()) }
        }
        (Command::Reserve(_, batches), Said::Reserved(Reply::Done(reserved))) => {
            let attempts = batches.iter().flat_map(|batch| &batch.attempts);
            let answers = reserved.iter().flat_map(|reserved| &reserved.answers);
            let wrong = attempts.zip(answers).find(|(attempt, answer)| match answer {
                Answer::Taken { units } => units.len() != usize::from(attempt.quantity),
                // What was decided before may be told again; the same attempt would not have waited then either.
                Answer::Standby { .. } => !attempt.waits,
                _ => false,
            });
            wrong.map_or(Ok(0), |wrong| Err(format!("not all or nothing, or one that would not wait: {wrong:?}")))
        }
        (Command::Release(_, ended), Said::Released(Reply::Done(released))) => {
            let mut held: BTreeMap<_, _> = before.taken.iter().map(|(&id, taken)| (id, taken.units.clone())).collect();
            let (mut count, mut last) = (0, before.revision);
            for (ended, released) in ended.iter().zip(released) {
                // One that was answered before moves nothing again.
                if released.stamp.revision <= last {
                    continue;
                }
                last = released.stamp.revision;
                let (of, part) = match &ended.part {
                    None => (ended.id, None),
                    Some(part) => (part.of, Some(&part.units)),
                };
                if let Some(mut units) = held.remove(&of) {
                    let had = units.len();
                    units.retain(|unit| part.is_some_and(|part| !part.contains(unit)));
                    free += had - units.len();
                    held.extend((!units.is_empty()).then_some((of, units)));
                }
                line.retain(|(id, _)| part.is_some() || *id != of);
                let served = serve(&mut line, &mut free);
                count += in_order(&served, &released.promotions)?;
                held.extend(released.promotions.iter().map(|given| (given.reservation, given.units.clone())));
            }
            let left: BTreeMap<_, _> = after.taken.iter().map(|(&id, taken)| (id, taken.units.clone())).collect();
            if left == held { Ok(count) } else { Err(format!("{held:?} were to be left, {left:?} are")) }
        }
        (Command::Raise(..), Said::Raised(Reply::Done(raised))) if raised.stamp.revision > before.revision => {
            free += (after.allotment.capacity - before.allotment.capacity) as usize;
            in_order(&serve(&mut line, &mut free), &raised.promotions)
        }
        _ => Ok(0),
    }
}

/// Who must be served now: again and again the first who fits.
fn serve(line: &mut Vec<(ReservationId, usize)>, free: &mut usize) -> Vec<(ReservationId, usize)> {
    let mut served = Vec::new();
    while let Some(at) = line.iter().position(|(_, quantity)| quantity <= free) {
        let party = line.remove(at);
        *free -= party.1;
        served.push(party);
    }
    served
}

fn in_order(due: &[(ReservationId, usize)], promotions: &[Promotion]) -> Result<usize, String> {
    let given: Vec<_> = promotions.iter().map(|p| (p.reservation, p.units.len())).collect();
    if given == due { Ok(due.len()) } else { Err(format!("{due:?} were to be served, {given:?} were")) }
}
