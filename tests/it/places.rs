//! The places of networks, over each adapter.

use miaosha::adapters::memory::places::MemoryPlaces;

use crate::contract::places::a_buyer_has_one_place_and_there_are_so_many;

#[tokio::test]
async fn a_network_has_its_places_in_memory() {
    a_buyer_has_one_place_and_there_are_so_many(&MemoryPlaces::new()).await;
}

#[cfg(feature = "servers")]
mod in_redis {
    use miaosha::domain::shared::id::{BuyerId, SaleId};
    use miaosha::ports::sale::places::{Place, Places};

    use super::a_buyer_has_one_place_and_there_are_so_many;
    use crate::support::clock::START;
    use crate::support::redis::Server;

    #[tokio::test]
    async fn a_network_has_its_places() {
        a_buyer_has_one_place_and_there_are_so_many(&Server::start().await.turnstile().await).await;
    }

    /// What is kept for a sale goes by itself when the sale is over, and is spread over a cluster by its network.
    #[tokio::test]
    async fn places_end_by_themselves() {
        let server = Server::start().await;
        let places = server.turnstile().await;
        let place = Place { sale: SaleId(7), network: "10.0.0.0", buyer: BuyerId(1) };
        let take = |until| places.take(place, 9, until, START);
        assert!(take(START.plus_ms(3_600_000)).await.unwrap());
        let left: i64 = server.cli(&["pttl", "{test:7:10.0.0.0}:places"]).trim().parse().unwrap();
        assert!((3_500_000..=3_600_000).contains(&left), "{left}");
        assert!(take(START).await.unwrap(), "one that is over already is none");
        for _ in 0..200 {
            if server.cli(&["dbsize"]).trim() == "0" {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("{}", server.cli(&["keys", "*"]));
    }
}
