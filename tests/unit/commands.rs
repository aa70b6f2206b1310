//! The embedded shop's endpoint for operators' commands: a client that has the secret may ask, and what cannot be read is a
//! problem that names the field.

use actix_web::App;
use actix_web::http::Method;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use miaosha::domain::seating::hall::hall;
use miaosha::domain::seating::{Plan, Report};
use miaosha::faces::account::passwords::hash_now;
use miaosha::kit::http::problem;
use miaosha::kit::work::lifecycle::Lifecycle;
use miaosha::wire::commands::Commands;
use miaosha::wire::config::{EmbeddedConfig, StripeConfig};
use miaosha::wire::shop;
use miaosha::workers::payment_consumer::Books;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

struct Answer {
    status: u16,
    kind: String,
    body: Value,
}

impl Answer {
    #[track_caller]
    fn blames(&self, status: u16, field: &str) {
        assert_eq!((self.status, &self.body["field"]), (status, &json!(field)), "{}", self.body);
        assert_eq!(self.kind, "application/problem+json");
    }

    #[track_caller]
    fn blames_kind(&self, status: u16, kind: &str) {
        assert_eq!((self.status, &self.body["type"]), (status, &json!(format!("/problems/{kind}"))), "{}", self.body);
        assert_eq!(self.kind, "application/problem+json");
    }
}

/// Sends each request to a shop's `/commands`; says what it answered.
async fn asked(requests: impl IntoIterator<Item = (Method, Option<&'static str>, Vec<u8>)>) -> Vec<Answer> {
    let folder = tempfile::tempdir().unwrap();
    let config = EmbeddedConfig { state: folder.path().to_owned(), ..EmbeddedConfig::default() };
    let commands = Commands::new().unwrap();
    let world = shop::open(&config, &StripeConfig::default(), Books::default(), Lifecycle::new().tasks()).await;
    commands.serve(world.unwrap().needs());
    let routes = commands.clone();
    let app = App::new().configure(|cfg| routes.routes(cfg)).configure(problem::defaults);
    let app = init_service(app).await;
    let mut answers = Vec::new();
    for (method, secret, body) in requests {
        let secret = secret.unwrap_or(commands.secret());
        let request = TestRequest::default().method(method).uri("/commands");
        let request = request.insert_header(("Authorization", format!("Bearer {secret}")));
        let request = request.insert_header(("Content-Type", "application/json")).set_payload(body);
        let response = call_service(&app, request.to_request()).await;
        let status = response.status().as_u16();
        let kind = response.headers().get(CONTENT_TYPE).map(|kind| kind.to_str().unwrap().to_owned());
        let body = serde_json::from_slice(&read_body(response).await).unwrap_or(Value::Null);
        answers.push(Answer { status, kind: kind.unwrap_or_default(), body });
    }
    answers
}

fn post(body: &Value) -> (Method, Option<&'static str>, Vec<u8>) {
    (Method::POST, None, body.to_string().into_bytes())
}

#[actix_web::test]
async fn a_command_is_carried_out_or_names_what_is_wrong() {
    let audit = json!({ "audit": { "sales": [], "turns": false } });
    let answers = asked([
        post(&json!({ "seed": { "sales": 1, "capacity": 5 } })),
        post(&audit),
        (Method::POST, Some("guessed"), audit.to_string().into_bytes()),
        (Method::GET, None, Vec::new()),
        post(&json!({ "seed": { "sales": 1 } })),
        post(&json!({ "seed": { "sales": 1, "capacity": -1 } })),
        post(&json!({ "seed": { "sales": 1, "capacity": 5, "surprise": 1 } })),
        post(&json!({ "surprise": {} })),
        post(&json!([])),
        (Method::POST, None, Vec::new()),
        (Method::POST, None, b"{\"audit\":".to_vec()),
        (Method::POST, None, vec![b' '; 17_000_000]),
        post(&json!({ "restore": { "sale": 99 } })),
    ])
    .await;
    assert_eq!((answers[0].status, answers[1].status, &answers[1].body["pass"]), (200, 200, &json!(true)));
    answers[2].blames_kind(401, "unauthorized");
    answers[3].blames_kind(405, "method_not_allowed");
    answers[4].blames(400, "seed.capacity");
    answers[5].blames(400, "seed.capacity");
    answers[6].blames(400, "seed.surprise");
    for answer in &answers[7..11] {
        answer.blames(400, "body");
    }
    answers[11].blames(413, "body");
    answers[12].blames_kind(400, "invalid");
}

fn add(name: &str, email: &str, password_hash: &str, role: &str) -> Value {
    json!({ "add_account": { "name": name, "email": email, "password_hash": password_hash, "role": role } })
}

#[actix_web::test]
async fn an_account_is_held_to_the_rules_of_a_sign_up() {
    let hash = hash_now("difference engine");
    let answers = asked([
        post(&add("Ann", "NOT AN EMAIL", &hash, "owner")),
        post(&add("Ann", "ann@example.org", "garbage", "owner")),
        post(&add("Ann", "ann@example.org", &hash.replace("m=19456", "m=4194304"), "owner")),
        post(&add(" ", "ann@example.org", &hash, "owner")),
        post(&add("Ann", "ann@example.org", &hash, "operator")),
        post(&json!({ "reset_operator": { "email": "ann@example.org", "password_hash": "garbage" } })),
        post(&add(" Ann ", " Ann@Example.org ", &hash, "owner")),
        post(&json!({ "operators": null })),
    ])
    .await;
    answers[0].blames(400, "add_account.email");
    answers[1].blames(400, "add_account.password_hash");
    answers[2].blames(400, "add_account.password_hash");
    answers[3].blames(400, "add_account.name");
    answers[4].blames(400, "add_account.role");
    answers[5].blames(400, "reset_operator.password_hash");
    let ann =
        json!({ "id": answers[6].body["id"], "email": "ann@example.org", "role": "owner", "second_factor": false });
    assert_eq!((answers[6].status, &answers[7].body), (200, &json!({ "operators": [ann] })));
}

#[actix_web::test]
async fn operators_are_changed_by_their_addresses() {
    let hash = hash_now("difference engine");
    let role = |email: &str, role: &str| post(&json!({ "set_role": { "email": email, "role": role } }));
    let reset = |email: &str| post(&json!({ "reset_operator": { "email": email, "password_hash": hash } }));
    let answers = asked([
        post(&add("Ann", "ann@example.org", &hash, "owner")),
        post(&add("Bob", "bob@example.org", &hash, "desk")),
        role("Bob@example.org", "door"),
        role("bob@example.org", "door"),
        role("ann@example.org", "desk"),
        role("ann@example.org", "shopper"),
        role("eve@example.org", "desk"),
        reset("bob@example.org"),
        role("bob@example.org", "shopper"),
        reset("bob@example.org"),
        reset("eve@example.org"),
        post(&json!({ "operators": null })),
    ])
    .await;
    let said = |place: usize| answers[place].body["detail"].as_str().unwrap_or_default();
    assert_eq!((answers[2].status, &answers[2].body["changed"]), (200, &json!(true)));
    assert_eq!((answers[3].status, &answers[3].body["changed"]), (200, &json!(false)));
    for place in [4, 5] {
        answers[place].blames_kind(400, "invalid");
        assert!(said(place).contains("last owner"), "{}", said(place));
    }
    assert!(said(6).contains("no account") && said(10).contains("no account"));
    assert_eq!((answers[7].status, answers[8].status), (200, 200));
    assert!(said(9).contains("no operator's"), "{}", said(9));
    let left = answers[11].body["operators"].as_array().unwrap();
    assert_eq!((left.len(), &left[0]["email"]), (1, &json!("ann@example.org")));
}

/// More than are read at once.
#[actix_web::test]
async fn every_operator_is_listed() {
    let hash = hash_now("difference engine");
    let accounts = (0..101).map(|n| post(&add("X", &format!("x{n}@example.org"), &hash, "viewer")));
    let answers = asked(accounts.chain([post(&json!({ "operators": null }))])).await;
    assert_eq!(answers[101].body["operators"].as_array().map(Vec::len), Some(101));
}

/// More than are read at once.
#[actix_web::test]
async fn every_sale_is_audited() {
    let seed = |sales: u32| post(&json!({ "seed": { "sales": sales, "capacity": 1 } }));
    let too_many = post(&json!({ "seed": { "sales": 1_001, "capacity": 1 } }));
    assert_eq!(asked([too_many]).await[0].status, 400);
    let audit = post(&json!({ "audit": { "sales": [], "turns": false } }));
    let answers = asked([seed(1_000), seed(3), audit]).await;
    assert_eq!((answers[0].status, answers[1].status, answers[2].status), (200, 200, 200));
    let audited: Vec<u64> =
        answers[2].body["sales"].as_array().unwrap().iter().map(|sale| sale["sale"].as_u64().unwrap()).collect();
    assert_eq!(audited, (1..=1_003).collect::<Vec<_>>(), "oldest first");
}

#[actix_web::test]
async fn noise_is_answered_by_problems() {
    let json_like = proptest::string::string_regex(r#"[\[\]{}",:0-9a-z_ .-]{0,60}"#).unwrap();
    let near = proptest::string::string_regex(
        r#"\{"(audit|restore|seed|parked|replay|check_journal|add_account|operators|set_role|reset_operator)":(\{("(sales?|capacity|turns|name|email|role)":(-?[0-9]{1,20}|\[\]|null|"x"),?){0,3}\}|null)\}"#,
    );
    let body = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..80),
        json_like.prop_map(String::into_bytes),
        near.unwrap().prop_map(String::into_bytes),
    ];
    let mut runner = TestRunner::new(Config::default());
    let bodies: Vec<Vec<u8>> = (0..600).map(|_| body.new_tree(&mut runner).unwrap().current()).collect();
    let answers = asked(bodies.iter().map(|body| (Method::POST, None, body.clone()))).await;
    for (body, answer) in bodies.iter().zip(answers) {
        let said = String::from_utf8_lossy(body);
        assert!(answer.status < 500, "{said}: {}", answer.body);
        if answer.status != 200 {
            assert_eq!(answer.kind, "application/problem+json", "{said}: {}", answer.body);
            let named = answer.body["field"].is_string() || answer.body["type"] == "/problems/invalid";
            assert!(named, "{said}: {}", answer.body);
        }
    }
}

#[actix_web::test]
async fn a_plan_is_kept_and_shown_by_commands() {
    let plan = Plan::check(hall(500, 1), &mut Report::default()).unwrap();
    let (canonical, hash) = (plan.canonical(), plan.hash().to_string());
    let keep = json!({ "keep_plan": { "plan": canonical } });
    let answers = asked([
        post(&json!({ "plan": { "hash": hash } })),
        post(&keep),
        post(&keep),
        post(&json!({ "plan": { "hash": hash } })),
        post(&json!({ "plan": { "hash": "1" } })),
        post(&json!({ "keep_plan": { "plan": canonical.replacen("\"2\"", "\"1\"", 1) } })),
        post(&json!({ "check_journal": null })),
    ])
    .await;
    answers[0].blames_kind(400, "invalid");
    assert_eq!(answers[1].body, json!({ "hash": hash, "seats": 500, "new": true }));
    assert_eq!(answers[2].body, json!({ "hash": hash, "seats": 500, "new": false }));
    assert_eq!(answers[3].body, json!({ "plan": canonical }));
    answers[4].blames_kind(400, "invalid");
    answers[5].blames_kind(400, "invalid");
    let detail = answers[5].body["detail"].as_str().unwrap();
    assert!(detail.contains("row A (row 1 of the area), seat 1: the row has this seat twice"), "{detail}");
    assert_eq!(answers[6].body["entries"], 1, "what was kept before is not written down again");
}
