//! Bodies that are not attempts travel as JSON. Decoders are strict, and take anything without a panic. Only an event may say
//! more than we know.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::domain::sale::attempt::Batch;
use crate::domain::sale::notice::{MISSED_SALES_MAX, Missed, Notice};
use crate::domain::shared::event::Event;
use crate::domain::shared::trace::Mark;
use crate::ports::sale::deadlines::{DEADLINE_MAX, Deadline};
use crate::ports::sale::feed::{NewsRequest, SALES_MAX, SaleSnapshot};

/// Why a body means nothing to us.
pub type Unreadable = String;

/// A body that knows which of what it carries is traced; it is said beside it.
pub trait Traced {
    fn trace(&mut self, _marks: Vec<Mark>) {}
}

impl Traced for Batch {
    fn trace(&mut self, marks: Vec<Mark>) {
        self.traced = marks;
    }
}

impl Traced for Deadline {
    fn trace(&mut self, marks: Vec<Mark>) {
        self.traced = marks;
    }
}

/// What one process tells every gateway. Its numbers begin with 1 and have no gaps, so that a subscriber sees what did not
/// arrive.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    pub sender: u64,
    pub number: u64,
    pub missed: Option<Missed>,
    pub notices: Vec<Notice>,
}

/// The same, on its way out.
#[derive(Serialize)]
pub(super) struct Telling<'a> {
    pub(super) sender: u64,
    pub(super) number: u64,
    pub(super) missed: Option<Missed>,
    pub(super) notices: &'a [Notice],
}

impl Traced for Told {
    fn trace(&mut self, marks: Vec<Mark>) {
        Notice::take_marks(&mut self.notices, &marks);
    }
}

/// One of the bulletins of a process, which numbers them as its notices.
#[derive(Debug, Clone, Deserialize)]
pub struct Numbered {
    pub sender: u64,
    pub number: u64,
    pub bulletin: SaleSnapshot,
}

/// The same, on its way out.
#[derive(Serialize)]
pub(super) struct Numbering<'a> {
    pub(super) sender: u64,
    pub(super) number: u64,
    pub(super) bulletin: &'a SaleSnapshot,
}

impl Traced for Numbered {}

impl Traced for NewsRequest {}

impl Traced for Vec<Event> {}

pub(super) fn encode(body: &(impl Serialize + ?Sized)) -> Vec<u8> {
    serde_json::to_vec(body).expect("words that cross the ports are written as JSON")
}

fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Unreadable> {
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}

pub fn batch(bytes: &[u8]) -> Result<Batch, Unreadable> {
    Batch::decode(bytes).map_err(|error| error.to_string())
}

pub fn deadline(bytes: &[u8]) -> Result<Deadline, Unreadable> {
    let deadline: Deadline = json(bytes)?;
    match deadline.reservations.len() {
        0 => Err("a deadline without reservations".to_owned()),
        count if count > DEADLINE_MAX => Err(format!("a deadline of {count} reservations; {DEADLINE_MAX} are allowed")),
        _ => Ok(deadline),
    }
}

pub fn notices(bytes: &[u8]) -> Result<Told, Unreadable> {
    let told: Told = json(bytes)?;
    match &told.missed {
        Some(Missed::Sales(sales)) if sales.len() > MISSED_SALES_MAX => {
            Err(format!("{} sales are missed; {MISSED_SALES_MAX} are allowed", sales.len()))
        }
        _ => Ok(told),
    }
}

pub fn news(bytes: &[u8]) -> Result<Numbered, Unreadable> {
    json(bytes)
}

pub fn news_request(bytes: &[u8]) -> Result<NewsRequest, Unreadable> {
    match json(bytes)? {
        NewsRequest::Sales { sales } if sales.len() > SALES_MAX => {
            Err(format!("{} sales are asked about; {SALES_MAX} are allowed", sales.len()))
        }
        request => Ok(request),
    }
}

/// Several of one topic, or one by itself.
pub fn events(bytes: &[u8]) -> Result<Vec<Event>, Unreadable> {
    if bytes.trim_ascii_start().starts_with(b"[") { json(bytes) } else { json(bytes).map(|event| vec![event]) }
}
