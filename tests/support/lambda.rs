//! What AWS does around a function: the Runtime API that the function's process asks for work, and the poller between a queue
//! and it, which deletes what was done and leaves the rest to come again.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{Message, QueueAttributeName};
use miaosha::adapters::system::SystemClock;
use serde_json::{Value, json};
use tokio::sync::{Mutex as Turn, mpsc, oneshot, watch};

/// What the process says to one invocation: what it returned, or how it failed.
pub type Said = Result<Value, Value>;

struct Work {
    id: String,
    event: Value,
    said: oneshot::Sender<Said>,
}

/// Which binary, and what AWS grants it.
#[derive(Clone)]
pub struct Program {
    pub name: &'static str,
    pub binary: &'static str,
    /// For each piece of work.
    pub time: Duration,
    /// Where its log goes.
    pub log: Option<PathBuf>,
}

impl Program {
    pub fn mailer() -> Self {
        let time = Duration::from_secs(3_600);
        Self { name: "mailer", binary: env!("CARGO_BIN_EXE_mailer"), time, log: None }
    }

    pub fn warmer() -> Self {
        Self { name: "warmer", binary: env!("CARGO_BIN_EXE_warmer"), ..Self::mailer() }
    }

    /// Behind what was logged before.
    fn stderr(&self) -> Stdio {
        let Some(log) = &self.log else { return Stdio::null() };
        std::fs::File::options().create(true).append(true).open(log).unwrap().into()
    }
}

struct Api {
    time: Duration,
    waiting: Turn<mpsc::UnboundedReceiver<Work>>,
    going: Mutex<HashMap<String, oneshot::Sender<Said>>>,
    killed: watch::Sender<()>,
}

/// A function: its process, which may be ended at any moment, and the API that outlives it.
pub struct Function {
    work: mpsc::UnboundedSender<Work>,
    api: Arc<Api>,
    port: u16,
    environment: Vec<(String, String)>,
    program: Program,
    process: Option<Child>,
    server: actix_web::dev::ServerHandle,
}

impl Drop for Function {
    fn drop(&mut self) {
        self.kill();
        drop(self.server.stop(false));
    }
}

impl Function {
    pub fn start(environment: Vec<(String, String)>) -> Self {
        Self::run(Program::mailer(), environment)
    }

    pub fn run(program: Program, environment: Vec<(String, String)>) -> Self {
        let (work, waiting) = mpsc::unbounded_channel();
        let (waiting, killed) = (Turn::new(waiting), watch::Sender::new(()));
        let api = Arc::new(Api { time: program.time, waiting, going: Mutex::default(), killed });
        let data = web::Data::from(api.clone());
        let server = HttpServer::new(move || {
            let invocation = web::scope("/2018-06-01/runtime/invocation")
                .route("/next", web::get().to(next))
                .route("/{id}/response", web::post().to(response))
                .route("/{id}/error", web::post().to(error));
            App::new().app_data(data.clone()).service(invocation)
        });
        let server = server.workers(1).disable_signals().bind(("127.0.0.1", 0)).unwrap();
        let port = server.addrs()[0].port();
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        let mut function = Self { work, api, port, environment, program, process: None, server: handle };
        function.restart();
        function
    }

    /// As AWS starts one: with a clean environment.
    pub fn restart(&mut self) {
        self.kill();
        let process = Command::new(self.program.binary)
            .env_clear()
            .envs(self.environment.iter().cloned())
            .env("AWS_LAMBDA_RUNTIME_API", format!("127.0.0.1:{}", self.port))
            .env("AWS_LAMBDA_FUNCTION_NAME", self.program.name)
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .stdin(Stdio::null())
            .stderr(self.program.stderr())
            .spawn();
        self.process = Some(process.unwrap());
    }

    /// `kill -9`. What it was doing fails, as AWS says it.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
        self.api.killed.send_replace(());
        self.api.going.lock().unwrap().clear();
    }

    pub fn environment(&self) -> Vec<(String, String)> {
        self.environment.clone()
    }

    /// Whether the process ended by itself.
    pub async fn ended(&mut self) -> std::process::ExitStatus {
        for _ in 0..600 {
            if let Some(status) = self.process.as_mut().unwrap().try_wait().unwrap() {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("it goes on");
    }

    /// `None` when the process crashed over it.
    pub async fn invoke(&self, event: Value) -> Option<Said> {
        let (said, answer) = oneshot::channel();
        self.work.send(Work { id: format!("{:032x}", rand()), event, said }).unwrap();
        tokio::time::timeout(Duration::from_secs(120), answer).await.expect("an answer or a death").ok()
    }

    /// The ids that the function wants to see again; all of them, when it failed.
    pub async fn handle(&self, messages: &[(String, String)]) -> Vec<String> {
        let record = |(id, body): &(String, String)| {
            json!({ "messageId": id, "receiptHandle": "r", "body": body, "attributes": {}, "messageAttributes": {},
                "md5OfBody": "", "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-central-1:1:q",
                "awsRegion": "eu-central-1" })
        };
        let records: Vec<Value> = messages.iter().map(record).collect();
        match self.invoke(json!({ "Records": records })).await {
            Some(Ok(answer)) => {
                let failures = answer["batchItemFailures"].as_array().expect("a batch's answer").iter();
                failures.map(|failure| failure["itemIdentifier"].as_str().unwrap().to_owned()).collect()
            }
            _ => messages.iter().map(|(id, _)| id.clone()).collect(),
        }
    }
}

fn rand() -> u128 {
    u128::from(getrandom::u64().unwrap()) << 64 | u128::from(getrandom::u64().unwrap())
}

async fn next(api: web::Data<Api>) -> HttpResponse {
    let mut killed = api.killed.subscribe();
    let work = tokio::select! {
        work = async { api.waiting.lock().await.recv().await } => work,
        // The caller was killed: the work is for the next one.
        _ = killed.changed() => None,
    };
    let Some(work) = work else { return HttpResponse::Gone().finish() };
    let deadline_ms = SystemClock::machine_now().0 + api.time.as_millis() as i64;
    let answer = HttpResponse::Ok()
        .insert_header(("Lambda-Runtime-Aws-Request-Id", work.id.clone()))
        .insert_header(("Lambda-Runtime-Deadline-Ms", deadline_ms.to_string()))
        .insert_header(("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:1:function:mailer"))
        .insert_header(("Lambda-Runtime-Trace-Id", "Root=1-0-0"))
        .json(&work.event);
    api.going.lock().unwrap().insert(work.id, work.said);
    answer
}

/// The runtime library does not say that it sends JSON.
async fn response(api: web::Data<Api>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    told(&api, &request, Ok(serde_json::from_slice(&body).unwrap()))
}

async fn error(api: web::Data<Api>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    told(&api, &request, Err(serde_json::from_slice(&body).unwrap()))
}

fn told(api: &Api, request: &HttpRequest, said: Said) -> HttpResponse {
    if let Some(answer) = api.going.lock().unwrap().remove(request.match_info().get("id").unwrap()) {
        let _ = answer.send(said);
    }
    HttpResponse::Accepted().json(json!({ "status": "OK" }))
}

/// A real queue, and what stands between it and a function.
pub struct Queue {
    pub client: Client,
    pub url: String,
}

impl Queue {
    pub async fn new(visible_again_s: u32) -> Self {
        let client = Client::new(&super::moto::config().await);
        let create = client.create_queue().queue_name(super::servers::unique_name());
        let created =
            create.attributes(QueueAttributeName::VisibilityTimeout, visible_again_s.to_string()).send().await;
        Self { url: created.unwrap().queue_url().unwrap().to_owned(), client }
    }

    pub async fn send(&self, body: &str) {
        self.client.send_message().queue_url(&self.url).message_body(body).send().await.unwrap();
    }

    pub async fn receive(&self) -> Vec<Message> {
        let receive = self.client.receive_message().queue_url(&self.url).max_number_of_messages(10);
        receive.send().await.unwrap().messages.unwrap_or_default()
    }

    /// One turn of the poller: how many were done.
    pub async fn poll(&self, function: &Function) -> usize {
        let messages = self.receive().await;
        if messages.is_empty() {
            return 0;
        }
        let text = |text: &Option<String>| text.clone().unwrap();
        let bodies: Vec<_> = messages.iter().map(|message| (text(&message.message_id), text(&message.body))).collect();
        let failed = function.handle(&bodies).await;
        let mut done = 0;
        for message in messages {
            if !failed.contains(&text(&message.message_id)) {
                let delete = self.client.delete_message().queue_url(&self.url);
                delete.receipt_handle(text(&message.receipt_handle)).send().await.unwrap();
                done += 1;
            }
        }
        done
    }

    /// Polls until nothing is left, seen or unseen.
    pub async fn drain(&self, function: &Function) {
        for _ in 0..600 {
            self.poll(function).await;
            if self.left().await == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{} messages are left", self.left().await);
    }

    pub async fn left(&self) -> u64 {
        let names = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ];
        let ask = self.client.get_queue_attributes().queue_url(&self.url).set_attribute_names(Some(names.to_vec()));
        let counts = ask.send().await.unwrap().attributes.unwrap();
        counts.values().map(|count| count.parse::<u64>().unwrap()).sum()
    }
}
