//! The gateway: what people talk to: accounts, catalogue, reservations, checkout.

use std::process::ExitCode;

use miaosha::kit::process::service_main;
use miaosha::wire::cluster;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    service_main("gateway", cluster::gateway)
}
