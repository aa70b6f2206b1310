//! Where work for ended holds can be stopped between two effects.

use crate::ports::platform::fault::Point;

pub const LAPSE_AFTER_LEDGER: Point = Point("lapse.after_ledger");
pub const RELEASE_AFTER_LOOK: Point = Point("release.after_look");
pub const RELEASE_AFTER_TURNSTILE: Point = Point("release.after_turnstile");
pub const RELEASE_AFTER_LEDGER: Point = Point("release.after_ledger");
pub const RELEASE_AFTER_NOTICE: Point = Point("release.after_notice");
pub const RELEASE_AFTER_DEADLINE: Point = Point("release.after_deadline");
