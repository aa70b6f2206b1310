//! What any network service is made of, and no subject is named: HTTP, sockets, long work, the process, telemetry.

pub mod http;
pub mod process;
pub mod socket;
pub mod telemetry;
pub mod work;
