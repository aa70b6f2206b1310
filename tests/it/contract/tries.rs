//! What whoever counts failed tries must do.

use futures_util::future::join_all;
use miaosha::domain::people::pace::Pace;
use miaosha::ports::people::tries::Tries;

use crate::support::clock::START;

/// Waits that no test sits out.
const PACE: Pace = Pace { free: 3, wait_ms: 600_000, wait_ms_max: 900_000, kept_ms: 3_600_000 };

async fn begin(tries: &dyn Tries, key: &str) -> bool {
    tries.begin(key, &PACE, START).await.unwrap().is_none()
}

pub async fn some_tries_are_free_and_then_one_waits(tries: &dyn Tries) {
    for _ in 0..4 {
        assert!(begin(tries, "ada").await);
    }
    let wait_ms = tries.begin("ada", &PACE, START).await.unwrap().expect("too soon");
    assert!((590_000..=600_000).contains(&wait_ms), "{wait_ms}");
    assert!(begin(tries, "eve").await, "another is another");
    // What was refused is not counted: the wait is the same.
    let again = tries.begin("ada", &PACE, START).await.unwrap().expect("too soon");
    assert!((590_000..=600_000).contains(&again), "{again}");
    tries.forget("ada").await.unwrap();
    assert!(begin(tries, "ada").await);
}

pub async fn of_many_at_once_no_more_pass(tries: &dyn Tries) {
    let passed = join_all((0..40).map(|_| begin(tries, "ada"))).await;
    assert_eq!(passed.into_iter().filter(|passed| *passed).count(), 4);
}

pub async fn what_did_not_fail_is_taken_back(tries: &dyn Tries) {
    for _ in 0..20 {
        assert!(begin(tries, "network").await);
        tries.take_back("network").await.unwrap();
    }
    tries.take_back("nobody").await.unwrap();
    for _ in 0..4 {
        assert!(begin(tries, "nobody").await, "nor does that give more");
    }
    assert!(!begin(tries, "nobody").await);
}
