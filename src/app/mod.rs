//! Use cases: plain functions over the ports they need. No HTTP, no client library, no loop.

pub mod audit;
pub mod mail;
pub mod money;
pub mod operator;
pub mod people;
pub mod receipts;
pub mod sale;
pub mod seating;
