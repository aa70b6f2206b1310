//! Receipts apart from the shop: tokens, keys, and gates without a network.

mod gates;
mod prints;
mod tokens;

use crate::support::receipts::keys;
