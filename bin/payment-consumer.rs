//! The payment-consumer: lets holds lapse, gives units on, settles stuck payments, sweeps.

use std::process::ExitCode;

use miaosha::kit::process::service_main;
use miaosha::wire::cluster;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    service_main("payment-consumer", cluster::payment_consumer)
}
