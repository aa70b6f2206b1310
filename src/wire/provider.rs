//! Who takes the money: Stripe where there is a key for it, else the sandbox.

use secrecy::ExposeSecret;
use std::sync::Arc;

use crate::adapters::stripe::{Settings, Stripe};
use crate::ports::Result;
use crate::ports::money::payments::{Payments, References};
use crate::wire::config::StripeConfig;

/// `references` remember what Stripe calls our payments.
pub fn choose(
    config: &StripeConfig,
    sandbox: Arc<dyn Payments>,
    references: Arc<dyn References>,
) -> Result<Arc<dyn Payments>> {
    if config.secret_key.expose_secret().is_empty() {
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
