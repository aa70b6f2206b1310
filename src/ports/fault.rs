//! Named points between a worker's effects. In service nothing happens there; tests stop or delay a worker exactly there.

use std::future::Future;
use std::pin::Pin;

/// Between which two effects the worker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Point {
    ConsumerAfterLook,
    ConsumerAfterTurnstile,
    ConsumerAfterLedger,
    ConsumerAfterDeadline,
    ConsumerAfterNotice,
    LapseAfterLedger,
    ReleaseAfterLook,
    ReleaseAfterTurnstile,
    ReleaseAfterLedger,
    ReleaseAfterDeadline,
    ReleaseAfterNotice,
    RestoreAfterLock,
    RestoreAfterLedger,
    RestoreAfterTurnstile,
    CheckoutAfterRecord,
    CheckoutAfterOpen,
    CheckoutAfterPaying,
    CheckoutAfterCapture,
    CheckoutAfterConfirm,
    CancelAfterLedger,
    GiveBackAfterLedger,
    ResolveAfterVoid,
    RefundAfterProvider,
    RequestAfterClaim,
    RequestAfterEffect,
    RelayAfterRead,
    RelayAfterPublish,
    ReceiptAfterPress,
    ReceiptAfterArchive,
}

impl Point {
    pub const ALL: &'static [Point] = &[
        Point::ConsumerAfterLook,
        Point::ConsumerAfterTurnstile,
        Point::ConsumerAfterLedger,
        Point::ConsumerAfterDeadline,
        Point::ConsumerAfterNotice,
        Point::LapseAfterLedger,
        Point::ReleaseAfterLook,
        Point::ReleaseAfterTurnstile,
        Point::ReleaseAfterLedger,
        Point::ReleaseAfterDeadline,
        Point::ReleaseAfterNotice,
        Point::RestoreAfterLock,
        Point::RestoreAfterLedger,
        Point::RestoreAfterTurnstile,
        Point::CheckoutAfterRecord,
        Point::CheckoutAfterOpen,
        Point::CheckoutAfterPaying,
        Point::CheckoutAfterCapture,
        Point::CheckoutAfterConfirm,
        Point::CancelAfterLedger,
        Point::GiveBackAfterLedger,
        Point::ResolveAfterVoid,
        Point::RefundAfterProvider,
        Point::RequestAfterClaim,
        Point::RequestAfterEffect,
        Point::RelayAfterRead,
        Point::RelayAfterPublish,
        Point::ReceiptAfterPress,
        Point::ReceiptAfterArchive,
    ];
}

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
