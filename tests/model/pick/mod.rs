//! Pick sales, which the ledger decides: a hold and its payment (`hold`), the limit and the transaction that picks share
//! (`group`), standby by areas (`standby`), the live map (`map`), what a buyer's page is told (`status`),
//! and what is paid: moved, let in, given back (`orders`).
//!
//! The map row's lock makes one step of what one transaction does; `group` alone takes that apart, and shows what it is for.

mod group;
mod hold;
mod map;
mod orders;
mod standby;
mod status;
