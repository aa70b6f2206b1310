//! Connections from outside: so many in the whole process, and of one network no more than a part of them, so that nobody keeps all
//! others out, and the process keeps what it needs for itself; and of them so many on a listener. Who is one too many is not waited
//! for: its connection ends.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::kit::http::address;
use crate::kit::http::metric::Metric;
use crate::kit::http::proxies::Proxies;

/// Of all connections, one network never has more than one of so many.
const SHARE_OF_A_NETWORK: usize = 4;

/// So many above a listener's connections are taken, at most, to be turned away: what nobody takes waits and is told nothing. They are
/// few of those that a process keeps for itself.
const TURNED_AWAY: usize = 64;

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
    Listener,
}

impl TooMany {
    pub const ALL: [TooMany; 3] = [TooMany::Process, TooMany::Network, TooMany::Listener];

    pub fn name(self) -> &'static str {
        match self {
            TooMany::Process => "process",
            TooMany::Network => "network",
            TooMany::Listener => "listener",
        }
    }
}

/// A connection's place; it is given back when it is dropped.
pub struct OpenConnection {
    connections: Connections,
    network: Option<IpAddr>,
    _of_listener: Option<OwnedSemaphorePermit>,
}

/// One listener's connections, those of all its workers; clones are the same one.
#[derive(Clone)]
pub struct Listener {
    connections: Connections,
    places: Arc<Semaphore>,
    connections_max: usize,
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

    /// A part of the process's.
    pub fn listener(&self, connections_max: usize) -> Listener {
        let connections_max = connections_max.min(self.0.connections_max).min(Semaphore::MAX_PERMITS);
        Listener { connections: self.clone(), places: Arc::new(Semaphore::new(connections_max)), connections_max }
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
        Ok(OpenConnection { connections: self.clone(), network, _of_listener: None })
    }
}

impl Listener {
    pub fn open(&self, peer: Option<IpAddr>) -> Result<OpenConnection, TooMany> {
        let mut open = self.connections.open(peer)?;
        open._of_listener = Some(self.places.clone().try_acquire_owned().map_err(|_| TooMany::Listener)?);
        Ok(open)
    }

    /// How many a worker takes at most, of so many workers.
    pub fn taken_by_each(&self, workers: usize) -> usize {
        let turned_away = (self.connections_max / 8).clamp(1, TURNED_AWAY);
        self.connections_max.div_ceil(workers) + turned_away.div_ceil(workers)
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
    fn a_listener_has_a_part_of_them() {
        let all = connections(5, 1_000);
        let (first, second) = (all.listener(3), all.listener(1_000));
        let from = |listener: &Listener, host: u8| listener.open(Some(IpAddr::from([203, 0, 113, host])));
        let mut places: Vec<_> = (0..3).map(|host| from(&first, host).ok().unwrap()).collect();
        assert_eq!(from(&first, 9).err(), Some(TooMany::Listener));
        places.extend((3..5).map(|host| from(&second, host).ok().unwrap()));
        assert_eq!(from(&second, 9).err(), Some(TooMany::Process), "whatever it may have for itself");
        places.remove(0);
        assert!(from(&first, 9).is_ok(), "who goes leaves a place");
    }

    /// Workers that have all of a listener's connections between them take some more, or nobody turns them away.
    #[test]
    fn a_few_too_many_are_taken() {
        for (connections_max, workers) in [(1, 1), (2, 4), (12, 1), (512, 2), (25_600, 64), (usize::MAX, 1)] {
            let listener = Connections::default().listener(connections_max);
            let taken = listener.taken_by_each(workers).saturating_mul(workers);
            let most = listener.connections_max + TURNED_AWAY + 2 * workers;
            assert!(taken > listener.connections_max && taken <= most, "{taken} of {connections_max}");
        }
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
