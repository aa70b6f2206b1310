//! Limits that only a broker meets, each at its limit and one above.

mod broker;
