//! Spans, made only of what is sampled. A request decides once, where it comes in; from there its trace travels with it, and
//! unsampled work pays for one look at a variable of its task.
//!
//! Work that serves several traces at once (a batch of attempts, a crowd of notices) has a span in each, linked to the first, and
//! what is done inside it is told in the first one's trace only. A process that exports nothing passes on what comes.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use crate::domain::shared::id::TracedId;
use crate::domain::shared::trace::{MARKS_MAX, Mark, Parent, Trace};
use crate::kit::telemetry::sampler::Sampler;

/// What this process does about traces; nothing unless it was told to.
static TRACER: OnceLock<Tracer> = OnceLock::new();

tokio::task_local! {
    static CURRENT: Scope;
}

pub(super) struct Tracer {
    pub sampler: Sampler,
    pub traced_max: usize,
    pub sink: Box<dyn Fn(Finished) + Send + Sync>,
}

pub(super) fn install(tracer: Tracer) {
    // A second one in a process, as tests have it, changes nothing.
    let _ = TRACER.set(tracer);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Internal,
    Server,
    Client,
    Producer,
    Consumer,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Text(Cow<'static, str>),
    Number(i64),
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Value::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Text(text.into())
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Value::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

/// A span that ended, on its way out.
#[derive(Debug, Clone)]
pub(super) struct Finished {
    pub trace: Trace,
    pub parent: Option<u64>,
    /// The parent is another process's.
    pub is_remote: bool,
    pub name: Cow<'static, str>,
    pub kind: Kind,
    pub begun: SystemTime,
    pub ended: SystemTime,
    pub attributes: Vec<(&'static str, Value)>,
    pub link: Option<Trace>,
    pub is_error: bool,
}

/// What the present task works for.
#[derive(Clone)]
struct Scope {
    lead: Trace,
    marks: Arc<[Mark]>,
}

/// The span that a log line belongs to.
pub fn current() -> Option<Trace> {
    CURRENT.try_with(|scope| scope.lead).ok()
}

/// Whether requests are traced here at all.
pub fn is_on() -> bool {
    TRACER.get().is_some()
}

/// Attempts of one batch that may be traced.
pub fn traced_max() -> usize {
    TRACER.get().map_or(0, |tracer| tracer.traced_max)
}

/// Work that goes on elsewhere, in the same trace.
pub async fn carried<T>(scope: Carried, work: impl Future<Output = T>) -> T {
    match scope.0 {
        Some(scope) => CURRENT.scope(scope, work).await,
        None => work.await,
    }
}

pub struct Carried(Option<Scope>);

/// What to give to [`carried`], before the work leaves this task.
pub fn carry() -> Carried {
    Carried(CURRENT.try_with(Scope::clone).ok())
}

/// What is open, in each of the traces it belongs to; usually in none. It ends when it is dropped.
#[derive(Default)]
pub struct Span(Option<Box<Open>>);

struct Open {
    name: Cow<'static, str>,
    kind: Kind,
    begun: SystemTime,
    attributes: Vec<(&'static str, Value)>,
    is_error: bool,
    /// Never empty; the first is the lead.
    members: Vec<Member>,
}

struct Member {
    of: Option<TracedId>,
    trace: Trace,
    /// Its own parent when it is recorded; nothing of it is told otherwise.
    parent: Option<Option<u64>>,
    is_remote: bool,
}

#[expect(clippy::disallowed_methods, reason = "a collector sorts spans of many processes by their machines' clocks")]
fn machine_now() -> SystemTime {
    SystemTime::now()
}

fn some_span() -> u64 {
    fastrand::u64(1..)
}

impl Span {
    /// A request from outside: its `traceparent`, the sampling ratio and the limits decide whether there is a span.
    pub fn entry(name: impl FnOnce() -> String, traceparent: Option<&str>) -> Self {
        let Some(tracer) = TRACER.get() else { return Self::default() };
        let parent = traceparent.and_then(Parent::parse);
        let Some(parent) = tracer.sampler.decide(parent) else { return Self::default() };
        let id = parent.map_or_else(|| fastrand::u128(1..), |parent| parent.id);
        let member = Member {
            of: None,
            trace: Trace { id, span: some_span() },
            parent: Some(parent.map(|parent| parent.span)),
            is_remote: parent.is_some(),
        };
        Self::open(name().into(), Kind::Server, vec![member])
    }

    /// Inside the present span, of the lead's trace.
    pub fn child(kind: Kind, name: impl FnOnce() -> String) -> Self {
        let (Some(lead), true) = (current(), is_on()) else { return Self::default() };
        let trace = Trace { id: lead.id, span: some_span() };
        let member = Member { of: None, trace, parent: Some(Some(lead.span)), is_remote: false };
        Self::open(name().into(), kind, vec![member])
    }

    /// What came with these marks is worked on, or sent on: in each of their traces.
    pub fn of(kind: Kind, name: impl FnOnce() -> String, marks: &[Mark]) -> Self {
        if marks.is_empty() {
            return Self::default();
        }
        let records = is_on();
        let members = marks.iter().take(MARKS_MAX).map(|mark| match records {
            true => Member {
                of: Some(mark.of),
                trace: Trace { id: mark.trace.id, span: some_span() },
                parent: Some(Some(mark.trace.span)),
                is_remote: kind == Kind::Consumer,
            },
            false => Member { of: Some(mark.of), trace: mark.trace, parent: None, is_remote: false },
        });
        Self::open(name().into(), kind, members.collect())
    }

    fn open(name: Cow<'static, str>, kind: Kind, members: Vec<Member>) -> Self {
        let begun = machine_now();
        Self(Some(Box::new(Open { name, kind, begun, attributes: Vec::new(), is_error: false, members })))
    }

    pub fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// The lead's.
    pub fn trace(&self) -> Option<Trace> {
        self.0.as_ref().map(|open| open.members[0].trace)
    }

    /// For spans that follow this one.
    pub fn marks(&self) -> Vec<Mark> {
        let members = self.0.iter().flat_map(|open| &open.members);
        members.filter_map(|member| Some(Mark { of: member.of?, trace: member.trace })).collect()
    }

    pub fn set(&mut self, key: &'static str, value: impl Into<Value>) {
        self.set_with(key, || value);
    }

    /// [`Self::set`], for what is not worth making where nothing is traced.
    pub fn set_with<V: Into<Value>>(&mut self, key: &'static str, value: impl FnOnce() -> V) {
        if let Some(open) = &mut self.0 {
            let value = value();
            open.attributes.push((key, value.into()));
        }
    }

    pub fn fail(&mut self, kind: impl Into<Value>) {
        if let Some(open) = &mut self.0 {
            open.is_error = true;
            open.attributes.push(("error.type", kind.into()));
        }
    }

    /// The work is this span's: what it calls, and what it logs.
    pub async fn around<T>(&self, work: impl Future<Output = T>) -> T {
        match self.scope() {
            Some(scope) => CURRENT.scope(scope, work).await,
            None => work.await,
        }
    }

    /// [`Self::around`], for what does not wait.
    pub fn hold<T>(&self, work: impl FnOnce() -> T) -> T {
        match self.scope() {
            Some(scope) => CURRENT.sync_scope(scope, work),
            None => work(),
        }
    }

    fn scope(&self) -> Option<Scope> {
        let lead = self.trace()?;
        let own = self.marks();
        // A call inside a piece of work does not change whom that work is for.
        let marks = match own.is_empty() {
            true => CURRENT.try_with(|scope| scope.marks.clone()).unwrap_or_default(),
            false => own.into(),
        };
        Some(Scope { lead, marks })
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        let (Some(open), Some(tracer)) = (self.0.take(), TRACER.get()) else { return };
        let ended = machine_now();
        let lead = open.members[0].trace;
        for (index, member) in open.members.iter().enumerate() {
            let Some(parent) = member.parent else { continue };
            (tracer.sink)(Finished {
                trace: member.trace,
                parent,
                is_remote: member.is_remote,
                name: open.name.clone(),
                kind: open.kind,
                begun: open.begun,
                ended,
                attributes: open.attributes.clone(),
                link: (index > 0 && member.trace.id != lead.id).then_some(lead),
                is_error: open.is_error,
            });
        }
    }
}

/// The marks of these, among those that the present work is for. What a traced request moves is all its own.
pub fn marks_of<T: Into<TracedId>>(ids: impl Iterator<Item = T> + Clone) -> Vec<Mark> {
    let Ok(scope) = CURRENT.try_with(Scope::clone) else { return Vec::new() };
    if scope.marks.is_empty() {
        return joining(ids);
    }
    scope.marks.iter().filter(|mark| ids.clone().any(|id| id.into() == mark.of)).copied().collect()
}

/// For what the present work moved without a trace of its own: a few join the lead's trace.
pub fn joining<T: Into<TracedId>>(ids: impl Iterator<Item = T>) -> Vec<Mark> {
    let Some(trace) = current() else { return Vec::new() };
    ids.take(traced_max().max(1)).map(|id| Mark { of: id.into(), trace }).collect()
}
