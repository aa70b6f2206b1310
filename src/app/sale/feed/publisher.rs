//! A worker that may have exhausted a sale says so at once: what the next look at what moved would find half a second later.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use crate::app::sale::feed::{Needs, say};
use crate::domain::shared::id::SaleId;

/// Looks at a sale's turnstile after work that may have exhausted it, not too often, and says so when it did.
pub struct SaleFeedPublisher {
    needs: Needs,
    every: Duration,
    said: Mutex<HashMap<SaleId, Said>>,
}

#[derive(Clone, Copy)]
struct Said {
    exhausted: bool,
    looked_at: Instant,
}

impl SaleFeedPublisher {
    pub fn new(needs: Needs, every: Duration) -> Self {
        Self { needs, every, said: Mutex::default() }
    }

    /// Best effort: the next look at what moved says the same.
    pub async fn look(&self, sale: SaleId) {
        let Some(before) = self.due(sale) else { return };
        let exhausted = match self.needs.turnstile.look(sale).await {
            Ok(level) => level.is_some_and(|level| level.is_exhausted()),
            Err(_) => return,
        };
        if exhausted == before {
            return;
        }
        match say(&self.needs, sale).await {
            // Not always what was seen: the turnstile may be of another generation.
            Ok(said) => self.remember(sale, said.unwrap_or(false)),
            Err(fault) => tracing::debug!(sale.id = %sale, %fault, "the change was not announced"),
        }
    }

    /// What was said last, when it is time to look again.
    fn due(&self, sale: SaleId) -> Option<bool> {
        let mut said = self.said.lock().expect("no thread panics while holding what was said");
        let now = Instant::now();
        match said.get_mut(&sale) {
            Some(last) if now < last.looked_at + self.every => None,
            Some(last) => {
                last.looked_at = now;
                Some(last.exhausted)
            }
            None => {
                said.insert(sale, Said { exhausted: false, looked_at: now });
                Some(false)
            }
        }
    }

    fn remember(&self, sale: SaleId, exhausted: bool) {
        let mut said = self.said.lock().expect("no thread panics while holding what was said");
        said.insert(sale, Said { exhausted, looked_at: Instant::now() });
    }
}
