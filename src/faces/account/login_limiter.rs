//! Limits tries to get in. One network asks this process so often, whatever for. A wrong password makes the next try wait, longer each
//! time, all over the fleet: for the account as strangers see it, and for the network. A right one takes that back. A browser that
//! logged in before is counted by itself: what strangers do to an account does not keep its owner out.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::domain::people::pace::Pace;
use crate::domain::shared::time::Timestamp;
use crate::faces::account::metric::Metric;
use crate::faces::front::Settings;
use crate::kit::http::problem::{Kind, Problem};
use crate::kit::http::throttle::{Rate, Throttle};
use crate::ports::Result;
use crate::ports::people::tries::Tries;

pub struct LoginLimiter {
    addresses: Throttle,
    account: Pace,
    network: Pace,
    hashing: Mutex<HashMap<String, usize>>,
    hash_network_max: usize,
}

impl LoginLimiter {
    pub fn new(settings: &Settings) -> Self {
        let rate = Rate { tries_max: settings.login_address_max, window_ms: settings.login_window_ms };
        let pace = |free| Pace {
            free,
            wait_ms: settings.login_wait_ms,
            wait_ms_max: settings.login_wait_ms_max,
            kept_ms: settings.login_kept_ms,
        };
        Self {
            addresses: Throttle::new("address", rate, settings.login_keys_max),
            account: pace(settings.login_account_free),
            network: pace(settings.login_network_free),
            hashing: Mutex::default(),
            hash_network_max: settings.hash_network_max,
        }
    }
}

/// One login attempt: where it comes from, and when.
pub struct LoginAttempt<'a> {
    pub limiter: &'a LoginLimiter,
    pub tries: &'a dyn Tries,
    pub address: String,
    pub now: Timestamp,
}

/// A password that is being tried, counted as a wrong one until it is known to be right.
pub struct Trying<'a> {
    tries: &'a dyn Tries,
    account: String,
    network: Option<String>,
}

impl LoginAttempt<'_> {
    /// Whatever it is for.
    pub fn pass(&self) -> Result<(), Problem> {
        self.limiter.addresses.pass(&self.address, self.now).inspect_err(|_| throttled())
    }

    /// Of an account by whoever: the network counts, too.
    pub async fn by_stranger(&self, account: String) -> Result<Trying<'_>, Problem> {
        let network = format!("network {}", self.address);
        self.wait(&network, &self.limiter.network).await?;
        let account = self.account(account).await?;
        Ok(Trying { network: Some(network), ..account })
    }

    /// Of an account by somebody who got in before.
    pub async fn by_known(&self, device: String) -> Result<Trying<'_>, Problem> {
        self.account(device).await
    }

    async fn account(&self, account: String) -> Result<Trying<'_>, Problem> {
        self.wait(&account, &self.limiter.account).await?;
        Ok(Trying { tries: self.tries, account, network: None })
    }

    async fn wait(&self, key: &str, pace: &Pace) -> Result<(), Problem> {
        let Some(wait_ms) = counted(self.tries.begin(key, pace, self.now).await).flatten() else { return Ok(()) };
        throttled();
        let seconds = u32::try_from((wait_ms + 999) / 1_000).unwrap_or(u32::MAX);
        let problem = Problem::new(Kind::TOO_MANY_REQUESTS, "too many tries that failed; come again later");
        Err(problem.retry_after_s(seconds))
    }

    /// A place of this network among those who wait for a hash, until it is dropped.
    pub fn hashing(&self) -> Option<Hashing<'_>> {
        let mut hashing = self.limiter.hashing.lock().unwrap_or_else(PoisonError::into_inner);
        let here = hashing.entry(self.address.clone()).or_default();
        if *here >= self.limiter.hash_network_max {
            return None;
        }
        *here += 1;
        Some(Hashing { limiter: self.limiter, address: self.address.clone() })
    }
}

impl Trying<'_> {
    pub async fn was_right(self) {
        counted(self.tries.forget(&self.account).await);
        if let Some(network) = &self.network {
            counted(self.tries.take_back(network).await);
        }
    }
}

/// Who counts is away: nobody is kept out for that, and the network's own bound holds.
fn counted<T>(answer: Result<T>) -> Option<T> {
    answer.inspect_err(|fault| tracing::warn!(%fault, "failed tries are not counted")).ok()
}

fn throttled() {
    metrics::counter!(Metric::EntriesThrottled.name()).increment(1);
}

pub struct Hashing<'a> {
    limiter: &'a LoginLimiter,
    address: String,
}

impl Drop for Hashing<'_> {
    fn drop(&mut self) {
        let mut hashing = self.limiter.hashing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(here) = hashing.get_mut(&self.address) {
            *here -= 1;
            if *here == 0 {
                hashing.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;
    use crate::ports::Fault;

    /// Nobody counts.
    struct Away;

    #[async_trait]
    impl Tries for Away {
        async fn begin(&self, _: &str, _: &Pace, _: Timestamp) -> Result<Option<i64>> {
            Err(Fault::new("tries", "away"))
        }

        async fn take_back(&self, _: &str) -> Result<()> {
            Err(Fault::new("tries", "away"))
        }

        async fn forget(&self, _: &str) -> Result<()> {
            Err(Fault::new("tries", "away"))
        }
    }

    fn from<'a>(limiter: &'a LoginLimiter, address: &str) -> LoginAttempt<'a> {
        LoginAttempt { limiter, tries: &Away, address: address.to_owned(), now: Timestamp(1) }
    }

    #[tokio::test]
    async fn nobody_is_kept_out_when_nobody_counts() {
        let limiter =
            LoginLimiter::new(&Settings { login_account_free: 0, login_network_free: 0, ..Settings::default() });
        for _ in 0..3 {
            let attempt = from(&limiter, "one");
            attempt.by_stranger("account".to_owned()).await.expect("let through").was_right().await;
        }
    }

    #[test]
    fn so_many_addresses_are_remembered() {
        let limiter = LoginLimiter::new(&Settings { login_keys_max: 2, ..Settings::default() });
        for number in 0..3 {
            from(&limiter, &number.to_string()).pass().expect("its first try");
        }
        assert_eq!(limiter.addresses.len(), 2);
    }

    #[test]
    fn a_network_has_so_many_places_to_wait_in() {
        let limiter = LoginLimiter::new(&Settings { hash_network_max: 2, ..Settings::default() });
        let (one, other) = (from(&limiter, "one"), from(&limiter, "other"));
        let both = [one.hashing(), one.hashing()];
        assert!(both.iter().all(Option::is_some) && one.hashing().is_none());
        assert!(other.hashing().is_some());
        drop(both);
        assert!(one.hashing().is_some());
        assert!(limiter.hashing.lock().expect("nothing panicked").is_empty());
    }
}
