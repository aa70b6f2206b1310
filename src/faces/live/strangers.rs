//! Sockets that have not said whose they are. They have few places of their own among all, and of one network fewer still: who opens
//! sockets and says nothing keeps out others who say nothing, and nobody who brings a token with the handshake.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::kit::http::address;

#[derive(Clone)]
pub struct Strangers(Arc<Inner>);

struct Inner {
    strangers_max: usize,
    per_network_max: usize,
    here: Mutex<Here>,
}

#[derive(Default)]
struct Here {
    all: usize,
    networks: HashMap<IpAddr, usize>,
}

/// A stranger's place, until it is dropped.
pub struct StrangerPlace {
    strangers: Strangers,
    network: Option<IpAddr>,
}

impl Strangers {
    pub fn new(strangers_max: usize, per_network_max: usize) -> Self {
        Self(Arc::new(Inner { strangers_max, per_network_max, here: Mutex::default() }))
    }

    /// Of one whose network is not known only all are counted.
    pub fn enter(&self, client: Option<IpAddr>) -> Option<StrangerPlace> {
        let network = client.map(|client| address::counted(client, 32));
        let mut here = self.0.here.lock().unwrap_or_else(PoisonError::into_inner);
        if here.all >= self.0.strangers_max {
            return None;
        }
        if let Some(network) = network {
            let count = here.networks.get(&network).copied().unwrap_or(0);
            if count >= self.0.per_network_max {
                return None;
            }
            here.networks.insert(network, count + 1);
        }
        here.all += 1;
        Some(StrangerPlace { strangers: self.clone(), network })
    }
}

impl Drop for StrangerPlace {
    fn drop(&mut self) {
        let mut here = self.strangers.0.here.lock().unwrap_or_else(PoisonError::into_inner);
        here.all -= 1;
        let Some(network) = self.network else { return };
        match here.networks.get(&network).copied() {
            Some(2..) => {
                here.networks.entry(network).and_modify(|count| *count -= 1);
            }
            _ => {
                here.networks.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: &str) -> Option<IpAddr> {
        Some(address.parse().unwrap())
    }

    #[test]
    fn strangers_have_few_places_and_a_network_fewer() {
        let strangers = Strangers::new(3, 2);
        let first = strangers.enter(at("203.0.113.7")).unwrap();
        let second = strangers.enter(at("203.0.113.7")).unwrap();
        assert!(strangers.enter(at("203.0.113.7")).is_none());
        let third = strangers.enter(at("203.0.113.8")).unwrap();
        assert!(strangers.enter(at("203.0.113.9")).is_none() && strangers.enter(None).is_none());
        drop(third);
        assert!(strangers.enter(None).is_some());
        drop(first);
        assert!(strangers.enter(at("203.0.113.7")).is_some());
        drop(second);
        assert!(strangers.0.here.lock().unwrap().networks.is_empty(), "nothing is kept of who went");
    }
}
