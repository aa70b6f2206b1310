//! A look at the ledger once a second, for `/readyz`, and for who logged out meanwhile.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::faces::front::Front;

/// Between looks, and for one at most.
const LOOK_MS: u64 = 1_000;

/// Until the soft stop.
pub async fn watch(front: &Front) {
    let pause = Duration::from_millis(LOOK_MS);
    while !front.is_stopping() {
        // A process that does not know who logged out is not ready.
        let asked = async {
            front.0.needs.ledger_time.time().await?;
            front.learn_revocations().await
        };
        let answer = tokio::time::timeout(pause, asked).await;
        let answers = matches!(answer, Ok(Ok(_)));
        if front.0.ledger_answers.swap(answers, Ordering::AcqRel) != answers {
            tracing::info!(ledger.answers = answers, "the ledger's state changed");
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = front.stopping() => {}
        }
    }
}
