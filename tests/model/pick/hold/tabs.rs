//! The buyer's tabs, time, and who offers what ended.

use super::Steps;
use super::rules::Rule;
use super::state::{Broken, HOLD, R, Row, Standing, State, U, in_set};
use super::worlds::World;

pub fn steps(steps: &mut Steps) {
    let (world, state) = (steps.world, steps.state);
    if state.left.moves > 0 {
        for unit in (0..U).filter(|unit| in_set(world.units, *unit)) {
            steps.add("Tab", "picks unit #", unit, |next| {
                next.left.moves -= 1;
                pick(world, next, unit)
            });
            let row = state.open().filter(|row| in_set(state.rows[*row].units, unit));
            if let Some(row) = row.filter(|row| may_change(world, &state.rows[*row])) {
                steps.add("Tab", "drops unit #", unit, |next| {
                    next.left.moves -= 1;
                    drop_unit(world, next, row, unit)
                });
            }
        }
        if let Some(row) = state.open().filter(|row| state.rows[*row].standing == Standing::Held) {
            steps.add("Tab", "cancels r#", row, |next| {
                next.left.moves -= 1;
                next.end(world, row, false);
                ""
            });
        }
    }
    time(steps);
    release(steps);
}

fn may_change(world: &World, row: &Row) -> bool {
    row.standing == Standing::Held || row.standing == Standing::Paying && !world.has(Rule::PayingIsFixed)
}

fn pick(world: &World, next: &mut State, unit: usize) -> &'static str {
    let is_over = |row: &usize| next.rows[*row].standing == Standing::Held && next.rows[*row].age == HOLD;
    if let Some(row) = next.open().filter(is_over) {
        if world.has(Rule::OverdueLapsesFirst) {
            next.end(world, row, true);
        } else if !in_set(next.taken(), unit) {
            next.broken = Some(Broken::Deadline);
            return "an overdue hold grows";
        }
    }
    let open = next.open();
    if open.is_some_and(|row| in_set(next.rows[row].units, unit)) {
        if !world.has(Rule::MineIsGranted) {
            next.broken = Some(Broken::Answer);
            return "taken";
        }
        return "has it";
    }
    if in_set(next.taken(), unit) {
        return "taken";
    }
    match open {
        Some(row) if may_change(world, &next.rows[row]) => {
            let row = &mut next.rows[row];
            row.units |= 1 << unit;
            row.version += 1;
            if !world.has(Rule::GrowingKeepsTime) {
                row.age = 0;
            }
            "it grows"
        }
        Some(_) => "paying",
        None if next.waits => "not yet again",
        None => {
            let unborn = (1..R).find(|row| next.rows[*row].standing == Standing::Unborn);
            let Some(row) = unborn else { return "no row is left" };
            next.rows[row] = Row { standing: Standing::Held, units: 1 << unit, version: 1, ..Row::default() };
            "a hold is born"
        }
    }
}

fn drop_unit(world: &World, next: &mut State, row: usize, unit: usize) -> &'static str {
    next.rows[row].units &= !(1 << unit);
    next.rows[row].version += 1;
    if next.rows[row].units == 0 {
        next.rows[row].units = 1 << unit;
        next.end(world, row, false);
        return "it was the last";
    }
    next.free(1 << unit);
    ""
}

fn time(steps: &mut Steps) {
    let (world, state) = (steps.world, steps.state);
    for (row, its) in state.rows.iter().enumerate() {
        if its.is_open() && its.age < HOLD {
            steps.add("Time", "half of r#'s time passes", row, |next| {
                next.rows[row].age += 1;
                if row != 0 && world.again {
                    next.had += 1;
                }
                ""
            });
        }
        if its.standing == Standing::Held && its.age == HOLD {
            steps.add("Payment-consumer", "lapses r#", row, |next| {
                next.end(world, row, true);
                ""
            });
        }
    }
    if state.waits {
        steps.add("Time", "the buyer may hold again", 0, |next| {
            (next.waits, next.had) = (false, 0);
            ""
        });
    }
}

/// One transaction, or with that rule off two.
fn release(steps: &mut Steps) {
    let (world, state) = (steps.world, steps.state);
    if state.unfreed != 0 {
        let at_once = world.has(Rule::FreedWithOffer);
        let what = if at_once { "offers what ended" } else { "writes what ended as freed" };
        steps.add("Releaser", what, 0, |next| {
            let units = std::mem::take(&mut next.unfreed);
            if at_once {
                offer(next, units);
            } else {
                next.in_hand |= units;
            }
            ""
        });
    }
    if state.in_hand != 0 {
        steps.add("Releaser", "offers what it freed", 0, |next| {
            let units = std::mem::take(&mut next.in_hand);
            offer(next, units);
            ""
        });
    }
}

/// To the party, if it still waits; a hand may have been quicker.
fn offer(next: &mut State, units: u8) {
    let free = units & !next.taken();
    if free != 0 && next.rows[0].standing == Standing::Standby {
        let unit = 1 << free.trailing_zeros();
        let version = next.rows[0].version + 1;
        next.rows[0] = Row { standing: Standing::Held, units: unit, version, ..Row::default() };
    }
}
