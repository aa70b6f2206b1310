//! Mail as files.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use miaosha::adapters::mail::folder::MailFolder;
use miaosha::app::mail::Settings;
use miaosha::app::mail::render::render;
use miaosha::domain::shared::locale::Locale;
use miaosha::domain::shared::time::Timestamp;
use miaosha::ports::mail::kept::KeptMails;
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

/// Mails go from the second on that is behind their time; what is no mail stays.
#[tokio::test]
async fn old_mails_go_some_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let (kept, of_2026) = (MailFolder::new(folder.path().to_owned()), Timestamp(1_767_225_600_000));
    let mails = ["2025-12-31T235959Z-paid-1.eml", ".2025-12-31T235958Z-code-2.new", "2025-01-01T000000Z-paid-3.eml"];
    let others = ["2026-01-01T000000Z-paid-4.eml", "2025-12-31.eml", "notes.txt", "2025-12-31T235959Z-paid-1.txt", "x"];
    for name in mails.iter().chain(&others) {
        std::fs::write(folder.path().join(name), "").unwrap();
    }
    let there = || std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(kept.remove_mails(of_2026, 9, true).await.unwrap(), 3);
    assert_eq!(there(), 8, "they were only counted");
    assert_eq!(kept.remove_mails(of_2026, 2, false).await.unwrap(), 2);
    assert_eq!(kept.remove_mails(of_2026, 2, false).await.unwrap(), 1);
    assert_eq!(kept.remove_mails(of_2026, 2, false).await.unwrap(), 0);
    assert!(others.iter().all(|name| folder.path().join(name).exists()) && there() == 5);
    assert_eq!(kept.remove_mails(of_2026.plus_ms(1_000), 9, false).await.unwrap(), 1, "a second later the next one");
    let nowhere = MailFolder::new(folder.path().join("nowhere"));
    assert_eq!(nowhere.remove_mails(of_2026, 9, false).await.unwrap(), 0, "no mail was written yet");
}
