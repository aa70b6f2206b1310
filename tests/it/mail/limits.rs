//! How many letters at once, how long each, and when again: at the limit and one above.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use miaosha::adapters::folder::FolderArchive;
use miaosha::adapters::mail::smtp::Smtp;
use miaosha::app::mail::Settings;
use miaosha::app::mail::deliver::{Again, Delivered, Deliverer, Ready};
use miaosha::app::mail::posted::Posted;
use miaosha::app::mail::render::render;
use miaosha::domain::shared::id::EventId;
use miaosha::domain::shared::locale::Locale;
use miaosha::kit::work::lifecycle::Lifecycle;
use miaosha::ports::Result;
use miaosha::ports::mail::transport::{Carried, EmailJob, EmailTemplate, Mail, MailSender};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::time::Instant;

use super::fixture::{Fixture, settings};
use crate::support::held::{Hold, Still, Stuck, at_once, in_takes, settle};
use crate::support::mail::letter;

/// Takes every mail, when the test lets it.
struct Slow(Hold);

#[async_trait]
impl MailSender for Slow {
    async fn send(&self, _: &Mail) -> Result<Carried> {
        self.0.enter().await;
        Ok(Carried::Accepted)
    }
}

/// Never says anything.
struct Silent(Stuck);

#[async_trait]
impl MailSender for Silent {
    async fn send(&self, _: &Mail) -> Result<Carried> {
        self.0.stay().await
    }
}

#[tokio::test]
async fn so_many_letters_are_carried_at_once() {
    let (mut fixture, hold, lifecycle) = (Fixture::embedded().await, Hold::new(), Lifecycle::new());
    fixture.settings.carriers_max = 2;
    let ann = fixture.person("Ann").await;
    fixture.happened(&[1, 2, 3].map(|number| fixture.changed(ann.id, number))).await;
    let postman = Arc::new(fixture.postman_with(Arc::new(Slow(hold.clone()))));
    let sent = async {
        while fixture.world.letters.unsent().await.unwrap().letters > 0 {
            settle().await;
        }
        lifecycle.soft.cancel();
    };
    at_once(2, &hold, async { tokio::join!(postman.run(&lifecycle), sent) }).await;
}

#[tokio::test]
async fn a_round_takes_so_many_letters() {
    in_takes(2, async |count| {
        let mut fixture = Fixture::embedded().await;
        fixture.settings.events_max = 2;
        let ann = fixture.person("Ann").await;
        let events: Vec<_> = (1..=count as u128).map(|number| fixture.changed(ann.id, number)).collect();
        fixture.happened(&events).await;
        let (postman, mut sent) = (fixture.postman(), Vec::new());
        while let some @ 1.. = postman.round().await.unwrap() {
            sent.push(some);
        }
        sent
    })
    .await;
}

#[tokio::test]
async fn a_letter_is_tried_again_after_the_longest_wait_at_the_latest() {
    let mut fixture = Fixture::embedded().await;
    fixture.settings.again_ms_max = 2_500;
    let ann = fixture.person("Ann").await;
    fixture.happened(&[fixture.changed(ann.id, 1)]).await;
    fixture.sink.down(true);
    let postman = fixture.postman();
    for wait_ms in [1_000, 2_000, 2_500, 2_500] {
        postman.round().await.unwrap();
        for (ms, due) in [(wait_ms - 1, 0), (1, 1)] {
            fixture.clock.advance_ms(ms);
            let found = fixture.world.letters.due(fixture.world.clock.now(), 9).await.unwrap();
            assert_eq!(found.len(), due, "of a wait of {wait_ms} ms");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn everything_about_a_letter_may_take_so_long() {
    let (still, stuck) = (Still::new(), Stuck::default());
    let (fixture, silent) = (Fixture::embedded().await, Silent(stuck.clone()));
    let (letters, clock) = (fixture.world.letters.clone(), fixture.world.clock.clone());
    let (settings, again) = (fixture.settings.clone(), Again::Queue);
    let deliverer = Deliverer { letters, carrier: Arc::new(silent), clock, settings, again };
    let letter = Box::new(letter(Locale::En, EmailTemplate::PasswordChanged));
    let ready = async { Ok(Ready::EmailJob { letter, receipt: None }) };
    let delivers = deliverer.deliver(EventId(1), "password_changed", ready);
    assert_eq!(fixture.settings.deliver_ms_max, 3_000);
    assert_eq!(still.leaves_after(3_000, &stuck, delivers).await, Ok(Delivered::PutOff));
}

/// Of two letters whose receipts were cleaned away since, the one that is as old as it may be goes without.
#[tokio::test]
async fn a_receipt_is_waited_for_so_long_behind_a_queue() {
    let (fixture, folder) = (Fixture::embedded().await, TempDir::new().unwrap());
    let (letters, clock) = (fixture.world.letters.clone(), fixture.world.clock.clone());
    let settings = Settings { receipt_ms_max: 5_000, ..fixture.settings.clone() };
    let deliverer = Deliverer { letters, carrier: fixture.carrier(), clock, settings, again: Again::Queue };
    let archive = FolderArchive::new(folder.path());
    let posted = Posted { deliverer, archive: Some(Arc::new(archive)) };
    for (number, age_ms, done) in [(1, 4_999, false), (2, 5_000, true)] {
        let letter = EmailJob {
            id: EventId(number),
            at: fixture.world.clock.now().plus_ms(-age_ms),
            receipt: Some("receipts/none.pdf".to_owned()),
            ..letter(Locale::En, EmailTemplate::PasswordChanged)
        };
        let body = serde_json::to_string(&letter).unwrap();
        assert_eq!(posted.is_done("message", &body).await, done, "{age_ms} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn a_mail_server_may_take_so_long() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", silent.local_addr().unwrap());
    let smtp = Smtp::new(&url, "d.example.org", Duration::from_millis(settings().carry_ms_max)).unwrap();
    let mail = render(letter(Locale::En, EmailTemplate::PasswordChanged), &settings(), None);
    let begun = Instant::now();
    smtp.send(&mail).await.unwrap_err();
    assert_eq!(begun.elapsed().as_millis(), 2_000);
}
