//! The warmer: a Lambda function that makes the fleet large before an event and small after it.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    miaosha::wire::warmer::main()
}
