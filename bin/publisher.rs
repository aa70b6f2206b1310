//! The publisher: takes attempts, and enqueues them. Nothing else.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    miaosha::wire::mains::publisher()
}
