//! The routes of the shop. A handler reads what is asked, calls one function, and says what came of it.

pub mod admission;
pub mod buying;
pub mod catalogue;
pub mod orders;
pub mod pages;
pub mod plans;
pub mod receipts;
