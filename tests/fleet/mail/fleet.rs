//! The whole way of a letter through a fleet: outbox, relay, listener, queue, function, mail server. Processes are real, and
//! are killed again and again; every order has its mail.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use miaosha::adapters::sql::mysql::MysqlStore;
use miaosha::ports::money::paying::{Confirmed, Paying};
use miaosha::ports::platform::outbox::Outbox;

use super::fixture::person;
use super::lambda::Place;
use crate::contract::counter::{Counter, later};
use crate::support::mail::Seen;
use crate::support::moto;
use crate::support::servers::{rabbit_url, redis_url, unique_name};
use crate::support::sink::Act;

const ROUNDS: u32 = 6;
const ORDERS: usize = 4;

struct PaymentConsumer {
    environment: Vec<(&'static str, String)>,
    process: Option<Child>,
}

impl Drop for PaymentConsumer {
    fn drop(&mut self) {
        self.kill();
    }
}

impl PaymentConsumer {
    async fn new(place: &Place) -> Self {
        let mut environment = moto::environment(moto::url().await);
        environment.extend([
            ("MIAOSHA__MYSQL__URL", place.mysql_url.clone()),
            ("MIAOSHA__RABBIT__URL", rabbit_url()),
            ("MIAOSHA__REDIS__URL", redis_url()),
            ("MIAOSHA__RECEIPT_KEYS", format!("r1:{}", "e".repeat(64))),
            ("MIAOSHA__NAMESPACE", unique_name()),
            ("MIAOSHA__PAYMENTS__SANDBOX", "true".into()),
            ("MIAOSHA__MAIL__QUEUE_URL", place.queue.url.clone()),
            ("MIAOSHA__ARCHIVE__BUCKET", place.bucket.clone()),
            ("RUST_LOG", "error".into()),
        ]);
        Self { environment, process: None }
    }

    fn start(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_payment-consumer"));
        command.envs(self.environment.iter().cloned()).stdin(Stdio::null());
        self.process = Some(command.stderr(Stdio::null()).spawn().unwrap());
    }

    fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }
}

/// Some people buy something, each in the transaction that a gateway would make; the numbers of their orders.
async fn some_orders(store: &MysqlStore, round: u32) -> Vec<String> {
    let mut counter = Counter::open(store.clone(), 100, 0).await;
    let mut numbers = Vec::new();
    for index in 0..ORDERS {
        let number = format!("{round:04}-{index:04}-0000");
        let buyer = person(store, &format!("Buyer {number}")).await.id.0;
        let row = counter.reserved(&[(buyer, 1)]).await.remove(0);
        let payment = counter.begin_paying(&row, buyer.into()).await;
        let confirmed = counter.store.confirm(row.id, payment, &number, later()).await.unwrap();
        assert!(matches!(confirmed, Confirmed::Order(_)), "{confirmed:?}");
        numbers.push(number);
    }
    numbers
}

#[tokio::test]
async fn no_order_is_without_its_mail_whoever_is_killed() {
    let mut place = Place::new().await;
    let mut consumer = PaymentConsumer::new(&place).await;
    let mut orders = Vec::new();
    place.sink.plan([
        Act::Take,
        Act::Die,
        Act::AnswerData("451 4.3.0 later"),
        Act::TakeAndDie,
        Act::Silent,
        Act::AnswerRcpt("450 4.2.1 later"),
        Act::TakeSilently,
    ]);
    for round in 0..ROUNDS {
        orders.extend(some_orders(&place.store, round).await);
        consumer.start();
        // A little longer each time, so that it is killed now while it connects, now while it publishes, posts or acknowledges.
        let life = tokio::time::sleep(Duration::from_millis(200 + 250 * u64::from(round)));
        tokio::select! {
            () = life => {}
            () = async { loop { place.queue.poll(&place.function).await; } } => {}
        }
        consumer.kill();
        if round % 2 == 1 {
            place.function.restart();
        }
    }
    consumer.start();
    for _ in 0..600 {
        place.queue.poll(&place.function).await;
        if mailed(&place).len() == orders.len() && place.store.backlog().await.unwrap().events == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    place.drain().await;
    let mailed = mailed(&place);
    for number in &orders {
        assert!(mailed.contains_key(number), "{number} has no mail; {} of {} have", mailed.len(), orders.len());
    }
    assert_eq!(mailed.len(), orders.len());
}

/// By the order's number. What came more than once is the same mail.
fn mailed(place: &Place) -> BTreeMap<String, Vec<u8>> {
    let mut mailed = BTreeMap::new();
    for mail in place.sink.mails() {
        let seen = Seen::read(&mail.bytes);
        let number = seen.subject.split([' ', ':']).nth(2).unwrap().to_owned();
        assert_eq!(mail.to, format!("buyer.{number}@example.org"));
        let before = mailed.insert(number.clone(), mail.bytes.clone());
        assert!(before.is_none_or(|before| before == mail.bytes), "{number}");
    }
    mailed
}
