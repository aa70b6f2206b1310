//! What every model's tests ask of the explorer: that it holds, or what is broken first.

use std::fmt::Debug;
use std::time::Instant;

use crate::explorer::{Failure, Model, explore};

/// Everything holds; says how much was explored.
pub fn holds<M: Model>(model: &M, states_max: usize) {
    let name = model.name();
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

/// For each rule, a world in which the model fails without it, and what is broken first.
pub type Needed<M, R> = [(R, M, &'static str)];

/// Each of all rules has its line, and says what is broken first in its world `without` it.
pub fn each_is_needed<M: Model, R: Copy + PartialEq + Debug>(
    all: &[R],
    needed: &Needed<M, R>,
    without: impl Fn(&M, R) -> M,
) {
    for rule in all {
        assert!(needed.iter().any(|(needed, ..)| needed == rule), "{rule:?} has no line");
    }
    for (rule, world, broken) in needed {
        let what = breaks(&format!("{rule:?}"), &without(world, *rule));
        assert_eq!(what, *broken, "without {rule:?}, in {}", world.name());
    }
}

/// What is broken first in a model without a rule, and shows the shortest way there.
fn breaks<M: Model>(rule: &str, without: &M) -> String {
    let name = without.name();
    let Some(Failure { what, trace }) = explore(without, 1_000_000).failure else {
        panic!("without {rule}, {name} still holds");
    };
    println!("== without {rule}: {what} is broken after {} steps ({name})", trace.len() - 1);
    println!("{}\n", trace.join("\n"));
    what
}
