//! Limits that no request's form has, and that no server of ours needs to be there for: each at its limit and one above. How is said
//! by `support::held`: so many at once, so many in one take, and after so long by a time that the test moves.

mod fleet;
mod floods;
mod heads;
mod http;
mod mysql;
mod provider;
mod rabbit;
mod redis;
mod times;
