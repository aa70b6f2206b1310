//! The routes of the desk. A handler reads what is asked, calls one function, and says what came of it.

pub mod blocks;
pub mod drafts;
pub mod journal;
pub mod orders;
pub mod parked;
pub mod plans;
pub mod receipts;
pub mod refunds;
pub mod reports;
pub mod running;
pub mod sales;
