//! Mail: each event has its letter, whatever crashes on the way.

mod fixture;
mod limits;
mod postman;
