//! Calls to Stripe, and what may be believed of their answers.
//!
//! An answer is definite when Stripe gave it to this very request: it was done, or it was refused. Everything else (no
//! connection, no answer in time, too many requests, a failure on their side, a key that is not taken) says nothing about
//! what happened, and is a fault. Every call here may be sent again: it carries a key of its own, or changes nothing the
//! second time.

use std::time::Duration;

use backon::Retryable;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::sync::Semaphore;

use super::{PART, Settings};
use crate::kit::work::backoff::doubling;
use crate::ports::{Fault, Result, Source};

/// The version of the API that this code was written for; an account's default may be any other.
const VERSION: &str = "2024-06-20";

pub(super) struct Client {
    http: legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    authorization: HeaderValue,
    settings: Settings,
    calls: Semaphore,
}

#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    path: &'a str,
    /// `None` asks, and changes nothing.
    form: Option<&'a [(&'a str, &'a str)]>,
    /// The same one gets the same answer, whatever became of the first.
    key: Option<&'a str>,
}

impl<'a> Call<'a> {
    pub(super) fn get(path: &'a str) -> Self {
        Self { path, form: None, key: None }
    }

    pub(super) fn post(path: &'a str, form: &'a [(&'a str, &'a str)]) -> Self {
        Self { path, form: Some(form), key: None }
    }

    pub(super) fn with_key(self, key: &'a str) -> Self {
        Self { key: Some(key), ..self }
    }
}

/// What Stripe said to this request and no other.
#[derive(Debug)]
pub(super) enum Answer {
    Done(Value),
    /// Nothing was done.
    Refused(Refusal),
}

/// Never Stripe's own message: it may repeat what it was sent.
#[derive(Debug, Default, thiserror::Error)]
#[error("{status} {kind} {code}")]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) kind: String,
    pub(super) code: String,
    pub(super) decline_code: String,
    /// Of the request.
    pub(super) param: String,
}

impl Refusal {
    /// When it is the amount that is refused, or its currency, and not the caller or the call: Stripe's code for it.
    pub(super) fn of_amount(&self) -> Option<&str> {
        match (self.code.as_str(), self.param.as_str()) {
            (code @ ("amount_too_small" | "amount_too_large"), _) => Some(code),
            (_, param @ ("amount" | "currency")) => Some(param),
            _ => None,
        }
    }
}

/// One try that came to nothing certain, and how long Stripe wants to be left alone.
struct Unknown {
    fault: Fault,
    again: bool,
    after: Option<Duration>,
}

impl Client {
    pub(super) fn new(settings: Settings) -> Result<Self> {
        let uri: Uri = settings.url.parse().map_err(|_| Fault::new(PART, "stripe.url is no URL"))?;
        let is_local = matches!(uri.host(), Some("localhost" | "127.0.0.1" | "[::1]"));
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if is_local => {}
            _ => return Err(Fault::new(PART, "stripe.url must be https: the key would travel in clear")),
        }
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", settings.secret_key))
            .map_err(|_| Fault::new(PART, "stripe.secret_key has characters that no key has"))?;
        authorization.set_sensitive(true);
        let tls = HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())
            .map_err(|error| Fault::new(PART, error))?;
        let http = legacy::Client::builder(TokioExecutor::new()).build(tls.https_or_http().enable_http1().build());
        let calls = Semaphore::new(settings.calls_max);
        Ok(Self { http, authorization, settings, calls })
    }

    /// Tried again a few times while the outcome is unknown; a fault says that it still is.
    pub(super) async fn call(&self, call: Call<'_>) -> Result<Answer> {
        let wait_max = Duration::from_millis(self.settings.retry_ms_max);
        let waits = doubling(Duration::from_millis(self.settings.retry_ms), wait_max)
            .with_max_times(self.settings.tries_max.saturating_sub(1) as usize);
        let tries = (|| self.once(call)).retry(waits).when(|unknown| unknown.again);
        let tries = tries.adjust(|unknown, wait| wait.map(|wait| unknown.after.unwrap_or(wait).min(wait_max)));
        let tries = tries.notify(|unknown, _| {
            tracing::info!(path = call.path, fault.what = unknown.fault.what, "a call to Stripe is tried again")
        });
        tries.await.map_err(|unknown| unknown.fault)
    }

    async fn once(&self, call: Call<'_>) -> Result<Answer, Unknown> {
        let within = Duration::from_millis(self.settings.call_ms_max);
        match tokio::time::timeout(within, self.send(call)).await {
            Ok(answer) => answer,
            Err(_) => Err(unknown("no answer in time", true)),
        }
    }

    async fn send(&self, call: Call<'_>) -> Result<Answer, Unknown> {
        let _permit = self.calls.acquire().await.map_err(|error| unknown(error, false))?;
        let request = self.request(call).map_err(|error| unknown(error, false))?;
        let response = self.http.request(request).await.map_err(|error| unknown(error, true))?;
        let status = response.status();
        let after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let body = Limited::new(response.into_body(), self.settings.answer_bytes_max);
        let body = body.collect().await.map_err(|error| unknown(error, true))?.to_bytes();
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        judge(status, body, after.map(Duration::from_secs))
    }

    fn request(&self, call: Call<'_>) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
        let method = if call.form.is_some() { Method::POST } else { Method::GET };
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{}", self.settings.url.trim_end_matches('/'), call.path))
            .header(AUTHORIZATION, self.authorization.clone())
            .header("Stripe-Version", VERSION);
        if let Some(key) = call.key {
            request = request.header("Idempotency-Key", key);
        }
        let Some(form) = call.form else { return request.body(Full::default()) };
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(Full::from(body))
    }
}

fn judge(status: StatusCode, body: Value, after: Option<Duration>) -> Result<Answer, Unknown> {
    if status.is_success() {
        // Half an answer is none.
        return if body.is_object() { Ok(Answer::Done(body)) } else { Err(unknown("an answer that is no JSON", true)) };
    }
    let refusal = refusal(status, &body);
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            tracing::error!(%refusal, "Stripe does not take the key: look at stripe.secret_key");
            Err(unknown(refusal, false))
        }
        StatusCode::TOO_MANY_REQUESTS | StatusCode::CONFLICT => Err(Unknown { after, ..unknown(refusal, true) }),
        // Ours to mend: a key was used for two different requests. What the first one did is not known here.
        _ if refusal.kind == "idempotency_error" => {
            tracing::error!(%refusal, "an idempotency key was used twice");
            Err(unknown(refusal, false))
        }
        _ if status.is_client_error() => Ok(Answer::Refused(refusal)),
        _ => Err(Unknown { after, ..unknown(refusal, true) }),
    }
}

fn refusal(status: StatusCode, body: &Value) -> Refusal {
    let word = |name: &str| body["error"][name].as_str().unwrap_or_default().chars().take(80).collect();
    let (kind, code, decline_code, param) = (word("type"), word("code"), word("decline_code"), word("param"));
    Refusal { status: status.as_u16(), kind, code, decline_code, param }
}

fn unknown(what: impl Into<Source>, again: bool) -> Unknown {
    Unknown { fault: Fault::new(PART, what), again, after: None }
}
