//! Where work for money can be stopped between two effects.

use crate::ports::platform::fault::Point;

/// Of a group: rows were looked at, and nothing is written.
pub const CHECKOUT_AFTER_READ: Point = Point("checkout.after_read");
pub const CHECKOUT_AFTER_PAYING: Point = Point("checkout.after_paying");
pub const CHECKOUT_AFTER_OPEN: Point = Point("checkout.after_open");
pub const CHECKOUT_AFTER_CAPTURE: Point = Point("checkout.after_capture");
pub const CHECKOUT_AFTER_CONFIRM: Point = Point("checkout.after_confirm");
pub const GIVE_BACK_AFTER_LEDGER: Point = Point("give_back.after_ledger");
pub const RESOLVE_AFTER_VOID: Point = Point("resolve.after_void");
pub const REFUND_AFTER_CLAIM: Point = Point("refund.after_claim");
pub const REFUND_AFTER_PROVIDER: Point = Point("refund.after_provider");
