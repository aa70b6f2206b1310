//! The function itself, as a process: between a real queue and a mail server, killed at every point of its work.

use std::time::Duration;

use miaosha::adapters::aws::s3::S3Archive;
use miaosha::adapters::aws::sqs::SqsMailQueue;
use miaosha::adapters::sql::mysql::MysqlStore;
use miaosha::domain::shared::id::EventId;
use miaosha::domain::shared::locale::Locale;
use miaosha::domain::shared::time::Timestamp;
use miaosha::ports::mail::log::MailLog;
use miaosha::ports::mail::transport::{EmailJob, EmailTemplate, MailQueue};
use miaosha::ports::platform::archive::Archive;
use miaosha::ports::platform::clock::LedgerTime;
use miaosha::workers::mailer::Way;
use sqlx::{AssertSqlSafe, Connection, MySqlConnection};

use super::fixture::{Fixture, PDF, money};
use crate::support::lambda::{Function, Queue};
use crate::support::mail::{Seen, letter as a_letter};
use crate::support::moto;
use crate::support::proxy::Proxy;
use crate::support::servers::{mysql_url, unique_name};
use crate::support::sink::{Act, Sink};

const VISIBLE_AGAIN_S: u32 = 1;

/// Everything around the function.
pub struct Place {
    pub function: Function,
    pub queue: Queue,
    pub post: SqsMailQueue,
    pub archive: S3Archive,
    pub store: MysqlStore,
    pub sink: Sink,
    pub mysql_url: String,
    pub bucket: String,
    /// Between the function and its database.
    network: Proxy,
}

/// A database of its own, and its server's host and port.
async fn database() -> (String, String) {
    let (url, name) = (mysql_url(), unique_name());
    let mut conn = MySqlConnection::connect(&url).await.unwrap();
    sqlx::query(AssertSqlSafe(format!("CREATE DATABASE `{name}`"))).execute(&mut conn).await.unwrap();
    let (server, _) = url.rsplit_once('/').unwrap();
    let (_, address) = server.rsplit_once('@').unwrap_or(("", server.trim_start_matches("mysql://")));
    (format!("{server}/{name}"), address.to_owned())
}

impl Place {
    pub async fn new() -> Self {
        let (url, address) = database().await;
        let store = MysqlStore::connect(&url, 4).await.unwrap();
        store.migrate().await.unwrap();
        let (bucket, archive) = moto::bucket().await;
        let (queue, sink) = (Queue::new(VISIBLE_AGAIN_S).await, Sink::start().await);
        let network = Proxy::to(address.clone()).await;
        let mut environment = moto::environment(moto::url().await);
        environment.extend([
            ("MIAOSHA__MYSQL__URL", url.replace(&address, &format!("127.0.0.1:{}", network.port))),
            ("MIAOSHA__ARCHIVE__BUCKET", bucket.clone()),
            ("MIAOSHA__MAIL__SMTP_URL", sink.url()),
            ("MIAOSHA__MAIL__CARRY_MS_MAX", "2000".into()),
            ("MIAOSHA__MAIL__DELIVER_MS_MAX", "3000".into()),
            ("MIAOSHA__MAIL__CLAIM_BEYOND_MS", "500".into()),
            ("RUST_LOG", "error".into()),
        ]);
        let environment = environment.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let post = SqsMailQueue::new(&moto::config().await, queue.url.clone());
        Self {
            function: Function::start(environment),
            queue,
            post,
            archive,
            store,
            sink,
            mysql_url: url,
            bucket,
            network,
        }
    }

    /// A letter about an order whose receipt is kept.
    async fn letter(&self, number: u128) -> EmailJob {
        let mut letter = without_receipt(number);
        let EmailTemplate::Paid { order, .. } = &letter.matter else { panic!("it is about an order") };
        let key = format!("receipts/{order}-0.pdf");
        self.archive.put(&key, PDF.to_vec()).await.unwrap();
        letter.receipt = Some(key);
        letter.at = self.store.time().await.unwrap();
        letter
    }

    pub async fn drain(&self) {
        self.queue.drain(&self.function).await;
    }

    /// Polls once, and ends the function in the middle of it, when the server has fallen silent.
    async fn die_when_silent(&mut self) {
        let (queue, sink) = (&self.queue, &self.sink);
        {
            let poll = queue.poll(&self.function);
            tokio::pin!(poll);
            tokio::select! {
                done = &mut poll => panic!("{done} were done"),
                () = sink.fell_silent() => {}
            }
        }
        self.function.kill();
        self.function.restart();
    }
}

fn without_receipt(number: u128) -> EmailJob {
    let matter = EmailTemplate::Paid { order: format!("order-{number}"), units: vec![1], amount: money(1) };
    let mut letter = a_letter(Locale::ZhTw, matter);
    letter.id = EventId(number);
    letter.at = Timestamp(0);
    letter
}

fn body(letter: &EmailJob) -> String {
    serde_json::to_string(letter).unwrap()
}

pub fn ids(sink: &Sink) -> Vec<String> {
    let mut ids: Vec<_> = sink.mails().iter().map(|mail| Seen::read(&mail.bytes).message_id).collect();
    ids.sort();
    ids
}

#[tokio::test]
async fn what_the_listener_posts_the_function_sends_with_its_receipt() {
    let place = Place::new().await;
    let fixture = Fixture::on_mysql().await;
    let ann = fixture.person("Ann Chen").await;
    let post = SqsMailQueue::new(&moto::config().await, place.queue.url.clone());
    let events: Vec<_> = (0..25).map(|number| fixture.paid(ann.id, number)).collect();
    for number in 0..25 {
        place.archive.put(&format!("receipts/0000-0000-{number:04}-0.pdf"), PDF.to_vec()).await.unwrap();
    }
    fixture.listening(Way::Queue(std::sync::Arc::new(post))).take(&events).await.unwrap();
    assert_eq!(fixture.drawer.asked.lock().unwrap().len(), 25, "receipts are made before letters are posted");
    assert_eq!(place.queue.left().await, 25);
    place.drain().await;
    let mails = place.sink.wait_for(25).await;
    for mail in &mails {
        let seen = Seen::read(&mail.bytes);
        assert_eq!((seen.to.0.as_str(), seen.attachments[0].bytes.as_slice()), ("Ann Chen", PDF));
    }
    let mut once = ids(&place.sink);
    once.dedup();
    assert_eq!(once.len(), 25);
}

#[tokio::test]
async fn who_is_unknown_gets_no_letter_posted_and_no_event_is_held_up() {
    let (fixture, queue) = (Fixture::embedded().await, Queue::new(VISIBLE_AGAIN_S).await);
    let post = SqsMailQueue::new(&moto::config().await, queue.url.clone());
    let ann = fixture.person("Ann").await;
    let events = [fixture.paid(miaosha::domain::shared::id::BuyerId(99_999), 1), fixture.changed(ann.id, 2)];
    let listening = fixture.listening(Way::Queue(std::sync::Arc::new(post)));
    listening.take(&events[..1]).await.unwrap();
    assert_eq!(queue.left().await, 0);
    listening.take(&events).await.unwrap();
    let letter: EmailJob = serde_json::from_str(queue.receive().await[0].body().unwrap()).unwrap();
    assert_eq!((letter.id, letter.to.address.as_str()), (events[1].id, "ann@example.org"));
    assert!(letter.receipt.is_none());
}

#[tokio::test]
async fn a_queue_that_is_away_is_a_fault() {
    let post = SqsMailQueue::new(&moto::config().await, "http://127.0.0.1:1/no/queue".into());
    let fault = post.enqueue(&[without_receipt(1)]).await.unwrap_err();
    assert_eq!(fault.part, "letters");
    post.enqueue(&[]).await.unwrap();
}

#[tokio::test]
async fn of_a_batch_only_what_failed_comes_again() {
    let place = Place::new().await;
    let mut batch = Vec::new();
    for number in 0..5 {
        batch.push((format!("m{number}"), body(&place.letter(number).await)));
    }
    batch.push(("unreadable".into(), "{\"version\":1}".into()));
    let mut newer: serde_json::Value = serde_json::from_str(&batch[0].1).unwrap();
    newer["version"] = 2.into();
    batch.push(("newer".into(), newer.to_string()));
    place.sink.plan([Act::Take, Act::AnswerRcpt("451 4.7.1 later"), Act::Take, Act::AnswerRcpt("550 5.1.1 never")]);
    let mut again = place.function.handle(&batch).await;
    again.sort();
    assert_eq!(again.len(), 3, "{again:?}");
    assert_eq!(again[1..], ["newer", "unreadable"]);
    assert_eq!(place.sink.wait_for(3).await.len(), 3);
    // All of it again, as from a queue that knows nothing of partial failures.
    let again = place.function.handle(&batch).await;
    assert_eq!(again.len(), 2, "{again:?}");
    assert_eq!(place.sink.wait_for(4).await.len(), 4, "one was refused for good");
    assert_eq!(place.store.unsent().await.unwrap().refused, 1);
}

#[tokio::test]
async fn killed_before_the_server_has_the_mail_it_is_sent_once() {
    killed(Act::Silent, 1).await;
}

/// The one case in which a buyer may get a mail twice: and then it is the same mail.
#[tokio::test]
async fn killed_between_the_servers_word_and_the_mark_the_same_mail_goes_again() {
    killed(Act::TakeSilently, 2).await;
}

async fn killed(act: Act, wanted: usize) {
    let mut place = Place::new().await;
    place.post.enqueue(&[place.letter(7).await]).await.unwrap();
    place.sink.plan([act]);
    place.die_when_silent().await;
    place.drain().await;
    let mails = place.sink.wait_for(wanted).await;
    assert!(mails.iter().all(|mail| mail.bytes == mails[0].bytes));
    assert_eq!(ids(&place.sink), vec!["00000000000000000000000000000007@miaosha.invalid"; wanted]);
}

#[tokio::test]
async fn killed_over_a_batch_the_others_are_not_sent_again() {
    let mut place = Place::new().await;
    for number in 0..10 {
        place.post.enqueue(&[place.letter(number).await]).await.unwrap();
    }
    place.sink.plan([Act::Take, Act::Take, Act::Take, Act::Silent]);
    place.die_when_silent().await;
    place.drain().await;
    let mut once = ids(&place.sink);
    let all = once.len();
    once.dedup();
    assert_eq!(once.len(), 10, "every letter has its mail");
    // Of those that were on their way when it crashed, each may have been taken and not marked.
    assert!(all <= 10 + 7, "{all}");
}

#[tokio::test]
async fn what_a_queue_sends_twice_and_in_any_order_is_sent_once() {
    let place = Place::new().await;
    let mut letters = Vec::new();
    for number in 0..12 {
        letters.push(place.letter(number).await);
    }
    for round in 0..3_usize {
        letters.rotate_left(round * 5);
        place.post.enqueue(&letters).await.unwrap();
    }
    let environment = place.function.environment();
    let second = Function::start(environment);
    tokio::join!(place.drain(), place.queue.drain(&second));
    place.sink.wait_for(12).await;
    let mut once = ids(&place.sink);
    once.dedup();
    assert_eq!(once.len(), 12);
}

#[tokio::test]
async fn what_is_down_for_a_while_is_waited_for() {
    let place = Place::new().await;
    for number in 0..3 {
        place.post.enqueue(&[place.letter(number).await]).await.unwrap();
    }
    place.sink.down(true);
    assert_eq!(place.queue.poll(&place.function).await, 0);
    place.sink.down(false);
    place.network.close();
    tokio::time::sleep(Duration::from_secs(u64::from(VISIBLE_AGAIN_S))).await;
    assert_eq!(place.queue.poll(&place.function).await, 0, "without the log nothing is sent");
    assert_eq!(place.sink.mails().len(), 0);
    place.network.open();
    place.drain().await;
    place.sink.wait_for(3).await;
}

#[tokio::test]
async fn a_receipt_that_is_missing_is_waited_for_but_not_for_ever() {
    let place = Place::new().await;
    let mut letter = place.letter(1).await;
    letter.receipt = Some("receipts/late.pdf".into());
    let batch = [("m".to_owned(), body(&letter))];
    assert_eq!(place.function.handle(&batch).await, ["m"]);
    place.archive.put("receipts/late.pdf", PDF.to_vec()).await.unwrap();
    assert_eq!(place.function.handle(&batch).await, [""; 0]);
    let mut old = without_receipt(2);
    old.receipt = Some("receipts/cleaned-away.pdf".into());
    assert_eq!(place.function.handle(&[("o".to_owned(), body(&old))]).await, [""; 0]);
    let mails = place.sink.wait_for(2).await;
    assert_eq!(Seen::read(&mails[0].bytes).attachments[0].bytes, PDF);
    let seen = Seen::read(&mails[1].bytes);
    assert!(seen.attachments.is_empty() && seen.text.contains("您的收據保存於商店中"), "{}", seen.text);
}

#[tokio::test]
async fn what_is_no_batch_is_an_error_and_the_next_one_is_served() {
    let place = Place::new().await;
    place.function.invoke(serde_json::json!({ "what": 1 })).await.unwrap().unwrap_err();
    let letter = place.letter(1).await;
    assert_eq!(place.function.handle(&[("m".to_owned(), body(&letter))]).await, [""; 0]);
    place.sink.wait_for(1).await;
}

#[tokio::test]
async fn a_function_that_knows_no_mail_server_does_not_start() {
    let mut function = Function::start(Vec::new());
    assert!(!function.ended().await.success());
}
