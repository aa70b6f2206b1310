//! Log-out everywhere, a new password, a person's data and their erasure; and how often a client may try to log in.

use actix_web::http::Method;
use futures_util::future::join_all;
use miaosha::domain::people::{Role, TOKEN_MS_MAX};
use miaosha::domain::shared::id::BuyerId;
use miaosha::domain::shared::locale::Locale;
use miaosha::faces::account::passwords::hash_now;
use miaosha::faces::front::Settings;
use miaosha::ports::people::accounts::{Erased, LogOutPlace};
use serde_json::{Value, json};

use super::fixture::{Answer, Fixture, settings};
use super::over_both;

over_both! {
    who_logs_out_everywhere_is_out
    another_gateways_log_out_is_learned
    another_role_ends_the_tokens_of_the_old_one
    the_last_owner_cannot_go
    a_log_out_that_is_committed_late_is_learned
    a_new_password_ends_the_old_tokens
    a_persons_data_can_be_taken_along
    who_goes_leaves_the_orders
    who_goes_leaves_good_tickets
    who_has_no_good_ticket_goes_at_once
}

const PASSWORD: &str = "difference engine";

/// One with Ada's password.
async fn an_owner(fixture: &Fixture) {
    let accounts = &fixture.world.accounts;
    let hash = accounts.account_by_email("ada@example.org").await.unwrap().unwrap().password_hash;
    accounts.create_account("Root", "root@example.org", &hash, Role::Owner, Locale::En, None).await.unwrap();
}

async fn ada(fixture: &Fixture) -> (u64, String) {
    let body = json!({ "name": "Ada", "email": "ada@example.org", "password": PASSWORD });
    let welcome = fixture.sign_up(&body).await;
    (welcome["user"]["id"].as_u64().unwrap(), welcome["access_token"].as_str().unwrap().to_owned())
}

async fn login(fixture: &Fixture, password: &str) -> Answer {
    fixture.post("/v1/sessions", "", &json!({ "email": "ada@example.org", "password": password })).await
}

fn token(welcome: &Value) -> String {
    welcome["access_token"].as_str().unwrap().to_owned()
}

async fn with(fixture: &Fixture, method: Method, path: &str, token: &str, body: Value) -> Answer {
    fixture.send(fixture.request(method, path, Some(token)).set_json(body)).await
}

async fn who_logs_out_everywhere_is_out(fixture: Fixture) {
    let (_, first) = ada(&fixture).await;
    let second = token(&login(&fixture, PASSWORD).await.is(201));
    let answer = fixture.delete("/v1/sessions", &first).await;
    assert_eq!(answer.status, 204, "{answer:?}");
    for old in [&first, &second] {
        fixture.get("/v1/me", old).await.blames(401, "Authorization");
    }
    // In the same millisecond: it is no matter of time.
    let third = token(&login(&fixture, PASSWORD).await.is(201));
    fixture.get("/v1/me", &third).await.is(200);
    fixture.delete("/v1/sessions", &fixture.shopper(77)).await.is_problem(404, "not_found");

    // An answer that was kept is given to no caller any more.
    an_owner(&fixture).await;
    let body = json!({ "email": "root@example.org", "password": PASSWORD });
    let root = token(&fixture.post("/v1/sessions", "", &body).await.is(201));
    let lamp = json!({ "title": "A lamp", "description": "" });
    fixture.post_under("k", "/v1/admin/items", &root, &lamp).await.is(201);
    assert_eq!(fixture.delete("/v1/sessions", &root).await.status, 204);
    fixture.post_under("k", "/v1/admin/items", &root, &lamp).await.is_problem(401, "unauthorized");
}

async fn another_gateways_log_out_is_learned(fixture: Fixture) {
    let (id, token) = ada(&fixture).await;
    let revoked =
        fixture.world.accounts.log_out_everywhere(BuyerId(id), fixture.world.clock.now(), None).await.unwrap().unwrap();
    assert_eq!((revoked.buyer, revoked.epoch), (BuyerId(id), 1));
    fixture.gateway.learn_revocations().await.unwrap();
    fixture.get("/v1/me", &token).await.is_problem(401, "unauthorized");
    let since = fixture.world.clock.now();
    let place = LogOutPlace { at: since, buyer: revoked.buyer };
    let after = async |place| fixture.world.accounts.log_outs_after(place, 9).await.unwrap();
    assert_eq!(after(LogOutPlace::before(since)).await, [(place, revoked)]);
    assert_eq!(after(place).await, []);
    // When no such token can be good any more it is forgotten.
    fixture.clock.advance_ms(TOKEN_MS_MAX);
    fixture.gateway.learn_revocations().await.unwrap();
    fixture
        .get("/v1/me", &fixture.keys.sign_access(BuyerId(id), Role::Shopper, since.plus_ms(TOKEN_MS_MAX), 1_000))
        .await
        .is(200);
}

async fn root(fixture: &Fixture) -> (BuyerId, String) {
    let hash = hash_now(PASSWORD);
    let root =
        fixture.world.accounts.create_account("Root", "root@example.org", &hash, Role::Owner, Locale::En, None).await;
    (root.unwrap().unwrap().id, root_login(fixture).await)
}

async fn root_login(fixture: &Fixture) -> String {
    let body = json!({ "email": "root@example.org", "password": PASSWORD });
    token(&fixture.post("/v1/sessions", "", &body).await.is(201))
}

async fn another_role_ends_the_tokens_of_the_old_one(fixture: Fixture) {
    let (id, owner) = root(&fixture).await;
    fixture.world.accounts.create_account("Ann", "ann@example.org", "-", Role::Owner, Locale::En, None).await.unwrap();
    fixture.get("/v1/admin/parked", &owner).await.is(200);
    fixture.world.operators.set_role(id, Role::Door, fixture.world.clock.now()).await.unwrap();
    fixture.gateway.learn_revocations().await.unwrap();
    fixture.get("/v1/admin/parked", &owner).await.is_problem(401, "unauthorized");
    let door = root_login(&fixture).await;
    let me = fixture.get("/v1/me", &door).await.is(200);
    assert_eq!((&me["role"], &me["may"]), (&json!("door"), &json!(["check_in", "steward"])));
    fixture.get("/v1/admin/parked", &door).await.is_problem(403, "forbidden");
    fixture.world.operators.set_role(id, Role::Shopper, fixture.world.clock.now()).await.unwrap();
    fixture.gateway.learn_revocations().await.unwrap();
    fixture.get("/v1/me", &door).await.is_problem(401, "unauthorized");
    assert_eq!(fixture.get("/v1/me", &root_login(&fixture).await).await.is(200)["may"], json!([]));
}

async fn the_last_owner_cannot_go(fixture: Fixture) {
    let (_, owner) = root(&fixture).await;
    let erase = json!({ "password": PASSWORD });
    with(&fixture, Method::DELETE, "/v1/me", &owner, erase.clone()).await.is_problem(403, "forbidden");
    fixture.get("/v1/me", &owner).await.is(200);
    fixture.world.accounts.create_account("Ann", "ann@example.org", "-", Role::Owner, Locale::En, None).await.unwrap();
    assert_eq!(with(&fixture, Method::DELETE, "/v1/me", &owner, erase).await.status, 204);
}

/// It stands before what was read already.
async fn a_log_out_that_is_committed_late_is_learned(fixture: Fixture) {
    let ((id, token), now) = (ada(&fixture).await, fixture.world.clock.now());
    fixture.gateway.learn_revocations().await.unwrap();
    fixture.world.accounts.log_out_everywhere(BuyerId(id), now.plus_ms(-9_000), None).await.unwrap().unwrap();
    fixture.gateway.learn_revocations().await.unwrap();
    fixture.get("/v1/me", &token).await.is_problem(401, "unauthorized");
}

async fn a_new_password_ends_the_old_tokens(fixture: Fixture) {
    let (id, old) = ada(&fixture).await;
    let change = |password: &str, new: &str| json!({ "password": password, "new_password": new });
    let path = "/v1/me/password";
    with(&fixture, Method::PUT, path, &old, change("wrong", "analytical engine")).await.blames(403, "password");
    for unfit in ["short", PASSWORD] {
        with(&fixture, Method::PUT, path, &old, change(PASSWORD, unfit)).await.blames(400, "new_password");
    }
    fixture.get("/v1/me", &old).await.is(200);
    let stale = fixture.world.accounts.account(BuyerId(id)).await.unwrap().unwrap().password_hash;
    let welcome = with(&fixture, Method::PUT, path, &old, change(PASSWORD, "analytical engine")).await.is(200);
    fixture.get("/v1/me", &old).await.is_problem(401, "unauthorized");
    fixture.get("/v1/me", &token(&welcome)).await.is(200);
    login(&fixture, PASSWORD).await.is_problem(401, "unauthorized");
    login(&fixture, "analytical engine").await.is(201);
    // Of two changes one wins.
    let now = fixture.world.clock.now();
    assert!(!fixture.world.accounts.change_password(BuyerId(id), [&stale, "x"], now, None).await.unwrap());
    with(&fixture, Method::PUT, path, &fixture.shopper(77), change("x", "y")).await.is_problem(404, "not_found");
}

async fn buys(fixture: &Fixture, buyer: u64, token: &str) -> Value {
    let sale = fixture.sale(2, 0).await;
    fixture.attempt(sale.id, buyer, 1).await;
    let checkout = fixture.checkout_token(sale.id, buyer).await;
    fixture.post("/v1/checkouts", token, &json!({ "checkout_token": checkout, "card": "ok" })).await.is(201)
}

async fn a_persons_data_can_be_taken_along(fixture: Fixture) {
    let (id, token) = ada(&fixture).await;
    let order = buys(&fixture, id, &token).await;
    buys(&fixture, id + 1, &fixture.shopper(id + 1)).await;
    let held = fixture.sale(2, 0).await;
    fixture.attempt(held.id, id, 2).await;
    let export = fixture.get("/v1/me/export", &token).await.is(200);
    assert_eq!(export["account"]["email"], "ada@example.org");
    assert_eq!(export["orders"], json!([order]));
    let statuses: Vec<_> = export["reservations"].as_array().unwrap().iter().map(|row| row["status"].clone()).collect();
    assert_eq!((statuses.len(), statuses.contains(&json!("held"))), (2, true), "{statuses:?}");
    assert_eq!(export["payments"].as_array().unwrap().len(), 1);
    assert_eq!(export["payments"][0]["amount"], order["amount"]);
    assert!(!export.to_string().contains("argon2"));
    fixture.get("/v1/me/export", &fixture.shopper(77)).await.is_problem(404, "not_found");
}

async fn who_goes_leaves_the_orders(fixture: Fixture) {
    let (id, token) = ada(&fixture).await;
    let order = buys(&fixture, id, &token).await;
    let number = order["order_number"].as_str().unwrap();
    let held = fixture.sale(2, 0).await;
    let reservation = fixture.attempt(held.id, id, 2).await;
    let go = |password: &str, more: Value| {
        let mut body = json!({ "password": password });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        with(&fixture, Method::DELETE, "/v1/me", &token, body)
    };
    let keep = || json!({ "orders": "keep" });
    go("wrong", keep()).await.blames(403, "password");
    go(PASSWORD, json!({ "orders": "drop" })).await.blames(400, "orders");
    fixture.get(&format!("/v1/orders/{number}/receipt.pdf"), &token).await;
    // Whatever is said of the orders.
    let live = go(PASSWORD, keep()).await;
    live.is_problem(409, "conflict");
    let expected = json!([{
        "reservation_id": reservation.to_string(), "sale_id": held.id.0, "sale_title": "A lamp", "status": "held", "quantity": 2,
    }]);
    assert_eq!(live.body["reservations"], expected);
    fixture.delete(&format!("/v1/sales/{}/reservation", held.id), &token).await.is(200);

    // What is lost is said before, and nothing was done.
    let told = go(PASSWORD, json!({})).await;
    told.blames(409, "orders");
    let ticket = json!([{ "order_number": number, "sale_id": order["sale_id"], "sale_title": "A lamp", "units": [1] }]);
    assert_eq!(
        (&told.body["orders"], &told.body["units"], &told.body["reservations"]),
        (&ticket, &json!(1), &json!([]))
    );
    assert_eq!(fixture.get("/v1/me", &token).await.is(200)["name"], "Ada");
    let kept = fixture.world.archive.list("", None, 9).await.unwrap();
    assert_eq!(kept.len(), 1, "nor is the receipt removed for nothing");

    let gone = go(PASSWORD, keep()).await;
    assert_eq!(gone.status, 204, "{gone:?}");
    fixture.get("/v1/me", &token).await.is_problem(401, "unauthorized");
    login(&fixture, PASSWORD).await.is_problem(401, "unauthorized");
    assert!(fixture.world.accounts.account(BuyerId(id)).await.unwrap().is_none());
    assert!(fixture.world.accounts.account_by_email("ada@example.org").await.unwrap().is_none());
    let again = fixture.world.accounts.erase(BuyerId(id), true, fixture.world.clock.now(), None).await.unwrap();
    assert_eq!(again, Erased::Missing);
    assert!(
        fixture
            .world
            .accounts
            .log_out_everywhere(BuyerId(id), fixture.world.clock.now(), None)
            .await
            .unwrap()
            .is_none()
    );
    let orders = fixture.world.accounts.person(BuyerId(id), 9).await.unwrap().orders;
    assert_eq!(number, orders[0].number);
    assert_eq!(fixture.world.archive.list("", None, 9).await.unwrap(), []);
    let (again, _) = ada(&fixture).await;
    assert_ne!(again, id, "the number is nobody else's");
}

/// A code is a bearer's proof: it opens the door without the account, and nothing there says whose it was.
async fn who_goes_leaves_good_tickets(fixture: Fixture) {
    let (id, token) = ada(&fixture).await;
    let order = buys(&fixture, id, &token).await;
    let number = order["order_number"].as_str().unwrap();
    let tickets = fixture.get(&format!("/v1/orders/{number}/tickets"), &token).await.is(200);
    let body = json!({ "password": PASSWORD, "orders": "keep" });
    assert_eq!(with(&fixture, Method::DELETE, "/v1/me", &token, body).await.status, 204);

    let code = json!({ "sale_id": order["sale_id"], "token": tickets["units"][0]["token"], "gate": "north" });
    let admitted = fixture.post("/v1/check-ins", &fixture.operator(), &code).await.is(201);
    assert_eq!((&admitted["unit"], &admitted["sale_id"]), (&json!(1), &order["sale_id"]));
    fixture
        .post("/v1/check-ins", &fixture.operator(), &json!({ "sale_id": code["sale_id"], "token": code["token"] }))
        .await
        .is_problem(409, "already_admitted");
    let printed = fixture.receipts.pdf_of(&fixture.world.orders.order(number).await.unwrap().unwrap()).await.unwrap();
    let whole = fixture.get(&format!("/v1/admin/orders/{number}"), &fixture.operator()).await.is(200);
    let lists = ["orders", "reservations", "check-ins"];
    let mut said = vec![admitted.to_string(), whole.to_string(), String::from_utf8_lossy(&printed).into_owned()];
    for list in lists {
        let path = format!("/v1/admin/sales/{}/exports/{list}.csv", order["sale_id"]);
        let exported = fixture.get(&path, &fixture.operator()).await;
        assert_eq!(exported.status, 200);
        said.push(String::from_utf8(exported.bytes).unwrap());
    }
    assert!(said[3].contains(number), "{}", said[3]);
    for text in said {
        assert!(!text.contains("Ada") && !text.contains("example.org") && !text.contains("erased"), "{text}");
    }
}

/// Codes that are no longer good for admission need no confirmation.
async fn who_has_no_good_ticket_goes_at_once(fixture: Fixture) {
    let (id, token) = ada(&fixture).await;
    let used = buys(&fixture, id, &token).await;
    let path = format!("/v1/orders/{}/tickets", used["order_number"].as_str().unwrap());
    let code = fixture.get(&path, &token).await.is(200)["units"][0]["token"].clone();
    let code = json!({ "sale_id": used["sale_id"], "token": code });
    fixture.post("/v1/check-ins", &fixture.operator(), &code).await.is(201);
    let refunded = buys(&fixture, id, &token).await;
    let path = format!("/v1/admin/orders/{}/refunds", refunded["order_number"].as_str().unwrap());
    let go = || with(&fixture, Method::DELETE, "/v1/me", &token, json!({ "password": PASSWORD }));
    assert_eq!(go().await.body["units"], 1);
    fixture.post(&path, &fixture.operator(), &json!({})).await.is(201);
    assert_eq!(go().await.status, 204);
}

async fn wrong(fixture: &Fixture, email: &str) -> Answer {
    fixture.post("/v1/sessions", "", &json!({ "email": email, "password": "wrong wrong" })).await
}

/// Whether or not there is such an account. Its owner's browser does not wait for what strangers do.
#[actix_web::test]
async fn who_fails_waits_longer_and_longer() {
    let pace = Settings { login_account_free: 3, login_wait_ms: 1_000, login_wait_ms_max: 4_000, ..settings() };
    let fixture = Fixture::with(pace).await;
    ada(&fixture).await;
    let device = login(&fixture, PASSWORD).await.is(201)["device"].clone();
    for email in ["ada@example.org", "nobody@example.org"] {
        for _ in 0..3 {
            wrong(&fixture, email).await.is_problem(401, "unauthorized");
        }
        for wait_s in [1, 2, 4, 4] {
            wrong(&fixture, &format!(" {}", email.to_uppercase())).await.is_problem(401, "unauthorized");
            let hashes = fixture.gateway.hashes();
            fixture.clock.advance_ms(wait_s * 1_000 - 1);
            let answer = wrong(&fixture, email).await;
            answer.is_problem(429, "too_many_requests");
            assert_eq!(answer.headers.get("retry-after").unwrap(), "1");
            assert_eq!(fixture.gateway.hashes(), hashes, "it costs nothing");
            fixture.clock.advance_ms(1);
        }
        wrong(&fixture, email).await.is_problem(401, "unauthorized");
    }
    let known = |device: &Value| json!({ "email": "ada@example.org", "password": PASSWORD, "device": device });
    fixture.post("/v1/sessions", "", &known(&device)).await.is(201);
    wrong(&fixture, "ada@example.org").await.is_problem(401, "unauthorized");
    // Elsewhere the right one waits as well, and after it everything begins anew.
    login(&fixture, PASSWORD).await.is_problem(429, "too_many_requests");
    fixture.post("/v1/sessions", "", &known(&json!("made up"))).await.is_problem(429, "too_many_requests");
    fixture.clock.advance_ms(4_000);
    login(&fixture, PASSWORD).await.is(201);
    for _ in 0..4 {
        wrong(&fixture, "ada@example.org").await.is_problem(401, "unauthorized");
    }
    wrong(&fixture, "ada@example.org").await.is_problem(429, "too_many_requests");
    // After so long nobody knows of it any more.
    fixture.clock.advance_ms(3_600_000);
    for _ in 0..4 {
        wrong(&fixture, "ada@example.org").await.is_problem(401, "unauthorized");
    }
}

/// What is right does not count, for the network either.
#[actix_web::test]
async fn a_network_that_fails_waits() {
    let fixture = Fixture::with(Settings { login_network_free: 3, ..settings() }).await;
    ada(&fixture).await;
    let device = login(&fixture, PASSWORD).await.is(201)["device"].clone();
    for _ in 0..9 {
        login(&fixture, PASSWORD).await.is(201);
    }
    for number in 0..4 {
        wrong(&fixture, &format!("x{number}@example.org")).await.is_problem(401, "unauthorized");
    }
    wrong(&fixture, "y@example.org").await.is_problem(429, "too_many_requests");
    login(&fixture, PASSWORD).await.is_problem(429, "too_many_requests");
    let known = json!({ "email": "ada@example.org", "password": PASSWORD, "device": device });
    fixture.post("/v1/sessions", "", &known).await.is(201);
}

/// A token is no way to try a password often.
#[actix_web::test]
async fn who_proves_a_password_wrongly_waits() {
    let fixture = Fixture::with(Settings { login_account_free: 2, ..settings() }).await;
    let (_, token) = ada(&fixture).await;
    let prove = |password: &str| with(&fixture, Method::DELETE, "/v1/me", &token, json!({ "password": password }));
    for _ in 0..3 {
        prove("wrong wrong").await.blames(403, "password");
    }
    prove(PASSWORD).await.is_problem(429, "too_many_requests");
    fixture.clock.advance_ms(1_000);
    assert_eq!(prove(PASSWORD).await.status, 204);
}

/// Strangers who fill their pool are told to come again; whoever was here before, and operators, have their own.
#[actix_web::test]
async fn a_crowd_of_strangers_keeps_no_owner_out() {
    let fixture = Fixture::with(Settings { hash_jobs_max: 1, hash_waiting_max: 0, ..settings() }).await;
    ada(&fixture).await;
    let device = login(&fixture, PASSWORD).await.is(201)["device"].clone();
    an_owner(&fixture).await;
    let emails: Vec<String> = (0..20).map(|number| format!("x{number}@example.org")).collect();
    let crowd = join_all(emails.iter().map(|email| wrong(&fixture, email)));
    let known = json!({ "email": "ada@example.org", "password": PASSWORD, "device": device });
    let root = json!({ "email": "root@example.org", "password": PASSWORD });
    let owner = async { fixture.post("/v1/sessions", "", &known).await };
    let operator = async { fixture.post("/v1/sessions", "", &root).await };
    let (crowd, owner, operator) = tokio::join!(crowd, owner, operator);
    assert!(crowd.iter().any(|answer| answer.status == 503));
    owner.is(201);
    operator.is(201);
}

/// Who is known waits in a pool of their own: a network's only place is left to whoever has no other.
#[actix_web::test]
async fn a_known_browser_takes_no_place_of_its_network() {
    let fixture = Fixture::with(Settings { hash_network_max: 1, ..settings() }).await;
    ada(&fixture).await;
    let device = login(&fixture, PASSWORD).await.is(201)["device"].clone();
    let known = json!({ "email": "ada@example.org", "password": PASSWORD, "device": device });
    let known: Vec<_> = (0..3).map(|_| fixture.post("/v1/sessions", "", &known)).collect();
    let (known, stranger) = tokio::join!(join_all(known), login(&fixture, PASSWORD));
    known.iter().for_each(|answer| assert_eq!(answer.status, 201));
    stranger.is(201);
}

#[actix_web::test]
async fn tries_are_counted_for_each_address() {
    let fixture = Fixture::with(Settings { login_address_max: 2, trusted_hops: 1, ..settings() }).await;
    let knock = |number: u32, forwarded: &str| {
        let body = json!({ "email": format!("x{number}@example.org"), "password": "wrong wrong" });
        let request = fixture.request(Method::POST, "/v1/sessions", None).set_json(body);
        let request = request.peer_addr("10.0.0.1:9".parse().unwrap());
        fixture.send(request.insert_header(("X-Forwarded-For", forwarded)))
    };
    // Whatever the client writes in front of what our proxy adds.
    knock(1, "192.0.2.1").await.is(401);
    knock(2, "203.0.113.9, 192.0.2.1").await.is(401);
    knock(3, "203.0.113.8, 192.0.2.1").await.is_problem(429, "too_many_requests");
    knock(4, "192.0.2.2").await.is(401);
    knock(5, "2001:db8::1").await.is(401);
    knock(6, "2001:db8::2").await.is(401);
    knock(7, "2001:db8::3").await.is_problem(429, "too_many_requests");
    knock(8, "2001:db8:0:1::3").await.is(401);
}

/// Counted, since a measured time proves nothing on a busy machine.
#[actix_web::test]
async fn whether_an_account_is_there_costs_the_same() {
    let fixture = Fixture::new().await;
    ada(&fixture).await;
    let mut before = fixture.gateway.hashes();
    let mut cost = || {
        let now = fixture.gateway.hashes();
        std::mem::replace(&mut before, now).abs_diff(now)
    };
    for (path, body, status) in [
        ("/v1/sessions", json!({ "email": "ada@example.org", "password": "wrong wrong" }), 401),
        ("/v1/sessions", json!({ "email": "nobody@example.org", "password": "wrong wrong" }), 401),
        ("/v1/sessions", json!({ "email": "no address", "password": "x".repeat(9_000) }), 401),
        ("/v1/sessions", json!({ "email": "ada@example.org", "password": PASSWORD }), 201),
        ("/v1/users", json!({ "name": "E", "email": "ada@example.org", "password": "wrong wrong" }), 202),
        ("/v1/users", json!({ "name": "E", "email": "eve@example.org", "password": "wrong wrong" }), 202),
    ] {
        fixture.post(path, "", &body).await.is(status);
        assert_eq!(cost(), 1, "{path} {status}");
    }
}

/// Thirty at once: some wait, the rest are told to come again, and afterwards everything is as before.
#[actix_web::test]
async fn a_storm_of_logins_is_queued_and_shed() {
    let fixture = Fixture::with(Settings { hash_jobs_max: 1, hash_waiting_max: 3, ..settings() }).await;
    ada(&fixture).await;
    let answers = join_all((0..30).map(|_| login(&fixture, PASSWORD))).await;
    let logged_in = answers.iter().filter(|answer| answer.status == 201).count();
    assert!((1..30).contains(&logged_in), "{logged_in}");
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        answer.is_problem(503, "busy");
    }
    login(&fixture, PASSWORD).await.is(201);
}
