//! The places of networks: a set of buyers for each sale and network, which ends by itself. Of two buyers who take the last place at the
//! same moment both may be told that there is none.

use async_trait::async_trait;
use fred::interfaces::{KeysInterface, SetsInterface};

use super::turnstile::connected;
use super::{RedisTurnstile, fault, keys};
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;
use crate::ports::sale::places::{Place, Places, PlacesTaken};

/// A sale without an end in sight is over by then.
const YEAR_MS: i64 = 366 * 86_400_000;

#[async_trait]
impl Places for RedisTurnstile {
    async fn taken(&self, place: Place<'_>) -> Result<PlacesTaken> {
        let (key, asked) = (keys::places(&self.namespace, place), connected(&self.calls)?.pipeline());
        asked.scard::<(), _>(key.clone()).await.map_err(fault)?;
        asked.sismember::<(), _, _>(key, place.buyer.to_string()).await.map_err(fault)?;
        let (count, is_own) = asked.all().await.map_err(fault)?;
        Ok(PlacesTaken { count, is_own })
    }

    async fn take(&self, place: Place<'_>, max: u32, until: Timestamp, now: Timestamp) -> Result<bool> {
        let client = connected(&self.calls)?;
        let (key, asked) = (keys::places(&self.namespace, place), client.pipeline());
        // By the server's clock for so long, and not until some moment of ours.
        let ttl_ms = until.since_ms(now).clamp(1, YEAR_MS);
        asked.sadd::<(), _, _>(key.clone(), place.buyer.to_string()).await.map_err(fault)?;
        asked.scard::<(), _>(key.clone()).await.map_err(fault)?;
        asked.pexpire::<(), _>(key.clone(), ttl_ms, None).await.map_err(fault)?;
        let (added, count, _): (u32, u32, i64) = asked.all().await.map_err(fault)?;
        if added == 0 || count <= max {
            return Ok(true);
        }
        client.srem::<(), _, _>(key, place.buyer.to_string()).await.map_err(fault)?;
        Ok(false)
    }
}
