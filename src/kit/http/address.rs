//! Where a request comes from, as far as those in front of us can be believed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use actix_web::HttpRequest;

/// Of `X-Forwarded-For`, each proxy of our own adds the address that it saw at the end: behind `trusted_hops` of them the client
/// is that many places from the end, and everything before is what the client wrote. Without one it is the connecting peer.
pub fn client(req: &HttpRequest, trusted_hops: usize) -> Option<IpAddr> {
    let peer = req.peer_addr().map(|address| address.ip());
    if trusted_hops == 0 {
        return peer;
    }
    let values = req.headers().get_all("X-Forwarded-For").filter_map(|value| value.to_str().ok());
    let hops: Vec<&str> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
    let said = hops.len().checked_sub(trusted_hops).and_then(|place| hops[place].parse().ok());
    said.or(peer)
}

/// What is counted as one: an address, or the network that one customer has of IPv6.
pub fn network(address: Option<IpAddr>) -> String {
    counted(address, 32)
}

/// The neighbourhood that is counted as one where addresses are cheap: a /24, or of IPv6 a /64.
pub fn neighbourhood(address: Option<IpAddr>) -> String {
    counted(address, 24)
}

/// Of IPv4, by so many bits.
fn counted(address: Option<IpAddr>, bits: u32) -> String {
    match address.map(|address| address.to_canonical()) {
        None => "unknown".to_owned(),
        Some(IpAddr::V4(address)) => Ipv4Addr::from(u32::from(address) >> (32 - bits) << (32 - bits)).to_string(),
        Some(IpAddr::V6(address)) => Ipv6Addr::from(u128::from(address) >> 64 << 64).to_string(),
    }
}
