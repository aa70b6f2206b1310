//! The whole `main` of each binary of the fleet. They are functions of the library so that what they reach is compiled once, with
//! it: a binary that names `service_main` itself compiles all of its part anew.

use std::process::ExitCode;

use crate::kit::process::service_main;
use crate::wire::cluster;

pub fn publisher() -> ExitCode {
    service_main("publisher", cluster::publisher)
}

pub fn consumer() -> ExitCode {
    service_main("consumer", cluster::consumer)
}

pub fn payment_consumer() -> ExitCode {
    service_main("payment-consumer", cluster::payment_consumer)
}

pub fn gateway() -> ExitCode {
    service_main("gateway", cluster::gateway)
}
