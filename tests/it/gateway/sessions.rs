//! Log-ins, listed and ended one by one.

use actix_web::http::Method;
use miaosha::domain::people::TOKEN_MS_MAX;
use miaosha::ports::platform::clock::Clock;
use serde_json::{Value, json};

use super::fixture::{Fixture, settings};
use super::over_both;

over_both! {
    one_log_in_is_ended_and_the_others_go_on
    another_gateways_end_is_learned
    with_the_epoch_all_of_before_are_over
    old_log_ins_are_forgotten
}

const PASSWORD: &str = "difference engine";

fn token(welcome: &Value) -> String {
    welcome["access_token"].as_str().unwrap().to_owned()
}

async fn ada(fixture: &Fixture) -> String {
    token(&fixture.sign_up(&json!({ "name": "Ada", "email": "ada@example.org", "password": PASSWORD })).await)
}

/// By a browser of this name.
async fn log_in(fixture: &Fixture, agent: &str) -> String {
    let request = fixture.request(Method::POST, "/v1/sessions", None).insert_header(("User-Agent", agent));
    let request = request.peer_addr("192.0.2.77:9".parse().unwrap());
    token(&fixture.send(request.set_json(json!({ "email": "ada@example.org", "password": PASSWORD }))).await.is(201))
}

async fn list(fixture: &Fixture, token: &str) -> Vec<Value> {
    fixture.get("/v1/sessions", token).await.is(200).as_array().unwrap().clone()
}

async fn one_log_in_is_ended_and_the_others_go_on(fixture: Fixture) {
    let first = ada(&fixture).await;
    fixture.clock.advance_ms(5);
    let (phone, laptop) = (log_in(&fixture, "A phone").await, log_in(&fixture, "A laptop").await);
    let sessions = list(&fixture, &phone).await;
    let agents: Vec<&str> = sessions.iter().map(|session| session["agent"].as_str().unwrap()).collect();
    assert_eq!((agents.len(), agents[2]), (3, ""), "newest first");
    let of = |agent: &str| sessions.iter().find(|session| session["agent"] == agent).unwrap();
    assert_eq!((&of("A phone")["current"], &of("A laptop")["current"]), (&json!(true), &json!(false)));
    assert_eq!(of("A phone")["network"], "192.0.2.0");
    let path = format!("/v1/sessions/{}", of("A laptop")["session_id"].as_str().unwrap());
    // Nobody else's.
    let eve = fixture.sign_up(&json!({ "name": "Eve", "email": "eve@example.org", "password": PASSWORD })).await;
    fixture.delete(&path, &token(&eve)).await.is_problem(404, "not_found");
    fixture.get("/v1/me", &laptop).await.is(200);
    assert_eq!(fixture.delete(&path, &phone).await.status, 204);
    fixture.get("/v1/me", &laptop).await.blames(401, "Authorization");
    fixture.get("/v1/me", &phone).await.is(200);
    fixture.delete(&path, &phone).await.is_problem(404, "not_found");
    for junk in ["x", "00000000000000000000000000000000"] {
        fixture.delete(&format!("/v1/sessions/{junk}"), &phone).await.is_problem(404, "not_found");
    }
    assert_eq!(list(&fixture, &phone).await.len(), 2);
    assert_eq!(fixture.delete("/v1/sessions/current", &phone).await.status, 204);
    fixture.get("/v1/me", &phone).await.blames(401, "Authorization");
    fixture.get("/v1/me", &first).await.is(200);
    // Who has no log-in of ours has none to end.
    fixture.delete("/v1/sessions/current", &fixture.shopper(77)).await.is_problem(404, "not_found");
}

async fn another_gateways_end_is_learned(fixture: Fixture) {
    let first = ada(&fixture).await;
    let phone = log_in(&fixture, "A phone").await;
    fixture.gateway.learn_revocations().await.unwrap();
    let other = fixture.another_gateway().await;
    let request = fixture.request(Method::DELETE, "/v1/sessions/current", Some(&phone));
    assert_eq!(other(request).await.status, 204);
    fixture.get("/v1/me", &phone).await.is(200);
    fixture.gateway.learn_revocations().await.unwrap();
    fixture.get("/v1/me", &phone).await.blames(401, "Authorization");
    fixture.get("/v1/me", &first).await.is(200);
}

async fn with_the_epoch_all_of_before_are_over(fixture: Fixture) {
    let first = ada(&fixture).await;
    log_in(&fixture, "A phone").await;
    assert_eq!(list(&fixture, &first).await.len(), 2);
    assert_eq!(fixture.delete("/v1/sessions", &first).await.status, 204);
    let again = log_in(&fixture, "A phone").await;
    assert_eq!(list(&fixture, &again).await.len(), 1);
    fixture.clock.advance_ms(settings().access_ttl_ms - 1_000);
    assert_eq!(list(&fixture, &again).await.len(), 1);
}

async fn old_log_ins_are_forgotten(fixture: Fixture) {
    ada(&fixture).await;
    log_in(&fixture, "A phone").await;
    let forget = async || {
        let before = fixture.clock.now().plus_ms(-TOKEN_MS_MAX);
        fixture.world.sessions.forget_sessions(before, 9).await.unwrap()
    };
    fixture.clock.advance_ms(TOKEN_MS_MAX);
    assert_eq!(forget().await, 0, "its end is still told");
    fixture.clock.advance_ms(TOKEN_MS_MAX);
    assert_eq!(forget().await, 2);
}

#[actix_web::test]
async fn so_many_log_ins_are_listed() {
    let fixture = Fixture::new().await;
    let first = ada(&fixture).await;
    for (log_ins, listed) in [(49, 50), (1, 50)] {
        for _ in 0..log_ins {
            log_in(&fixture, "A phone").await;
        }
        assert_eq!(list(&fixture, &first).await.len(), listed);
    }
}
