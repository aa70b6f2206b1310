//! The carrier against servers with every fault.

use std::time::{Duration, Instant};

use miaosha::adapters::mail::smtp::Smtp;
use miaosha::app::mail::Settings;
use miaosha::app::mail::render::render;
use miaosha::domain::shared::locale::Locale;
use miaosha::ports::mail::transport::{Carried, EmailTemplate, Mail, MailSender};

use crate::support::mail::letter;
use crate::support::sink::{Act, Sink, nobodys_port};

fn mail() -> Mail {
    render(letter(Locale::ZhTw, EmailTemplate::PasswordChanged), &Settings::default(), None)
}

fn smtp(url: &str) -> Smtp {
    Smtp::new(url, "shop.example.org", Duration::from_secs(1)).unwrap()
}

#[tokio::test]
async fn what_the_server_says_of_the_mail_is_what_becomes_of_it() {
    let refused = |why: &str| Some(Carried::Refused { why: why.to_owned() });
    let cases = [
        (Act::Take, Some(Carried::Accepted), 1),
        (Act::TakeAndHang, Some(Carried::Accepted), 1),
        (Act::AnswerRcpt("550 5.1.1 chen@example.org: who?"), refused("the server said 550"), 0),
        (Act::AnswerData("554 5.6.0 chen@example.org has had enough"), refused("the server said 554"), 0),
        (Act::AnswerRcpt("450 4.2.1 chen@example.org: later"), None, 0),
        (Act::AnswerData("452 4.3.1 full"), None, 0),
        // It is not this letter's fault that the server does not know us.
        (Act::AnswerMail("530 5.7.0 log in first"), None, 0),
        (Act::Die, None, 0),
        (Act::Silent, None, 0),
        (Act::TakeAndDie, None, 1),
        (Act::TakeSilently, None, 1),
    ];
    for (act, wanted, kept) in cases {
        let sink = Sink::start().await;
        sink.plan([act.clone()]);
        let carried = smtp(&sink.url()).send(&mail()).await;
        assert_eq!(carried.as_ref().ok(), wanted.as_ref(), "{act:?}: {carried:?}");
        assert_eq!(sink.mails().len(), kept, "{act:?}");
        if let Err(fault) = carried {
            assert_eq!(fault.part, "mail");
            assert!(!fault.what.contains("example.org"), "nobody is named: {fault}");
        }
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_is_not_waited_for_longer_than_is_allowed() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://127.0.0.1:{}", silent.local_addr().unwrap().port());
    let begun = Instant::now();
    smtp(&url).send(&mail()).await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(30));
    smtp(&format!("smtp://127.0.0.1:{}", nobodys_port().await)).send(&mail()).await.unwrap_err();
}

/// Where a password or the mail itself would have to travel in the open, nothing travels.
#[tokio::test]
async fn without_tls_nothing_is_sent_that_was_to_go_by_tls() {
    let sink = Sink::start().await;
    smtp(&format!("{}?tls=required", sink.url())).send(&mail()).await.unwrap_err();
    smtp(&sink.url().replace("smtp:", "smtps:")).send(&mail()).await.unwrap_err();
    assert_eq!(sink.mails().len(), 0);
}

#[tokio::test]
async fn an_unusable_url_is_refused_without_being_shown() {
    let bad = ["", "mail.example.org", "http://ann:secret@h", "smtp://ann:secret@h?tls=maybe", "smtp://", "smtp:///x"];
    for url in bad {
        let fault = Smtp::new(url, "d", Duration::from_secs(1)).err().unwrap_or_else(|| panic!("{url} is taken"));
        assert!(!fault.to_string().contains("secret"), "{fault}");
    }
    for url in ["smtp://h", "smtp://[::1]:2525", "smtps://ann:s%40crt@h:465", "smtp://h:587?tls=required"] {
        assert!(Smtp::new(url, "d", Duration::from_secs(1)).is_ok(), "{url}");
    }
}
