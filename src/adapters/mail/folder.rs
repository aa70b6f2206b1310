//! A folder of `.eml` files, for a shop that has no mail server yet. A file appears whole or not at all; written again, it is
//! the same file.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use tokio::io::AsyncWriteExt;

use super::PART;
use super::mime::{self, Written};
use crate::domain::shared::time::Timestamp;
use crate::ports::mail::kept::KeptMails;
use crate::ports::mail::transport::{Carried, Mail, MailSender};
use crate::ports::{Fault, Result};

pub struct MailFolder {
    folder: PathBuf,
}

impl MailFolder {
    /// The folder is made with the first mail, for its owner only.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    async fn keep(&self, mail: &Mail, written: &Written) -> std::io::Result<()> {
        tokio::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder).await?;
        let name = format!("{}-{}-{}", stamp(mail.at), mail.kind, mail.id);
        let draft = self.folder.join(format!(".{name}.new"));
        let mut options = tokio::fs::OpenOptions::new();
        let mut file = options.create(true).truncate(true).write(true).mode(0o600).open(&draft).await?;
        file.write_all(&written.bytes).await?;
        file.sync_all().await?;
        tokio::fs::rename(&draft, self.folder.join(format!("{name}.eml"))).await?;
        sync(&self.folder).await
    }

    /// Another process may remove them, too.
    async fn remove(&self, before: &str, max: u32, dry_run: bool) -> std::io::Result<u64> {
        let mut files = match tokio::fs::read_dir(&self.folder).await {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
            files => files?,
        };
        let mut removed = 0;
        while removed < u64::from(max) {
            let Some(file) = files.next_entry().await? else { break };
            if !file.file_name().to_str().is_some_and(|name| is_of_before(name, before)) {
                continue;
            }
            if !dry_run {
                match tokio::fs::remove_file(file.path()).await {
                    Err(error) if error.kind() == ErrorKind::NotFound => continue,
                    gone => gone?,
                }
            }
            removed += 1;
        }
        Ok(removed)
    }
}

/// Names begin with it: they are in the order of what their mails are about.
fn stamp(at: Timestamp) -> String {
    let at = at.civil(0);
    let day = format!("{:04}-{:02}-{:02}", at.year, at.month, at.day);
    format!("{day}T{:02}{:02}{:02}Z", at.hour, at.minute, at.second)
}

/// Whether a file is a mail, or the draft of one, of before. Whatever else is there is not ours.
fn is_of_before(name: &str, before: &str) -> bool {
    let mail = name.strip_suffix(".eml").or_else(|| name.strip_prefix('.')?.strip_suffix(".new"));
    let digits = |stamp: &str| {
        stamp.bytes().zip(b"0000-00-00T000000Z").all(|(byte, shape)| match shape {
            b'0' => byte.is_ascii_digit(),
            shape => byte == *shape,
        })
    };
    mail.and_then(|mail| mail.get(..before.len())).is_some_and(|stamp| digits(stamp) && stamp < before)
}

/// A name is on the disk when its folder is.
async fn sync(folder: &Path) -> std::io::Result<()> {
    tokio::fs::File::open(folder).await?.sync_all().await
}

#[async_trait]
impl KeptMails for MailFolder {
    async fn remove_mails(&self, before: Timestamp, max: u32, dry_run: bool) -> Result<u64> {
        self.remove(&stamp(before), max, dry_run).await.map_err(|error| Fault::new(PART, error))
    }
}

#[async_trait]
impl MailSender for MailFolder {
    async fn send(&self, mail: &Mail) -> Result<Carried> {
        let written = match mime::write(mail) {
            Ok(written) => written,
            Err(error) => return Ok(Carried::Refused { why: error.to_string() }),
        };
        let kept: Result<()> = self.keep(mail, &written).await.map_err(|error| Fault::new(PART, error));
        kept.map(|()| Carried::Accepted)
    }
}
