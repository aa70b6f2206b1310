//! The fleet as its owner sees it: what is made larger before an event and smaller after it, and whether it serves.
//!
//! Every call may be made again. Nothing here says what ought to be done.

use std::collections::BTreeMap;

use crate::domain::fleet::{Level, Size};
use crate::ports::Result;

/// One thing as it was seen in one look: its level and its tags belong together.
#[derive(Debug, Clone)]
pub struct Seen<L> {
    /// For the calls that change it.
    pub id: String,
    /// For people, and as a plan names it.
    pub name: String,
    pub level: L,
    pub tags: BTreeMap<String, String>,
    /// Why it does not serve at this level yet.
    pub waits: Option<String>,
    /// It is on its way from one level to another, and takes no call until it is there.
    pub moves: bool,
    /// The target groups that it brings its instances to.
    pub feeds: Vec<String>,
}

/// All things of one kind.
pub trait Kind: Send + Sync {
    type Level: Level + Send + Sync + 'static;
    /// How a plan names one, or several.
    type Named: Send + Sync;

    /// Of those that one look can see at once.
    const LOOK_MAX: usize;

    /// What is not there is not in the answer.
    fn look(&self, named: &[Self::Named]) -> impl Future<Output = Result<Vec<Seen<Self::Level>>>> + Send;

    fn set(&self, ids: &[String], level: Self::Level) -> impl Future<Output = Result<()>> + Send;

    fn tag(&self, ids: &[String], key: &str, value: &str) -> impl Future<Output = Result<()>> + Send;

    fn untag(&self, ids: &[String], keys: &[String]) -> impl Future<Output = Result<()>> + Send;
}

/// Instances that carry this tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tagged {
    pub tag: String,
    pub value: String,
}

/// One version of a function, by the alias it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Qualified {
    pub name: String,
    pub qualifier: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    Healthy,
    /// On its way out: it was asked to go.
    Leaving,
    /// Not healthy, and why.
    Not(String),
}

pub trait Targets: Send + Sync {
    /// Of every target of this group.
    fn health(&self, group: &str) -> impl Future<Output = Result<Vec<Health>>> + Send;
}

pub trait Fleet: Send + Sync + 'static {
    type Groups: Kind<Level = Size, Named = String>;
    type Instances: Kind<Level = u32, Named = Tagged>;
    type Functions: Kind<Level = u32, Named = Qualified>;
    type Targets: Targets;

    fn groups(&self) -> &Self::Groups;
    fn instances(&self) -> &Self::Instances;
    fn functions(&self) -> &Self::Functions;
    fn targets(&self) -> &Self::Targets;
}
