//! The places of networks in this process. When there is no room for another, those of sales that are over go; where there is none even
//! then, whoever is new passes without a place.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::domain::shared::id::{BuyerId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;
use crate::ports::sale::places::{Place, Places, PlacesTaken};

/// Places of all sales and networks.
const PLACES_MAX: usize = 1_000_000;

#[derive(Default)]
pub struct MemoryPlaces(Mutex<Networks>);

#[derive(Default)]
struct Networks {
    taken: HashMap<(SaleId, String), Network>,
    count: usize,
}

struct Network {
    buyers: HashSet<BuyerId>,
    until: Timestamp,
}

impl MemoryPlaces {
    pub fn new() -> Self {
        Self::default()
    }

    fn networks(&self) -> MutexGuard<'_, Networks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Networks {
    fn forget(&mut self, now: Timestamp) {
        self.taken.retain(|_, network| now < network.until);
        self.count = self.taken.values().map(|network| network.buyers.len()).sum();
    }
}

fn key(place: Place<'_>) -> (SaleId, String) {
    (place.sale, place.network.to_owned())
}

#[async_trait]
impl Places for MemoryPlaces {
    async fn taken(&self, place: Place<'_>) -> Result<PlacesTaken> {
        let networks = self.networks();
        let network = networks.taken.get(&key(place));
        Ok(PlacesTaken {
            count: network.map_or(0, |network| network.buyers.len() as u32),
            is_own: network.is_some_and(|network| network.buyers.contains(&place.buyer)),
        })
    }

    async fn take(&self, place: Place<'_>, max: u32, until: Timestamp, now: Timestamp) -> Result<bool> {
        let mut networks = self.networks();
        if networks.count >= PLACES_MAX {
            networks.forget(now);
        }
        let (has_room, key) = (networks.count < PLACES_MAX, key(place));
        if !has_room && !networks.taken.contains_key(&key) {
            return Ok(true);
        }
        let network = networks.taken.entry(key).or_insert_with(|| Network { buyers: HashSet::new(), until });
        if network.buyers.contains(&place.buyer) {
            return Ok(true);
        }
        if network.buyers.len() >= max as usize {
            return Ok(false);
        }
        if has_room {
            network.buyers.insert(place.buyer);
            network.until = network.until.max(until);
            networks.count += 1;
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn so_many_places_are_remembered_and_those_that_are_over_go_first() {
        let (places, now) = (MemoryPlaces::new(), Timestamp(0));
        let place = |sale, buyer| Place { sale: SaleId(sale), network: "n", buyer: BuyerId(buyer) };
        let take = |sale, buyer, until, now| places.take(place(sale, buyer), u32::MAX, until, now);
        for buyer in 0..1_000_000 {
            assert!(take(1, buyer, Timestamp(10), now).await.unwrap());
        }
        assert!(take(2, 1, Timestamp(99), now).await.unwrap(), "who is new passes");
        assert_eq!(places.taken(place(2, 1)).await.unwrap().count, 0);
        assert_eq!(places.taken(place(1, 1)).await.unwrap(), PlacesTaken { count: 1_000_000, is_own: true });
        assert!(take(2, 1, Timestamp(99), Timestamp(10)).await.unwrap());
        assert_eq!(places.taken(place(2, 1)).await.unwrap(), PlacesTaken { count: 1, is_own: true });
        assert_eq!(places.taken(place(1, 1)).await.unwrap().count, 0);
    }
}
