//! What sockets were told, compared with the ledger: again and again, a few hundred at a time, spread over a named time. Notices
//! are quick and may be lost, whatever is done about it; this is slow, cheap, and rests on nothing but the ledger.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::shared::id::{BuyerId, SaleId};
use crate::faces::live::Live;
use crate::faces::live::mailbox::Mailbox;
use crate::faces::live::metric::Metric;
use crate::ports::Result;
use crate::ports::sale::reservations::Version;

/// Before the ledger is asked again when it did not answer.
const AGAIN: Duration = Duration::from_millis(1_000);

/// Round after round, until the soft stop.
pub async fn compare(live: &Live) {
    tokio::select! {
        () = rounds(live) => {}
        () = live.stopping() => {}
    }
}

async fn rounds(live: &Live) {
    let settings = live.rules();
    let period = Duration::from_millis(settings.compare_ms.max(1));
    loop {
        let pairs = live.crowd().pairs();
        let of_one_sale = pairs.chunk_by(|one, other| one.0 == other.0);
        let parts: Vec<_> = of_one_sale.flat_map(|pairs| pairs.chunks(settings.compare_pairs_max.max(1))).collect();
        let pause = period / u32::try_from(parts.len()).unwrap_or(u32::MAX).max(1);
        for part in &parts {
            tokio::time::sleep(pause).await;
            while let Err(fault) = compare_part(live, part).await {
                tracing::debug!(%fault, "what sockets were told cannot be compared");
                tokio::time::sleep(AGAIN).await;
            }
        }
        if parts.is_empty() {
            tokio::time::sleep(pause).await;
        }
    }
}

async fn compare_part(live: &Live, part: &[(SaleId, BuyerId, Arc<Mailbox>)]) -> Result<()> {
    let Some((sale, ..)) = part.first() else { return Ok(()) };
    let mut buyers: Vec<BuyerId> = part.iter().map(|(_, buyer, _)| *buyer).collect();
    buyers.dedup();
    let rows = live.needs().reservations.versions(*sale, &buyers).await?;
    let rows: HashMap<BuyerId, Version> = rows.into_iter().map(|row| (row.buyer, row)).collect();
    let known = part.iter().filter_map(|(_, buyer, mailbox)| Some((mailbox, rows.get(buyer)?)));
    let behind = known.filter(|(mailbox, row)| mailbox.compare(*sale, row)).count();
    metrics::counter!(Metric::Compared.name()).increment(part.len() as u64);
    metrics::counter!(Metric::Behind.name()).increment(behind as u64);
    Ok(())
}
