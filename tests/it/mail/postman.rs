//! Letters that are delivered from the log: each arrives, and once, whatever the mail server does and whichever worker crashes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use miaosha::app::mail::compose::compose;
use miaosha::app::mail::deliver::{Again, Delivered, Deliverer, Ready};
use miaosha::domain::shared::event::{Cancelled, Event, Fact};
use miaosha::domain::shared::id::{BuyerId, EventId, ReservationId};
use miaosha::domain::shared::time::Timestamp;
use miaosha::kit::work::lifecycle::Lifecycle;
use miaosha::ports::mail::log::{Claimed, Ending, MailLog, Unsent};
use miaosha::ports::{Fault, Result};

use super::fixture::{Fixture, PDF};
use crate::support::clock::START;
use crate::support::mail::Seen;
use crate::support::sink::{Act, Received};

macro_rules! over_both {
    ($($story:ident)*) => {
        mod over_sqlite {
            $(#[tokio::test]
            async fn $story() {
                super::$story(super::Fixture::embedded().await).await;
            })*
        }

        #[cfg(feature = "servers")]
        mod over_mysql {
            $(#[tokio::test]
            async fn $story() {
                super::$story(super::Fixture::on_mysql().await).await;
            })*
        }
    };
}

over_both! {
    an_event_that_comes_again_is_written_about_once
    a_server_that_is_down_is_waited_for
    a_recipient_that_cannot_take_it_now_keeps_nobody_else_waiting
    a_refused_letter_is_kept_and_not_tried_again
    a_letter_that_nobody_takes_is_given_up_in_the_end
    who_is_gone_is_not_written_to
    what_one_cancels_oneself_is_not_written_about
    no_letter_goes_before_its_receipt
    a_receipt_that_never_comes_holds_up_no_letter
    a_receipt_that_is_too_long_stays_behind
    who_dies_before_the_server_has_it_leaves_one_mail
    who_dies_after_the_server_has_it_leaves_the_same_mail_twice
    who_cannot_mark_a_mail_goes_on_trying
    two_postmen_share_the_letters
    what_was_begun_is_finished_at_a_soft_stop
}

async fn an_event_that_comes_again_is_written_about_once(fixture: Fixture) {
    let ann = fixture.person("Ann").await;
    let event = fixture.paid(ann.id, 1);
    let postman = fixture.postman();
    fixture.happened(&[event.clone(), event.clone()]).await;
    assert_eq!(postman.round().await.unwrap(), 1);
    fixture.happened(&[event]).await;
    fixture.clock.advance_ms(86_400_000);
    assert_eq!(postman.round().await.unwrap(), 0);
    let mails = fixture.sink.wait_for(1).await;
    let seen = Seen::read(&mails[0].bytes);
    assert_eq!(mails[0].to, "ann@example.org");
    assert!(seen.subject.contains("0000-0000-0001: 跨年演唱會"), "{}", seen.subject);
    assert_eq!(seen.attachments[0].bytes, PDF);
}

async fn a_server_that_is_down_is_waited_for(fixture: Fixture) {
    let ann = fixture.person("Ann").await;
    fixture.happened(&[fixture.changed(ann.id, 1)]).await;
    let postman = fixture.postman();
    fixture.sink.down(true);
    // Twice as long each time, so that a server that comes back is not run over.
    for wait_ms in [1_000, 2_000, 4_000] {
        assert_eq!(postman.round().await.unwrap(), 0);
        let due = fixture.world.letters.due(START.plus_ms(1 << 40), 9).await.unwrap();
        assert_eq!(due.len(), 1, "it is still to be sent");
        fixture.clock.advance_ms(wait_ms - 1);
        let now = fixture.world.clock.now();
        assert_eq!(fixture.world.letters.due(now, 9).await.unwrap(), [], "and not at once");
        fixture.clock.advance_ms(1);
    }
    fixture.sink.down(false);
    assert_eq!(postman.round().await.unwrap(), 1);
    fixture.sink.wait_for(1).await;
}

async fn a_recipient_that_cannot_take_it_now_keeps_nobody_else_waiting(fixture: Fixture) {
    let (ann, bob) = (fixture.person("Ann").await, fixture.person("Bob").await);
    fixture.sink.plan([Act::AnswerRcpt("451 4.7.1 greylisted")]);
    fixture.happened(&[fixture.changed(ann.id, 1)]).await;
    let postman = fixture.postman();
    assert_eq!(postman.round().await.unwrap(), 0);
    fixture.happened(&[fixture.changed(bob.id, 2)]).await;
    assert_eq!(postman.round().await.unwrap(), 1);
    assert_eq!(fixture.sink.wait_for(1).await[0].to, "bob@example.org");
    fixture.clock.advance_ms(1_000);
    assert_eq!(postman.round().await.unwrap(), 1);
    assert_eq!(fixture.sink.wait_for(2).await[1].to, "ann@example.org");
}

async fn a_refused_letter_is_kept_and_not_tried_again(fixture: Fixture) {
    let ann = fixture.person("Ann").await;
    fixture.sink.plan([Act::AnswerRcpt("550 5.1.1 no such person")]);
    fixture.happened(&[fixture.changed(ann.id, 1)]).await;
    let postman = fixture.postman();
    assert_eq!(postman.round().await.unwrap(), 0);
    fixture.clock.advance_ms(86_400_000);
    assert_eq!(postman.round().await.unwrap(), 0);
    assert_eq!(fixture.world.letters.unsent().await.unwrap(), Unsent { refused: 1, ..Unsent::default() });
    assert_eq!(fixture.sink.mails().len(), 0);
}

async fn a_letter_that_nobody_takes_is_given_up_in_the_end(mut fixture: Fixture) {
    fixture.settings.keep_trying_ms_max = 5_000;
    let ann = fixture.person("Ann").await;
    fixture.happened(&[fixture.changed(ann.id, 1)]).await;
    fixture.sink.down(true);
    let postman = fixture.postman();
    postman.round().await.unwrap();
    fixture.clock.advance_ms(1);
    fixture.happened(&[fixture.changed(ann.id, 2)]).await;
    postman.round().await.unwrap();
    assert_eq!(fixture.world.letters.unsent().await.unwrap().refused, 0);
    // One was kept for as long as it may be, and the other for a millisecond less.
    fixture.clock.advance_ms(4_999);
    postman.round().await.unwrap();
    assert_eq!(fixture.world.letters.unsent().await.unwrap().refused, 1);
    fixture.clock.advance_ms(10_000);
    postman.round().await.unwrap();
    assert_eq!(fixture.world.letters.unsent().await.unwrap(), Unsent { refused: 2, ..Unsent::default() });
}

async fn who_is_gone_is_not_written_to(fixture: Fixture) {
    fixture.happened(&[fixture.paid(BuyerId(987_654), 1), fixture.changed(BuyerId(u64::MAX), 2)]).await;
    assert_eq!(fixture.postman().round().await.unwrap(), 0);
    assert_eq!(fixture.world.letters.unsent().await.unwrap(), Unsent::default());
    assert_eq!(fixture.sink.mails().len(), 0);
}

/// Whoever presses and cancels as often as may be fills no mailbox.
async fn what_one_cancels_oneself_is_not_written_about(fixture: Fixture) {
    let ann = fixture.person("Ann").await;
    let cancelled = |number| {
        let (reservation, sale) = (ReservationId(number), fixture.sale);
        Event::new(Fact::Cancelled(Cancelled { reservation, sale, buyer: ann.id, quantity: 1 }), number, START)
    };
    fixture.happened(&[cancelled(1), cancelled(2), fixture.changed(ann.id, 3)]).await;
    assert_eq!(fixture.postman().round().await.unwrap(), 1, "about the password alone");
    assert_eq!(fixture.world.letters.unsent().await.unwrap(), Unsent::default());
}

async fn no_letter_goes_before_its_receipt(fixture: Fixture) {
    let ann = fixture.person("Ann").await;
    fixture.drawer.away(true);
    fixture.happened(&[fixture.paid(ann.id, 1), fixture.refunded(ann.id, 1, vec![3])]).await;
    let postman = fixture.postman();
    assert_eq!(postman.round().await.unwrap(), 0);
    fixture.happened(&[fixture.changed(ann.id, 2), fixture.refunded(ann.id, 2, vec![])]).await;
    assert_eq!(postman.round().await.unwrap(), 2, "what needs none goes");
    fixture.drawer.away(false);
    fixture.clock.advance_ms(1_000);
    assert_eq!(postman.round().await.unwrap(), 2);
    let attached = |mail: &Received| Seen::read(&mail.bytes).attachments.into_iter().map(|part| part.bytes).collect();
    let attached: Vec<Vec<Vec<u8>>> = fixture.sink.wait_for(4).await.iter().map(attached).collect();
    assert_eq!(attached, [vec![], vec![], vec![PDF.to_vec()], vec![PDF.to_vec()]]);
}

async fn a_receipt_that_never_comes_holds_up_no_letter(fixture: Fixture) {
    let ann = fixture.person("Ann").await;
    fixture.happened(&[fixture.paid(ann.id, 1)]).await;
    let postman = fixture.postman();
    fixture.drawer.away(true);
    assert_eq!(postman.round().await.unwrap(), 0);
    fixture.clock.advance_ms(1);
    fixture.happened(&[Event { at: START.plus_ms(1), ..fixture.paid(ann.id, 2) }]).await;
    assert_eq!(postman.round().await.unwrap(), 0);
    // One was waited for for as long as it may be, and the other a millisecond less.
    fixture.clock.advance_ms(599_999);
    assert_eq!(postman.round().await.unwrap(), 1);
    let seen = Seen::read(&fixture.sink.wait_for(1).await[0].bytes);
    assert!(seen.attachments.is_empty(), "it says where the receipt is to be had");
}

/// As long as a mail may carry it goes along; with a byte more the letter says where it is to be had.
async fn a_receipt_that_is_too_long_stays_behind(mut fixture: Fixture) {
    let ann = fixture.person("Ann").await;
    fixture.happened(&[fixture.paid(ann.id, 1)]).await;
    fixture.settings.receipt_bytes_max = PDF.len();
    assert_eq!(fixture.postman().round().await.unwrap(), 1);
    fixture.happened(&[fixture.paid(ann.id, 2)]).await;
    fixture.settings.receipt_bytes_max = PDF.len() - 1;
    assert_eq!(fixture.postman().round().await.unwrap(), 1);
    let mails = fixture.sink.wait_for(2).await;
    let attached: Vec<usize> = mails.iter().map(|mail| Seen::read(&mail.bytes).attachments.len()).collect();
    assert_eq!(attached, [1, 0]);
}

async fn who_dies_before_the_server_has_it_leaves_one_mail(fixture: Fixture) {
    dies_while_the_server(Act::Silent, fixture, 1).await;
}

/// The one case in which a buyer may get a mail twice. Their mail program sees that it is one.
async fn who_dies_after_the_server_has_it_leaves_the_same_mail_twice(fixture: Fixture) {
    dies_while_the_server(Act::TakeSilently, fixture, 2).await;
}

async fn dies_while_the_server(act: Act, fixture: Fixture, wanted: usize) {
    let ann = fixture.person("Ann").await;
    fixture.happened(&[fixture.paid(ann.id, 1)]).await;
    fixture.sink.plan([act]);
    let dying = fixture.postman();
    tokio::select! {
        _ = dying.round() => panic!("nobody answered"),
        () = fixture.sink.fell_silent() => {}
    }
    drop(dying);
    let next = fixture.postman();
    assert_eq!(next.round().await.unwrap(), 0, "the claim of the dead holds for a while");
    fixture.clock.advance_ms((fixture.settings.deliver_ms_max + fixture.settings.claim_beyond_ms) as i64);
    assert_eq!(next.round().await.unwrap(), 1);
    assert_eq!(next.round().await.unwrap(), 0);
    let mails = fixture.sink.wait_for(wanted).await;
    assert!(mails.iter().all(|mail| mail.bytes == mails[0].bytes), "it is the same mail, with the same id");
}

/// A log whose marks fail for a while.
struct Forgetful {
    log: Arc<dyn MailLog>,
    fails: AtomicU32,
}

#[async_trait]
impl MailLog for Forgetful {
    async fn keep(&self, events: &[Event], now: Timestamp) -> Result<()> {
        self.log.keep(events, now).await
    }

    async fn due(&self, now: Timestamp, max: u32) -> Result<Vec<Event>> {
        self.log.due(now, max).await
    }

    async fn claim(&self, id: EventId, kind: &'static str, now: Timestamp, lease_ms: i64) -> Result<Claimed> {
        self.log.claim(id, kind, now, lease_ms).await
    }

    async fn put_off(&self, id: EventId, tries: u32, due_at: Timestamp) -> Result<()> {
        self.log.put_off(id, tries, due_at).await
    }

    async fn end(&self, id: EventId, tries: u32, ending: Ending, now: Timestamp) -> Result<()> {
        let left = self.fails.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if left.is_ok() {
            return Err(Fault::new("ledger", "away"));
        }
        self.log.end(id, tries, ending, now).await
    }

    async fn void_claims(&self, now: Timestamp) -> Result<()> {
        self.log.void_claims(now).await
    }

    async fn unsent(&self) -> Result<Unsent> {
        self.log.unsent().await
    }
}

async fn who_cannot_mark_a_mail_goes_on_trying(fixture: Fixture) {
    let ann = fixture.person("Ann").await;
    let event = fixture.changed(ann.id, 1);
    fixture.happened(std::slice::from_ref(&event)).await;
    let settings = fixture.settings.clone();
    let deliverer = Deliverer {
        letters: Arc::new(Forgetful { log: fixture.world.letters.clone(), fails: AtomicU32::new(5) }),
        carrier: fixture.carrier(),
        clock: fixture.world.clock.clone(),
        settings: settings.clone(),
        again: Again::Log,
    };
    let ready = async {
        let letter = compose(&fixture.world.needs(), &settings, &event).await?.unwrap();
        Ok(Ready::EmailJob { letter: Box::new(letter), receipt: None })
    };
    let delivered = deliverer.deliver(event.id, "password_changed", ready).await;
    assert_eq!(delivered.unwrap(), Delivered::Sent);
    fixture.clock.advance_ms(86_400_000);
    assert_eq!(fixture.postman().round().await.unwrap(), 0);
    fixture.sink.wait_for(1).await;
}

async fn two_postmen_share_the_letters(fixture: Fixture) {
    const LETTERS: u128 = 40;
    let ann = fixture.person("Ann").await;
    let lifecycle = Lifecycle::new();
    let (one, other) = (Arc::new(fixture.postman()), Arc::new(fixture.postman()));
    for postman in [one, other] {
        let lifecycle = lifecycle.clone();
        tokio::spawn(async move { postman.run(&lifecycle).await });
    }
    for number in 0..LETTERS {
        fixture.happened(&[fixture.changed(ann.id, number)]).await;
    }
    let mails = fixture.sink.wait_for(LETTERS as usize).await;
    // Time for one too many.
    tokio::time::sleep(Duration::from_millis(100)).await;
    fixture.sink.wait_for(LETTERS as usize).await;
    let mut ids: Vec<_> = mails.iter().map(|mail| Seen::read(&mail.bytes).message_id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), LETTERS as usize);
    lifecycle.hard.cancel();
}

async fn what_was_begun_is_finished_at_a_soft_stop(fixture: Fixture) {
    let ann = fixture.person("Ann").await;
    fixture.sink.plan([Act::Silent]);
    fixture.happened(&[fixture.changed(ann.id, 1)]).await;
    let (lifecycle, postman) = (Lifecycle::new(), Arc::new(fixture.postman()));
    let run = postman.run(&lifecycle);
    let stop = async {
        fixture.sink.fell_silent().await;
        lifecycle.soft.cancel();
    };
    tokio::join!(run, stop);
    let now = fixture.world.clock.now();
    assert_eq!(fixture.world.letters.due(now, 9).await.unwrap(), [], "it was put off, not left claimed");
    assert_eq!(fixture.world.letters.due(now.plus_ms(1_000), 9).await.unwrap().len(), 1);
}
