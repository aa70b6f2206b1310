//! One letter on its last way: claimed, written, sent, marked.
//!
//! After a crash before the mark, the claim runs out and another process sends the letter again. So the mark of a mail that was
//! taken is tried for as long as the process lives: that saves the recipient a second mail.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::app::mail::Settings;
use crate::app::mail::metric::Metric;
use crate::app::mail::render::render;
use crate::domain::shared::id::EventId;
use crate::kit::work::backoff::Backoff;
use crate::ports::mail::log::{Claimed, Ending, MailLog};
use crate::ports::mail::transport::{Carried, EmailJob, MailSender};
use crate::ports::platform::clock::Clock;
use crate::ports::{Fault, Result};

/// What there is to say.
pub enum Ready {
    EmailJob {
        letter: Box<EmailJob>,
        receipt: Option<Vec<u8>>,
    },
    /// There is no recipient.
    Nobody,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    Sent,
    /// It will never be taken, or has no recipient.
    Ended,
    /// It was delivered before.
    Before,
    /// Another process has it.
    Elsewhere,
    /// Not this time.
    PutOff,
}

/// Who sees to it that a letter is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// The log: it is due again after a while, a longer one each time.
    Log,
    /// A queue that sends it again by itself.
    Queue,
}

/// What every delivery needs, whichever way its letter came.
pub struct Deliverer {
    pub letters: Arc<dyn MailLog>,
    pub carrier: Arc<dyn MailSender>,
    pub clock: Arc<dyn Clock>,
    pub settings: Settings,
    pub again: Again,
}

impl Deliverer {
    /// A fault says that the log could not be asked; nothing was sent then.
    pub async fn deliver(
        &self,
        id: EventId,
        kind: &'static str,
        ready: impl Future<Output = Result<Ready>> + Send,
    ) -> Result<Delivered> {
        let lease_ms = (self.settings.deliver_ms_max + self.settings.claim_beyond_ms) as i64;
        let (tries, kept_at) = match self.letters.claim(id, kind, self.clock.now(), lease_ms).await? {
            Claimed::Mine { tries, kept_at } => (tries, kept_at),
            Claimed::Done => return Ok(counted(kind, "done", Delivered::Before)),
            Claimed::Elsewhere => return Ok(counted(kind, "elsewhere", Delivered::Elsewhere)),
        };
        let begun = Instant::now();
        let tried = self.send(ready).await;
        let taken = if tried.is_ok() { "yes" } else { "no" };
        metrics::histogram!(Metric::DeliverySeconds.name(), "taken" => taken).record(begun.elapsed().as_secs_f64());
        let (ending, outcome, delivered) = match tried {
            Ok(Ending::Sent) => (Ending::Sent, "sent", Delivered::Sent),
            Ok(Ending::Nobody) => (Ending::Nobody, "nobody", Delivered::Ended),
            Ok(Ending::Refused { why }) => {
                tracing::warn!(letter.id = %id, letter.kind = kind, why, "a letter was refused for good");
                (Ending::Refused { why }, "refused", Delivered::Ended)
            }
            Err(fault) => {
                failed(&fault, id);
                if self.clock.now().since_ms(kept_at) < self.settings.keep_trying_ms_max {
                    let due_at = self.clock.now().plus_ms(self.wait_ms(tries));
                    if let Err(fault) = self.letters.put_off(id, tries, due_at).await {
                        failed(&fault, id);
                    }
                    return Ok(counted(kind, "put_off", Delivered::PutOff));
                }
                tracing::error!(letter.id = %id, letter.kind = kind, "a letter is given up");
                (Ending::Refused { why: "no mail server took it in time".to_owned() }, "refused", Delivered::Ended)
            }
        };
        self.mark(id, tries, ending).await?;
        Ok(counted(kind, outcome, delivered))
    }

    async fn send(&self, ready: impl Future<Output = Result<Ready>> + Send) -> Result<Ending> {
        let whole = async {
            let (letter, receipt) = match ready.await? {
                Ready::Nobody => return Ok(Ending::Nobody),
                Ready::EmailJob { letter, receipt } => (letter, receipt),
            };
            let receipt = receipt.filter(|bytes| bytes.len() <= self.settings.receipt_bytes_max);
            let mail = render(*letter, &self.settings, receipt);
            Ok(match self.carrier.send(&mail).await? {
                Carried::Accepted => Ending::Sent,
                Carried::Refused { why } => Ending::Refused { why },
            })
        };
        match timeout(Duration::from_millis(self.settings.deliver_ms_max), whole).await {
            Ok(ending) => ending,
            Err(_) => Err(Fault::new("mail", "the letter took too long")),
        }
    }

    async fn mark(&self, id: EventId, tries: u32, ending: Ending) -> Result<()> {
        let mut patience = Backoff::new(&self.settings.backoff);
        loop {
            let Err(fault) = self.letters.end(id, tries, ending.clone(), self.clock.now()).await else { return Ok(()) };
            failed(&fault, id);
            if !patience.wait().await {
                return Err(fault);
            }
        }
    }

    fn wait_ms(&self, tries: u32) -> i64 {
        match self.again {
            Again::Queue => 0,
            Again::Log => {
                let times = 1_i64 << (tries.max(1) - 1).min(30);
                self.settings.again_ms.saturating_mul(times).min(self.settings.again_ms_max)
            }
        }
    }
}

fn counted(kind: &'static str, outcome: &'static str, delivered: Delivered) -> Delivered {
    metrics::counter!(Metric::Emails.name(), "kind" => kind, "outcome" => outcome).increment(1);
    delivered
}

fn failed(fault: &Fault, id: EventId) {
    metrics::counter!(Metric::Faults.name(), "part" => fault.part).increment(1);
    tracing::warn!(%fault, letter.id = %id, "a letter is tried again");
}
