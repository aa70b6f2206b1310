//! Limits login attempts: each is counted for the account that is named and for the address it comes from, whether or not
//! there is such an account.

use crate::domain::shared::time::Timestamp;
use crate::faces::account::metric::Metric;
use crate::faces::front::Settings;
use crate::kit::http::problem::Problem;
use crate::kit::http::throttle::{Rate, Throttle};

pub struct LoginLimiter {
    accounts: Throttle,
    addresses: Throttle,
}

impl LoginLimiter {
    pub fn new(settings: &Settings) -> Self {
        let rate = |tries_max| Rate { tries_max, window_ms: settings.login_window_ms };
        Self {
            accounts: Throttle::new("account", rate(settings.login_account_max), settings.login_keys_max),
            addresses: Throttle::new("address", rate(settings.login_address_max), settings.login_keys_max),
        }
    }
}

/// One login attempt: where it comes from, and when.
pub struct LoginAttempt<'a> {
    pub entry: &'a LoginLimiter,
    pub address: String,
    pub now: Timestamp,
}

impl LoginAttempt<'_> {
    /// The address is counted first: one that tries too often does not use up an account's tries.
    pub fn pass(&self, account: &str) -> Result<(), Problem> {
        let passed = self.entry.addresses.pass(&self.address, self.now);
        let passed = passed.and_then(|()| self.entry.accounts.pass(account, self.now));
        if passed.is_err() {
            metrics::counter!(Metric::EntriesThrottled.name()).increment(1);
        }
        passed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_names_and_addresses_are_remembered() {
        let settings = Settings { login_keys_max: 2, ..Settings::default() };
        let entry = LoginLimiter::new(&settings);
        for number in 0..3 {
            let attempt = LoginAttempt { entry: &entry, address: number.to_string(), now: Timestamp(1) };
            attempt.pass(&number.to_string()).unwrap();
        }
        assert_eq!((entry.accounts.len(), entry.addresses.len()), (2, 2));
    }
}
