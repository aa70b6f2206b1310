//! Where a request comes from, as far as those in front of us can be believed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use actix_web::dev::RequestHead;

use crate::kit::http::proxies::Proxies;

/// Of `X-Forwarded-For`, each proxy of our own adds the address that it saw at the end: behind `trusted_hops` of them the client
/// is that many places from the end, and everything before is what the client wrote. Without one it is the connecting peer; and so it
/// is where the peer is none of our proxies, for then the client wrote all of it.
pub fn client(head: &RequestHead, trusted_hops: usize, proxies: &Proxies) -> Option<IpAddr> {
    let peer = head.peer_addr.map(|address| address.ip());
    if trusted_hops == 0 || !peer.is_some_and(|peer| proxies.contain(peer)) {
        return peer;
    }
    let values = head.headers().get_all("X-Forwarded-For").filter_map(|value| value.to_str().ok());
    let hops: Vec<&str> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
    let said = hops.len().checked_sub(trusted_hops).and_then(|place| hops[place].parse().ok());
    said.or(peer)
}

/// What is counted as one: an address, or the network that one customer has of IPv6.
pub fn network(address: Option<IpAddr>) -> String {
    told(address, 32)
}

/// The neighbourhood that is counted as one where addresses are cheap: a /24, or of IPv6 a /64.
pub fn neighbourhood(address: Option<IpAddr>) -> String {
    told(address, 24)
}

fn told(address: Option<IpAddr>, bits: u32) -> String {
    address.map_or_else(|| "unknown".to_owned(), |address| counted(address, bits).to_string())
}

/// By its first address: of IPv4 a network of so many bits, of IPv6 a /64.
pub fn counted(address: IpAddr, bits: u32) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => Ipv4Addr::from(u32::from(address) >> (32 - bits) << (32 - bits)).into(),
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) >> 64 << 64).into(),
    }
}
