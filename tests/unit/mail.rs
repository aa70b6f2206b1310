//! Mail: what letters say, and how they leave the house.

mod folder;
mod rendering;
mod smtp;
