//! What is read of a whole sale: for people who count, for the audit, and for what is removed afterwards; and who did what.

pub mod auditing;
pub mod journal;
pub mod reports;
pub mod retention;
