//! The publisher: takes attempts, and enqueues them. Nothing else.

use std::process::ExitCode;

use miaosha::kit::process::service_main;
use miaosha::wire::cluster;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    service_main("publisher", cluster::publisher)
}
