//! What is read of a whole sale: for people who count, and for the audit.

pub mod auditing;
pub mod reports;
