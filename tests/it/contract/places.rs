//! What every store of a network's places must do.

use miaosha::domain::shared::id::{BuyerId, SaleId};
use miaosha::ports::sale::places::{Place, Places, PlacesTaken};

use crate::support::clock::START;

const HOUR_MS: i64 = 3_600_000;

fn place(sale: u64, network: &str, buyer: u64) -> Place<'_> {
    Place { sale: SaleId(sale), network, buyer: BuyerId(buyer) }
}

async fn take(places: &dyn Places, sale: u64, network: &str, buyer: u64, max: u32) -> bool {
    places.take(place(sale, network, buyer), max, START.plus_ms(HOUR_MS), START).await.unwrap()
}

async fn taken(places: &dyn Places, sale: u64, network: &str, buyer: u64) -> (u32, bool) {
    let PlacesTaken { count, is_own } = places.taken(place(sale, network, buyer)).await.unwrap();
    (count, is_own)
}

pub async fn a_buyer_has_one_place_and_there_are_so_many(places: &dyn Places) {
    assert_eq!(taken(places, 1, "10.0.0.0", 1).await, (0, false));
    for buyer in 1..=3 {
        assert!(take(places, 1, "10.0.0.0", buyer, 3).await);
        assert!(take(places, 1, "10.0.0.0", buyer, 3).await, "again it is the same one");
        assert_eq!(taken(places, 1, "10.0.0.0", buyer).await, (buyer as u32, true));
    }
    assert!(!take(places, 1, "10.0.0.0", 4, 3).await);
    assert_eq!(taken(places, 1, "10.0.0.0", 4).await, (3, false));
    assert!(take(places, 1, "10.0.0.0", 2, 3).await && take(places, 1, "10.0.0.0", 4, 4).await);
    for (sale, network) in [(2, "10.0.0.0"), (1, "10.0.1.0"), (1, "2001:db8::")] {
        assert_eq!(taken(places, sale, network, 1).await, (0, false), "{sale} {network}");
        assert!(take(places, sale, network, 5, 1).await);
    }
    assert_eq!(taken(places, 1, "10.0.0.0", u64::MAX).await, (4, false));
    assert!(take(places, 1, "10.0.0.0", u64::MAX, 5).await);
    assert_eq!(taken(places, 1, "10.0.0.0", u64::MAX).await, (5, true));
}
