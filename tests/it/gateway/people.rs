//! Signing up, logging in, who am I.

use miaosha::domain::people::Role;
use miaosha::domain::shared::locale::Locale;
use miaosha::faces::front::Settings;
use serde_json::{Value, json};

use super::fixture::{Fixture, settings};

fn ada() -> Value {
    json!({ "name": " Ada Lovelace ", "email": "Ada@Example.org", "password": "difference engine" })
}

#[actix_web::test]
async fn who_signs_up_can_log_in_and_is_known() {
    let fixture = Fixture::new().await;
    let welcome = fixture.sign_up(&ada()).await;
    let user = &welcome["user"];
    assert_eq!((&user["name"], &user["email"]), (&json!("Ada Lovelace"), &json!("Ada@Example.org")));
    assert_eq!((&user["role"], &user["locale"], &user["may"]), (&json!("shopper"), &json!("en"), &json!([])));
    assert_eq!(fixture.get("/v1/me", welcome["access_token"].as_str().unwrap()).await.is(200), *user);

    let login = json!({ "email": "ADA@example.ORG ", "password": "difference engine" });
    let session = fixture.post("/v1/sessions", "", &login).await.is(201);
    assert_eq!(session["user"], *user);
    assert_eq!(fixture.get("/v1/me", session["access_token"].as_str().unwrap()).await.is(200), *user);
    fixture.clock.advance_ms(Settings::default().access_ttl_ms + 10_000);
    fixture.get("/v1/me", session["access_token"].as_str().unwrap()).await.blames(401, "Authorization");

    let again = fixture.sign_up(&ada()).await;
    assert_eq!(again["user"], *user, "whoever reads the mail is the same person");
    let account = fixture.world.accounts.account_by_email("ada@example.org").await.unwrap().unwrap();
    assert!(account.password_hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", account.password_hash);
}

#[actix_web::test]
async fn a_wrong_password_and_an_unknown_address_are_one_answer() {
    let fixture = Fixture::new().await;
    fixture.sign_up(&ada()).await;
    let wrong = json!({ "email": "ada@example.org", "password": "analytical engine" });
    let unknown = json!({ "email": "nobody@example.org", "password": "difference engine" });
    let impossible = json!({ "email": "not an address", "password": "x".repeat(5_000) });
    let wrong = fixture.post("/v1/sessions", "", &wrong).await;
    wrong.is_problem(401, "unauthorized");
    for login in [unknown, impossible] {
        let answer = fixture.post("/v1/sessions", "", &login).await;
        assert_eq!((answer.status, &answer.body), (wrong.status, &wrong.body));
    }
}

#[actix_web::test]
async fn a_buyer_without_an_account_is_nobody() {
    let fixture = Fixture::new().await;
    fixture.get("/v1/me", &fixture.shopper(77)).await.is_problem(404, "not_found");
}

#[actix_web::test]
async fn an_operators_login_says_so_in_its_token() {
    let fixture = Fixture::new().await;
    fixture.sign_up(&ada()).await;
    let hash = fixture.world.accounts.account_by_email("ada@example.org").await.unwrap().unwrap().password_hash;
    fixture
        .world
        .accounts
        .create_account("Root", "root@example.org", &hash, Role::Owner, Locale::En, None)
        .await
        .unwrap();
    let login = json!({ "email": "root@example.org", "password": "difference engine" });
    let session = fixture.post("/v1/sessions", "", &login).await.is(201);
    let may = ["read", "sell", "block", "refund", "export", "repair", "check_in", "steward", "correct", "journal"];
    assert_eq!((&session["user"]["role"], &session["user"]["may"]), (&json!("owner"), &json!(may)));
    fixture.get("/v1/admin/parked", session["access_token"].as_str().unwrap()).await.is(200);
}

#[actix_web::test]
async fn people_say_what_language_they_read() {
    let fixture = Fixture::new().await;
    let mut body = ada();
    for locale in [json!("fr"), json!("zh"), json!("EN"), json!(1), json!(null)] {
        body["locale"] = locale;
        fixture.post("/v1/users", "", &body).await.blames(400, "locale");
    }
    body["locale"] = json!("zh-TW");
    let welcome = fixture.sign_up(&body).await;
    assert_eq!(welcome["user"]["locale"], "zh-TW");
    let account = fixture.world.accounts.account_by_email("ada@example.org").await.unwrap().unwrap();
    assert_eq!(account.locale, Locale::ZhTw);
}

/// A pool without a place: a request that needs a password hashed is told when to come again.
#[actix_web::test]
async fn a_full_pool_asks_to_come_again() {
    let fixture = Fixture::with(Settings { hash_jobs_max: 0, hash_waiting_max: 0, ..settings() }).await;
    fixture.post("/v1/users", "", &ada()).await.is_problem(503, "busy");
    let login = json!({ "email": "ada@example.org", "password": "difference engine" });
    fixture.post("/v1/sessions", "", &login).await.is_problem(503, "busy");
}
