//! From an event to a delivered mail: who is written to, in which words, and what the mail server's answer means.

mod code_words;
pub mod compose;
pub mod deliver;
pub mod metric;
pub mod posted;
pub mod render;
mod words;

use secrecy::SecretString;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;

use crate::kit::work::backoff::BackoffSettings;
use crate::ports::Result;
use crate::ports::mail::log::MailLog;
use crate::ports::people::accounts::Accounts;
use crate::ports::people::codes::Codes;
use crate::ports::platform::clock::Clock;
use crate::ports::platform::events::Events;
use crate::ports::sale::catalogue::Catalogue;

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// `smtp://user:password@host:port`, with `?tls=required` for STARTTLS; `smtps://…` for TLS from the start. Without one,
    /// an embedded shop writes its mails into its folder.
    pub smtp_url: SecretString,
    /// The queue that the mailer function is fed from. Without one, letters are delivered by the payment-consumer.
    pub queue_url: String,
    /// Where mails are written as files when there is no mail server. An embedded shop has a folder of its own for them.
    pub folder: PathBuf,
    /// Who writes.
    pub from_name: String,
    pub from_address: String,
    /// Behind the @ of every message id, and what we call ourselves to a mail server.
    pub domain: String,
    /// Where a letter sends its reader. An embedded shop knows it by itself.
    pub shop_url: String,
    /// How far the clocks that letters and receipts speak of are ahead of UTC; gateways and payment-consumers need the same.
    pub utc_offset_minutes: i16,
    /// Events taken at once.
    pub events_max: usize,
    /// Mails on their way out at the same time.
    pub carriers_max: usize,
    /// Between two looks for letters that are due.
    pub look_ms: u64,
    /// How long a mail server may take for one mail.
    pub carry_ms_max: u64,
    /// How long everything about one letter may take.
    pub deliver_ms_max: u64,
    /// How much longer a letter stays claimed: after that its owner is taken to have crashed, and another begins.
    pub claim_beyond_ms: u64,
    /// The wait before a letter's second try; each later one is twice as long, up to the longest.
    pub again_ms: i64,
    pub again_ms_max: i64,
    /// A letter that was not taken for this long is given up.
    pub keep_trying_ms_max: i64,
    /// A receipt that cannot be found for this long is no longer waited for: the letter says where to get it.
    pub receipt_ms_max: i64,
    /// Bytes of a receipt, at most; a larger one is not attached.
    pub receipt_bytes_max: usize,
    pub backoff: BackoffSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            smtp_url: SecretString::default(),
            queue_url: String::new(),
            folder: PathBuf::new(),
            from_name: "Miaosha".to_owned(),
            from_address: "shop@miaosha.invalid".to_owned(),
            domain: "miaosha.invalid".to_owned(),
            shop_url: String::new(),
            utc_offset_minutes: 0,
            events_max: 64,
            carriers_max: 8,
            look_ms: 1_000,
            carry_ms_max: 30_000,
            deliver_ms_max: 45_000,
            claim_beyond_ms: 15_000,
            again_ms: 1_000,
            again_ms_max: 300_000,
            keep_trying_ms_max: 259_200_000,
            receipt_ms_max: 600_000,
            receipt_bytes_max: 8_388_608,
            backoff: BackoffSettings::default(),
        }
    }
}

/// A receipt, and where it is kept.
pub struct Receipt {
    pub key: String,
    pub bytes: Vec<u8>,
}

/// Where receipts come from: one that was not made yet is made now.
#[async_trait]
pub trait Receipts: Send + Sync + 'static {
    /// `None` when there are none for this order.
    async fn receipt(&self, order: &str) -> Result<Option<Receipt>>;
}

pub type AnyReceipts = Arc<dyn Receipts>;

#[derive(Clone)]
pub struct Needs {
    pub letters: Arc<dyn MailLog>,
    pub accounts: Arc<dyn Accounts>,
    pub codes: Arc<dyn Codes>,
    pub catalogue: Arc<dyn Catalogue>,
    pub events: Arc<dyn Events>,
    pub clock: Arc<dyn Clock>,
}
