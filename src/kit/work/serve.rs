//! How a worker serves its subscription: subscribed to again whenever it fails, until the soft stop, which finishes what was
//! taken. What a worker could not do in the end is let go with the subscription, and comes again.

use tokio::time::Instant;

use crate::kit::work::backoff::{Backoff, BackoffSettings, SUBSCRIBED};
use crate::kit::work::lifecycle::Lifecycle;
use crate::ports::{Delivery, Fault, Result, Subscription};

/// One kind of deliveries, and what is done for them.
pub trait Worker: Sync {
    type Body: Send + 'static;

    fn subscribe(&self) -> impl Future<Output = Result<Box<dyn Subscription<Self::Body>>>> + Send;

    /// Deliveries taken at once.
    fn deliveries_max(&self) -> usize;

    /// Does what they are for, and acknowledges them. A fault means that it was tried for as long as is allowed, or that an
    /// acknowledgement failed.
    fn handle(&self, deliveries: Vec<Box<dyn Delivery<Self::Body>>>) -> impl Future<Output = Result<()>> + Send;

    /// A subscription ended by this fault, and the next one is made after a moment.
    fn failed(&self, fault: &Fault);
}

pub async fn serve(worker: &impl Worker, backoff: &BackoffSettings, lifecycle: &Lifecycle) {
    let mut patience = Backoff::new(backoff);
    loop {
        let begun = Instant::now();
        tokio::select! {
            biased;
            () = lifecycle.hard.cancelled() => return,
            ended = consume(worker, lifecycle) => match ended {
                Ok(()) => return,
                Err(fault) => worker.failed(&fault),
            },
        }
        if begun.elapsed() > SUBSCRIBED {
            patience = Backoff::new(backoff);
        }
        tokio::select! {
            () = lifecycle.soft.cancelled() => return,
            () = patience.pause() => {}
        }
    }
}

/// One subscription's life. `Ok` is the soft stop.
async fn consume(worker: &impl Worker, lifecycle: &Lifecycle) -> Result<()> {
    let mut subscription = tokio::select! {
        () = lifecycle.soft.cancelled() => return Ok(()),
        subscription = worker.subscribe() => subscription?,
    };
    loop {
        let deliveries = tokio::select! {
            biased;
            () = lifecycle.soft.cancelled() => return Ok(()),
            deliveries = subscription.next(worker.deliveries_max()) => deliveries?,
        };
        worker.handle(deliveries).await?;
    }
}
