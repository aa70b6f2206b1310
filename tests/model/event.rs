//! What happened in one step of a model, as its traces show it.

use std::fmt;

use crate::explorer::Action;

#[derive(Debug, Clone, Copy)]
pub struct Event {
    pub who: &'static str,
    /// With a # for `which`.
    pub what: &'static str,
    pub which: u8,
    pub result: &'static str,
    pub is_fault: bool,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.who, self.what.replace('#', &self.which.to_string()))?;
        if !self.result.is_empty() {
            write!(f, " -> {}", self.result)?;
        }
        Ok(())
    }
}

impl Action for Event {
    fn is_fault(&self) -> bool {
        self.is_fault
    }
}

/// Collects what can happen next, in a world.
pub struct Events<'a, W, S> {
    pub world: &'a W,
    pub state: &'a S,
    pub out: &'a mut Vec<(Event, S)>,
}

impl<W, S: Clone + PartialEq> Events<'_, W, S> {
    /// `change` makes the next state and says how it went.
    pub fn add(
        &mut self,
        who: &'static str,
        what: &'static str,
        which: usize,
        change: impl FnOnce(&mut S) -> &'static str,
    ) {
        self.put((who, what, which, false), change);
    }

    pub fn fault(&mut self, what: &'static str, which: usize, change: impl FnOnce(&mut S)) {
        self.put(("Fault", what, which, true), |next| {
            change(next);
            ""
        });
    }

    fn put(
        &mut self,
        (who, what, which, is_fault): (&'static str, &'static str, usize, bool),
        change: impl FnOnce(&mut S) -> &'static str,
    ) {
        let mut next = self.state.clone();
        let result = change(&mut next);
        if next != *self.state {
            self.out.push((Event { who, what, which: which as u8, result, is_fault }, next));
        }
    }
}
