//! What stands between a process and the emulated AWS: it passes calls on and writes them down, stops before or after any of
//! them, refuses some, and answers for what the emulator does not know: provisioned concurrency, and targets that take a while
//! to become healthy.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde_json::json;
use tokio::sync::watch;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// The call never reaches AWS.
    Before,
    /// AWS's answer is lost.
    After,
}

#[derive(Debug, Clone, Copy)]
struct Stop {
    /// Of the calls that change something, from now on.
    after: usize,
    edge: Edge,
}

/// Of one alias.
#[derive(Debug, Clone, Copy)]
struct Provisioned {
    wanted: u64,
    /// How often it is looked at before it is there.
    looks: usize,
}

#[derive(Default)]
struct Script {
    calls: Vec<String>,
    stop: Option<Stop>,
    refused: Option<String>,
    /// How often targets are still found to be at their beginnings.
    beginnings: usize,
    /// How often provisioned concurrency is found to be on its way.
    provisioning: usize,
    provisioned: BTreeMap<String, Provisioned>,
    failing: bool,
}

pub struct Front {
    pub url: String,
    state: Arc<State>,
    server: actix_web::dev::ServerHandle,
}

struct State {
    emulator: String,
    http: Client<HttpConnector, Full<web::Bytes>>,
    script: Mutex<Script>,
    stopped: watch::Sender<bool>,
}

impl Drop for Front {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}

impl Front {
    pub async fn start() -> Self {
        let state = Arc::new(State {
            emulator: super::moto::url().await.to_owned(),
            http: Client::builder(TokioExecutor::new()).build_http(),
            script: Mutex::default(),
            stopped: watch::Sender::new(false),
        });
        let data = web::Data::from(state.clone());
        let server = HttpServer::new(move || App::new().app_data(data.clone()).default_service(web::to(pass)));
        let server = server.workers(1).disable_signals().bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { url, state, server: handle }
    }

    fn script<T>(&self, change: impl FnOnce(&mut Script) -> T) -> T {
        change(&mut self.state.script.lock().unwrap())
    }

    /// From now on, so many calls that change something get through; then everything stands still.
    pub fn stop(&self, after: usize, edge: Edge) {
        self.state.stopped.send_replace(false);
        self.script(|script| script.stop = Some(Stop { after, edge }));
    }

    /// When it stands still.
    pub async fn stopped(&self) {
        self.state.stopped.subscribe().wait_for(|stopped| *stopped).await.unwrap();
    }

    pub fn go_on(&self) {
        self.script(|script| script.stop = None);
    }

    /// Every call of this name, until another name is given.
    pub fn refuse(&self, action: Option<&str>) {
        self.script(|script| script.refused = action.map(str::to_owned));
    }

    /// For so many looks each, targets and provisioned concurrency are not there yet.
    pub fn take_time(&self, beginnings: usize, provisioning: usize) {
        self.script(|script| (script.beginnings, script.provisioning) = (beginnings, provisioning));
    }

    pub fn fail_provisioning(&self, failing: bool) {
        self.script(|script| script.failing = failing);
    }

    pub fn provisioned(&self, alias: &str) -> u64 {
        self.script(|script| script.provisioned.get(alias).map_or(0, |provisioned| provisioned.wanted))
    }

    pub fn provision(&self, alias: &str, wanted: u64) {
        self.script(|script| script.provisioned.insert(alias.to_owned(), Provisioned { wanted, looks: 0 }));
    }

    /// What changed something since it was last asked.
    pub fn changes(&self) -> Vec<String> {
        let calls = self.script(|script| std::mem::take(&mut script.calls));
        calls.into_iter().filter(|call| changes(call)).collect()
    }
}

fn changes(call: &str) -> bool {
    !["Describe", "Get", "List"].iter().any(|word| call.starts_with(word))
}

/// What a call is called: in a form, or by its path.
fn action(request: &HttpRequest, body: &[u8]) -> String {
    let in_form = form_urlencoded::parse(body).find(|(key, _)| key == "Action").map(|(_, value)| value.into_owned());
    in_form.unwrap_or_else(|| {
        let noun = match request.path() {
            path if path.contains("/provisioned-concurrency") => "ProvisionedConcurrency",
            path if path.contains("/tags/") => "Tags",
            _ => "Function",
        };
        let verb = match request.method().as_str() {
            "GET" => "Get",
            "DELETE" => "Delete",
            _ => "Put",
        };
        format!("{verb}{noun}")
    })
}

async fn pass(state: web::Data<State>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let action = action(&request, &body);
    let edge = {
        let mut script = state.script.lock().unwrap();
        script.calls.push(action.clone());
        if script.refused.as_ref() == Some(&action) {
            return refusal();
        }
        let stands = *state.stopped.borrow();
        let edge = match &mut script.stop {
            // Who was stopped once says nothing more.
            Some(_) if stands => Some(Edge::Before),
            Some(stop) if changes(&action) && stop.after == 0 => Some(stop.edge),
            Some(stop) if changes(&action) => {
                stop.after -= 1;
                None
            }
            _ => None,
        };
        if edge == Some(Edge::Before) {
            state.stopped.send_replace(true);
        }
        edge
    };
    if edge == Some(Edge::Before) {
        return std::future::pending().await;
    }
    let answer = match action.ends_with("ProvisionedConcurrency") {
        true => provisioned_concurrency(&state, &request, &body),
        false => passed_on(&state, &request, &body, &action).await,
    };
    if edge == Some(Edge::After) {
        state.stopped.send_replace(true);
        return std::future::pending().await;
    }
    answer
}

/// In the form of the query protocol.
fn refusal() -> HttpResponse {
    let error = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not authorized</Message>\
        </Error><RequestId>r</RequestId></ErrorResponse>";
    HttpResponse::Forbidden().content_type("text/xml").body(error)
}

async fn passed_on(state: &State, request: &HttpRequest, body: &web::Bytes, action: &str) -> HttpResponse {
    let mut call = hyper::Request::builder().method(request.method().as_str());
    call = call.uri(format!("{}{}", state.emulator, request.uri()));
    for (name, value) in request.headers() {
        // The client writes its own length.
        if name != "content-length" {
            call = call.header(name.as_str(), value.as_bytes());
        }
    }
    let answer = state.http.request(call.body(Full::new(body.clone())).unwrap()).await.unwrap();
    let (parts, body) = answer.into_parts();
    let mut body = body.collect().await.unwrap().to_bytes();
    if action == "DescribeTargetHealth" {
        let mut script = state.script.lock().unwrap();
        if script.beginnings > 0 {
            script.beginnings -= 1;
            let begins = "<State>initial</State><Reason>Elb.RegistrationInProgress</Reason>";
            body = std::str::from_utf8(&body).unwrap().replace("<State>healthy</State>", begins).into_bytes().into();
        }
    }
    let mut said = HttpResponse::build(actix_web::http::StatusCode::from_u16(parts.status.as_u16()).unwrap());
    for (name, value) in &parts.headers {
        if name == "content-type" || name.as_str().starts_with("x-amzn") {
            said.insert_header((name.as_str(), value.as_bytes()));
        }
    }
    said.body(body)
}

/// `name:alias`, of a path with a function's name or its ARN.
fn alias(request: &HttpRequest) -> String {
    let path = percent_encoding::percent_decode_str(request.path()).decode_utf8().unwrap().into_owned();
    let function = path.split("/functions/").nth(1).unwrap().split('/').next().unwrap().to_owned();
    let name = function.rsplit(':').next().unwrap().to_owned();
    let query = form_urlencoded::parse(request.query_string().as_bytes());
    let qualifier = query.into_iter().find(|(key, _)| key == "Qualifier").unwrap().1.into_owned();
    format!("{name}:{qualifier}")
}

fn provisioned_concurrency(state: &State, request: &HttpRequest, body: &[u8]) -> HttpResponse {
    let (alias, mut script) = (alias(request), state.script.lock().unwrap());
    let script = &mut *script;
    match request.method().as_str() {
        "PUT" => {
            let asked: serde_json::Value = serde_json::from_slice(body).unwrap();
            let wanted = asked["ProvisionedConcurrentExecutions"].as_u64().unwrap();
            script.provisioned.insert(alias, Provisioned { wanted, looks: script.provisioning });
            HttpResponse::Accepted().json(json!({ "RequestedProvisionedConcurrentExecutions": wanted,
                "AllocatedProvisionedConcurrentExecutions": 0, "Status": "IN_PROGRESS" }))
        }
        "DELETE" => {
            script.provisioned.remove(&alias);
            HttpResponse::NoContent().finish()
        }
        _ => match script.provisioned.get_mut(&alias) {
            None => HttpResponse::NotFound()
                .insert_header(("x-amzn-errortype", "ProvisionedConcurrencyConfigNotFoundException"))
                .json(json!({ "Type": "User", "Message": "No Provisioned Concurrency Config found" })),
            Some(provisioned) => {
                let there = provisioned.looks == 0 && !script.failing;
                provisioned.looks = provisioned.looks.saturating_sub(1);
                let status = if script.failing { "FAILED" } else { "IN_PROGRESS" };
                HttpResponse::Ok().json(json!({ "RequestedProvisionedConcurrentExecutions": provisioned.wanted,
                    "AllocatedProvisionedConcurrentExecutions": if there { provisioned.wanted } else { 0 },
                    "AvailableProvisionedConcurrentExecutions": if there { provisioned.wanted } else { 0 },
                    "Status": if there { "READY" } else { status },
                    "StatusReason": script.failing.then_some("not enough concurrency is left") }))
            }
        },
    }
}
