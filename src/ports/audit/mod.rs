//! What is read of a whole sale, for people who count and for the audit; and who did what.

pub mod auditing;
pub mod journal;
pub mod reports;
