//! Mail to people: what is to be said to whom, who takes it from there, and who carries it out of the house.
//!
//! A letter is written about one event and has its id, wherever it goes; everything that is done with it is done by that id.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::domain::shared::event::Fact;
use crate::domain::shared::id::EventId;
use crate::domain::shared::locale::Locale;
use crate::domain::shared::money::Money;
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;

/// Of the shape of a [`EmailJob`]. A mailer that reads another number leaves the letter to a newer mailer.
pub const LETTER_VERSION: u16 = 1;

/// On its way it holds a person's name and address: it is never logged, and kept no longer than until it is delivered.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmailJob {
    pub version: u16,
    pub id: EventId,
    /// When what it speaks of happened.
    pub at: Timestamp,
    pub locale: Locale,
    pub to: Recipient,
    /// What was sold, by its title; empty where nothing was.
    pub item: String,
    /// Where the shop is; empty when not configured.
    pub shop_url: String,
    pub matter: EmailTemplate,
    /// Where the receipt that goes with it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipient {
    pub name: String,
    pub address: String,
}

/// What the letter is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum EmailTemplate {
    Paid {
        order: String,
        units: Vec<u32>,
        amount: Money,
    },
    Refunded {
        order: String,
        units: Vec<u32>,
        amount: Money,
        left: Vec<u32>,
    },
    Returned {
        amount: Money,
    },
    Promoted {
        quantity: u8,
        lapses_at: Timestamp,
    },
    /// `digits`: as they are said to people.
    Code {
        digits: String,
        about: CodeAbout,
        minutes: u8,
    },
    PasswordChanged,
    /// To the address of before.
    AddressChanged,
}

/// What a code is for, as its reader is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeAbout {
    SignUp,
    SignUpAgain,
    LogIn,
    NewAddress,
}

/// The kinds of letters, by name: in the log of letters, in metrics, in a file's name.
pub fn kind(fact: &Fact) -> &'static str {
    match fact {
        Fact::OrderPaid(_) => "paid",
        Fact::OrderRefunded(_) => "refunded",
        Fact::PaymentReturned(_) => "returned",
        Fact::Promoted(_) => "promoted",
        Fact::Cancelled(_) => "cancelled",
        Fact::CodeAsked(_) => "code",
        Fact::PasswordChanged(_) => "password_changed",
        Fact::AddressChanged(_) => "address_changed",
    }
}

/// Whoever cancelled did it himself, and saw it: about that there is no letter.
pub fn is_written_about(fact: &Fact) -> bool {
    !matches!(fact, Fact::Cancelled(_))
}

impl EmailTemplate {
    pub fn kind(&self) -> &'static str {
        match self {
            EmailTemplate::Paid { .. } => "paid",
            EmailTemplate::Refunded { .. } => "refunded",
            EmailTemplate::Returned { .. } => "returned",
            EmailTemplate::Promoted { .. } => "promoted",
            EmailTemplate::Code { .. } => "code",
            EmailTemplate::PasswordChanged => "password_changed",
            EmailTemplate::AddressChanged => "address_changed",
        }
    }
}

/// Takes letters to where they are delivered from.
#[async_trait]
pub trait MailQueue: Send + Sync + 'static {
    /// Durable when this returns. Letters that were posted before may be posted again.
    async fn enqueue(&self, letters: &[EmailJob]) -> Result<()>;
}

/// A letter as it is sent. Sent again it is the same, to the last byte.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    pub id: EventId,
    pub kind: &'static str,
    pub at: Timestamp,
    /// Without brackets.
    pub message_id: String,
    pub from: Recipient,
    pub to: Recipient,
    pub locale: Locale,
    pub subject: String,
    pub text: String,
    pub html: String,
    pub attachment: Option<Attachment>,
}

#[derive(Clone, PartialEq, Eq)]
pub struct Attachment {
    pub name: String,
    pub media_type: &'static str,
    pub bytes: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carried {
    /// Its receiver has it now and answers for it.
    Accepted,
    /// It will never be taken. `why` names no person.
    Refused { why: String },
}

/// Carries mail out of the house: to a mail server, or into a folder.
#[async_trait]
pub trait MailSender: Send + Sync + 'static {
    /// A fault means that it may or may not have arrived: it is carried again, under the same message id.
    async fn send(&self, mail: &Mail) -> Result<Carried>;
}
