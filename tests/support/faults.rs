//! Faults that stop a worker exactly at a point: it stays there until the test lets it go on, or drops it.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use miaosha::ports::platform::fault::{Faults, Point};
use tokio::sync::Semaphore;

/// Stops the next caller that reaches an armed point; all others pass.
#[derive(Default)]
pub struct StopAt {
    stops: Mutex<HashMap<Point, Arc<Stop>>>,
}

pub struct Stop {
    reached: Semaphore,
    go_on: Semaphore,
}

impl Stop {
    /// Waits until a caller stands at the point.
    pub async fn reached(&self) {
        self.reached.acquire().await.unwrap().forget();
    }

    /// Lets the stopped caller go on.
    pub fn go_on(&self) {
        self.go_on.add_permits(1);
    }
}

impl StopAt {
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    pub fn arm(&self, point: Point) -> Arc<Stop> {
        let stop = Arc::new(Stop { reached: Semaphore::new(0), go_on: Semaphore::new(0) });
        self.stops.lock().unwrap().insert(point, stop.clone());
        stop
    }
}

impl Faults for StopAt {
    fn reach(&self, point: Point) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let stop = self.stops.lock().unwrap().remove(&point);
        Box::pin(async move {
            if let Some(stop) = stop {
                stop.reached.add_permits(1);
                stop.go_on.acquire().await.unwrap().forget();
            }
        })
    }
}
