//! Where a process comes by, written down; and how it goes wrong at one of these places.

use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use miaosha::ports::platform::fault::{Faults, Point};
use miaosha::ports::{Fault, Result};
use tokio::sync::Semaphore;

/// What a process came by, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// It is about to call this server.
    Access {
        part: &'static str,
        what: &'static str,
    },
    Point(Point),
    /// It calls the provider.
    Call(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// The process is gone.
    Dies,
    /// It stands there until the others are done.
    Stalls,
    /// The part is away.
    Away,
    /// The provider does not do it, or does it and the answer is lost.
    FailsBefore,
    FailsAfter,
    StallsBefore,
    StallsAfter,
}

impl Place {
    /// Every way to go wrong here.
    pub fn ways(&self) -> &'static [How] {
        match self {
            Place::Access { part: "ledger", .. } => &[How::Dies, How::Away],
            Place::Access { .. } => &[How::Dies],
            Place::Point(_) => &[How::Dies, How::Stalls],
            Place::Call(_) => &[How::FailsBefore, How::FailsAfter, How::StallsBefore, How::StallsAfter],
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::Access { part, what } => write!(f, "before {part}.{what}"),
            Place::Point(point) => write!(f, "at {point:?}"),
            Place::Call(call) => write!(f, "in provider.{call}"),
        }
    }
}

/// What goes wrong in one process, once.
pub struct Plan {
    fault: Option<(usize, How)>,
    /// It crashes there, however it got there.
    dies_at: Option<Point>,
    came_by: Mutex<Vec<Place>>,
    reached: Semaphore,
    go_on: Semaphore,
}

impl Plan {
    pub fn new(fault: Option<(usize, How)>) -> Arc<Self> {
        Arc::new(Self::of(fault, None))
    }

    pub fn dying_at(point: Point) -> Arc<Self> {
        Arc::new(Self::of(None, Some(point)))
    }

    fn of(fault: Option<(usize, How)>, dies_at: Option<Point>) -> Self {
        let came_by = Mutex::default();
        Self { fault, dies_at, came_by, reached: Semaphore::new(0), go_on: Semaphore::new(0) }
    }

    pub fn came_by(&self) -> Vec<Place> {
        self.came_by.lock().unwrap().clone()
    }

    /// A process stalls where the plan says.
    pub async fn reached(&self) {
        self.reached.acquire().await.unwrap().forget();
    }

    pub fn go_on(&self) {
        self.go_on.add_permits(1);
    }

    /// How it goes wrong here, if it does.
    pub fn come_by(&self, place: Place) -> Option<How> {
        let is_end = self.dies_at.is_some_and(|point| place == Place::Point(point));
        let mut came_by = self.came_by.lock().unwrap();
        came_by.push(place);
        let here = came_by.len() - 1;
        drop(came_by);
        let how = self.fault.filter(|(at, _)| *at == here).map(|(_, how)| how);
        if is_end || how == Some(How::Dies) {
            // Nothing of what stands behind this is ever done.
            resume_unwind(Box::new("the process died"));
        }
        how
    }

    async fn stall(&self) {
        self.reached.add_permits(1);
        self.go_on.acquire().await.unwrap().forget();
    }

    /// A call to the provider, which does `deed` when its future is polled.
    pub async fn call<T>(&self, call: &'static str, deed: impl Future<Output = Result<T>>) -> Result<T> {
        let lost = || Err(Fault::new("payments", "lost by the test"));
        match self.come_by(Place::Call(call)) {
            Some(How::FailsBefore) => lost(),
            Some(How::FailsAfter) => {
                let _ = deed.await;
                lost()
            }
            Some(How::StallsBefore) => {
                self.stall().await;
                deed.await
            }
            Some(How::StallsAfter) => {
                let done = deed.await;
                self.stall().await;
                done
            }
            _ => deed.await,
        }
    }
}

impl Faults for Plan {
    fn reach(&self, point: Point) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let how = self.come_by(Place::Point(point));
        Box::pin(async move {
            if how == Some(How::Stalls) {
                self.stall().await;
            }
        })
    }
}
