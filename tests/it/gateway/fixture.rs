//! A gateway with its world in a temporary folder, called as a web worker would call it.

use std::io::Read;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::dev::Service;
use actix_web::http::header::{CONTENT_ENCODING, HeaderMap, RETRY_AFTER};
use actix_web::http::{Method, StatusCode};
use actix_web::test::{TestRequest, init_service, read_body};
use actix_web::web::Bytes;
use flate2::read::GzDecoder;
use futures_util::future::{FutureExt, LocalBoxFuture};
use miaosha::app::receipts::keys::ReceiptKeys;
use miaosha::app::receipts::{self, Receipts};
use miaosha::domain::people::Role;
use miaosha::domain::people::code::Ticket;
use miaosha::domain::sale::attempt::{Attempt, Batch};
use miaosha::domain::sale::reservation::{Kind, Reservation};
use miaosha::domain::sale::turn::{Known, Turn};
use miaosha::domain::sale::{Allotment, Question, QuestionKey, Sale, StandbyUntil};
use miaosha::domain::shared::id::{BatchId, BuyerId, ReservationId, SaleId};
use miaosha::domain::shared::money::Money;
use miaosha::faces::box_office::{self, BoxOffice};
use miaosha::faces::front::{Front, Settings};
use miaosha::faces::tokens::TokenKeys;
use miaosha::kit::http::answers;
use miaosha::kit::work::backoff::BackoffSettings;
use miaosha::kit::work::lifecycle::Lifecycle;
use miaosha::ports::people::codes::CodeLetter;
use miaosha::ports::platform::clock::Clock;
use miaosha::ports::sale::catalogue::{NewItem, NewSale};
use miaosha::ports::sale::recording::Recorded;
use miaosha::wire::gateway::Gateway;
use miaosha::wire::gateway::routes;
use miaosha::wire::world::World;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::worlds;
use crate::contract::turnstile::only;
use crate::support::clock::{ManualClock, START};
use crate::support::faults::StopAt;
use crate::support::openapi::{Seen, complaints};

pub const HOLD_MS: i64 = 60_000;
const PRICE: (i64, &str) = (250, "TWD");

pub type Calls = Rc<dyn Fn(TestRequest) -> LocalBoxFuture<'static, Answer>>;

pub struct Fixture {
    pub world: World,
    pub gateway: Gateway,
    pub receipts: Receipts,
    pub keys: Arc<TokenKeys>,
    pub clock: Arc<ManualClock>,
    pub stops: Arc<StopAt>,
    pub lifecycle: Lifecycle,
    calls: Calls,
    pub folder: TempDir,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
    pub bytes: Vec<u8>,
}

impl Answer {
    #[track_caller]
    pub fn is(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self.body
    }

    /// A problem of this type and status.
    #[track_caller]
    pub fn is_problem(&self, status: u16, name: &str) {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        assert_eq!(self.headers.get("content-type").unwrap(), "application/problem+json");
        assert_eq!(self.body["type"], format!("/problems/{name}"), "{}", self.body);
        if status == 503 {
            assert!(self.headers.contains_key(RETRY_AFTER));
        }
    }

    #[track_caller]
    pub fn blames(&self, status: u16, field: &str) {
        assert_eq!(self.status.as_u16(), status, "{field}: {}", self.body);
        assert_eq!(self.headers.get("content-type").unwrap(), "application/problem+json");
        assert_eq!(self.body["field"], field, "{}", self.body);
    }
}

fn fresh_key() -> u128 {
    u128::from(getrandom::u64().unwrap()) << 64 | u128::from(getrandom::u64().unwrap())
}

/// Settings under which nothing is remembered, and no step is given up because the machine is busy.
pub fn settings() -> Settings {
    Settings {
        catalogue_age_ms_max: 0,
        attempt_wait_ms: 0,
        capture_ms_max: 60_000,
        effort_ms_max: 60_000,
        login_account_free: 1_000_000,
        login_network_free: 1_000_000,
        hash_network_max: 1_000,
        login_address_max: 1_000_000,
        // Tokens are signed once, and clocks are moved by hours.
        second_factor: false,
        ..Settings::default()
    }
}

fn office(gateway: &Gateway, world: &World, receipts: &Receipts, settings: box_office::Settings) -> BoxOffice {
    BoxOffice::new(Front::clone(gateway), world.needs(), receipts.clone(), settings)
}

/// As every fixture has them.
pub fn receipts(world: &World) -> Receipts {
    let keys = ReceiptKeys::parse(&format!("r1:{}", "7".repeat(64))).unwrap();
    Receipts::new(world.needs(), Arc::new(keys), receipts_settings(), OFFSET)
}

/// How far the shop's clocks are ahead of UTC, in minutes.
pub const OFFSET: i16 = 480;

fn receipts_settings() -> receipts::Settings {
    let backoff = BackoffSettings { first_ms: 1, wait_ms_max: 20, outage_ms_max: 5_000 };
    receipts::Settings {
        pdf_wait_ms_max: 60_000,
        merge_max: 4,
        cleanup_max: 3,
        backoff,
        ..receipts::Settings::default()
    }
}

/// The gateway's routes, as a web worker would call them.
pub async fn calls(gateway: Gateway) -> Calls {
    calls_beside(gateway, None).await
}

/// And those of a box office beside it.
async fn calls_beside(gateway: Gateway, office: Option<BoxOffice>) -> Calls {
    let app = answers::app().configure(|cfg| {
        routes(cfg, gateway);
        office.into_iter().for_each(|office| box_office::routes(cfg, office));
    });
    let app = Rc::new(init_service(app).await);
    Rc::new(move |request| {
        let request = request.to_request();
        let (method, path) = (request.method().to_string(), request.uri().to_string());
        let app = app.clone();
        Box::pin(async move {
            let response = match app.call(request).await {
                Ok(response) => response.map_into_boxed_body(),
                Err(error) => {
                    panic!("a service answers every request: {}", error.as_response_error().status_code())
                }
            };
            let (status, headers) = (response.status(), response.headers().clone());
            let bytes = unpacked(&headers, read_body(response).await);
            let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
            let seen = Seen { method: &method, path: &path, status: status.as_u16(), headers: &headers, body: &body };
            let complaints = complaints(&seen);
            assert!(complaints.is_empty(), "{method} {path} {status} is not as the document says: {complaints:?}");
            Answer { status, headers, body, bytes: bytes.to_vec() }
        })
    })
}

fn unpacked(headers: &HeaderMap, bytes: Bytes) -> Bytes {
    if headers.get(CONTENT_ENCODING).is_none() {
        return bytes;
    }
    let mut plain = Vec::new();
    GzDecoder::new(&bytes[..]).read_to_end(&mut plain).unwrap();
    plain.into()
}

impl Fixture {
    pub async fn new() -> Self {
        Self::with(settings()).await
    }

    pub async fn with(settings: Settings) -> Self {
        Self::make(settings, |folder, clock, stops| worlds::embedded(folder, clock, stops).boxed_local()).await
    }

    /// Its ledger answers nothing but faults.
    pub async fn without_ledger() -> Self {
        Self::make(settings(), |folder, clock, stops| worlds::unmigrated(folder, clock, stops).boxed_local()).await
    }
}

impl Fixture {
    /// Does something to the ledger that none of our processes would.
    pub async fn spoil(&self, sql: &'static str) {
        self.execute("ledger.db", sql).await;
    }

    /// The same to what is on its way.
    pub async fn plant(&self, sql: &'static str) {
        self.execute("queue.db", sql).await;
    }

    async fn execute(&self, file: &str, sql: &'static str) {
        use sqlx::Connection;
        let url = format!("sqlite://{}", self.folder.path().join(file).display());
        let mut conn = sqlx::SqliteConnection::connect(&url).await.unwrap();
        sqlx::query(sql).execute(&mut conn).await.unwrap();
    }
}

impl Fixture {
    pub async fn on_mysql() -> Self {
        Self::make(settings(), |folder, clock, stops| worlds::on_mysql(folder, clock, stops).boxed_local()).await
    }
}

impl Fixture {
    pub async fn on_stripe(url: &str) -> Self {
        let url = url.to_owned();
        Self::make(settings(), |folder, clock, stops| worlds::on_stripe(url, folder, clock, stops).boxed_local()).await
    }
}

impl Fixture {
    pub async fn make(
        settings: Settings,
        world: impl FnOnce(&Path, Arc<ManualClock>, Arc<StopAt>) -> LocalBoxFuture<'_, World>,
    ) -> Self {
        let folder = TempDir::new().unwrap();
        let (clock, stops) = (ManualClock::new(), StopAt::new());
        let world = world(folder.path(), clock.clone(), stops.clone()).await;
        let [a, c, d] = ["a", "c", "d"].map(|digit| digit.repeat(64));
        let keys = Arc::new(TokenKeys::parse(&format!("access:a1:{a},checkout:c1:{c},admission:d1:{d}")).unwrap());
        let lifecycle = Lifecycle::new();
        let receipts = receipts(&world);
        let gateway = Gateway::new(world.needs(), keys.clone(), receipts.clone(), settings, &lifecycle);
        let beside = office(&gateway, &world, &receipts, Default::default());
        let calls = calls_beside(gateway.clone(), Some(beside)).await;
        Self { world, gateway, receipts, keys, clock, stops, lifecycle, calls, folder }
    }

    /// A second process over the same world.
    pub async fn another_gateway(&self) -> Calls {
        let gateway =
            Gateway::new(self.world.needs(), self.keys.clone(), self.receipts.clone(), settings(), &self.lifecycle);
        self.calls_of(gateway, &self.receipts, Default::default()).await
    }

    /// A process that was started with other keys.
    pub async fn gateway_with(&self, token_keys: &str, receipt_keys: &str) -> Calls {
        let keys = Arc::new(TokenKeys::parse(token_keys).unwrap());
        let receipt_keys = Arc::new(ReceiptKeys::parse(receipt_keys).unwrap());
        let receipts = Receipts::new(self.world.needs(), receipt_keys, receipts_settings(), OFFSET);
        let gateway = Gateway::new(self.world.needs(), keys, receipts.clone(), settings(), &self.lifecycle);
        self.calls_of(gateway, &receipts, Default::default()).await
    }

    /// A process whose box office is set like this.
    pub async fn box_office_with(&self, settings: box_office::Settings) -> Calls {
        self.calls_of(self.gateway.clone(), &self.receipts, settings).await
    }

    async fn calls_of(&self, gateway: Gateway, receipts: &Receipts, settings: box_office::Settings) -> Calls {
        let office = office(&gateway, &self.world, receipts, settings);
        calls_beside(gateway, Some(office)).await
    }

    pub fn send(&self, request: TestRequest) -> LocalBoxFuture<'static, Answer> {
        (self.calls)(request)
    }

    pub fn request(&self, method: Method, path: &str, token: Option<&str>) -> TestRequest {
        let mut request = TestRequest::default().method(method.clone()).uri(path);
        if [Method::POST, Method::PATCH].contains(&method) {
            request = request.insert_header(("Idempotency-Key", format!("{:032x}", fresh_key())));
        }
        match token {
            Some(token) => request.insert_header(("Authorization", format!("Bearer {token}"))),
            None => request,
        }
    }

    pub fn get(&self, path: &str, token: &str) -> LocalBoxFuture<'static, Answer> {
        self.send(self.request(Method::GET, path, Some(token)))
    }

    pub fn delete(&self, path: &str, token: &str) -> LocalBoxFuture<'static, Answer> {
        self.send(self.request(Method::DELETE, path, Some(token)))
    }

    pub fn post(&self, path: &str, token: &str, body: &Value) -> LocalBoxFuture<'static, Answer> {
        self.send(self.request(Method::POST, path, Some(token)).set_json(body))
    }

    pub fn patch(&self, path: &str, token: &str, body: &Value) -> LocalBoxFuture<'static, Answer> {
        self.send(self.request(Method::PATCH, path, Some(token)).set_json(body))
    }

    /// Under this key.
    pub fn post_under(&self, key: &str, path: &str, token: &str, body: &Value) -> LocalBoxFuture<'static, Answer> {
        let request = self.request(Method::POST, path, Some(token)).insert_header(("Idempotency-Key", key));
        self.send(request.set_json(body))
    }

    /// An account, as whoever reads the mail has it: who they are, and a token.
    pub async fn sign_up(&self, user: &Value) -> Value {
        let sent = self.post("/v1/users", "", user).await.is(202);
        self.prove(&sent).await.is(200)
    }

    /// The code that was mailed, given back by the browser that asked.
    pub async fn prove(&self, sent: &Value) -> Answer {
        let proof = json!({ "ticket": sent["ticket"], "code": self.code(sent).await });
        self.post("/v1/codes/proof", "", &proof).await
    }

    /// As its letter says it.
    pub async fn code(&self, sent: &Value) -> String {
        self.letter(sent).await.expect("a letter").code.said()
    }

    pub async fn letter(&self, sent: &Value) -> Option<CodeLetter> {
        let ticket = Ticket::read(sent["ticket"].as_str().unwrap()).expect("a ticket");
        self.world.codes.code_letter(ticket.code, self.clock.now()).await.unwrap()
    }

    pub fn shopper(&self, buyer: u64) -> String {
        self.keys.sign_access(BuyerId(buyer), Role::Shopper, START, 86_400_000)
    }

    pub fn operator(&self) -> String {
        self.keys.sign_access(BuyerId(1_000_000), Role::Owner, START, 86_400_000)
    }

    pub async fn sale(&self, capacity: u32, standby_max: u32) -> Sale {
        self.sale_with(capacity, standby_max, Vec::new()).await
    }

    pub async fn sale_with(&self, capacity: u32, standby_max: u32, questions: Vec<Question>) -> Sale {
        self.sale_until(capacity, standby_max, questions, StandbyUntil::default()).await
    }

    /// Also one that no operator could make.
    pub async fn sale_at(&self, minor: i64, currency: &str, capacity: u32) -> Sale {
        self.new_sale((minor, currency), capacity, 0, Vec::new(), StandbyUntil::default()).await
    }

    pub async fn sale_until(
        &self,
        capacity: u32,
        standby_max: u32,
        questions: Vec<Question>,
        standby_until: StandbyUntil,
    ) -> Sale {
        self.new_sale(PRICE, capacity, standby_max, questions, standby_until).await
    }

    async fn new_sale(
        &self,
        price: (i64, &str),
        capacity: u32,
        standby_max: u32,
        questions: Vec<Question>,
        standby_until: StandbyUntil,
    ) -> Sale {
        let item = NewItem { title: "A lamp".into(), description: "It shines.".into() };
        let item = self.world.catalogue.create_item(&item).await.unwrap();
        let sale = NewSale {
            item: item.id,
            price: Money { minor: price.0, currency: price.1.parse().unwrap() },
            allotment: Allotment { capacity, quantity_max: capacity.min(4) as u8, standby_max },
            standby_until,
            hold_ms: HOLD_MS,
            opens_at: START,
            closes_at: START.plus_ms(86_400_000),
            questions,
            question_key: QuestionKey([7; 32]),
        };
        let sale = self.world.catalogue.create_sale(&sale).await.unwrap().unwrap();
        self.world.turnstile.open(sale.id, sale.generation, sale.allotment).await.unwrap();
        sale
    }

    /// One attempt, decided; the reservation it made, if it made one.
    pub async fn attempt(&self, sale: SaleId, buyer: u64, quantity: u8) -> ReservationId {
        let id = BatchId::new(START.0 as u64, getrandom::u64().unwrap());
        let batch = Batch {
            id,
            sale,
            attempts: vec![Attempt { buyer: BuyerId(buyer), quantity, waits: true }],
            traced: vec![],
        };
        self.decide(batch).await;
        id.attempt(0).into()
    }

    /// What a consumer does with a batch.
    pub async fn decide(&self, batch: Batch) {
        let sale = batch.sale;
        let look = self.world.recording.look(sale, &[], &[]).await.unwrap().unwrap();
        let known = Known { generation: look.generation, revision: look.revision, chain: look.chain };
        let reply = self.world.turnstile.reserve(sale, known, &[&batch]).await.unwrap();
        let turn = Turn::Batch { batch, reserved: only(reply) };
        let recorded = self.world.recording.record(sale, &[turn], self.world.clock.now()).await.unwrap();
        assert!(matches!(recorded, Recorded::Done(_)), "{recorded:?}");
    }

    /// The whole of a reservation's order, by an operator, in the ledger.
    pub async fn refund_all(&self, id: ReservationId) {
        let number = self.world.orders.order_of(id).await.unwrap().unwrap().number;
        let what = miaosha::ports::money::refunds::RefundRequest { number, units: None, reason: None, request: None };
        self.world.refunds.refund_units(&what, self.world.clock.now()).await.unwrap();
    }

    pub async fn row(&self, id: ReservationId) -> Reservation {
        self.world.reservations.reservation(id).await.unwrap().unwrap()
    }

    pub async fn kind(&self, id: ReservationId) -> Kind {
        self.row(id).await.state.kind()
    }

    /// A checkout token as the buyer is given it.
    pub async fn checkout_token(&self, sale: SaleId, buyer: u64) -> String {
        let body = self.get(&format!("/v1/sales/{sale}/reservation"), &self.shopper(buyer)).await.is(200);
        body["checkout_token"].as_str().unwrap().to_owned()
    }

    pub fn check_out(&self, buyer: u64, checkout_token: &str, card: &str) -> LocalBoxFuture<'static, Answer> {
        let body = serde_json::json!({ "checkout_token": checkout_token, "card": card });
        self.post("/v1/checkouts", &self.shopper(buyer), &body)
    }

    /// Orders, and payments that moved money which was not given back.
    pub async fn orders_and_captures(&self, sale: SaleId) -> (usize, usize) {
        let facts = self.world.auditing.audit(sale, self.world.clock.now()).await.unwrap().unwrap();
        let mut captures = 0;
        for payment in &facts.payments {
            captures += usize::from(self.world.payments.kept_minor(payment.id).await.unwrap() > 0);
        }
        (facts.orders.len(), captures)
    }
}
