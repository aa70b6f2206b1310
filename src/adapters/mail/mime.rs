//! A mail as bytes. The library encodes and folds; it breaks down over a name with control characters, so that they end here.
//!
//! What stands for chance elsewhere follows from the letter here, so that a mail that is sent again is the same mail.

use std::time::{Duration, SystemTime};

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, Message, MultiPart, SinglePart};
use lettre::{Address, address::AddressError};

use crate::ports::mail::transport::{Mail, Recipient};

pub struct Written {
    pub from: Address,
    pub to: Address,
    pub bytes: Vec<u8>,
}

/// Why a mail cannot be written: there is nothing to send, now or later.
#[derive(Debug, thiserror::Error)]
pub enum Unwritable {
    #[error("an address is none: {0}")]
    Address(#[from] AddressError),
    #[error("a media type is none")]
    MediaType,
    #[error("{0}")]
    Message(#[from] lettre::error::Error),
}

pub fn write(mail: &Mail) -> Result<Written, Unwritable> {
    let (from, to) = (mailbox(&mail.from)?, mailbox(&mail.to)?);
    let envelope = (from.email.clone(), to.email.clone());
    let date = SystemTime::UNIX_EPOCH + Duration::from_millis(mail.at.0.max(0) as u64);
    let head = Message::builder()
        .from(from)
        .to(to)
        .date(date)
        .message_id(Some(format!("<{}>", mail.message_id)))
        .subject(plain_text(&mail.subject))
        .raw_header(plain("Auto-Submitted", "auto-generated"))
        .raw_header(plain("Content-Language", mail.locale.tag()));
    let message = head.multipart(body(mail)?)?;
    Ok(Written { from: envelope.0, to: envelope.1, bytes: message.formatted() })
}

fn body(mail: &Mail) -> Result<MultiPart, Unwritable> {
    let words = MultiPart::alternative()
        .boundary(format!("words-{}", mail.id))
        .singlepart(SinglePart::plain(mail.text.clone()))
        .singlepart(SinglePart::html(mail.html.clone()));
    let Some(attachment) = &mail.attachment else { return Ok(words) };
    let media_type = ContentType::parse(attachment.media_type).map_err(|_| Unwritable::MediaType)?;
    let attached = Attachment::new(attachment.name.clone()).body(attachment.bytes.clone(), media_type);
    Ok(MultiPart::mixed().boundary(format!("parts-{}", mail.id)).multipart(words).singlepart(attached))
}

fn mailbox(person: &Recipient) -> Result<Mailbox, AddressError> {
    let name = plain_text(&person.name);
    Ok(Mailbox::new(Some(name).filter(|name| !name.is_empty()), person.address.parse()?))
}

fn plain_text(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    plain.trim().to_owned()
}

fn plain(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}
