//! Mail as files.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use miaosha::adapters::mail::folder::MailFolder;
use miaosha::app::mail::Settings;
use miaosha::app::mail::render::render;
use miaosha::domain::shared::locale::Locale;
use miaosha::ports::mail::transport::{Carried, EmailTemplate, MailSender};

use crate::support::mail::{Seen, files, letter};

#[tokio::test]
async fn a_mail_is_a_file_of_its_time_and_kind() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("state/mail");
    let carrier = MailFolder::new(place.clone());
    let mail = render(letter(Locale::ZhTw, EmailTemplate::PasswordChanged), &Settings::default(), None);
    for _ in 0..2 {
        assert_eq!(carrier.send(&mail).await.unwrap(), Carried::Accepted);
    }
    let files = files(&place);
    assert_eq!(files.len(), 1, "the same mail is the same file, and no draft is left");
    assert_eq!(files[0].0, "2026-01-01T000000Z-password_changed-00000000000000000000000000000abc.eml");
    assert_eq!(Seen::read(&files[0].1).subject, mail.subject);
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&place), mode(&place.join(&files[0].0))), (0o700, 0o600), "it names a person");
}

#[tokio::test]
async fn a_folder_that_cannot_be_is_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let mail = render(letter(Locale::En, EmailTemplate::PasswordChanged), &Settings::default(), None);
    let fault = MailFolder::new(folder.path().join("file/mail")).send(&mail).await.unwrap_err();
    assert_eq!(fault.part, "mail");
}
