//! From a letter to a mail: subject, plain text and HTML. Nothing in it is fetched from anywhere when it is read.
//!
//! Whatever people wrote, a name or a title, is made harmless here: it stays on one line, is cut where it is too long, and is
//! text in HTML, too. A name that is long or holds a link is not said at all.

use std::fmt::Write as _;

use crate::app::mail::Settings;
use crate::app::mail::words::{Words, words};
use crate::domain::people::name::greeted;
use crate::ports::mail::transport::{Attachment, EmailJob, EmailTemplate, Mail, Recipient};

/// Characters of a name or a title.
const TEXT_MAX: usize = 200;

pub fn render(mut letter: EmailJob, settings: &Settings, receipt: Option<Vec<u8>>) -> Mail {
    letter.to.name = one_line(greeted(&letter.to.name));
    letter.item = one_line(&letter.item);
    let words = words(&letter, settings.utc_offset_minutes, receipt.is_some());
    Mail {
        id: letter.id,
        kind: letter.matter.kind(),
        at: letter.at,
        message_id: format!("{}@{}", letter.id, settings.domain),
        from: Recipient { name: settings.from_name.clone(), address: settings.from_address.clone() },
        locale: letter.locale,
        subject: words.subject.clone(),
        text: text(&words, &letter.shop_url),
        html: html(&words, &letter),
        attachment: receipt.map(|bytes| Attachment {
            name: format!("receipt-{}.pdf", order(&letter.matter)),
            media_type: "application/pdf",
            bytes,
        }),
        to: letter.to,
    }
}

fn order(matter: &EmailTemplate) -> &str {
    match matter {
        EmailTemplate::Paid { order, .. } | EmailTemplate::Refunded { order, .. } => order,
        _ => "",
    }
}

fn one_line(text: &str) -> String {
    let harmless = |c: char| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c };
    let mut line: String = text.chars().map(harmless).take(TEXT_MAX).collect();
    line.truncate(line.trim_end().len());
    line
}

fn text(words: &Words, shop_url: &str) -> String {
    let mut text = format!("{}\n\n{}\n\n", words.greeting, words.opening);
    for (label, value) in &words.facts {
        let _ = writeln!(text, "{label}: {value}");
    }
    if !words.facts.is_empty() {
        text.push('\n');
    }
    for line in &words.closing {
        let _ = writeln!(text, "{line}");
    }
    if !shop_url.is_empty() {
        let _ = write!(text, "\n{}: {shop_url}\n", words.to_the_shop);
    }
    let _ = write!(text, "\n-- \n{}\n", words.footer);
    text
}

fn html(words: &Words, letter: &EmailJob) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head><meta charset=\"utf-8\"><title>{}</title></head>\n\
         <body style=\"font-family: sans-serif; line-height: 1.5; color: #222\">\n<p>{}</p>\n<p>{}</p>\n<table>\n",
        letter.locale.tag(),
        escaped(&words.subject),
        escaped(&words.greeting),
        escaped(&words.opening)
    );
    for (label, value) in &words.facts {
        let (label, value) = (escaped(label), escaped(value));
        let _ =
            writeln!(page, "<tr><th style=\"text-align: left; padding-right: 1em\">{label}</th><td>{value}</td></tr>");
    }
    page.push_str("</table>\n");
    for line in &words.closing {
        let _ = writeln!(page, "<p>{}</p>", escaped(line));
    }
    if letter.shop_url.starts_with("http://") || letter.shop_url.starts_with("https://") {
        let _ = writeln!(page, "<p><a href=\"{}\">{}</a></p>", escaped(&letter.shop_url), words.to_the_shop);
    }
    let _ = writeln!(page, "<p style=\"color: #777\">{}</p>\n</body>\n</html>", escaped(words.footer));
    page
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}
