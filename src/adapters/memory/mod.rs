//! A world inside this process: nothing to install, and nothing here outlives it.

pub mod turnstile;
