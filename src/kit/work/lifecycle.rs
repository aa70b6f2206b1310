//! Two tokens, one tracker, and the only place where tasks begin, so that one that breaks is noticed.
//!
//! Soft: take no more work, finish what was begun. Hard: drop what is left; it is soft as well. Hard follows soft after
//! `drain_ms_max`, or at once on a second signal.
//!
//! Long tasks carry the process. One that ends before the soft stop, or panics at any time, begins the soft stop, and the process
//! ends with [`crate::kit::process::TASK_FAILED`], to be started again as a whole. Short ones were begun for a caller: their panic is
//! counted and logged, and told to the caller.
//!
//! | | a panic | the drain |
//! |---|---|---|
//! | `supervise` | ends the process | waits for it |
//! | `accompany`, and an adapter's `attend` | ends the process | does not wait |
//! | `finish_on`, `finish_local` | is told to the caller | waits for it |
//! | `detach`, `detach_local`, `thread` | is counted | does not wait |

use std::any::Any;
use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::{JoinHandle, spawn_local};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::kit::process::faults::Panics;
use crate::kit::process::metric::Metric;
use crate::ports::platform::tasks::{AnyTasks, Task, Tasks};

#[derive(Debug, Clone)]
pub struct Lifecycle {
    /// A child of `hard`.
    pub soft: CancellationToken,
    pub hard: CancellationToken,
    pub tracker: TaskTracker,
    failure: Arc<OnceLock<Failure>>,
    panics: Option<Arc<Panics>>,
}

/// The first long task that ended as it should not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    pub task: &'static str,
    pub how: Ended,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By itself, before it was asked to.
    Early,
    Panicked,
}

impl Ended {
    const ALL: [Ended; 2] = [Ended::Early, Ended::Panicked];

    fn label(self) -> &'static str {
        match self {
            Ended::Early => "early",
            Ended::Panicked => "panic",
        }
    }
}

impl Default for Lifecycle {
    fn default() -> Self {
        Metric::describe();
        let hard = CancellationToken::new();
        let (soft, tracker) = (hard.child_token(), TaskTracker::new());
        Self { soft, hard, tracker, failure: Arc::default(), panics: None }
    }
}

impl Lifecycle {
    pub fn new() -> Self {
        Self::default()
    }

    /// One whose tasks can be made to panic.
    pub fn with_panics(panics: Arc<Panics>) -> Self {
        Self { panics: Some(panics), ..Self::default() }
    }

    /// A long task: works until the soft stop, and finishes what it began.
    pub fn supervise(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        self.tracker.spawn(self.watched(name, false, task));
    }

    /// A long task that goes on beside the drain, and is dropped when the process ends.
    pub fn accompany(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(self.watched(name, false, self.hard.clone().run_until_cancelled_owned(task).map(drop)));
    }

    /// The same for a task of this thread alone, whose runtime may end before the process.
    pub fn accompany_local(&self, name: &'static str, task: impl Future<Output = ()> + 'static) {
        spawn_local(self.watched(name, false, self.hard.clone().run_until_cancelled_owned(task).map(drop)));
    }

    /// Runs something to its end, also when the caller has gone.
    pub fn finish_on<T: Send + 'static>(
        &self,
        runtime: &Handle,
        name: &'static str,
        task: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.tracker.spawn_on(counted(name, task), runtime)
    }

    /// The same on this thread.
    pub fn finish_local<T: 'static>(
        &self,
        name: &'static str,
        task: impl Future<Output = T> + 'static,
    ) -> JoinHandle<T> {
        spawn_local(self.tracker.track_future(counted(name, task)))
    }

    /// For adapters.
    pub fn tasks(&self) -> AnyTasks {
        Arc::new(self.clone())
    }

    /// What the process is there for, watched like any long task. `None` when it panicked.
    pub(crate) async fn main<E>(&self, task: impl Future<Output = Result<(), E>>) -> Option<Result<(), E>> {
        let mut result = None;
        self.watched("main", true, async { result = Some(task.await) }).await;
        if matches!(result, Some(Ok(()))) && !self.soft.is_cancelled() {
            self.fail(Failure { task: "main", how: Ended::Early }, None);
        }
        result
    }

    /// The first long task that failed.
    pub fn failure(&self) -> Option<Failure> {
        self.failure.get().copied()
    }

    /// SIGTERM or SIGINT begins the soft stop, a second one the hard stop.
    pub async fn hear_signals(&self) {
        let signals = signal(SignalKind::terminate()).and_then(|term| Ok((term, signal(SignalKind::interrupt())?)));
        let (mut term, mut int) = match signals {
            Ok(signals) => signals,
            Err(error) => return tracing::error!(%error, "signal handlers cannot be installed"),
        };
        loop {
            let signal = tokio::select! {
                _ = term.recv() => "SIGTERM",
                _ = int.recv() => "SIGINT",
            };
            if self.soft.is_cancelled() {
                tracing::warn!(signal, "a signal during the drain: dropping what is left");
                return self.hard.cancel();
            }
            tracing::info!(signal, "draining");
            self.soft.cancel();
        }
    }

    /// Waits for the soft stop, and begins the hard stop when that takes too long.
    pub async fn cut_drain(&self, drain_ms_max: u64) -> Infallible {
        self.soft.cancelled().await;
        tokio::time::sleep(Duration::from_millis(drain_ms_max)).await;
        tracing::warn!(drain_ms_max, "the drain took too long: dropping what is left");
        self.hard.cancel();
        std::future::pending().await
    }

    /// Soft stop, and waits until everything on the tracker ended; false when the hard stop came first.
    pub async fn drain(&self) -> bool {
        self.soft.cancel();
        self.tracker.close();
        tokio::select! {
            biased;
            () = self.tracker.wait() => true,
            () = self.hard.cancelled() => false,
        }
    }

    fn watched<F: Future<Output = ()>>(
        &self,
        name: &'static str,
        may_end: bool,
        task: F,
    ) -> impl Future<Output = ()> + use<F> {
        // There from the beginning, so that the first one is seen.
        for how in Ended::ALL {
            metrics::counter!(Metric::TaskEnds.name(), "task" => name, "how" => how.label()).increment(0);
        }
        let (lifecycle, injected) = (self.clone(), self.panics.as_ref().map(|panics| panics.of(name)));
        let task = async move {
            match injected {
                None => task.await,
                Some(injected) => tokio::select! {
                    biased;
                    () = injected.cancelled() => panic!("asked to panic"),
                    () = task => {}
                },
            }
        };
        AssertUnwindSafe(task).catch_unwind().map(move |ended| match ended {
            Ok(()) if may_end || lifecycle.soft.is_cancelled() => {}
            Ok(()) => lifecycle.fail(Failure { task: name, how: Ended::Early }, None),
            Err(panic) => lifecycle.fail(Failure { task: name, how: Ended::Panicked }, Some(&*panic)),
        })
    }

    fn fail(&self, failure: Failure, panic: Option<&(dyn Any + Send)>) {
        count(failure.task, failure.how);
        match panic {
            Some(panic) => tracing::error!(task = failure.task, panic = words(panic), "a task panicked: stopping"),
            None => tracing::error!(task = failure.task, "a task ended by itself: stopping"),
        }
        // The first one is the reason.
        let _ = self.failure.set(failure);
        self.soft.cancel();
    }
}

impl Tasks for Lifecycle {
    fn attend(&self, name: &'static str, task: Task) {
        tokio::spawn(self.watched(name, true, task));
    }

    fn detach(&self, name: &'static str, task: Task) {
        tokio::spawn(counted(name, task));
    }
}

/// Something small of this thread that is not waited for.
pub fn detach_local(name: &'static str, task: impl Future<Output = ()> + 'static) {
    spawn_local(counted(name, task));
}

/// A thread of its own.
pub fn thread(name: &'static str, work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    let work = move || {
        if let Err(panic) = std::panic::catch_unwind(AssertUnwindSafe(work)) {
            panicked(name, &*panic);
        }
    };
    std::thread::Builder::new().name(name.to_owned()).spawn(work).map(drop)
}

/// A short task whose panic is counted and logged, and goes on to its `JoinHandle`. No larger than the task itself.
pub fn counted<T>(name: &'static str, task: impl Future<Output = T>) -> impl Future<Output = T> {
    AssertUnwindSafe(task).catch_unwind().map(move |ended| {
        ended.unwrap_or_else(|panic| {
            panicked(name, &*panic);
            resume_unwind(panic)
        })
    })
}

fn panicked(task: &'static str, panic: &(dyn Any + Send)) {
    count(task, Ended::Panicked);
    tracing::error!(task, panic = words(panic), "a task panicked");
}

fn count(task: &'static str, how: Ended) {
    metrics::counter!(Metric::TaskEnds.name(), "task" => task, "how" => how.label()).increment(1);
}

/// What `panic!` was given.
fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("(no text)")
}
