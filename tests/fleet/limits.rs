//! Limits of calls to others, each at its limit and one above.

mod aws;
