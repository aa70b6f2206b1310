//! Tries, for the whole fleet: a number that grows with each, and beside it, where one has to wait, a key that ends with the wait. The
//! number is taken first, so that of many at once each has another one; whoever finds the wait taken puts his number back.

use async_trait::async_trait;
use fred::interfaces::KeysInterface;
use fred::types::{Expiration, SetOptions};

use super::turnstile::connected;
use super::{RedisTurnstile, fault, keys};
use crate::domain::people::pace::Pace;
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;
use crate::ports::people::tries::Tries;

#[async_trait]
impl Tries for RedisTurnstile {
    async fn begin(&self, key: &str, pace: &Pace, _: Timestamp) -> Result<Option<i64>> {
        let client = connected(&self.calls)?;
        let [tries, wait] = keys::tries(&self.namespace, key);
        let counted = client.pipeline();
        counted.incr::<(), _>(tries.clone()).await.map_err(fault)?;
        counted
            .pexpire::<(), _>(tries.clone(), pace.kept_ms.max(pace.wait_ms_max).max(1), None)
            .await
            .map_err(fault)?;
        let (number, _): (u32, i64) = counted.all().await.map_err(fault)?;
        let Some(wait_ms) = pace.wait_ms(number) else { return Ok(None) };
        let taken: Option<String> = client
            .set(wait.clone(), "", Some(Expiration::PX(wait_ms)), Some(SetOptions::NX), false)
            .await
            .map_err(fault)?;
        if taken.is_some() {
            return Ok(None);
        }
        let refused = client.pipeline();
        refused.decr::<(), _>(tries).await.map_err(fault)?;
        refused.pttl::<(), _>(wait).await.map_err(fault)?;
        let (_, left_ms): (i64, i64) = refused.all().await.map_err(fault)?;
        Ok(Some(left_ms.max(1)))
    }

    async fn take_back(&self, key: &str) -> Result<()> {
        let [tries, _] = keys::tries(&self.namespace, key);
        let client = connected(&self.calls)?;
        // Of a number that has ended meanwhile there is nothing to take.
        if client.decr::<i64, _>(tries.clone()).await.map_err(fault)? < 0 {
            client.del::<(), _>(tries).await.map_err(fault)?;
        }
        Ok(())
    }

    async fn forget(&self, key: &str) -> Result<()> {
        let both = keys::tries(&self.namespace, key).to_vec();
        connected(&self.calls)?.del::<(), _>(both).await.map_err(fault)
    }
}
