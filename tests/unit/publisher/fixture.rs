//! An entrance for the publisher's tests: the embedded queue and signals, or a queue whose answers the test decides.

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use actix_web::body::MessageBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::test as call;
use async_trait::async_trait;
use futures_util::FutureExt;
use miaosha::adapters::memory::signals::MemorySignals;
use miaosha::adapters::sqlite_queue::SqliteQueue;
use miaosha::domain::sale::attempt::Batch;
use miaosha::domain::sale::{Allotment, Question, QuestionKey, Sale, SaleState, StandbyUntil};
use miaosha::domain::shared::id::{BuyerId, ItemId, SaleId};
use miaosha::domain::shared::money::Money;
use miaosha::faces::publisher::{Needs, Publisher, Settings};
use miaosha::faces::tokens::TokenKeys;
use miaosha::faces::tokens::admission::SaleAdmission;
use miaosha::kit::work::lifecycle::Lifecycle;
use miaosha::ports::platform::clock::Clock;
use miaosha::ports::sale::attempts::{Attempts, Shed};
use miaosha::ports::sale::feed::{NewsRequest, SaleFeed, SaleNews, SaleSnapshot};
use miaosha::ports::{Fault, Result, Subscription};
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::support::clock::{ManualClock, START};
use crate::support::openapi::{Seen, complaints};

const KEYS: &str = "access:a1:1111111111111111111111111111111111111111111111111111111111111111,\
                    checkout:c1:2222222222222222222222222222222222222222222222222222222222222222,\
                    admission:d1:3333333333333333333333333333333333333333333333333333333333333333";

/// Of a shop whose buyers may press and answer as often as they like.
pub fn settings() -> Settings {
    Settings { answers_max: u32::MAX, presses_per_s_max: u32::MAX, ..Settings::default() }
}

/// What the queue says to the next batch.
#[derive(Debug, Clone)]
pub enum Word {
    Yes,
    No(Shed),
    Panic,
}

/// A queue that answers when the test lets it, and remembers what it took.
#[derive(Clone)]
pub struct Gate {
    open: Arc<Semaphore>,
    words: Arc<Mutex<VecDeque<Word>>>,
    pub seen: Arc<Mutex<Vec<Batch>>>,
    pub up: Arc<std::sync::atomic::AtomicBool>,
}

impl Gate {
    pub fn new() -> Self {
        Self {
            open: Arc::new(Semaphore::new(0)),
            words: Arc::default(),
            seen: Arc::default(),
            up: Arc::new(true.into()),
        }
    }

    pub fn answer(&self, batches: usize) {
        self.open.add_permits(batches);
    }

    pub fn next(&self, word: Word) {
        self.words.lock().unwrap().push_back(word);
    }

    pub fn sizes(&self) -> Vec<usize> {
        self.seen.lock().unwrap().iter().map(|batch| batch.attempts.len()).collect()
    }
}

#[async_trait]
impl Attempts for Gate {
    async fn submit(&self, batch: Batch) -> Result<(), Shed> {
        self.seen.lock().unwrap().push(batch);
        self.open.acquire().await.unwrap().forget();
        let word = self.words.lock().unwrap().pop_front();
        match word.unwrap_or(Word::Yes) {
            Word::Yes => Ok(()),
            Word::No(shed) => Err(shed),
            Word::Panic => panic!("the queue's client broke"),
        }
    }

    fn partitions(&self) -> u16 {
        1
    }

    async fn attempts(&self, _: u16) -> Result<Box<dyn Subscription<Batch>>> {
        Err(Fault::new("broker", "nobody reads here"))
    }

    fn is_up(&self) -> bool {
        self.up.load(std::sync::atomic::Ordering::SeqCst)
    }
}

/// A publisher that follows the news, and a way to speak to it.
pub struct Shop {
    pub publisher: Publisher,
    pub signals: MemorySignals,
    pub clock: Arc<ManualClock>,
    pub keys: Arc<TokenKeys>,
    pub lifecycle: Lifecycle,
}

impl Shop {
    pub fn new(attempts: impl Attempts, settings: Settings) -> Rc<Self> {
        let (signals, clock) = (MemorySignals::new(), ManualClock::new());
        let keys = Arc::new(TokenKeys::parse(KEYS).unwrap());
        let needs = Needs { attempts: Arc::new(attempts), news: Arc::new(signals.clone()), clock: clock.clone() };
        let publisher = Publisher::new(needs, Arc::new(keys.for_publisher()), settings);
        let lifecycle = Lifecycle::new();
        tokio::spawn({
            let (publisher, lifecycle) = (publisher.clone(), lifecycle.clone());
            async move { publisher.run(&lifecycle).await }
        });
        Rc::new(Self { publisher, signals, clock, keys, lifecycle })
    }

    pub async fn tell(&self, news: &[SaleNews]) {
        settle().await;
        let sent_at = news.iter().map(|word| word.sent_at).max().unwrap_or(START);
        self.signals.publish(&SaleSnapshot { sent_at, sales: news.to_vec(), ..SaleSnapshot::default() }).await.unwrap();
        settle().await;
    }

    /// What the publisher asked since this was asked last.
    pub async fn asked(&self) -> Vec<NewsRequest> {
        settle().await;
        let mut requests = self.signals.requests().await.unwrap();
        requests.next().now_or_never().map(Result::unwrap).unwrap_or_default()
    }

    /// That there is nothing else than what was told, as a publishing process says it to one that asks.
    pub async fn tell_that_this_is_all(&self) {
        let numbers = self.asked().await.into_iter().filter_map(|asked| match asked {
            NewsRequest::Everything { number } => Some(number),
            NewsRequest::Sales { .. } => None,
        });
        let (sent_at, answers) = (self.clock.now(), numbers.collect());
        self.signals.publish(&SaleSnapshot { sent_at, answers, ..SaleSnapshot::default() }).await.unwrap();
        settle().await;
    }

    /// An admission to this sale.
    pub fn token(&self, buyer: u64, sale: u64) -> String {
        let until = START.plus_ms(7_200_000);
        self.keys.sign_admission(&SaleAdmission::new(BuyerId(buyer), SaleId(sale), 0, START, until))
    }

    /// A request as it should be, of this buyer.
    pub fn attempt(&self, buyer: u64, sale: u64) -> call::TestRequest {
        call::TestRequest::post()
            .uri(&format!("/v1/sales/{sale}/attempts"))
            .insert_header(("authorization", format!("Bearer {}", self.token(buyer, sale))))
            .insert_header(("content-type", "application/json"))
            .set_payload(r#"{"quantity":1}"#)
    }
}

/// The publisher's routes as a service to call. A macro, since its type has no name.
macro_rules! service {
    ($shop:expr) => {{
        let publisher = $shop.publisher.clone();
        actix_web::test::init_service(
            miaosha::kit::http::answers::app().configure(|cfg| miaosha::faces::publisher::routes(cfg, publisher)),
        )
        .await
    }};
}
pub(crate) use service;

/// The embedded queue in a folder that lives as long as the test.
pub async fn queue() -> (SqliteQueue, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let queue = SqliteQueue::open(&folder.path().join("queue.db"), 1, 10_000, Lifecycle::new().tasks()).await.unwrap();
    (queue, folder)
}

/// Lets everything on this thread go as far as it can.
pub async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

pub async fn read(response: ServiceResponse<impl MessageBody>) -> (StatusCode, Value) {
    let (status, headers) = (response.status(), response.headers().clone());
    let (method, path) = (response.request().method().to_string(), response.request().uri().to_string());
    let bytes = call::read_body(response).await;
    let body = serde_json::from_slice(&bytes).unwrap();
    let seen = Seen { method: &method, path: &path, status: status.as_u16(), headers: &headers, body: &body };
    let complaints = complaints(&seen);
    assert!(complaints.is_empty(), "{method} {path} {status} is not as the document says: {complaints:?}");
    (status, body)
}

pub fn sale(id: u64) -> Sale {
    Sale {
        id: SaleId(id),
        item: ItemId(1),
        title: "A thing".to_owned(),
        price: Money { minor: 100, currency: "TWD".parse().unwrap() },
        allotment: Allotment { capacity: 10, quantity_max: 4, standby_max: 5 },
        standby_until: StandbyUntil::default(),
        hold_ms: 60_000,
        opens_at: START,
        closes_at: START.plus_ms(3_600_000),
        state: SaleState::Active,
        version: 1,
        generation: 1,
        questions: Vec::new(),
        question_key: QuestionKey([7; 32]),
        draft: false,
    }
}

pub fn quiz(id: u64) -> Sale {
    let ask = |prompt: &str, answer: &str| Question { prompt: prompt.to_owned(), answer: answer.to_owned() };
    let questions = vec![ask("Two and two?", "Four"), ask("Bread in French?", " Pâté "), ask("Red?", "Rot")];
    Sale { questions, ..sale(id) }
}

pub fn word(sale: Sale, exhausted: bool, revision: u64, sent_at_ms: i64) -> SaleNews {
    SaleNews {
        generation: sale.generation,
        sale,
        exhausted: Some(exhausted),
        revision,
        sent_at: START.plus_ms(sent_at_ms),
    }
}
