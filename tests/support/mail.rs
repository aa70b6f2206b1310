//! A letter to be sent, and a mail as a reader's program shows it.

use std::path::Path;

use mail_parser::{Message, MessageParser, MimeHeaders};
use miaosha::domain::shared::id::EventId;
use miaosha::domain::shared::locale::Locale;
use miaosha::domain::shared::time::Timestamp;
use miaosha::ports::mail::transport::{EmailJob, EmailTemplate, LETTER_VERSION, Recipient};

/// When it happened.
pub const AT: Timestamp = Timestamp(1_767_225_600_000);

pub struct Seen {
    pub subject: String,
    pub from: (String, String),
    pub to: (String, String),
    pub message_id: String,
    /// Milliseconds since 1970.
    pub date: i64,
    pub text: String,
    pub html: String,
    pub attachments: Vec<Attached>,
    /// Names and values of the mail's own headers, undecoded.
    pub headers: Vec<(String, String)>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Attached {
    pub name: String,
    pub media_type: String,
    pub bytes: Vec<u8>,
}

impl Seen {
    pub fn read(bytes: &[u8]) -> Self {
        let message = MessageParser::default().parse(bytes).expect("a mail");
        let attachments = message.attachments().map(|part| {
            let kind = part.content_type().unwrap();
            Attached {
                name: part.attachment_name().unwrap().to_owned(),
                media_type: format!("{}/{}", kind.ctype(), kind.subtype().unwrap()),
                bytes: part.contents().to_vec(),
            }
        });
        Self {
            subject: message.subject().unwrap().to_owned(),
            from: one(message.from()),
            to: one(message.to()),
            message_id: message.message_id().unwrap().to_owned(),
            date: message.date().unwrap().to_timestamp() * 1_000,
            text: body(&message, false),
            html: body(&message, true),
            attachments: attachments.collect(),
            headers: message.headers_raw().map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect(),
        }
    }

    pub fn header(&self, name: &str) -> Vec<&str> {
        let of = self.headers.iter().filter(|(header, _)| header.eq_ignore_ascii_case(name));
        of.map(|(_, value)| value.as_str()).collect()
    }
}

/// Exactly one, so that no other recipient was slipped in.
fn one(address: Option<&mail_parser::Address>) -> (String, String) {
    let all: Vec<_> = address.unwrap().iter().collect();
    assert_eq!(all.len(), 1, "{all:?}");
    (all[0].name().unwrap_or_default().to_owned(), all[0].address().unwrap().to_owned())
}

fn body(message: &Message, html: bool) -> String {
    let found = if html { message.body_html(0) } else { message.body_text(0) };
    found.unwrap().replace("\r\n", "\n")
}

pub fn letter(locale: Locale, matter: EmailTemplate) -> EmailJob {
    EmailJob {
        version: LETTER_VERSION,
        id: EventId(0xabc),
        at: AT,
        locale,
        to: Recipient { name: "陳小姐".into(), address: "chen@example.org".into() },
        item: "跨年演唱會 <A區> & more".into(),
        shop_url: "https://shop.example.org/".into(),
        matter,
        receipt: None,
    }
}

/// What lies in a folder of mail: names and bytes.
pub fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let Ok(entries) = folder.read_dir() else { return Vec::new() };
    let mut files: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}
