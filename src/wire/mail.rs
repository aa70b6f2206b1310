//! Where this process's mail goes: out by SMTP, into a folder, or to a queue that a function is fed from.

use secrecy::ExposeSecret;
use std::sync::Arc;
use std::time::Duration;

use crate::adapters::mail::folder::MailFolder;
use crate::adapters::mail::smtp::Smtp;
use crate::app::mail::Settings;
use crate::kit::process::Failure;
use crate::kit::work::settings::ConfigError;
use crate::ports::mail::kept::KeptMails;
use crate::ports::mail::transport::MailSender;
use crate::workers::mailer::MailTransport;

/// A queue first, then a mail server, then a folder.
pub async fn office(settings: &Settings) -> Result<MailTransport, Failure> {
    if !settings.queue_url.is_empty() {
        return queue(settings).await;
    }
    if settings.smtp_url.expose_secret().is_empty() && settings.folder.as_os_str().is_empty() {
        tracing::warn!("neither mail.queue_url nor mail.smtp_url nor mail.folder is set: letters wait");
        return Ok(MailTransport::Closed);
    }
    Ok(MailTransport::Sender(carrier(settings)?))
}

/// Where mails go into a folder, that folder.
pub fn kept(settings: &Settings) -> Option<Arc<dyn KeptMails>> {
    let is_sent = !settings.queue_url.is_empty() || !settings.smtp_url.expose_secret().is_empty();
    let folder = &settings.folder;
    (!is_sent && !folder.as_os_str().is_empty())
        .then(|| Arc::new(MailFolder::new(folder.clone())) as Arc<dyn KeptMails>)
}

pub fn carrier(settings: &Settings) -> Result<Arc<dyn MailSender>, Failure> {
    if settings.carry_ms_max > settings.deliver_ms_max {
        return Err(ConfigError::new("mail.carry_ms_max is a part of mail.deliver_ms_max, and longer").into());
    }
    let url = settings.smtp_url.expose_secret();
    if url.is_empty() {
        return Ok(Arc::new(MailFolder::new(settings.folder.clone())));
    }
    Ok(Arc::new(Smtp::new(url, &settings.domain, Duration::from_millis(settings.carry_ms_max))?))
}

#[cfg(feature = "aws")]
async fn queue(settings: &Settings) -> Result<MailTransport, Failure> {
    use crate::adapters::aws;
    let post = aws::sqs::SqsMailQueue::new(&aws::config().await, settings.queue_url.clone());
    Ok(MailTransport::Queue(Arc::new(post)))
}

#[cfg(not(feature = "aws"))]
async fn queue(_: &Settings) -> Result<MailTransport, Failure> {
    Err(ConfigError::new("mail.queue_url is set, and this binary was built without the feature `aws`").into())
}
