//! Mail by SMTP, a connection for each.
//!
//! Connections are not kept: one that was given up in the middle of a mail and is used again would put the next mail into it.
//! Only what the server says to the recipient or to the mail itself is a refusal; that it does not know us is our fault.

use std::time::Duration;

use async_trait::async_trait;
use lettre::Address;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use lettre::transport::smtp::{Error, SMTP_PORT, SUBMISSION_PORT, SUBMISSIONS_PORT};
use percent_encoding::percent_decode_str;
use tokio::time::timeout;
use url::Url;

use super::PART;
use super::mime::{self, Written};
use crate::ports::mail::transport::{Carried, Mail, MailSender};
use crate::ports::{Fault, Result};

/// A server that has the mail and does not say good-bye is waited for no longer than this.
const GOOD_BYE: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tls {
    None,
    /// Asked for in the open; without it nothing is sent.
    Upgraded,
    FromTheStart,
}

pub struct Smtp {
    host: String,
    port: u16,
    tls: Tls,
    credentials: Option<Credentials>,
    hello: ClientId,
    /// For a whole mail.
    carry_max: Duration,
}

impl Smtp {
    /// `smtp://user:password@host:port`, with `?tls=required` for STARTTLS; `smtps://` for TLS from the start. `domain` is who
    /// we say we are.
    pub fn new(url: &str, domain: &str, carry_max: Duration) -> Result<Self> {
        // The library's own words would show the URL, and with it the password.
        let bad = |what: &str| Fault::new(PART, format!("the SMTP server's URL has {what}"));
        let url = Url::parse(url).map_err(|_| bad("no such form"))?;
        let mut keys = url.query_pairs();
        let (tls, usual) = match (url.scheme(), keys.next().as_ref().map(|(key, value)| (&**key, &**value))) {
            ("smtp", None) => (Tls::None, SMTP_PORT),
            ("smtp", Some(("tls", "required"))) => (Tls::Upgraded, SUBMISSION_PORT),
            ("smtps", None) => (Tls::FromTheStart, SUBMISSIONS_PORT),
            _ => return Err(bad("another scheme than smtp or smtps, or another key than tls=required")),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| bad("no host"))?;
        let decoded =
            |text: &str| percent_decode_str(text).decode_utf8().map(String::from).map_err(|_| bad("odd letters"));
        let credentials = match url.password() {
            None => None,
            Some(password) => Some(Credentials::new(decoded(url.username())?, decoded(password)?)),
        };
        Ok(Self {
            host: host.trim_matches(['[', ']']).to_owned(),
            port: url.port().unwrap_or(usual),
            tls,
            credentials,
            hello: ClientId::Domain(domain.to_owned()),
            carry_max,
        })
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Error> {
        let parameters = || TlsParameters::new(self.host.clone());
        let at_once = if self.tls == Tls::FromTheStart { Some(parameters()?) } else { None };
        let server = (self.host.as_str(), self.port);
        let mut conn =
            AsyncSmtpConnection::connect_tokio1(server, Some(self.carry_max), &self.hello, at_once, None).await?;
        if self.tls == Tls::Upgraded {
            conn.starttls(parameters()?, &self.hello).await?;
        }
        if let Some(credentials) = &self.credentials {
            conn.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(conn)
    }

    async fn send(&self, written: &Written) -> Result<(Carried, AsyncSmtpConnection), Error> {
        let mut conn = self.connect().await?;
        let mut with = Vec::new();
        if !is_ascii(&written.to) || !is_ascii(&written.from) {
            if !conn.server_info().supports_feature(Extension::SmtpUtfEight) {
                return Ok((refused("the server has no SMTPUTF8 for this address"), conn));
            }
            with.push(MailParameter::SmtpUtfEight);
        }
        conn.command(MailFrom::new(Some(written.from.clone()), with)).await?;
        let said = match conn.command(Rcpt::new(written.to.clone(), Vec::new())).await {
            Ok(_) => match conn.command(Data).await {
                Ok(_) => conn.message(&written.bytes).await,
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        };
        match said {
            Ok(_) => Ok((Carried::Accepted, conn)),
            Err(error) if error.is_permanent() => {
                let code = error.status().map(|code| code.to_string()).unwrap_or_default();
                Ok((refused(&format!("the server said {code}")), conn))
            }
            Err(error) => Err(error),
        }
    }
}

#[async_trait]
impl MailSender for Smtp {
    async fn send(&self, mail: &Mail) -> Result<Carried> {
        let written = match mime::write(mail) {
            Ok(written) => written,
            Err(error) => return Ok(refused(&error.to_string())),
        };
        match timeout(self.carry_max, self.send(&written)).await {
            Ok(Ok((carried, mut conn))) => {
                let _ = timeout(GOOD_BYE, conn.abort()).await;
                Ok(carried)
            }
            Ok(Err(error)) => Err(Fault::new(PART, without_persons(&error))),
            Err(_) => Err(Fault::new(PART, "the server took too long")),
        }
    }
}

fn refused(why: &str) -> Carried {
    Carried::Refused { why: why.to_owned() }
}

fn is_ascii(address: &Address) -> bool {
    AsRef::<str>::as_ref(address).is_ascii()
}

/// Servers like to repeat the address in what they say.
fn without_persons(error: &Error) -> String {
    match error.status() {
        Some(code) => format!("the server said {code}"),
        None => error.to_string(),
    }
}
