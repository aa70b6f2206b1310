//! Named points between a worker's effects. In service nothing happens there; tests stop or delay a worker exactly there. Each
//! subject names its own.

use std::future::Future;
use std::pin::Pin;

/// Between which two effects the worker stands, as `subject.after_effect`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Point(pub &'static str);

pub trait Faults: Send + Sync + 'static {
    /// Returns at once, later, or never.
    fn reach(&self, point: Point) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// What a process in service has: nothing ever happens.
pub struct NoFaults;

impl Faults for NoFaults {
    fn reach(&self, _: Point) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::ready(()))
    }
}
