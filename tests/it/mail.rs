//! Mail: each event has its letter, whatever dies on the way.

mod fixture;
mod limits;
mod postman;
