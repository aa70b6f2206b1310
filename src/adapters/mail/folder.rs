//! A folder of `.eml` files, for a shop that has no mail server yet. A file appears whole or not at all; written again, it is
//! the same file.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use tokio::io::AsyncWriteExt;

use super::PART;
use super::mime::{self, Written};
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
        let at = mail.at.civil(0);
        let day = format!("{:04}-{:02}-{:02}", at.year, at.month, at.day);
        let name = format!("{day}T{:02}{:02}{:02}Z-{}-{}", at.hour, at.minute, at.second, mail.kind, mail.id);
        let draft = self.folder.join(format!(".{name}.new"));
        let mut options = tokio::fs::OpenOptions::new();
        let mut file = options.create(true).truncate(true).write(true).mode(0o600).open(&draft).await?;
        file.write_all(&written.bytes).await?;
        file.sync_all().await?;
        tokio::fs::rename(&draft, self.folder.join(format!("{name}.eml"))).await?;
        sync(&self.folder).await
    }
}

/// A name is on the disk when its folder is.
async fn sync(folder: &Path) -> std::io::Result<()> {
    tokio::fs::File::open(folder).await?.sync_all().await
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
