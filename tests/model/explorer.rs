//! A small explicit-state explorer: breadth first, so that the trace it gives is a shortest one.
//!
//! It keeps 16 bytes a state (a fingerprint and the parent), whole states only for the two levels it stands between.
//! Two states with one fingerprint would be taken for one; with 64 bits and some millions of states that is about once in
//! ten million runs, and it could hide a state but never invent a failure.

use std::collections::HashMap;
use std::fmt::{Debug, Display};
use std::hash::{BuildHasherDefault, Hash, Hasher};

pub trait Action: Copy + Display {
    /// Rest has to be reachable without such a step.
    fn is_fault(&self) -> bool;
}

pub trait Model {
    type State: Clone + Hash;
    type Action: Action;
    type Broken: Debug;

    fn name(&self) -> &'static str;
    fn initial(&self) -> Self::State;
    /// Everything that can happen next, into `out`, which is empty.
    fn steps(&self, state: &Self::State, out: &mut Vec<(Self::Action, Self::State)>);
    /// What must hold in every state, and is broken in this one.
    fn always(&self, state: &Self::State) -> Option<Self::Broken>;
    /// No actor has anything left to do.
    fn is_at_rest(&self, state: &Self::State) -> bool;
    /// What must hold at rest, and is broken in this state.
    fn at_rest(&self, _: &Self::State) -> Option<Self::Broken> {
        None
    }
    /// One line for a trace.
    fn picture(&self, state: &Self::State) -> String;

    fn broken(&self, state: &Self::State) -> Option<String> {
        let at_rest = || if self.is_at_rest(state) { self.at_rest(state) } else { None };
        self.always(state).or_else(at_rest).map(|broken| format!("{broken:?}"))
    }
}

pub struct Failure {
    pub what: String,
    /// The shortest way there, one line a step.
    pub trace: Vec<String>,
}

pub struct Report {
    pub states: usize,
    pub steps: usize,
    pub depth: usize,
    pub failure: Option<Failure>,
}

struct Graph {
    ids: HashMap<u64, u32, BuildHasherDefault<Straight>>,
    prints: Vec<u64>,
    parents: Vec<u32>,
    at_rest: Vec<u32>,
    /// (from, to) of every step that is no fault.
    edges: Vec<(u32, u32)>,
}

/// Explores everything reachable, then checks that from everywhere a state at rest can be reached. Panics beyond `states_max`.
pub fn explore<M: Model>(model: &M, states_max: usize) -> Report {
    let mut graph = Graph {
        ids: HashMap::default(),
        prints: Vec::new(),
        parents: Vec::new(),
        at_rest: Vec::new(),
        edges: Vec::new(),
    };
    let mut report = Report { states: 0, steps: 0, depth: 0, failure: None };
    let first = model.initial();
    graph.meet(model, &first, 0);
    let mut level = vec![(0u32, first)];
    let mut out = Vec::new();
    while !level.is_empty() && report.failure.is_none() {
        let mut next = Vec::new();
        'level: for (from, state) in &level {
            model.steps(state, &mut out);
            for (action, to) in out.drain(..) {
                report.steps += 1;
                let (id, new) = graph.meet(model, &to, *from);
                if !action.is_fault() {
                    graph.edges.push((*from, id));
                }
                if !new {
                    continue;
                }
                if let Some(what) = model.broken(&to) {
                    report.failure = Some(Failure { what, trace: graph.trace(model, id) });
                    break 'level;
                }
                assert!(graph.prints.len() <= states_max, "more than {states_max} states: make the scenario smaller");
                next.push((id, to));
            }
        }
        report.depth += 1;
        level = next;
    }
    report.states = graph.prints.len();
    if report.failure.is_none() {
        report.failure = graph.stranded().map(|id| Failure {
            what: "rest: from here no state at rest can be reached".into(),
            trace: graph.trace(model, id),
        });
    }
    report
}

impl Graph {
    fn meet<M: Model>(&mut self, model: &M, state: &M::State, from: u32) -> (u32, bool) {
        let print = fingerprint(state);
        let fresh = self.prints.len() as u32;
        let id = *self.ids.entry(print).or_insert(fresh);
        if id == fresh {
            self.prints.push(print);
            self.parents.push(from);
            if model.is_at_rest(state) {
                self.at_rest.push(id);
            }
        }
        (id, id == fresh)
    }

    /// Walks again from the start, along the fingerprints.
    fn trace<M: Model>(&self, model: &M, id: u32) -> Vec<String> {
        let mut path = Vec::new();
        let mut at = id;
        while at != 0 {
            path.push(self.prints[at as usize]);
            at = self.parents[at as usize];
        }
        let mut state = model.initial();
        let mut lines = vec![format!("    {}", model.picture(&state))];
        let mut out = Vec::new();
        for print in path.into_iter().rev() {
            model.steps(&state, &mut out);
            let (action, to) =
                out.drain(..).find(|(_, to)| fingerprint(to) == print).expect("the parent has this successor");
            lines.push(format!("{action}\n    {}", model.picture(&to)));
            state = to;
        }
        lines
    }

    /// The first state from which no state at rest can be reached: backwards from rest, what was not met.
    fn stranded(&self) -> Option<u32> {
        let count = self.prints.len();
        let mut starts = vec![0u32; count + 1];
        for (_, to) in &self.edges {
            starts[*to as usize + 1] += 1;
        }
        for at in 0..count {
            starts[at + 1] += starts[at];
        }
        let mut fill = starts.clone();
        let mut sources = vec![0u32; self.edges.len()];
        for (from, to) in &self.edges {
            sources[fill[*to as usize] as usize] = *from;
            fill[*to as usize] += 1;
        }
        let mut met = vec![false; count];
        let mut open = self.at_rest.clone();
        for id in &open {
            met[*id as usize] = true;
        }
        while let Some(id) = open.pop() {
            for from in &sources[starts[id as usize] as usize..starts[id as usize + 1] as usize] {
                if !std::mem::replace(&mut met[*from as usize], true) {
                    open.push(*from);
                }
            }
        }
        met.iter().position(|met| !met).map(|id| id as u32)
    }
}

fn fingerprint<T: Hash>(state: &T) -> u64 {
    let mut hasher = Folded::default();
    state.hash(&mut hasher);
    hasher.finish()
}

/// Gathers small writes into words and folds each word in with a wide multiplication.
#[derive(Default)]
struct Folded {
    state: u64,
    word: u64,
    bits: u32,
}

impl Folded {
    fn fold(&mut self, word: u64) {
        let wide = u128::from(self.state ^ word ^ 0x9e37_79b9_7f4a_7c15) * 0xda94_2042_e4dd_58b5_u128;
        self.state = (wide as u64) ^ ((wide >> 64) as u64).rotate_left(23).wrapping_add(word);
    }
}

impl Hasher for Folded {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u8(*byte);
        }
    }

    #[inline]
    fn write_u8(&mut self, byte: u8) {
        self.word |= u64::from(byte) << self.bits;
        self.bits += 8;
        if self.bits == 64 {
            self.fold(self.word);
            (self.word, self.bits) = (0, 0);
        }
    }

    #[inline]
    fn write_u16(&mut self, half: u16) {
        self.write_u8(half as u8);
        self.write_u8((half >> 8) as u8);
    }

    /// Lengths and discriminants: they fit a byte here.
    #[inline]
    fn write_isize(&mut self, value: isize) {
        self.write_u8(value as u8);
    }

    #[inline]
    fn write_usize(&mut self, value: usize) {
        self.write_u8(value as u8);
    }

    fn finish(&self) -> u64 {
        let mut last = Folded { state: self.state, ..Self::default() };
        last.fold(self.word);
        last.fold(u64::from(self.bits) | 0xff00);
        last.state
    }
}

/// For keys that are fingerprints already.
#[derive(Default)]
struct Straight(u64);

impl Hasher for Straight {
    fn write(&mut self, _: &[u8]) {
        unreachable!("keys are u64")
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
