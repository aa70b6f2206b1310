//! What runs at AWS: the queue of letters, the bucket that keeps receipts, the functions, and the fleet as its owner sees it.
//!
//! Where AWS is, and who we are to it, comes from the environment as everywhere (`AWS_REGION`, `AWS_ENDPOINT_URL`, a role or
//! keys).

pub mod autoscaling;
pub mod ec2;
pub mod elb;
pub mod fleet;
pub mod functions;
pub mod lambda;
pub mod s3;
pub mod sqs;

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, SdkConfig};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

use crate::ports::Fault;

/// One try of a call, and all tries of it.
const TRY_MAX: Duration = Duration::from_secs(10);
const CALL_MAX: Duration = Duration::from_secs(30);

/// Read once; what is made of it shares connections and credentials.
pub async fn config() -> SdkConfig {
    loader().load().await
}

/// [`config`] before it asks the environment.
pub fn loader() -> ConfigLoader {
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(TRY_MAX).operation_timeout(CALL_MAX).build();
    // A newer set of defaults is a change to be tried first.
    aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(http).timeout_config(timeouts)
}

fn fault(part: &'static str, error: impl std::error::Error + Send + Sync + 'static) -> Fault {
    let what = causes(&error);
    Fault::new(part, error).saying(what)
}

/// The library's errors say nothing but their kind; what happened stands in what caused them.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut error = error.source();
    while let Some(cause) = error {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        error = cause.source();
    }
    text
}
