//! Times, by tokio's clock, by the shop's, and by what is said of them in a message.

use miaosha::adapters::redis::keys::{KEYS_MAX, keys};
use miaosha::domain::shared::id::SaleId;
use miaosha::kit::work::backoff::{Backoff, BackoffSettings};
use miaosha::kit::work::lifecycle::Lifecycle;
use tokio::time::Instant;

/// How long each wait was, until it is enough.
async fn waits_ms(backoff: &BackoffSettings) -> Vec<u128> {
    let (mut patience, mut waits) = (Backoff::new(backoff), Vec::new());
    loop {
        let begun = Instant::now();
        if !patience.wait().await {
            return waits;
        }
        waits.push(begun.elapsed().as_millis());
    }
}

#[tokio::test(start_paused = true)]
async fn patience_has_a_longest_wait_and_an_end() {
    let backoff = |wait_ms_max, outage_ms_max| BackoffSettings { first_ms: 10, wait_ms_max, outage_ms_max };
    assert_eq!(waits_ms(&backoff(40, 110)).await, [10, 20, 40, 40]);
    assert_eq!(waits_ms(&backoff(40, 111)).await, [10, 20, 40, 40, 40]);
    assert_eq!(waits_ms(&backoff(39, 108)).await, [10, 20, 39, 39]);
}

#[tokio::test(start_paused = true)]
async fn a_drain_may_take_so_long() {
    let (lifecycle, begun) = (Lifecycle::new(), Instant::now());
    lifecycle.soft.cancel();
    tokio::select! {
        _ = lifecycle.cut_drain(700) => {}
        () = lifecycle.hard.cancelled() => {}
    }
    assert_eq!(begun.elapsed().as_millis(), 700);
    assert!(lifecycle.hard.is_cancelled());
}

/// The last of a sale's keys is the line of the largest party.
#[test]
fn a_sale_has_so_many_keys() {
    let all = |count| keys("n", SaleId(7), count).into_iter().map(|key| key.into_string().unwrap()).collect::<Vec<_>>();
    assert_eq!(all(usize::MAX).last().unwrap(), "{n:7}:line:8");
    assert_eq!((all(KEYS_MAX), KEYS_MAX), (all(usize::MAX), 14));
}
