//! Tries in this process. When there is no room for another key, those go that nobody tried for long; where there is none even then,
//! whoever is new is not counted.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::domain::people::pace::Pace;
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;
use crate::ports::people::tries::Tries;

const KEYS_MAX: usize = 200_000;

#[derive(Default)]
pub struct MemoryTries(Mutex<HashMap<String, Tried>>);

#[derive(Debug, Clone, Copy)]
struct Tried {
    tries: u32,
    next_at: Timestamp,
    forgotten_at: Timestamp,
}

impl MemoryTries {
    pub fn new() -> Self {
        Self::default()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Tried>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Tries for MemoryTries {
    async fn begin(&self, key: &str, pace: &Pace, now: Timestamp) -> Result<Option<i64>> {
        let mut all = self.all();
        if all.len() >= KEYS_MAX && !all.contains_key(key) {
            all.retain(|_, tried| now < tried.forgotten_at);
        }
        let known = all.get(key).copied().filter(|tried| now < tried.forgotten_at);
        let mut tried = known.unwrap_or(Tried { tries: 0, next_at: now, forgotten_at: now });
        let wait_ms = pace.wait_ms(tried.tries + 1);
        if wait_ms.is_some() && now < tried.next_at {
            return Ok(Some(tried.next_at.since_ms(now)));
        }
        tried.tries += 1;
        tried.next_at = now.plus_ms(wait_ms.unwrap_or_default());
        tried.forgotten_at = now.plus_ms(pace.kept_ms.max(wait_ms.unwrap_or_default()));
        if all.len() < KEYS_MAX || all.contains_key(key) {
            all.insert(key.to_owned(), tried);
        }
        Ok(None)
    }

    async fn take_back(&self, key: &str) -> Result<()> {
        if let Some(tried) = self.all().get_mut(key) {
            tried.tries = tried.tries.saturating_sub(1);
        }
        Ok(())
    }

    async fn forget(&self, key: &str) -> Result<()> {
        self.all().remove(key);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn so_many_keys_are_remembered_and_old_ones_go_first() {
        let (tries, now) = (MemoryTries::new(), Timestamp(0));
        let pace = Pace { free: 0, wait_ms: 10, wait_ms_max: 10, kept_ms: 100 };
        for number in 0..200_000 {
            assert_eq!(tries.begin(&number.to_string(), &pace, now).await.unwrap(), None);
        }
        for _ in 0..2 {
            assert_eq!(tries.begin("new", &pace, now).await.unwrap(), None, "there is no room to count it");
        }
        assert_eq!(tries.begin("7", &pace, now).await.unwrap(), Some(10));
        let later = now.plus_ms(100);
        assert_eq!(tries.begin("new", &pace, later).await.unwrap(), None);
        assert_eq!(tries.begin("new", &pace, later).await.unwrap(), Some(10));
    }
}
