//! The gateway: what people talk to: accounts, catalogue, reservations, checkout.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    miaosha::wire::mains::gateway()
}
