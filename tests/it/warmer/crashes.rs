//! The process is killed before and after every call that changes something. Done again, it ends where it would have ended.

use serde_json::Value;

use super::house::{House, State};
use crate::support::front::Edge;

/// How many such calls a warm or a cool of the whole house makes: a tag and a change of each of three kinds.
const CALLS: usize = 6;

/// Whether it was killed: with fewer calls than `after` it comes to its end.
async fn killed(house: &mut House, plan: &Value, after: usize, edge: Edge) -> bool {
    house.front.stop(after, edge);
    let ended = tokio::select! {
        said = house.function.invoke(plan.clone()) => Some(said),
        () = house.front.stopped() => None,
    };
    if ended.is_none() {
        house.function.kill();
        house.function.restart();
    }
    house.front.go_on();
    ended.is_none()
}

async fn comes_right(edge: Edge) {
    let mut house = House::new().await;
    let (warm, cool) = (house.plan("one", "warm", 5), house.plan("one", "cool", 1));
    house.run(warm.clone()).await;
    let whole = house.state().await;
    assert_eq!(house.front.changes().len(), CALLS);
    house.run(cool.clone()).await;
    assert_eq!(house.front.changes().len(), CALLS);
    for after in 0..CALLS {
        assert!(killed(&mut house, &warm, after, edge).await, "{after} {edge:?}");
        let half = house.state().await;
        assert_eq!(house.run(warm.clone()).await["outcome"], "ready");
        assert_eq!(house.state().await, whole, "{after} {edge:?}: from {half:?}");
        assert!(killed(&mut house, &cool, after, edge).await, "{after} {edge:?}");
        let half = house.state().await;
        assert_eq!(house.run(cool.clone()).await["outcome"], "cooled");
        assert_eq!(house.state().await, State::cold(), "{after} {edge:?}: from {half:?}");
        // Cooled by another event's run instead, it is right too.
        assert!(killed(&mut house, &warm, after, edge).await, "{after} {edge:?}");
        house.run(cool.clone()).await;
        assert_eq!(house.state().await, State::cold(), "{after} {edge:?}: cooled after half a warm");
    }
    assert!(!killed(&mut house, &warm, CALLS, edge).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_any_call_it_is_finished_by_the_next() {
    comes_right(Edge::Before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_any_call_it_is_finished_by_the_next() {
    comes_right(Edge::After).await;
}
