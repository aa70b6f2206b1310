//! What was bought. Reading an order writes nothing.

use async_trait::async_trait;

use crate::domain::money::order::Order;
use crate::domain::shared::id::{BuyerId, ReservationId};
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;

/// Where an order stands among its buyer's: by time, and of one moment by number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderPlace {
    pub placed_at: Timestamp,
    pub number: String,
}

impl From<&Order> for OrderPlace {
    fn from(order: &Order) -> Self {
        Self { placed_at: order.placed_at, number: order.number.clone() }
    }
}

#[async_trait]
pub trait Orders: Send + Sync + 'static {
    /// Newest first.
    async fn orders(&self, buyer: BuyerId, max: u32) -> Result<Vec<Order>> {
        self.orders_after(buyer, None, max).await
    }

    /// Newest first, those that come after this place in that order.
    async fn orders_after(&self, buyer: BuyerId, after: Option<&OrderPlace>, max: u32) -> Result<Vec<Order>>;

    /// What this reservation was paid as.
    async fn order_of(&self, reservation: ReservationId) -> Result<Option<Order>>;

    async fn order(&self, number: &str) -> Result<Option<Order>>;
}
