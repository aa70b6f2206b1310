//! The shop by its API: what a story needs done without a browser.

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};

use super::letters::Letters;

pub struct Answer {
    pub status: u16,
    pub bytes: Bytes,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or(Value::Null)
    }

    #[track_caller]
    pub fn is(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.bytes));
        self.json()
    }
}

/// One request on a connection of its own.
pub async fn call(
    authority: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&Value>,
) -> Result<Answer, String> {
    let words = |error: &dyn std::fmt::Display| error.to_string();
    let stream = tokio::net::TcpStream::connect(authority).await.map_err(|error| words(&error))?;
    let connection = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = connection.map_err(|error| words(&error))?;
    tokio::spawn(connection);
    let mut request = Request::builder().method(method).uri(path).header("host", authority);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    if !body.is_empty() {
        request = request.header("content-type", "application/json");
    }
    let request = request.body(Full::new(Bytes::from(body))).map_err(|error| words(&error))?;
    let response = sender.send_request(request).await.map_err(|error| words(&error))?;
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.map_err(|error| words(&error))?.to_bytes();
    Ok(Answer { status, bytes })
}

/// A client that is logged in and has no browser.
pub struct Person {
    pub authority: String,
    pub token: String,
}

impl Person {
    pub async fn log_in(authority: &str, email: &str, password: &str) -> Self {
        let body = json!({ "email": email, "password": password });
        let answer =
            call(authority, "POST", "/v1/sessions", &[("idempotency-key", &key())], Some(&body)).await.unwrap();
        Self::of(authority, &answer.is(201))
    }

    /// With the code that was mailed.
    pub async fn sign_up(authority: &str, letters: &Letters, name: &str) -> Self {
        let email = format!("{name}@example.org");
        let body = json!({ "name": name, "email": email, "password": "correct horse" });
        let asked = call(authority, "POST", "/v1/users", &[], Some(&body)).await.unwrap().is(202);
        let proof = json!({ "ticket": asked["ticket"], "code": letters.code(&email).await });
        let answer = call(authority, "POST", "/v1/codes/proof", &[], Some(&proof)).await.unwrap();
        Self::of(authority, &answer.is(200))
    }

    pub async fn log_in_with(authority: &str, email: &str, password: &str, code: &str) -> Self {
        let body = json!({ "email": email, "password": password, "code": code });
        Self::of(authority, &call(authority, "POST", "/v1/sessions", &[], Some(&body)).await.unwrap().is(201))
    }

    fn of(authority: &str, welcome: &Value) -> Self {
        let token = welcome["access_token"].as_str().unwrap().to_owned();
        Self { authority: authority.to_owned(), token }
    }

    pub async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", &key())];
        call(&self.authority, method, path, &headers, body).await.unwrap()
    }

    /// The right to press, as a client that shows it for its login.
    pub async fn admitted(&self, sale: u64) -> Self {
        let given = self.call("POST", &format!("/v1/sales/{sale}/admission"), Some(&json!({}))).await.is(200);
        Self { authority: self.authority.clone(), token: given["admission"].as_str().unwrap().to_owned() }
    }

    /// Presses the button; waits for what becomes of it.
    pub async fn attempt(&self, sale: u64, quantity: u8) -> Value {
        let body = json!({ "quantity": quantity, "question_id": 0, "answer": "4" });
        let admitted = self.admitted(sale).await;
        let sent = admitted.call("POST", &format!("/v1/sales/{sale}/attempts"), Some(&body)).await.is(202);
        let attempt = sent["attempt_id"].as_str().unwrap();
        let path = format!("/v1/sales/{sale}/reservation?attempt={attempt}&wait_ms=20000");
        self.call("GET", &path, None).await.is(200)
    }

    /// Pays for what is held; the order's number.
    pub async fn pay(&self, sale: u64) -> String {
        let held = self.call("GET", &format!("/v1/sales/{sale}/reservation"), None).await.is(200);
        let body = json!({ "checkout_token": held["checkout_token"], "card": "ok" });
        let order = self.call("POST", "/v1/checkouts", Some(&body)).await.is(201);
        order["order_number"].as_str().unwrap().to_owned()
    }

    pub async fn cancel(&self, sale: u64) {
        self.call("DELETE", &format!("/v1/sales/{sale}/reservation"), None).await.is(200);
    }
}

fn key() -> String {
    format!("story-{:016x}", fastrand::u64(..))
}
