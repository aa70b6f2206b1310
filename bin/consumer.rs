//! The consumer: decides who gets units and who waits.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    miaosha::wire::mains::consumer()
}
