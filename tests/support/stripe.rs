//! A payment provider of the tests' own that speaks Stripe's language: small, stateful, and as unkind as the test wants it.
//!
//! What emulators leave out is here: idempotency keys and what is kept under them, answers that are lost after the deed, deeds
//! that are done after the caller gave up, silence, refusals of the busy, and events that another sender delivers.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use miaosha::adapters::stripe::{Settings, Stripe};
use miaosha::ports::money::payments::References;
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    Create,
    SetCard,
    Confirm,
    Capture,
    Cancel,
    Look,
    Refund,
    Refunds,
    LookAtCard,
}

/// How one call goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkFault {
    /// The connection ends; nothing was done.
    CutBefore,
    /// It is done, and the connection ends without an answer.
    CutAfter,
    /// The connection ends, and it is done when the test says so.
    Later,
    /// Nothing was done, and this status says so.
    Says(u16),
    /// The same, with a `Retry-After`.
    Busy { after_s: u64 },
    /// Done, and answered so late.
    Slow(u64),
    /// A failure that is kept under the request's key.
    Kept(u16),
}

#[derive(Default)]
struct Books {
    intents: HashMap<String, Value>,
    refunds: Vec<Value>,
    /// What was asked under a key, and the answer.
    kept: HashMap<String, (String, u16, Value)>,
    faults: HashMap<Step, VecDeque<NetworkFault>>,
    calls: Vec<Step>,
    events: Vec<Value>,
    later: Vec<Request>,
    /// The status that the next refund is made with.
    next_refund: Option<String>,
    made: u64,
}

#[derive(Clone)]
pub struct StripeServer {
    pub url: String,
    books: Arc<Mutex<Books>>,
}

#[derive(Clone)]
struct Request {
    method: String,
    path: String,
    query: String,
    key: Option<String>,
    authorized: bool,
    body: String,
}

pub const SECRET_KEY: &str = "sk_test_1234567890";
pub const WEBHOOK_SECRET: &str = "whsec_of_the_tests";

/// Settings that wait for nothing longer than a test should.
pub fn settings(url: &str) -> Settings {
    Settings {
        url: url.to_owned(),
        secret_key: SECRET_KEY.to_owned(),
        webhook_secrets: vec![WEBHOOK_SECRET.to_owned()],
        call_ms_max: 10_000,
        tries_max: 2,
        retry_ms: 1,
        retry_ms_max: 5,
        calls_max: 16,
        answer_bytes_max: 64 * 1024,
    }
}

impl StripeServer {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let here = Self { url, books: Arc::default() };
        let server = here.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(server.clone().serve(stream));
            }
        });
        here
    }

    pub fn adapter(&self, references: impl References) -> Stripe {
        Stripe::new(settings(&self.url), Arc::new(references)).unwrap()
    }

    /// The next call of this step goes like this; what is said several times holds for as many.
    pub fn next(&self, step: Step, fault: NetworkFault) {
        self.books.lock().unwrap().faults.entry(step).or_default().push_back(fault);
    }

    pub fn calls(&self, step: Step) -> usize {
        self.books.lock().unwrap().calls.iter().filter(|call| **call == step).count()
    }

    pub fn all_calls(&self) -> Vec<Step> {
        self.books.lock().unwrap().calls.clone()
    }

    /// Everything that was put off is done now.
    pub fn do_later(&self) -> usize {
        let mut books = self.books.lock().unwrap();
        let later = std::mem::take(&mut books.later);
        later.iter().map(|request| books.answer(request)).count()
    }

    pub fn intents(&self) -> Vec<Value> {
        self.books.lock().unwrap().intents.values().cloned().collect()
    }

    /// In all, of every intent, and what of it was given back.
    pub fn moved(&self) -> (i64, i64) {
        let books = self.books.lock().unwrap();
        let received = books.intents.values().filter_map(|intent| intent["amount_received"].as_i64()).sum();
        let good = books.refunds.iter().filter(|refund| refund["status"] == "succeeded");
        (received, good.filter_map(|refund| refund["amount"].as_i64()).sum())
    }

    /// What it would tell the shop, in the order it happened.
    pub fn events(&self) -> Vec<Value> {
        self.books.lock().unwrap().events.clone()
    }

    /// Keys are forgotten, as they are after a day.
    pub fn forget_keys(&self) {
        self.books.lock().unwrap().kept.clear();
    }

    /// It is refunded by hand in Stripe's dashboard.
    pub fn give_back_by_hand(&self, amount: i64) {
        let mut books = self.books.lock().unwrap();
        let id = books.intents.values().find(|intent| intent["status"] == "succeeded").unwrap()["id"].clone();
        let name = format!("re_hand_{}", books.refunds.len());
        let refund = json!({ "id": name, "payment_intent": id, "amount": amount, "status": "succeeded" });
        books.refunds.push(refund);
        let charge = json!({ "id": "ch_1", "object": "charge", "payment_intent": id });
        books.events.push(json!({ "type": "charge.refunded", "data": { "object": charge } }));
    }

    /// The next refund that is taken begins like this.
    pub fn next_refund(&self, status: &str) {
        self.books.lock().unwrap().next_refund = Some(status.to_owned());
    }

    /// It comes to this, and Stripe says so.
    pub fn set_last_refund(&self, status: &str) {
        let mut books = self.books.lock().unwrap();
        let refund = books.refunds.last_mut().unwrap();
        refund["status"] = json!(status);
        if status == "failed" {
            refund["failure_reason"] = json!("lost_or_stolen_card");
        }
        let kind = if status == "failed" { "refund.failed" } else { "refund.updated" };
        let event = json!({ "type": kind, "data": { "object": refund } });
        books.events.push(event);
    }

    /// Of each refund that was asked for, under which name and which try.
    pub fn refunds(&self) -> Vec<Value> {
        self.books.lock().unwrap().refunds.clone()
    }

    async fn serve(self, mut stream: TcpStream) {
        while let Some(request) = read(&mut stream).await {
            let fault = {
                let mut books = self.books.lock().unwrap();
                let step = request.step();
                books.calls.extend(step);
                step.and_then(|step| books.faults.get_mut(&step)?.pop_front())
            };
            let (status, body, after_s) = match fault {
                Some(NetworkFault::CutBefore) => return,
                Some(NetworkFault::CutAfter) => {
                    self.books.lock().unwrap().answer(&request);
                    return;
                }
                Some(NetworkFault::Later) => {
                    self.books.lock().unwrap().later.push(request);
                    return;
                }
                Some(NetworkFault::Says(status)) => (status, error("api_error", "", "no"), None),
                Some(NetworkFault::Busy { after_s }) => {
                    (429, error("invalid_request_error", "rate_limit", "no"), Some(after_s))
                }
                Some(NetworkFault::Slow(ms)) => {
                    let (status, body) = self.books.lock().unwrap().answer(&request);
                    tokio::time::sleep(Duration::from_millis(ms)).await;
                    (status, body, None)
                }
                Some(NetworkFault::Kept(status)) => {
                    let (body, mut books) = (error("api_error", "", "kept"), self.books.lock().unwrap());
                    let key = request.key.clone().expect("only what has a key can be kept");
                    books.kept.insert(key, (request.fingerprint(), status, body.clone()));
                    (status, body, None)
                }
                None => {
                    let (status, body) = self.books.lock().unwrap().answer(&request);
                    (status, body, None)
                }
            };
            let (body, after) = (body.to_string(), after_s.map_or(String::new(), |s| format!("retry-after: {s}\r\n")));
            let head = format!(
                "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\n{after}content-length: {}\r\n\r\n",
                body.len()
            );
            if stream.write_all(format!("{head}{body}").as_bytes()).await.is_err() {
                return;
            }
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
        }
    };
    let text = String::from_utf8(bytes[..head].to_vec()).ok()?;
    let header = |name: &str| {
        let found = text.lines().skip(1).filter_map(|line| line.split_once(": "));
        found.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned()).next()
    };
    let length: usize = header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = bytes[head + 4..].to_vec();
    let had = body.len();
    body.resize(length, 0);
    stream.read_exact(&mut body[had..]).await.ok()?;
    let mut words = text.lines().next()?.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Some(Request {
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        key: header("idempotency-key"),
        authorized: header("authorization").is_some_and(|value| value == format!("Bearer {SECRET_KEY}")),
        body: String::from_utf8(body).ok()?,
    })
}

impl Request {
    fn step(&self) -> Option<Step> {
        let parts: Vec<&str> = self.path.trim_start_matches("/v1/").split('/').collect();
        Some(match (self.method.as_str(), parts.as_slice()) {
            ("POST", ["payment_intents"]) => Step::Create,
            ("POST", ["payment_intents", _]) => Step::SetCard,
            ("POST", ["payment_intents", _, "confirm"]) => Step::Confirm,
            ("POST", ["payment_intents", _, "capture"]) => Step::Capture,
            ("POST", ["payment_intents", _, "cancel"]) => Step::Cancel,
            ("GET", ["payment_intents", _]) => Step::Look,
            ("POST", ["refunds"]) => Step::Refund,
            ("GET", ["refunds"]) => Step::Refunds,
            ("GET", ["payment_methods", _]) => Step::LookAtCard,
            _ => return None,
        })
    }

    fn fingerprint(&self) -> String {
        format!("{} {}", self.path, self.body)
    }

    fn form(&self) -> HashMap<String, String> {
        let text = if self.method == "GET" { &self.query } else { &self.body };
        form_urlencoded::parse(text.as_bytes()).into_owned().collect()
    }
}

/// Of the test's own cards `pm_card_declined_CODE` and `pm_card_declined_CODE_of_NAME` those of one name are one card, under
/// several tokens.
fn look_at_card(id: &str) -> (u16, Value) {
    if !id.starts_with("pm_card_") {
        return (404, refused("resource_missing").1);
    }
    let whose = id.rsplit_once("_of_").map_or(id, |(_, name)| name);
    (200, json!({ "id": id, "object": "payment_method", "card": { "fingerprint": format!("print_{whose}") } }))
}

fn error(kind: &str, code: &str, message: &str) -> Value {
    json!({ "error": { "type": kind, "code": code, "message": message } })
}

fn refused(code: &str) -> (u16, Value) {
    (400, error("invalid_request_error", code, "refused"))
}

fn declined(decline_code: &str) -> (u16, Value) {
    let mut body = error("card_error", "card_declined", "Your card was declined.");
    body["error"]["decline_code"] = json!(decline_code);
    (402, body)
}

impl Books {
    fn answer(&mut self, request: &Request) -> (u16, Value) {
        if !request.authorized {
            return (401, error("invalid_request_error", "", "no such key"));
        }
        let Some(key) = &request.key else { return self.carry_out(request) };
        if let Some((asked, status, body)) = self.kept.get(key) {
            if *asked != request.fingerprint() {
                return (400, error("idempotency_error", "", "another request had this key"));
            }
            return (*status, body.clone());
        }
        let (status, body) = self.carry_out(request);
        self.kept.insert(key.clone(), (request.fingerprint(), status, body.clone()));
        (status, body)
    }

    fn carry_out(&mut self, request: &Request) -> (u16, Value) {
        let form = request.form();
        let Some(step) = request.step() else { return (404, error("invalid_request_error", "", "nothing here")) };
        match step {
            Step::Create => return self.create(&form),
            Step::Refund => return self.refund(&form),
            Step::Refunds => {
                let of = |refund: &&Value| refund["payment_intent"] == form["payment_intent"].as_str();
                let data: Vec<&Value> = self.refunds.iter().rev().filter(of).collect();
                return (200, json!({ "object": "list", "data": data, "has_more": false }));
            }
            _ => {}
        }
        let id = request.path.split('/').nth(3).unwrap_or_default();
        if step == Step::LookAtCard {
            return look_at_card(id);
        }
        let Some(intent) = self.intents.get_mut(id) else { return (404, refused("resource_missing").1) };
        let status = intent["status"].as_str().unwrap().to_owned();
        let unexpected = refused("payment_intent_unexpected_state");
        let waits = matches!(status.as_str(), "requires_payment_method" | "requires_confirmation" | "requires_action");
        match step {
            Step::SetCard if !waits => return unexpected,
            Step::SetCard => {
                let card = &form["payment_method"];
                if !card.starts_with("pm_card_") {
                    return refused("resource_missing");
                }
                intent["payment_method"] = json!(card);
                intent["status"] = json!("requires_confirmation");
            }
            Step::Confirm if status != "requires_confirmation" => return unexpected,
            Step::Confirm => {
                let card = intent["payment_method"].as_str().unwrap().to_owned();
                if let Some(code) = card.strip_prefix("pm_card_declined_") {
                    intent["status"] = json!("requires_payment_method");
                    return declined(code);
                }
                let action = card == "pm_card_3ds";
                intent["status"] = json!(if action { "requires_action" } else { "requires_capture" });
            }
            Step::Capture if status != "requires_capture" => return unexpected,
            Step::Capture => {
                intent["status"] = json!("succeeded");
                intent["amount_received"] = intent["amount"].clone();
                let event = json!({ "type": "payment_intent.succeeded", "data": { "object": intent } });
                self.events.push(event);
            }
            Step::Cancel if !(waits || status == "requires_capture") => return unexpected,
            Step::Cancel => {
                intent["status"] = json!("canceled");
                let event = json!({ "type": "payment_intent.canceled", "data": { "object": intent } });
                self.events.push(event);
            }
            _ => {}
        }
        (200, self.intents[id].clone())
    }

    fn create(&mut self, form: &HashMap<String, String>) -> (u16, Value) {
        let amount: i64 = form["amount"].parse().unwrap_or_default();
        if amount < 1 || form["capture_method"] != "manual" || form["payment_method_types[]"] != "card" {
            return refused("parameter_invalid_integer");
        }
        if amount == 13 {
            return refused("amount_too_small");
        }
        self.made += 1;
        let id = format!("pi_{:08}", self.made);
        let intent = json!({
            "id": id, "object": "payment_intent", "amount": amount, "amount_received": 0,
            "currency": form["currency"], "status": "requires_payment_method",
            "metadata": { "payment": form["metadata[payment]"] },
        });
        self.intents.insert(id, intent.clone());
        (200, intent)
    }

    fn refund(&mut self, form: &HashMap<String, String>) -> (u16, Value) {
        let id = &form["payment_intent"];
        let amount: i64 = form["amount"].parse().unwrap_or_default();
        let good = self.refunds.iter().filter(|refund| refund["payment_intent"] == *id && refund["status"] != "failed");
        let given: i64 = good.filter_map(|refund| refund["amount"].as_i64()).sum();
        let received = self.intents.get(id).and_then(|intent| intent["amount_received"].as_i64()).unwrap_or_default();
        if amount < 1 || given + amount > received {
            return refused("charge_already_refunded");
        }
        let status = self.next_refund.take().unwrap_or_else(|| "succeeded".to_owned());
        let refund = json!({
            "id": format!("re_{}", self.refunds.len()), "object": "refund", "payment_intent": id, "amount": amount,
            "status": status, "metadata": { "refund": form["metadata[refund]"], "try": form["metadata[try]"] },
        });
        self.refunds.push(refund.clone());
        let charge = json!({ "id": "ch_1", "object": "charge", "payment_intent": id });
        self.events.push(json!({ "type": "charge.refunded", "data": { "object": charge } }));
        (200, refund)
    }
}

/// The header that goes with a body.
pub fn signature(secret: &str, at_s: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{at_s}.").as_bytes());
    mac.update(body);
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={at_s},v1={hex}")
}
