//! The consumer: decides who gets units and who waits.

use std::process::ExitCode;

use miaosha::kit::process::service_main;
use miaosha::wire::cluster;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    service_main("consumer", cluster::consumer)
}
