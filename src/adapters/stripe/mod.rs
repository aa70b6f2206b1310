//! Stripe, by payment intents that are captured by hand.
//!
//!   open      an intent of the amount; no card, no money           key: our payment's id
//!   capture   the card is set, the intent confirmed, then captured  keys: the payment's id, and which step
//!   void      the intent is cancelled: cancelled, or captured before; nothing else is an answer
//!   refund    what was not given back under this name before        key: the refund's, and which try
//!
//! Money only moves of an intent whose name is written down in [`References`]. So a payment that is void before its intent is
//! known is void for ever, whatever Stripe answers later, and no crash between two calls leaves anything but an intent that
//! cannot be confirmed. A refused card ends in a cancelled intent: only then is it a decline.

mod amount;
mod client;
mod intent;
mod webhook;

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use crate::domain::money::payment::{MadeRefund, Refund, RefundAnswer};
use crate::domain::shared::id::{PaymentId, RefundId};
use crate::domain::shared::money::{Currency, Money};
use crate::ports::money::payments::{
    Captured, Opened, Payments, Provider, Reference, References, Unpayable, Voided, WebhookEvent, WebhookRequest,
};
use crate::ports::{Fault, Result};
use client::{Answer, Call, Client, Refusal};
use intent::{Intent, Status};
use webhook::About;

const PART: &str = "payments";
/// Refunds of one payment that are read, at most. A reservation has fewer units.
const REFUNDS_MAX: &str = "100";
/// Of Stripe's reason why a refund failed.
const CODE_CHARS_MAX: usize = 80;

#[derive(Clone)]
pub struct Settings {
    pub url: String,
    pub secret_key: String,
    /// The newest first; while secrets change, several hold.
    pub webhook_secrets: Vec<String>,
    pub call_ms_max: u64,
    pub tries_max: u32,
    pub retry_ms: u64,
    pub retry_ms_max: u64,
    pub calls_max: usize,
    pub answer_bytes_max: usize,
}

pub struct Stripe {
    client: Client,
    /// What Stripe calls our payments.
    references: Arc<dyn References>,
    webhook_secrets: Vec<String>,
}

impl Stripe {
    /// Fails when the settings cannot be used; opens no connection.
    pub fn new(settings: Settings, references: Arc<dyn References>) -> Result<Self> {
        let webhook_secrets = settings.webhook_secrets.clone();
        Ok(Self { client: Client::new(settings)?, references, webhook_secrets })
    }

    /// The intent, where there is or can be one. The answer to an earlier call may be lost: the same key gives the same one.
    async fn known(&self, payment: PaymentId) -> Result<Option<String>> {
        match self.references.reference(payment).await? {
            Some(Reference::Known(intent)) => Ok(Some(intent)),
            Some(Reference::Asked(amount)) => Ok(self.create(payment, amount).await?.ok()),
            Some(Reference::Void(_)) => Ok(None),
            None => match self.references.void_reference(payment).await? {
                Reference::Known(intent) => Ok(Some(intent)),
                _ => Ok(None),
            },
        }
    }

    async fn create(&self, payment: PaymentId, amount: Money) -> Result<Result<String, Refusal>> {
        let intent = match self.ask(payment, amount).await? {
            Ok(intent) => intent.id,
            Err(refusal) => {
                // There is none under this key, and there never will be.
                self.references.void_reference(payment).await?;
                return Ok(Err(refusal));
            }
        };
        match self.references.name(payment, &intent).await? {
            Reference::Known(intent) => Ok(Ok(intent)),
            // It was made void meanwhile. What is not written down cannot be confirmed; this is for tidy books.
            _ => {
                self.cancel(&intent).await?;
                Err(Fault::new(PART, "the payment is void"))
            }
        }
    }

    async fn ask(&self, payment: PaymentId, amount: Money) -> Result<Result<Intent, Refusal>> {
        let number = amount::to_stripe(amount).ok_or_else(|| unspeakable(amount))?.to_string();
        let (key, currency) = (payment.to_string(), amount.currency.to_string().to_ascii_lowercase());
        let form = [
            ("amount", number.as_str()),
            ("currency", currency.as_str()),
            ("capture_method", "manual"),
            ("payment_method_types[]", "card"),
            ("metadata[payment]", key.as_str()),
        ];
        match self.client.call(Call::post("/v1/payment_intents", &form).with_key(&key)).await? {
            Answer::Done(body) => Ok(Ok(intent::read(&body)?)),
            Answer::Refused(refusal) => Ok(Err(refusal)),
        }
    }

    /// Sets the card, has the bank set the money aside, and takes it: as far as that goes.
    async fn take(&self, intent: &str, payment: PaymentId, card: &str) -> Result<Taken> {
        // One call more than confirming with the card would be; in return every step is known to every server of this API.
        let with_card = [("payment_method", card)];
        if let Answer::Refused(refusal) = self.client.call(Call::post(&path(intent, ""), &with_card)).await? {
            return Ok(Taken::Not(intent::why(&refusal)));
        }
        let key = format!("{payment}-confirm");
        let confirmed = match self.client.call(Call::post(&path(intent, "/confirm"), &[]).with_key(&key)).await? {
            Answer::Done(body) => intent::read(&body)?.status,
            Answer::Refused(refusal) => return Ok(Taken::Not(intent::why(&refusal))),
        };
        match confirmed {
            Status::RequiresCapture => {}
            Status::Succeeded => return Ok(Taken::All),
            Status::RequiresAction => return Ok(Taken::Not(intent::NEEDS_ACTION.to_owned())),
            Status::Waits | Status::Canceled => return Ok(Taken::Not("card declined".to_owned())),
            Status::Processing => return Err(Fault::new(PART, "the bank has not answered yet")),
        }
        let key = format!("{payment}-capture");
        match self.client.call(Call::post(&path(intent, "/capture"), &[]).with_key(&key)).await? {
            Answer::Done(body) if intent::read(&body)?.status == Status::Succeeded => Ok(Taken::All),
            Answer::Done(_) => Ok(Taken::Not("card declined".to_owned())),
            Answer::Refused(refusal) => Ok(Taken::Not(intent::why(&refusal))),
        }
    }

    /// Idempotent by itself, so it carries no key: a refusal that is kept under one would be repeated when it is not true any more.
    async fn cancel(&self, intent: &str) -> Result<Voided> {
        let status = match self.client.call(Call::post(&path(intent, "/cancel"), &[])).await? {
            Answer::Done(body) => intent::read(&body)?.status,
            Answer::Refused(_) => self.look(intent).await?.status,
        };
        match status {
            Status::Canceled => Ok(Voided::Voided),
            Status::Succeeded => Ok(Voided::Captured),
            _ => Err(Fault::new(PART, "the payment is neither cancelled nor captured yet")),
        }
    }

    async fn look(&self, intent: &str) -> Result<Intent> {
        match self.client.call(Call::get(&path(intent, ""))).await? {
            Answer::Done(body) => intent::read(&body),
            Answer::Refused(refusal) => {
                tracing::error!(%refusal, "Stripe does not know a payment it opened: is this key of another account?");
                Err(Fault::new(PART, "Stripe does not know a payment it opened"))
            }
        }
    }

    async fn list_refunds(&self, intent: &str) -> Result<Vec<Value>> {
        let path = format!("/v1/refunds?payment_intent={intent}&limit={REFUNDS_MAX}");
        match self.client.call(Call::get(&path)).await? {
            Answer::Done(mut body) => match body["data"].take() {
                Value::Array(refunds) => Ok(refunds),
                _ => Err(Fault::new(PART, "a list of refunds that is none")),
            },
            Answer::Refused(refusal) => Err(Fault::new(PART, format!("refunds cannot be listed: {refusal}"))),
        }
    }

    /// What Stripe has under this name already is looked for first: it forgets keys after a day.
    async fn refund_units(&self, refund: &Refund, tries: u32) -> Result<RefundAnswer> {
        let Some(Reference::Known(intent)) = self.references.reference(refund.payment).await? else {
            return Ok(refused("nothing_moved"));
        };
        let at_stripe = self.look(&intent).await?;
        if at_stripe.status != Status::Succeeded {
            return Ok(refused("nothing_moved"));
        }
        let Some(number) = amount::to_stripe(refund.amount) else { return Ok(refused("no_such_amount")) };
        let (name, refunds) = (refund.id.to_string(), self.list_refunds(&intent).await?);
        let ours = || refunds.iter().filter(|made| id_of(made).0 == refund.id);
        if let Some(made) = ours().find(|made| !has_failed(made)) {
            return Ok(stands(made));
        }
        // One that was taken and has failed since is the end of its own try.
        let tried = tries.to_string();
        if let Some(made) = ours().find(|made| made["metadata"]["try"].as_str().unwrap_or("0") == tried) {
            return Ok(stands(made));
        }
        if given_back(&refunds) + number > at_stripe.received || refund.amount.currency != at_stripe.currency {
            return Ok(refused("more_than_is_left"));
        }
        // A refusal is kept under its key for a day, so every try has its own.
        let key = format!("{name}-{tries}");
        let number = number.to_string();
        let form = [
            ("payment_intent", intent.as_str()),
            ("amount", number.as_str()),
            ("metadata[refund]", &name),
            ("metadata[try]", &tried),
        ];
        match self.client.call(Call::post("/v1/refunds", &form).with_key(&key)).await? {
            Answer::Done(made) => Ok(stands(&made)),
            Answer::Refused(refusal) => {
                tracing::warn!(payment.id = %refund.payment, refund.id = %refund.id, tries, %refusal, "Stripe refuses a refund");
                Ok(refused(if refusal.code.is_empty() { &refusal.kind } else { &refusal.code }))
            }
        }
    }
}

enum Taken {
    All,
    /// Not by this call, and for this reason; what is so, the intent says.
    Not(String),
}

#[async_trait]
impl Payments for Stripe {
    fn provider(&self) -> Provider {
        Provider::Stripe
    }

    fn check(&self, amount: Money) -> Result<(), Unpayable> {
        amount::check(amount)
    }

    async fn open(&self, payment: PaymentId, amount: Money) -> Result<Opened> {
        if let Err(unpayable) = amount::check(amount) {
            return Ok(Opened::Refused(unpayable));
        }
        let created = match self.references.ask(payment, amount).await? {
            Reference::Known(_) => return Ok(Opened::Opened),
            Reference::Asked(amount) => self.create(payment, amount).await?,
            Reference::Void(_) => return Err(Fault::new(PART, "the payment is void")),
        };
        let Err(refusal) = created else { return Ok(Opened::Opened) };
        match refusal.of_amount() {
            // An account's own least, or a currency that its country has not: the same tomorrow.
            Some(why) => Ok(Opened::Refused(Unpayable::Refused { why: why.to_owned() })),
            None => Err(Fault::new(PART, format!("Stripe does not open a payment of {amount}: {refusal}"))),
        }
    }

    async fn capture(&self, payment: PaymentId, card: &str) -> Result<Captured> {
        let Some(intent) = self.known(payment).await? else {
            return Ok(Captured::Declined { why: "the payment is void".to_owned() });
        };
        let taken = match card {
            "" => Taken::Not(intent::UNKNOWN.to_owned()),
            card => self.take(&intent, payment, card).await?,
        };
        let Taken::Not(why) = taken else { return Ok(Captured::Captured) };
        // Only what is cancelled is declined: an earlier call may have done more than its caller was told.
        Ok(match self.cancel(&intent).await? {
            Voided::Captured => Captured::Captured,
            Voided::Voided => Captured::Declined { why },
        })
    }

    async fn fingerprint(&self, card: &str) -> Result<Option<String>> {
        // What has no such name is no card of Stripe's, and goes into no path.
        let Ok(method) = intent::id(&card.into(), "pm_") else { return Ok(None) };
        match self.client.call(Call::get(&format!("/v1/payment_methods/{method}"))).await? {
            Answer::Done(body) => Ok(body["card"]["fingerprint"].as_str().map(str::to_owned)),
            Answer::Refused(_) => Ok(None),
        }
    }

    async fn void(&self, payment: PaymentId) -> Result<Voided> {
        match self.references.void_reference(payment).await? {
            Reference::Known(intent) => self.cancel(&intent).await,
            Reference::Asked(_) => Err(Fault::new(PART, "a payment that was made void is not")),
            Reference::Void(None) => Ok(Voided::Voided),
            Reference::Void(Some(amount)) => {
                // Decided already. If an intent was made and its name lost, it is taken off the books.
                let tidy = async {
                    match self.ask(payment, amount).await? {
                        Ok(intent) => self.cancel(&intent.id).await.map(|_| ()),
                        Err(_) => Ok(()),
                    }
                };
                if let Err(fault) = tidy.await {
                    tracing::info!(payment.id = %payment, %fault, "a void payment may stay open at Stripe; it cannot move money");
                }
                Ok(Voided::Voided)
            }
        }
    }

    async fn refund(&self, refund: &Refund, tries: u32) -> Result<RefundAnswer> {
        self.refund_units(refund, tries).await
    }

    async fn refunds(&self, payment: PaymentId) -> Result<Vec<MadeRefund>> {
        let Some(Reference::Known(intent)) = self.references.reference(payment).await? else { return Ok(Vec::new()) };
        let currency = self.look(&intent).await?.currency;
        Ok(self.list_refunds(&intent).await?.iter().map(|made| made_refund(made, currency)).collect())
    }

    async fn kept_minor(&self, payment: PaymentId) -> Result<i64> {
        let Some(Reference::Known(intent)) = self.references.reference(payment).await? else { return Ok(0) };
        let at_stripe = self.look(&intent).await?;
        if at_stripe.status != Status::Succeeded {
            return Ok(0);
        }
        let kept = at_stripe.received - given_back(&self.list_refunds(&intent).await?);
        Ok(amount::from_stripe(kept, at_stripe.currency))
    }

    async fn hear(&self, word: WebhookRequest<'_>) -> Result<WebhookEvent> {
        // By the name we wrote down, and not by what the event carries: others may share the account.
        let (intent, heard): (_, fn(PaymentId) -> WebhookEvent) = match webhook::read(&self.webhook_secrets, word) {
            Ok(Some(About::Payment(intent))) => (intent, WebhookEvent::Payment),
            Ok(Some(About::WentBack(intent))) => (intent, WebhookEvent::WentBack),
            Ok(None) => return Ok(WebhookEvent::Nothing),
            Err(heard) => return Ok(heard),
        };
        Ok(self.references.named(&intent).await?.map_or(WebhookEvent::Nothing, heard))
    }
}

fn path(intent: &str, verb: &str) -> String {
    format!("/v1/payment_intents/{intent}{verb}")
}

fn has_failed(refund: &Value) -> bool {
    refund["status"] == "failed" || refund["status"] == "canceled"
}

/// A refund that is under way counts: Stripe sees it through, or says that it failed.
fn given_back<'a>(refunds: impl IntoIterator<Item = &'a Value>) -> i64 {
    refunds.into_iter().filter(|refund| !has_failed(refund)).filter_map(|refund| refund["amount"].as_i64()).sum()
}

fn refused(code: &str) -> RefundAnswer {
    RefundAnswer::Refused { code: code.to_owned() }
}

/// Where a refund that Stripe took stands. What is neither done nor over is under way.
fn stands(made: &Value) -> RefundAnswer {
    match made["status"].as_str().unwrap_or_default() {
        "succeeded" => RefundAnswer::Done,
        status @ ("failed" | "canceled") => {
            let code = made["failure_reason"].as_str().unwrap_or(status).chars().take(CODE_CHARS_MAX).collect();
            RefundAnswer::Failed { code }
        }
        _ => RefundAnswer::Sent,
    }
}

/// Ours carry the name we gave them; and whether it is one.
fn id_of(made: &Value) -> (RefundId, bool) {
    let ours = made["metadata"]["refund"].as_str().and_then(|name| name.parse().ok());
    let theirs = || RefundId::at_provider(made["id"].as_str().unwrap_or_default());
    (ours.unwrap_or_else(theirs), ours.is_some())
}

fn made_refund(made: &Value, currency: Currency) -> MadeRefund {
    let (id, by_us) = id_of(made);
    MadeRefund {
        id,
        by_us,
        minor: amount::from_stripe(made["amount"].as_i64().unwrap_or_default(), currency),
        answer: stands(made),
    }
}

fn unspeakable(amount: Money) -> Fault {
    Fault::new(PART, format!("Stripe has no amount {amount}"))
}
