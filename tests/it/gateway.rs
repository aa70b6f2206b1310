//! The gateway over the Embedded parts: its routes as people call them, and each checkout stopped between any two effects.

mod bed;
mod buying;
mod cancelling;
mod catalogue;
mod input;
mod operators;
mod parts;
mod people;
mod stopped;
mod waiting;
