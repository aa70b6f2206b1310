//! Connections from outside: so many in the whole process, and of one network no more than a part of them, so that nobody keeps all
//! others out, and the process keeps what it needs for itself. Who is one too many is not waited for: its connection ends.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::kit::http::address;
use crate::kit::http::metric::Metric;
use crate::kit::http::proxies::Proxies;

/// Of all connections, one network never has more than one of so many.
const SHARE_OF_A_NETWORK: usize = 4;

/// One process's, for all its listeners; clones are the same one.
#[derive(Clone)]
pub struct Connections(Arc<Inner>);

struct Inner {
    connections_max: usize,
    per_network_max: usize,
    proxies: Proxies,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    all: usize,
    networks: HashMap<IpAddr, usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TooMany {
    Process,
    Network,
}

impl TooMany {
    pub fn name(self) -> &'static str {
        match self {
            TooMany::Process => "process",
            TooMany::Network => "network",
        }
    }
}

/// A connection's place; it is given back when it is dropped.
pub struct OpenConnection {
    connections: Connections,
    network: Option<IpAddr>,
}

impl Default for Connections {
    /// As many as come.
    fn default() -> Self {
        Self::new(usize::MAX, usize::MAX, Proxies::default())
    }
}

impl Connections {
    /// Those of our own proxies are not counted by network: everybody comes through them.
    pub fn new(connections_max: usize, per_network_max: usize, proxies: Proxies) -> Self {
        let per_network_max = per_network_max.min((connections_max / SHARE_OF_A_NETWORK).max(1));
        Self(Arc::new(Inner { connections_max, per_network_max, proxies, open: Mutex::default() }))
    }

    /// Of the whole process.
    pub fn connections_max(&self) -> usize {
        self.0.connections_max
    }

    pub fn open(&self, peer: Option<IpAddr>) -> Result<OpenConnection, TooMany> {
        let inner = &self.0;
        let network = peer.filter(|peer| !inner.proxies.contain(*peer)).map(|peer| address::counted(peer, 32));
        let mut open = inner.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.all >= inner.connections_max {
            return Err(TooMany::Process);
        }
        if let Some(network) = network {
            let count = open.networks.entry(network).or_default();
            if *count >= inner.per_network_max {
                return Err(TooMany::Network);
            }
            *count += 1;
        }
        open.all += 1;
        metrics::gauge!(Metric::Connections.name()).increment(1.0);
        Ok(OpenConnection { connections: self.clone(), network })
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        let mut open = self.connections.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.all -= 1;
        if let Some(network) = self.network
            && let Some(count) = open.networks.get_mut(&network)
        {
            *count -= 1;
            if *count == 0 {
                open.networks.remove(&network);
            }
        }
        metrics::gauge!(Metric::Connections.name()).decrement(1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connections(connections_max: usize, per_network_max: usize) -> Connections {
        Connections::new(connections_max, per_network_max, Proxies::default())
    }

    fn open(connections: &Connections, address: &str) -> Result<OpenConnection, TooMany> {
        connections.open(Some(address.parse().unwrap()))
    }

    #[test]
    fn a_network_has_so_many_connections() {
        let connections = connections(1_000, 3);
        let places: Vec<_> = (0..3).map(|_| open(&connections, "203.0.113.7").ok().unwrap()).collect();
        assert_eq!(open(&connections, "203.0.113.7").err(), Some(TooMany::Network));
        assert!(open(&connections, "203.0.113.8").is_ok(), "another one");
        drop(places);
        assert!(open(&connections, "203.0.113.7").is_ok(), "who goes leaves a place");
        // Of IPv6, a customer has a whole network.
        let places: Vec<_> =
            (0..3).map(|host| open(&connections, &format!("2001:db8::{host}")).ok().unwrap()).collect();
        assert_eq!(open(&connections, "2001:db8::9").err(), Some(TooMany::Network));
        assert!(open(&connections, "2001:db8:0:1::9").is_ok());
        drop(places);
        assert!(connections.0.open.lock().unwrap().networks.is_empty(), "nothing is kept of who went");
    }

    #[test]
    fn a_process_has_so_many_connections() {
        let connections = connections(5, 1_000);
        let mut places: Vec<_> =
            (0..5).map(|host| open(&connections, &format!("203.0.113.{host}")).ok().unwrap()).collect();
        assert_eq!(open(&connections, "203.0.113.9").err(), Some(TooMany::Process));
        places.pop();
        assert!(open(&connections, "203.0.113.9").is_ok());
    }

    #[test]
    fn a_network_has_no_more_than_a_quarter() {
        let connections = connections(9, 1_000);
        let _places =
            [open(&connections, "203.0.113.7").ok().unwrap(), open(&connections, "203.0.113.7").ok().unwrap()];
        assert_eq!(open(&connections, "203.0.113.7").err(), Some(TooMany::Network));
    }

    #[test]
    fn everybody_comes_through_our_proxies() {
        let connections = connections(1_000, 1);
        let places: Vec<_> = (0..9).map(|_| open(&connections, "10.0.0.1").ok().unwrap()).collect();
        assert_eq!(places.len(), 9);
        assert!(connections.open(None).is_ok());
    }
}
