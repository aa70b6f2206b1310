//! A long task that breaks stops the process; a short one is its caller's matter.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use miaosha::kit::http::probes::Readiness;
use miaosha::kit::process::faults::Panics;
use miaosha::kit::work::lifecycle::{Ended, Failure, Lifecycle, counted, thread};
use tokio::runtime::Handle;

const PATIENCE: Duration = Duration::from_secs(30);

fn failed(task: &'static str, how: Ended) -> Option<Failure> {
    Some(Failure { task, how })
}

async fn panics() {
    panic!("on purpose")
}

/// Waits for the soft stop.
async fn stops(lifecycle: &Lifecycle) {
    tokio::time::timeout(PATIENCE, lifecycle.soft.cancelled()).await.expect("the process goes on")
}

#[tokio::test]
async fn the_process_stops_when_a_long_task_ends_by_itself() {
    let begin: [fn(&Lifecycle); 2] =
        [|lifecycle| lifecycle.supervise("x", async {}), |lifecycle| lifecycle.accompany("x", async {})];
    for begin in begin {
        let lifecycle = Lifecycle::new();
        let readiness = Readiness::new(lifecycle.soft.clone());
        readiness.started();
        assert_eq!(readiness.problems(), [""; 0]);
        begin(&lifecycle);
        stops(&lifecycle).await;
        assert_eq!(lifecycle.failure(), failed("x", Ended::Early));
        assert_eq!(readiness.problems(), ["stopping"]);
        assert!(lifecycle.drain().await && !lifecycle.hard.is_cancelled());
    }
}

#[tokio::test]
async fn the_process_stops_when_a_long_task_panics() {
    let local = tokio::task::LocalSet::new();
    let begin: [fn(&Lifecycle); 4] = [
        |lifecycle| lifecycle.supervise("x", panics()),
        |lifecycle| lifecycle.accompany("x", panics()),
        |lifecycle| lifecycle.accompany_local("x", panics()),
        |lifecycle| lifecycle.tasks().attend("x", Box::pin(panics())),
    ];
    for begin in begin {
        let lifecycle = Lifecycle::new();
        local.run_until(async { begin(&lifecycle) }).await;
        local.run_until(stops(&lifecycle)).await;
        assert_eq!(lifecycle.failure(), failed("x", Ended::Panicked));
        assert!(lifecycle.drain().await);
    }
}

#[tokio::test]
async fn the_first_failure_is_the_reason() {
    let lifecycle = Lifecycle::new();
    lifecycle.supervise("x", async {});
    stops(&lifecycle).await;
    lifecycle.supervise("y", panics());
    assert!(lifecycle.drain().await);
    assert_eq!(lifecycle.failure(), failed("x", Ended::Early));
}

#[tokio::test]
async fn what_ends_after_the_soft_stop_has_done_its_work_and_what_panics_has_not() {
    let lifecycle = Lifecycle::new();
    let soft = lifecycle.soft.clone();
    lifecycle.supervise("x", async move { soft.cancelled().await });
    lifecycle.accompany("y", pending());
    assert!(lifecycle.drain().await, "what only accompanies is not waited for");
    assert_eq!(lifecycle.failure(), None);

    let lifecycle = Lifecycle::new();
    let soft = lifecycle.soft.clone();
    lifecycle.supervise("x", async move {
        soft.cancelled().await;
        panics().await;
    });
    assert!(lifecycle.drain().await);
    assert_eq!(lifecycle.failure(), failed("x", Ended::Panicked));
}

#[tokio::test]
async fn an_adapter_that_was_dropped_may_end() {
    let lifecycle = Lifecycle::new();
    let (held, dropped) = tokio::sync::oneshot::channel::<()>();
    let ended = Arc::new(tokio::sync::Notify::new());
    let ends = ended.clone();
    lifecycle.tasks().attend(
        "x",
        Box::pin(async move {
            let _ = dropped.await;
            ends.notify_one();
        }),
    );
    drop(held);
    ended.notified().await;
    tokio::task::yield_now().await;
    assert!(lifecycle.failure().is_none() && !lifecycle.soft.is_cancelled());
}

#[tokio::test]
async fn a_short_task_that_panics_is_its_callers_matter() {
    let lifecycle = Lifecycle::new();
    let local = tokio::task::LocalSet::new();
    assert!(lifecycle.finish_on(&Handle::current(), "x", panics()).await.unwrap_err().is_panic());
    let broken = local.run_until(async { lifecycle.finish_local("x", panics()).await }).await;
    assert!(broken.unwrap_err().is_panic());
    assert!(tokio::spawn(counted("x", panics())).await.unwrap_err().is_panic());
    lifecycle.tasks().detach("x", Box::pin(panics()));
    let (done, waits) = tokio::sync::oneshot::channel::<()>();
    thread("x", move || {
        let _done = done;
        panic!("on purpose")
    })
    .unwrap();
    assert!(waits.await.is_err(), "the thread has unwound");
    assert_eq!(lifecycle.finish_on(&Handle::current(), "x", async { 7 }).await.unwrap(), 7);
    assert!(lifecycle.failure().is_none() && !lifecycle.soft.is_cancelled());
}

#[tokio::test]
async fn a_drain_waits_for_what_a_caller_asked_for() {
    let lifecycle = Lifecycle::new();
    let (go_on, waits) = tokio::sync::oneshot::channel::<()>();
    let done = Arc::new(AtomicBool::new(false));
    let does = done.clone();
    drop(lifecycle.finish_on(&Handle::current(), "x", async move {
        waits.await.unwrap();
        does.store(true, Ordering::SeqCst);
    }));
    let drain = tokio::spawn({
        let lifecycle = lifecycle.clone();
        async move { lifecycle.drain().await }
    });
    lifecycle.soft.cancelled().await;
    assert!(!drain.is_finished());
    go_on.send(()).unwrap();
    assert!(drain.await.unwrap() && done.load(Ordering::SeqCst));
}

#[tokio::test]
async fn the_hard_stop_is_a_soft_one_and_ends_what_accompanies() {
    let lifecycle = Lifecycle::new();
    let (held, dropped) = tokio::sync::oneshot::channel::<()>();
    lifecycle.accompany("x", async move {
        let _held = held;
        pending().await
    });
    lifecycle.hard.cancel();
    assert!(lifecycle.soft.is_cancelled());
    assert!(dropped.await.is_err());
    assert_eq!(lifecycle.failure(), None);
    let lifecycle = Lifecycle::new();
    lifecycle.soft.cancel();
    assert!(!lifecycle.hard.is_cancelled());
}

#[tokio::test]
async fn a_task_panics_on_demand() {
    let panics = Arc::new(Panics::default());
    let lifecycle = Lifecycle::with_panics(panics.clone());
    let soft = lifecycle.soft.clone();
    lifecycle.supervise("x", pending());
    lifecycle.supervise("y", async move { soft.cancelled().await });
    assert!(!panics.panic("z") && panics.panic("x"));
    assert!(lifecycle.drain().await);
    assert_eq!(lifecycle.failure(), failed("x", Ended::Panicked));
}
