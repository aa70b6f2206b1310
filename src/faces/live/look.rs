//! A look at the ledger for one socket: where its buyer stands in a sale.

use std::sync::Arc;
use std::time::Duration;

use crate::app::sale::metric::Metric as SaleMetric;
use crate::domain::shared::id::{BuyerId, SaleId};
use crate::faces::front::views::StandingView;
use crate::faces::live::Live;
use crate::faces::live::broadcaster;
use crate::faces::live::session::words;
use crate::faces::live::session::{SaleWord, Truth};
use crate::kit::telemetry::traced::{Part, call};
use crate::ports::Result;

/// Before a look that failed is tried again.
const LOOK_AGAIN: Duration = Duration::from_millis(1_000);

/// The ledger's state, and for a newcomer the sale's counters.
pub type Seen = (SaleId, Truth, Option<Arc<SaleWord>>);

/// Tries until the ledger says something.
pub async fn look(live: Live, sale: SaleId, buyer: BuyerId, first: bool) -> Seen {
    loop {
        match try_to_look(&live, sale, buyer, first).await {
            Ok((truth, word)) => return (sale, truth, word),
            Err(fault) => {
                tracing::debug!(sale.id = %sale, %fault, "a reservation cannot be read for a socket");
                metrics::counter!(SaleMetric::BestEffortFailures.name(), "what" => "look").increment(1);
            }
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

async fn try_to_look(live: &Live, sale: SaleId, buyer: BuyerId, first: bool) -> Result<(Truth, Option<Arc<SaleWord>>)> {
    let mut word = None;
    if first {
        match live.board().sale(sale).await? {
            Some(shown) => word = broadcaster::word_of(live, &shown),
            None => return Ok((Truth::NoSuchSale, None)),
        }
    }
    let look = async |buyers: &[BuyerId]| live.needs().reservations.places(sale, buyers).await;
    let Some(place) = call(Part::Ledger, "look", live.looks().place(sale, buyer, look)).await? else {
        return Ok((Truth::Nothing, word));
    };
    let (born_at, reservation, version) = (place.row.created_at, place.row.id, place.row.version);
    let view = StandingView::of_place(live, &*live.needs().orders, place).await?;
    let text = words::text(&words::Status { r#type: "status", sale, view: &view });
    Ok((Truth::Row { born_at, reservation, version, text }, word))
}
