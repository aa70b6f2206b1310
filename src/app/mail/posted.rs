//! Letters that come by a queue, written already, and sent from there by the mailer that it feeds.
//!
//! A letter that is not done comes again, as often as the queue allows.

use std::sync::Arc;

use crate::app::mail::deliver::{Delivered, Deliverer, Ready};
use crate::ports::mail::transport::{EmailJob, LETTER_VERSION};
use crate::ports::platform::archive::Archive;
use crate::ports::{Fault, Result};

pub struct Posted {
    pub deliverer: Deliverer,
    /// Where receipts are kept; `None` when not configured.
    pub archive: Option<Arc<dyn Archive>>,
}

impl Posted {
    /// Whether the queue may drop this letter.
    pub async fn is_done(&self, message: &str, body: &str) -> bool {
        // What its text is must not be told: it names a person.
        let letter = serde_json::from_str::<EmailJob>(body).ok().filter(|letter| letter.version == LETTER_VERSION);
        let Some(letter) = letter else {
            tracing::error!(
                message.id = message,
                "a letter cannot be read; it is left to a newer mailer, or to the parked queue"
            );
            return false;
        };
        let (id, kind) = (letter.id, letter.matter.kind());
        match self.deliverer.deliver(id, kind, self.ready(letter)).await {
            Ok(Delivered::Sent | Delivered::Ended | Delivered::Before) => true,
            Ok(Delivered::Elsewhere | Delivered::PutOff) => false,
            Err(fault) => {
                tracing::warn!(%fault, letter.id = %id, "a letter could not be delivered; its queue delivers it again");
                false
            }
        }
    }

    /// The receipt was kept before the letter was posted; one that was cleaned away since is not waited for.
    async fn ready(&self, letter: EmailJob) -> Result<Ready> {
        let receipt = match (&letter.receipt, &self.archive) {
            (None, _) => None,
            (Some(_), None) => return Err(Fault::new("archive", "MIAOSHA__ARCHIVE__BUCKET is not set")),
            (Some(key), Some(archive)) => archive.get(key).await?,
        };
        let age_ms = self.deliverer.clock.now().since_ms(letter.at);
        if receipt.is_none() && letter.receipt.is_some() && age_ms < self.deliverer.settings.receipt_ms_max {
            return Err(Fault::new("archive", "the receipt is not there yet"));
        }
        Ok(Ready::EmailJob { letter: Box::new(letter), receipt })
    }
}
