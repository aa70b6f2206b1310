//! What every subject names: ids, moments, amounts, languages, the marks of traces, and what has happened. It names no subject.

pub mod event;
pub mod id;
pub mod locale;
pub mod money;
pub mod time;
pub mod trace;
