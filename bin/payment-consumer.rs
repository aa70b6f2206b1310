//! The payment-consumer: lets holds lapse, gives units on, settles stuck payments, sweeps.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    miaosha::wire::mains::payment_consumer()
}
