//! Who takes the money: Stripe where there is a key for it, else the sandbox. A fleet must be told which: one that merely lost its key
//! would sell for nothing.

use secrecy::ExposeSecret;
use std::sync::Arc;

use crate::adapters::memory::payments::MemorySandbox;
use crate::adapters::stripe::{Settings, Stripe};
use crate::app::money::metric;
use crate::kit::http::probes::Readiness;
use crate::kit::work::settings::ConfigError;
use crate::ports::Result;
use crate::ports::money::payments::{Payments, Provider, References};
use crate::wire::config::{Config, StripeConfig};
use crate::workers::payment_consumer::Books;

/// Which it is, for a process that takes money, gives it back, or asks what became of it. It is also what probes, metrics and the page
/// say.
pub fn said(config: &Config, readiness: &Readiness) -> Result<(), ConfigError> {
    let provider = check(config)?;
    tell(provider, readiness);
    Ok(())
}

pub fn tell(provider: Provider, readiness: &Readiness) {
    metric::tell_provider(provider);
    readiness.says("payments", provider.name());
    if provider == Provider::Sandbox {
        tracing::warn!("payments go to the sandbox: no money moves");
    }
}

pub fn check(config: &Config) -> Result<Provider, ConfigError> {
    match (has_key(&config.stripe), config.payments.sandbox) {
        (true, false) => Ok(Provider::Stripe),
        (false, true) => Ok(Provider::Sandbox),
        (true, true) => Err(ConfigError::new(
            "stripe.secret_key and payments.sandbox are both set: payments go to one of them; unset the other",
        )),
        (false, false) => Err(ConfigError::new(
            "nobody takes the money: set stripe.secret_key, or payments.sandbox = true for payments in which no money moves",
        )),
    }
}

fn has_key(config: &StripeConfig) -> bool {
    !config.secret_key.expose_secret().is_empty()
}

/// The sandbox, with its books where they are to be.
pub fn sandbox(books: Books, in_ledger: impl Payments) -> Arc<dyn Payments> {
    match books {
        Books::Ledger => Arc::new(in_ledger),
        Books::Memory => Arc::new(MemorySandbox::default()),
    }
}

/// `references` remember what Stripe calls our payments.
pub fn choose(
    config: &StripeConfig,
    sandbox: Arc<dyn Payments>,
    references: Arc<dyn References>,
) -> Result<Arc<dyn Payments>> {
    if !has_key(config) {
        return Ok(sandbox);
    }
    let secrets = config.webhook_secrets.expose_secret().split(',').map(str::trim).filter(|secret| !secret.is_empty());
    let settings = Settings {
        url: config.url.clone(),
        secret_key: config.secret_key.expose_secret().to_owned(),
        webhook_secrets: secrets.map(str::to_owned).collect(),
        call_ms_max: config.call_ms_max,
        tries_max: config.tries_max,
        retry_ms: config.retry_ms,
        retry_ms_max: config.retry_ms_max,
        calls_max: config.calls_max,
        answer_bytes_max: config.answer_bytes_max,
    };
    Ok(Arc::new(Stripe::new(settings, references)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_takes_the_money_is_said() {
        let said = |key: &str, sandbox| {
            let mut config = Config::default();
            config.stripe.secret_key = key.into();
            config.payments.sandbox = sandbox;
            check(&config).map_err(|error| error.to_string())
        };
        assert_eq!(said("sk_live_x", false), Ok(Provider::Stripe));
        assert_eq!(said("", true), Ok(Provider::Sandbox));
        for (key, sandbox) in [("", false), ("sk_live_x", true)] {
            let why = said(key, sandbox).unwrap_err();
            assert!(why.contains("stripe.secret_key") && why.contains("payments.sandbox"), "{why}");
        }
    }
}
