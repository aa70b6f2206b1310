//! Failed tries, over each adapter.

use miaosha::adapters::memory::tries::MemoryTries;

use crate::contract::tries as contract;

#[tokio::test]
async fn tries_are_counted_in_memory() {
    contract::some_tries_are_free_and_then_one_waits(&MemoryTries::new()).await;
    contract::of_many_at_once_no_more_pass(&MemoryTries::new()).await;
    contract::what_did_not_fail_is_taken_back(&MemoryTries::new()).await;
}

#[cfg(feature = "servers")]
mod in_redis {
    use miaosha::domain::people::pace::Pace;
    use miaosha::ports::people::tries::Tries;

    use super::contract;
    use crate::support::clock::START;
    use crate::support::redis::Server;

    #[tokio::test]
    async fn tries_are_counted() {
        let server = Server::start().await;
        let tries = server.turnstile().await;
        contract::some_tries_are_free_and_then_one_waits(&tries).await;
        server.cli(&["flushall"]);
        contract::of_many_at_once_no_more_pass(&tries).await;
        server.cli(&["flushall"]);
        contract::what_did_not_fail_is_taken_back(&tries).await;
    }

    /// By itself, and whoever waited goes on where he was.
    #[tokio::test]
    async fn waits_end_and_grow() {
        let server = Server::start().await;
        let tries = server.turnstile().await;
        let pace = Pace { free: 0, wait_ms: 50, wait_ms_max: 60_000, kept_ms: 60_000 };
        assert_eq!(tries.begin("ada", &pace, START).await.unwrap(), None);
        let mut waits = Vec::new();
        while waits.len() < 2 {
            match tries.begin("ada", &pace, START).await.unwrap() {
                Some(wait_ms) => tokio::time::sleep(std::time::Duration::from_millis(wait_ms as u64)).await,
                None => waits.push(server.cli(&["pttl", "{test:ada}:wait"]).trim().parse::<i64>().unwrap()),
            }
        }
        assert!(waits[0] <= 100 && (101..=200).contains(&waits[1]), "{waits:?}");
        let kept: i64 = server.cli(&["pttl", "{test:ada}:tries"]).trim().parse().unwrap();
        assert!((1..=60_000).contains(&kept), "{kept}");
    }
}
