//! Where a consumer can be stopped between two effects.

use crate::ports::platform::fault::Point;

pub const AFTER_LOOK: Point = Point("consumer.after_look");
pub const AFTER_TURNSTILE: Point = Point("consumer.after_turnstile");
pub const AFTER_LEDGER: Point = Point("consumer.after_ledger");
pub const AFTER_NOTICE: Point = Point("consumer.after_notice");
pub const AFTER_DEADLINE: Point = Point("consumer.after_deadline");
