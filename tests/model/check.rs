//! What every model's tests ask of the explorer: that it holds, or what is broken first.

use std::time::Instant;

use crate::explorer::{Failure, Model, explore};

/// Everything holds; says how much was explored.
pub fn holds<M: Model>(name: &str, model: &M, states_max: usize) {
    let begun = Instant::now();
    let report = explore(model, states_max);
    if let Some(Failure { what, trace }) = report.failure {
        panic!("{name}: {what}\n{}", trace.join("\n"));
    }
    println!(
        "{:28} {:9} states {:10} steps, {:3} deep, {:.1?}",
        name,
        report.states,
        report.steps,
        report.depth,
        begun.elapsed()
    );
}

/// What is broken first in a model without a rule, and shows the shortest way there.
pub fn breaks<M: Model>(name: &str, rule: &str, without: &M, states_max: usize) -> String {
    let Some(Failure { what, trace }) = explore(without, states_max).failure else {
        panic!("without {rule}, {name} still holds");
    };
    println!("== without {rule}: {what} is broken after {} steps ({name})", trace.len() - 1);
    println!("{}\n", trace.join("\n"));
    what
}
