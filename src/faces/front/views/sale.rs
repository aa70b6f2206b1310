//! A sale, as every client sees it.

use serde::Serialize;
use utoipa::ToSchema;

use crate::app::sale::catalogue_cache::CachedSale;
use crate::domain::sale::{Phase, StandbyUntil};
use crate::domain::shared::id::{ItemId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::faces::front::views::MoneyView;

#[derive(Serialize, ToSchema)]
#[schema(as = Sale)]
pub struct SaleView {
    id: SaleId,
    item_id: ItemId,
    title: String,
    price: MoneyView,
    #[schema(minimum = 1)]
    capacity: u32,
    #[schema(minimum = 1)]
    quantity_max: u8,
    standby_max: u32,
    standby_until: StandbyUntil,
    #[schema(minimum = 0)]
    hold_ms: i64,
    opens_at: Timestamp,
    closes_at: Timestamp,
    phase: Phase,
    /// Units that are neither sold, held nor blocked. A moment old.
    left: u32,
    /// Nothing is left, held or being paid for: only what is given back or added can be had. A moment old.
    all_paid: bool,
    server_time: Timestamp,
    /// Grows with every change by an operator.
    #[schema(minimum = 1)]
    version: u64,
    /// Of the item, in plain text; told of one sale alone, not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    description: Option<String>,
}

impl SaleView {
    pub fn described(self, description: &str) -> Self {
        Self { description: Some(description.to_owned()), ..self }
    }

    pub fn new(shown: &CachedSale, now: Timestamp) -> Self {
        let sale = &shown.sale;
        Self {
            id: sale.id,
            item_id: sale.item,
            title: sale.title.clone(),
            price: sale.price.into(),
            capacity: sale.allotment.capacity,
            quantity_max: sale.allotment.quantity_max,
            standby_max: sale.allotment.standby_max,
            standby_until: sale.standby_until,
            hold_ms: sale.hold_ms,
            opens_at: sale.opens_at,
            closes_at: sale.closes_at,
            phase: sale.phase(now),
            left: shown.left,
            all_paid: shown.all_paid,
            server_time: now,
            version: sale.version,
            description: None,
        }
    }
}
