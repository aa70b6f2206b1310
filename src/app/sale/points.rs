//! Where a buyer's or an operator's move can be stopped between two effects.

use crate::ports::platform::fault::Point;

pub const CANCEL_AFTER_LEDGER: Point = Point("cancel.after_ledger");
pub const BLOCK_AFTER_LEDGER: Point = Point("block.after_ledger");
pub const BLOCK_AFTER_SUBMIT: Point = Point("block.after_submit");
pub const UNBLOCK_AFTER_LEDGER: Point = Point("unblock.after_ledger");
