//! The fleet as its owner sees it: what is made larger before an event and smaller after it, and whether it serves.
//!
//! Every call may be made again. Nothing here says what ought to be done.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

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

/// A level that a task may carry from one call to the next.
pub trait Leveled: Level + Send + Sync + 'static {}

impl<L: Level + Send + Sync + 'static> Leveled for L {}

/// All things of one kind: of this level, and by what a plan names one or several of them.
#[async_trait]
pub trait Kind<L: Leveled, N: Sync>: Send + Sync {
    /// Of those that one look can see at once.
    fn look_max(&self) -> usize;

    /// What is not there is not in the answer.
    async fn look(&self, named: &[N]) -> Result<Vec<Seen<L>>>;

    async fn set(&self, ids: &[String], level: L) -> Result<()>;

    async fn tag(&self, ids: &[String], key: &str, value: &str) -> Result<()>;

    async fn untag(&self, ids: &[String], keys: &[String]) -> Result<()>;
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

#[async_trait]
pub trait Targets: Send + Sync {
    /// Of every target of this group.
    async fn health(&self, group: &str) -> Result<Vec<Health>>;
}

#[derive(Clone)]
pub struct Fleet {
    pub groups: Arc<dyn Kind<Size, String>>,
    pub instances: Arc<dyn Kind<u32, Tagged>>,
    pub functions: Arc<dyn Kind<u32, Qualified>>,
    pub targets: Arc<dyn Targets>,
}
