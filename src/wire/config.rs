//! The configuration of every binary: one shape for the whole fleet, so that one set of environment variables starts any part.
//!
//! A part reads what it needs and refuses unknown keys. Secrets come from the environment and are never printed.

use secrecy::SecretString;
use std::path::PathBuf;

use serde::Deserialize;

use crate::app::audit::tend;
use crate::app::mail;
use crate::app::receipts;
use crate::faces::box_office;
use crate::faces::front;
use crate::faces::publisher;
use crate::kit::http::server::ServerSettings;
use crate::kit::process::BinaryConfig;
use crate::kit::process::config::ProcessSettings;
use crate::workers::consumer;
use crate::workers::payment_consumer;
use crate::workers::relay;
use crate::workers::warmer;

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub process: ProcessSettings,
    /// The public face, of those that have one.
    pub http: ServerSettings,
    /// Goes before every key and queue, so that several fleets may share servers.
    pub namespace: String,
    /// `kind:kid:64 hex digits`, several after commas; kinds are `access`, `checkout` and `admission`. The first of a kind signs, all
    /// verify. A publisher has those of admissions and no others. A gateway of sockets alone has `access-public`, the public halves
    /// of `access`, and no others.
    pub token_keys: SecretString,
    /// `kid:64 hex digits`, several after commas: the seeds of Ed25519 keys. The first signs receipts, all verify; a receipt is good
    /// for as long as its key stands here. A kid is one to four letters or digits.
    pub receipt_keys: SecretString,
    pub tls: TlsConfig,
    pub redis: RedisConfig,
    pub rabbit: BrokerConfig,
    pub mysql: MysqlConfig,
    pub embedded: EmbeddedConfig,
    pub stripe: StripeConfig,
    pub archive: ArchiveConfig,
    pub publisher: publisher::Settings,
    pub consumer: consumer::Settings,
    pub payments: payment_consumer::Settings,
    pub mail: mail::Settings,
    pub relay: relay::Settings,
    pub tender: tend::Settings,
    pub gateway: front::Settings,
    pub box_office: box_office::Settings,
    pub receipts: receipts::Settings,
    pub warmer: warmer::Settings,
}

/// How servers prove who they are. A URL asks for TLS or it does not: `rediss-cluster://`, `amqps://`, `mysql://…?ssl-mode=verify_identity`.
/// With TLS the certificate's issuer, dates and name are verified, and there is no way back to less. Without, everything travels in
/// the clear, passwords too: for loopback and for networks without other users.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsConfig {
    /// Certificates in PEM of issuers that are believed beside the public ones, such as the bundle of RDS; empty for none.
    pub ca_file: PathBuf,
    /// Refuses to start where the URL of the turnstile, the broker or the database asks for no TLS.
    pub required: bool,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RedisConfig {
    /// `redis-cluster://host:port?node=host:port&node=…`; with TLS `rediss-cluster://…`. Nodes that the cluster names by address
    /// alone have to prove the name of this URL.
    pub url: SecretString,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BrokerConfig {
    /// `amqp://user:password@host:port/vhost`; with TLS `amqps://…`.
    pub url: SecretString,
    /// Queues that attempts are spread over by sale. The same for the whole fleet, and for as long as queues hold messages.
    pub partitions: u16,
    /// Batches one partition holds, at most; beyond them attempts are shed.
    pub queue_messages_max: u64,
    /// How long a confirm may take before the attempt is shed.
    pub confirm_ms: u64,
}

impl Default for BrokerConfig {
    fn default() -> Self {
        Self { url: SecretString::default(), partitions: 4, queue_messages_max: 100_000, confirm_ms: 2_000 }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MysqlConfig {
    /// `mysql://user:password@host:port/database`; with TLS and proof of the server's identity `…?ssl-mode=verify_identity`. Any other
    /// mode is refused, for it would be TLS only by chance, or with anybody.
    pub url: SecretString,
    /// Connections of this process, at most. Over the fleet their sum stays under the server's own limit.
    pub pool_max: u32,
    /// A copy that follows, for the catalogue, exports and reports of gateways; its user needs SELECT only. Empty: the primary.
    pub replica_url: SecretString,
    /// Connections of this process to the copy, at most.
    pub replica_pool_max: u32,
}

impl Default for MysqlConfig {
    fn default() -> Self {
        Self { url: SecretString::default(), pool_max: 24, replica_url: SecretString::default(), replica_pool_max: 8 }
    }
}

/// The shop in one process, which needs nothing installed.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EmbeddedConfig {
    /// Everything it remembers is in this folder.
    pub state: PathBuf,
    /// Where receipts are kept; empty: in the folder.
    pub archive: PathBuf,
    /// Batches that may wait to be decided; beyond them attempts are shed.
    pub queue_messages_max: u64,
    pub partitions: u16,
}

impl Default for EmbeddedConfig {
    fn default() -> Self {
        Self { state: PathBuf::from(".miaosha"), archive: PathBuf::new(), queue_messages_max: 100_000, partitions: 2 }
    }
}

/// The payment provider. Without a key payments go to the built-in sandbox, and no money moves.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StripeConfig {
    /// Where its API is; only `https`, or this machine.
    pub url: String,
    /// `sk_…` or `rk_…`. The same for every gateway and payment-consumer of a fleet.
    pub secret_key: SecretString,
    /// `whsec_…` of the endpoint `/v1/webhooks/stripe`; several after commas while they change.
    pub webhook_secrets: SecretString,
    /// How long one call may take, in milliseconds. All tries together stay below `payments.paying_ms_max`.
    pub call_ms_max: u64,
    /// How often one call is sent, at most, while it is not known what became of it.
    pub tries_max: u32,
    /// The first wait before another try, in milliseconds; each later one is twice as long.
    pub retry_ms: u64,
    /// The longest wait, also where Stripe asks for a longer one.
    pub retry_ms_max: u64,
    /// Calls of this process at the same time.
    pub calls_max: usize,
    /// Bytes of one answer.
    pub answer_bytes_max: usize,
}

impl Default for StripeConfig {
    fn default() -> Self {
        Self {
            url: "https://api.stripe.com".to_owned(),
            secret_key: SecretString::default(),
            webhook_secrets: SecretString::default(),
            call_ms_max: 8_000,
            tries_max: 3,
            retry_ms: 200,
            retry_ms_max: 2_000,
            calls_max: 64,
            answer_bytes_max: 1024 * 1024,
        }
    }
}

/// Where what was made once is kept: receipts. What is lost there can be made again.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ArchiveConfig {
    /// A folder that all gateways and payment-consumers share. An embedded shop has one of its own, in its folder.
    pub folder: PathBuf,
    /// An S3 bucket instead of the folder; who we are to it comes from the environment, as AWS has it.
    pub bucket: String,
}

impl Default for ArchiveConfig {
    fn default() -> Self {
        Self { folder: PathBuf::from(".miaosha-archive"), bucket: String::new() }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            process: ProcessSettings::default(),
            http: ServerSettings::default(),
            namespace: "miaosha".to_owned(),
            token_keys: SecretString::default(),
            receipt_keys: SecretString::default(),
            tls: TlsConfig::default(),
            redis: RedisConfig::default(),
            rabbit: BrokerConfig::default(),
            mysql: MysqlConfig::default(),
            embedded: EmbeddedConfig::default(),
            stripe: StripeConfig::default(),
            archive: ArchiveConfig::default(),
            publisher: publisher::Settings::default(),
            consumer: consumer::Settings::default(),
            payments: payment_consumer::Settings::default(),
            mail: mail::Settings::default(),
            relay: relay::Settings::default(),
            tender: tend::Settings::default(),
            gateway: front::Settings::default(),
            box_office: box_office::Settings::default(),
            receipts: receipts::Settings::default(),
            warmer: warmer::Settings::default(),
        }
    }
}

impl Config {
    /// What the faces are told, with what the listeners know.
    pub fn faces(&self) -> front::Settings {
        front::Settings { trusted_proxies: self.http.trusted_proxies.clone(), ..self.gateway.clone() }
    }
}

impl BinaryConfig for Config {
    fn process(&self) -> &ProcessSettings {
        &self.process
    }
}
