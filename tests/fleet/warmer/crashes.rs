//! The process is killed before and after every call that changes something. Done again, it ends where it would have ended.

use serde_json::Value;

use super::fixture::{Fixture, State};
use crate::support::front::Edge;

/// How many such calls a warm or a cool of the whole fixture makes: a tag and a change of each of three kinds.
const CALLS: usize = 6;

/// Whether it was killed: with fewer calls than `after` it comes to its end.
async fn killed(fixture: &mut Fixture, plan: &Value, after: usize, edge: Edge) -> bool {
    fixture.front.stop(after, edge);
    let ended = tokio::select! {
        said = fixture.function.invoke(plan.clone()) => Some(said),
        () = fixture.front.stopped() => None,
    };
    if ended.is_none() {
        fixture.function.kill();
        fixture.function.restart();
    }
    fixture.front.go_on();
    ended.is_none()
}

async fn comes_right(edge: Edge) {
    let mut fixture = Fixture::new().await;
    let (warm, cool) = (fixture.plan("one", "warm", 5), fixture.plan("one", "cool", 1));
    fixture.run(warm.clone()).await;
    let whole = fixture.state().await;
    assert_eq!(fixture.front.changes().len(), CALLS);
    fixture.run(cool.clone()).await;
    assert_eq!(fixture.front.changes().len(), CALLS);
    for after in 0..CALLS {
        assert!(killed(&mut fixture, &warm, after, edge).await, "{after} {edge:?}");
        let half = fixture.state().await;
        assert_eq!(fixture.run(warm.clone()).await["outcome"], "ready");
        assert_eq!(fixture.state().await, whole, "{after} {edge:?}: from {half:?}");
        assert!(killed(&mut fixture, &cool, after, edge).await, "{after} {edge:?}");
        let half = fixture.state().await;
        assert_eq!(fixture.run(cool.clone()).await["outcome"], "cooled");
        assert_eq!(fixture.state().await, State::cold(), "{after} {edge:?}: from {half:?}");
        // Cooled by another event's run instead, it is right too.
        assert!(killed(&mut fixture, &warm, after, edge).await, "{after} {edge:?}");
        fixture.run(cool.clone()).await;
        assert_eq!(fixture.state().await, State::cold(), "{after} {edge:?}: cooled after half a warm");
    }
    assert!(!killed(&mut fixture, &warm, CALLS, edge).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_any_call_it_is_finished_by_the_next() {
    comes_right(Edge::Before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_any_call_it_is_finished_by_the_next() {
    comes_right(Edge::After).await;
}
