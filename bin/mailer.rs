//! The mailer: a Lambda function that sends the letters of a queue.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    miaosha::wire::mailer::main()
}
