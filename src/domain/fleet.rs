//! How large the fleet is to be before, during and after events that may overlap.
//!
//! What an event wants is written on the thing itself, with the time from which it wants nothing and with how large the thing was
//! before any event. So there is no other memory: every run reads from the thing itself what is to be done, and finishes what an
//! interrupted run left. While any event wants something, the thing is as large as the largest wish; after the last, as before
//! the first.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::domain::shared::time::Timestamp;

/// How large something is.
pub trait Level: Copy + PartialEq + fmt::Debug + fmt::Display + FromStr {
    /// At least `wanted`.
    fn raised(self, wanted: u32) -> Self;

    /// The smaller of both, in each part.
    fn lower(self, other: Self) -> Self;

    /// How many are to serve.
    fn serving(self) -> u32;

    /// Where `seen` was set higher than `planned` from outside, that stays.
    fn kept(self, planned: Self, seen: Self) -> Self;
}

/// Of what is counted by one number: provisioned concurrency; an instance that runs (1) or not (0).
impl Level for u32 {
    fn raised(self, wanted: u32) -> Self {
        self.max(wanted)
    }

    fn lower(self, other: Self) -> Self {
        self.min(other)
    }

    fn serving(self) -> u32 {
        self
    }

    fn kept(self, planned: Self, seen: Self) -> Self {
        if seen > planned { self.max(seen) } else { self }
    }
}

/// Of a group of instances. Written `min-desired-max`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub min: u32,
    pub desired: u32,
    pub max: u32,
}

impl Level for Size {
    /// The least number too: otherwise whatever scales the group by its load takes a fleet away that has nothing to do yet.
    fn raised(self, wanted: u32) -> Self {
        Self { min: self.min.max(wanted), desired: self.desired.max(wanted), max: self.max.max(wanted) }
    }

    fn lower(self, other: Self) -> Self {
        Self { min: self.min.min(other.min), desired: self.desired.min(other.desired), max: self.max.min(other.max) }
    }

    fn serving(self) -> u32 {
        self.desired
    }

    fn kept(self, planned: Self, seen: Self) -> Self {
        let min = self.min.kept(planned.min, seen.min);
        let desired = self.desired.kept(planned.desired, seen.desired).max(min);
        Self { min, desired, max: self.max.kept(planned.max, seen.max).max(desired) }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.min, self.desired, self.max)
    }
}

impl FromStr for Size {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let mut parts = text.split('-').map(|part| part.parse::<u32>().map_err(|_| Unreadable));
        let mut next = || parts.next().unwrap_or(Err(Unreadable));
        let size = Self { min: next()?, desired: next()?, max: next()? };
        let fits = parts.next().is_none() && size.min <= size.desired && size.desired <= size.max;
        if fits { Ok(size) } else { Err(Unreadable) }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cannot be read")]
pub struct Unreadable;

/// What one event wants of one thing. Written `amount/until/base`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Want<L> {
    pub amount: u32,
    /// From then on it wants nothing, whether or not `cool` is run.
    pub until: Timestamp,
    /// Before any event. Each wish carries it, so that it is there for exactly as long as it is needed.
    pub base: L,
}

impl<L: Level> fmt::Display for Want<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.amount, self.until.rfc3339(), self.base)
    }
}

impl<L: Level> FromStr for Want<L> {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let mut parts = text.split('/');
        let mut next = || parts.next().ok_or(Unreadable);
        let amount = next()?.parse().map_err(|_| Unreadable)?;
        let until = Timestamp::from_rfc3339(next()?).ok_or(Unreadable)?;
        let base = next()?.parse().map_err(|_| Unreadable)?;
        if parts.next().is_none() { Ok(Self { amount, until, base }) } else { Err(Unreadable) }
    }
}

/// By event.
pub type Wants<L> = BTreeMap<String, Want<L>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    Warm {
        amount: u32,
    },
    /// Leaves the wish of a plan that lasts longer: it was made after this one.
    Cool,
}

/// One call each, in this order. After any of them the next look finds what is still to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Step<L> {
    Want(Want<L>),
    Set(L),
    Forget(Vec<String>),
}

/// What is to be done with a thing of which this was seen.
pub fn steps<L: Level>(
    seen: L,
    wants: &Wants<L>,
    event: &str,
    ask: Ask,
    until: Timestamp,
    now: Timestamp,
) -> Vec<Step<L>> {
    let base = wants.values().map(|want| want.base).reduce(L::lower).unwrap_or(seen);
    let after = after(wants, base, event, ask, until, now);
    let planned = base.raised(largest(wants));
    let target = match largest(&after) {
        // Cooling raises nothing: a thing that was made smaller than before was made so for a reason.
        _ if after.is_empty() => base.lower(seen),
        wanted => base.raised(wanted).kept(planned, seen),
    };
    let want = after.get(event).filter(|want| wants.get(event) != Some(want)).map(|want| Step::Want(*want));
    let set = (target != seen).then_some(Step::Set(target));
    let forgotten = wants.keys().filter(|event| !after.contains_key(*event)).cloned();
    // A warm run leaves the rest to a cool run: another run may be renewing, at this moment, a wish that ended.
    let warms = matches!(ask, Ask::Warm { .. }) && after.contains_key(event);
    let forgotten: Vec<String> = if warms { Vec::new() } else { forgotten.collect() };
    let forget = (!forgotten.is_empty()).then_some(Step::Forget(forgotten));
    // Raised, the wish comes first, with what was there before; lowered, it comes last. The other way round, a run that was cut
    // in between would take its own half-done change for an operator's.
    let order = if largest(&after) >= largest(wants) { [want, set, forget] } else { [set, want, forget] };
    order.into_iter().flatten().collect()
}

fn after<L: Level>(wants: &Wants<L>, base: L, event: &str, ask: Ask, until: Timestamp, now: Timestamp) -> Wants<L> {
    let mut after = wants.clone();
    match ask {
        Ask::Warm { amount } => {
            after.insert(event.to_owned(), Want { amount, until, base });
        }
        Ask::Cool => {
            if after.get(event).is_some_and(|want| want.until <= until) {
                after.remove(event);
            }
        }
    }
    after.retain(|_, want| want.until > now);
    after
}

fn largest<L>(wants: &Wants<L>) -> u32 {
    wants.values().map(|want| want.amount).max().unwrap_or(0)
}
