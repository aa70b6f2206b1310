//! Puts a memory beside the turnstiles' store, for a consumer that is told to decide from it while the store is away.

use std::sync::Arc;

use crate::adapters::memory::turnstile::MemoryTurnstile;
use crate::app::sale::fallback::FallbackTurnstile;
use crate::kit::http::probes::Readiness;
use crate::kit::process::Failure;
use crate::kit::work::chance::chance;
use crate::kit::work::settings::ConfigError;
use crate::ports::sale::fallback::{Fallbacks, SaleLease};
use crate::wire::config::Config;
use crate::wire::world::World;
use crate::workers::consumer::fallback::Fallback;

/// The world's turnstile is behind it from now on.
pub fn prepare(config: &Config, world: &mut World, readiness: &Readiness) -> Option<Fallback> {
    let settings = config.consumer.fallback.clone();
    if !settings.is_on() {
        return None;
    }
    // Never 0, which is nobody, and never more than 63 bits.
    let by = u64::from_be_bytes(chance()) >> 1 | 1;
    let lease = SaleLease { by, ms: settings.lease_ms.into(), partitions: config.rabbit.partitions };
    let turnstile = FallbackTurnstile::new(world.turnstile.clone(), Arc::new(MemoryTurnstile::new()), lease);
    let turnstile = Arc::new(turnstile);
    world.turnstile = turnstile.clone();
    let shown = turnstile.clone();
    readiness.shows("fallback_sales", move || shown.sales().len().into());
    Some(Fallback::new(world.needs(), turnstile, settings, config.consumer.tell.clone()))
}

/// With another number of queues a sale's attempts would be in two of them, and two consumers would decide it out of order.
pub async fn check_partitions(fallbacks: &dyn Fallbacks, partitions: u16) -> Result<(), Failure> {
    let leased = fallbacks.leased().await?;
    match leased.iter().find(|(_, lease)| lease.partitions != partitions) {
        None => Ok(()),
        Some((sale, lease)) => Err(ConfigError::new(format!(
            "rabbit.partitions stays {} as long as a consumer decides sale {sale} from its memory",
            lease.partitions
        ))
        .into()),
    }
}
