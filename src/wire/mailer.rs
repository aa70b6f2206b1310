//! The mailer: a Lambda function between the queue of letters and the mail server. It sees the log of letters, the receipts
//! and the mail server, and nothing else of the world.
//!
//! A message is done when its letter is marked; every other one comes again, as often as the queue allows.

use std::process::ExitCode;
use std::sync::Arc;

use futures_util::{StreamExt, stream};

use crate::adapters::aws;
use crate::adapters::aws::lambda::{self, Message};
use crate::adapters::aws::s3::S3Archive;
use crate::adapters::mysql::MysqlStore;
use crate::adapters::system::SystemClock;
use crate::domain::time::Timestamp;
use crate::ports::archive::Archive;
use crate::ports::clock::Clock;
use crate::ports::ledger::Ledger;
use crate::ports::mail::{Carrier, LETTER_VERSION, Letter};
use crate::ports::{Fault, Result};
use crate::runtime::Failure;
use crate::services::mailer::Settings;
use crate::services::mailer::deliver::{Again, Delivered, Deliverer, Ready};
use crate::wire::config::Config;
use crate::wire::function;
use crate::wire::mail::carrier;
use crate::wire::servers::Servers;

/// The whole of the binary.
pub fn main() -> ExitCode {
    function::main("mailer", live)
}

async fn live(config: Config) -> Result<(), Failure> {
    let mailer = Mailer::new(config).await?;
    lambda::serve(|messages| mailer.handle(messages)).await
}

struct Mailer {
    settings: Settings,
    store: MysqlStore,
    archive: Option<S3Archive>,
    carrier: Arc<dyn Carrier>,
}

impl Mailer {
    async fn new(config: Config) -> Result<Self, Failure> {
        if config.mail.smtp_url.expose().is_empty() {
            return Err("MIAOSHA__MAIL__SMTP_URL is not set".into());
        }
        let store = Servers::of(&config)?.mysql(config.mysql.pool_max).await?;
        store.verify_schema().await?;
        let bucket = config.archive.bucket;
        let archive = (!bucket.is_empty()).then_some(bucket);
        let aws = aws::config().await;
        Ok(Self {
            carrier: carrier(&config.mail)?,
            archive: archive.map(|bucket| S3Archive::new(&aws, bucket)),
            settings: config.mail,
            store,
        })
    }

    /// The messages that must come again.
    async fn handle(&self, messages: Vec<Message>) -> Vec<String> {
        let clock = SystemClock::unmeasured();
        match self.store.time().await {
            Ok(time) => clock.measured(time.since_ms(SystemClock::machine_now())),
            Err(fault) => {
                tracing::warn!(%fault, "the log of letters is away: the whole batch comes again");
                return messages.into_iter().map(|message| message.id).collect();
            }
        }
        let clock = &clock;
        stream::iter(messages)
            .map(|message| async move { (!self.is_done(&message, clock).await).then_some(message.id) })
            .buffer_unordered(self.settings.carriers_max)
            .filter_map(std::future::ready)
            .collect()
            .await
    }

    async fn is_done(&self, message: &Message, clock: &SystemClock) -> bool {
        // What its text is must not be told: it names a person.
        let letter = serde_json::from_str::<Letter>(&message.body).ok();
        let Some(letter) = letter.filter(|letter| letter.version == LETTER_VERSION) else {
            tracing::error!(
                message.id,
                "a letter cannot be read; it is left to a newer mailer, or to the parked queue"
            );
            return false;
        };
        let deliverer =
            Deliverer { log: &self.store, carrier: &*self.carrier, settings: &self.settings, again: Again::Queue };
        let (id, kind) = (letter.id, letter.matter.kind());
        match deliverer.deliver(id, kind, || clock.now(), self.ready(letter, clock.now())).await {
            Ok(Delivered::Sent | Delivered::Ended | Delivered::Before) => true,
            Ok(Delivered::Elsewhere | Delivered::PutOff) => false,
            Err(fault) => {
                tracing::warn!(%fault, letter.id = %id, "a letter comes again");
                false
            }
        }
    }

    /// The receipt was kept before the letter was posted; one that was cleaned away since is not waited for.
    async fn ready(&self, letter: Letter, now: Timestamp) -> Result<Ready> {
        let receipt = match (&letter.receipt, &self.archive) {
            (None, _) => None,
            (Some(_), None) => return Err(Fault::new("archive", "MIAOSHA__ARCHIVE__BUCKET is not set")),
            (Some(key), Some(archive)) => archive.get(key).await?,
        };
        if receipt.is_none() && letter.receipt.is_some() && now.since_ms(letter.at) < self.settings.receipt_ms_max {
            return Err(Fault::new("archive", "the receipt is not there yet"));
        }
        Ok(Ready::Letter { letter: Box::new(letter), receipt })
    }
}
