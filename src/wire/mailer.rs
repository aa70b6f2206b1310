//! The mailer: a Lambda function between the queue of letters and the mail server. It uses the log of letters, the receipts
//! and the mail server, and no other part.
//!
//! A message is done when its letter is marked; every other one comes again, as often as the queue allows.

use secrecy::ExposeSecret;
use std::process::ExitCode;
use std::sync::Arc;

use futures_util::{StreamExt, stream};

use crate::adapters::aws;
use crate::adapters::aws::lambda::{self, Message};
use crate::adapters::aws::s3::S3Archive;
use crate::adapters::system::SystemClock;
use crate::app::mail::deliver::{Again, Deliverer};
use crate::app::mail::posted::Posted;
use crate::kit::process::Failure;
use crate::ports::platform::archive::Archive;
use crate::ports::platform::clock::LedgerTime;
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
    posted: Posted,
    ledger_time: Arc<dyn LedgerTime>,
    clock: Arc<SystemClock>,
}

impl Mailer {
    async fn new(config: Config) -> Result<Self, Failure> {
        if config.mail.smtp_url.expose_secret().is_empty() {
            return Err("MIAOSHA__MAIL__SMTP_URL is not set".into());
        }
        let store = Servers::of(&config)?.mysql(config.mysql.pool_max).await?;
        store.verify_schema().await?;
        let (store, clock) = (Arc::new(store), Arc::new(SystemClock::unmeasured()));
        let bucket = config.archive.bucket;
        let archive = match bucket.is_empty() {
            true => None,
            false => Some(Arc::new(S3Archive::new(&aws::config().await, bucket)) as Arc<dyn Archive>),
        };
        let deliverer = Deliverer {
            letters: store.clone(),
            carrier: carrier(&config.mail)?,
            clock: clock.clone(),
            settings: config.mail,
            again: Again::Queue,
        };
        Ok(Self { posted: Posted { deliverer, archive }, ledger_time: store, clock })
    }

    /// The messages that must come again.
    async fn handle(&self, messages: Vec<Message>) -> Vec<String> {
        match self.ledger_time.time().await {
            Ok(time) => self.clock.measured(time.since_ms(SystemClock::machine_now())),
            Err(fault) => {
                tracing::warn!(%fault, "the log of letters is away: the whole batch is delivered again");
                return messages.into_iter().map(|message| message.id).collect();
            }
        }
        let posted = &self.posted;
        stream::iter(messages)
            .map(|message| async move { (!posted.is_done(&message.id, &message.body).await).then_some(message.id) })
            .buffer_unordered(posted.deliverer.settings.carriers_max)
            .filter_map(std::future::ready)
            .collect()
            .await
    }
}
