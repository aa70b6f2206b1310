//! What an owner and the desk show beside a password: set up once, asked for at each log-in, shown again before money and names leave.

use actix_web::http::Method;
use miaosha::app::people::second_factor::{CODE_CHARS_MAX, RECOVERY_CODES, WRONG_MAX};
use miaosha::app::people::totp;
use miaosha::domain::people::{PROOF_MS_MAX, Role};
use miaosha::domain::shared::id::BuyerId;
use miaosha::domain::shared::locale::Locale;
use miaosha::faces::account::passwords::hash_now;
use miaosha::faces::front::Settings;
use serde_json::{Value, json};

use super::fixture::{Answer, Fixture, settings};

const PASSWORD: &str = "difference engine";
const STEP_MS: i64 = 30_000;
const HOUR_MS: i64 = 3_600_000;

/// An operator of a shop that asks for a second factor.
struct Staff {
    fixture: Fixture,
    id: BuyerId,
    /// Known as soon as it was offered.
    secret: Vec<u8>,
}

impl Staff {
    async fn new(role: Role) -> Self {
        let fixture = Fixture::with(Settings { second_factor: true, ..settings() }).await;
        let accounts = &fixture.world.accounts;
        let made = accounts.create_account("Ann", "ann@example.org", &hash_now(PASSWORD), role, Locale::En, None).await;
        let id = made.unwrap().unwrap().id;
        Self { fixture, id, secret: Vec::new() }
    }

    /// With a second factor, and the codes for its loss; and a token.
    async fn set_up(role: Role) -> (Self, Vec<String>, String) {
        let mut staff = Self::new(role).await;
        let first = token(&staff.log_in(None).await.is(201));
        staff.offered(&first).await;
        let confirmed = staff.with(Method::PUT, FACTOR, &first, json!({ "code": staff.code() })).await.is(200);
        let codes = confirmed["recovery_codes"].as_array().unwrap();
        let codes = codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect();
        let token = token(&confirmed);
        staff.fixture.clock.advance_ms(STEP_MS);
        (staff, codes, token)
    }

    async fn log_in(&self, code: Option<&str>) -> Answer {
        let mut body = json!({ "email": "ann@example.org", "password": PASSWORD });
        if let Some(code) = code {
            body["code"] = json!(code);
        }
        self.fixture.post("/v1/sessions", "", &body).await
    }

    async fn with(&self, method: Method, path: &str, token: &str, body: Value) -> Answer {
        self.fixture.send(self.fixture.request(method, path, Some(token)).set_json(body)).await
    }

    async fn offered(&mut self, token: &str) {
        let body = json!({ "password": PASSWORD });
        let offered = self.with(Method::POST, FACTOR, token, body).await.is(201);
        let secret = offered["secret"].as_str().unwrap();
        let uri = format!(
            "otpauth://totp/miaosha:ann%40example.org?secret={secret}&issuer=miaosha&algorithm=SHA1&digits=6&period=30"
        );
        assert_eq!(offered["uri"], uri);
        self.secret = bytes(secret);
        assert_eq!(self.secret.len(), 20);
    }

    /// What the authenticator shows now.
    fn code(&self) -> String {
        totp::code(&self.secret, totp::step(self.fixture.world.clock.now()))
    }

    /// What it does not show, now and beside.
    fn wrong(&self) -> String {
        let step = totp::step(self.fixture.world.clock.now());
        let near: Vec<String> = (step - 2..=step + 2).map(|step| totp::code(&self.secret, step)).collect();
        (0..9).map(|n| format!("{n:06}")).find(|code| !near.contains(code)).unwrap()
    }

    async fn parked(&self, token: &str) -> Answer {
        self.fixture.get("/v1/admin/parked", token).await
    }
}

const FACTOR: &str = "/v1/me/second-factor";
const CODES: &str = "/v1/me/second-factor/codes";

/// Of base 32, as an authenticator reads it.
pub fn bytes(text: &str) -> Vec<u8> {
    let digit = |c: u8| match c {
        b'A'..=b'Z' => u32::from(c - b'A'),
        b'2'..=b'7' => u32::from(c - b'2') + 26,
        other => panic!("{other} is no digit"),
    };
    let bits: Vec<u32> = text.bytes().flat_map(|c| (0..5).rev().map(move |bit| digit(c) >> bit & 1)).collect();
    bits.chunks_exact(8).map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | *bit as u8)).collect()
}

fn token(welcome: &Value) -> String {
    welcome["access_token"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn a_second_factor_is_set_up_and_then_asked_for() {
    let mut staff = Staff::new(Role::Owner).await;
    let first = token(&staff.log_in(None).await.is(201));
    staff.parked(&first).await.is_problem(403, "second_factor_needed");
    staff.fixture.get("/v1/me", &first).await.is(200);
    assert_eq!(staff.fixture.get(FACTOR, &first).await.is(200), json!({ "set": false, "needed": true }));
    staff.with(Method::PUT, FACTOR, &first, json!({ "code": "123456" })).await.is_problem(409, "conflict");
    staff.with(Method::POST, CODES, &first, json!({ "code": "123456" })).await.is_problem(409, "conflict");
    staff.with(Method::POST, FACTOR, &first, json!({ "password": "wrong" })).await.blames(403, "password");

    staff.offered(&first).await;
    let before = staff.code();
    staff.offered(&first).await;
    staff.with(Method::PUT, FACTOR, &first, json!({ "code": before })).await.blames(403, "code");
    staff.log_in(None).await.is(201);
    let confirmed = staff.with(Method::PUT, FACTOR, &first, json!({ "code": staff.code() })).await.is(200);
    assert_eq!(confirmed["recovery_codes"].as_array().unwrap().len(), RECOVERY_CODES);
    assert_eq!(confirmed["user"]["email"], "ann@example.org");
    staff.fixture.get("/v1/me", &first).await.is_problem(401, "unauthorized");
    let second = token(&confirmed);
    staff.parked(&second).await.is(200);
    assert_eq!(staff.fixture.get(FACTOR, &second).await.is(200), json!({ "set": true, "needed": true }));
    staff.with(Method::POST, FACTOR, &second, json!({ "password": PASSWORD })).await.is_problem(409, "conflict");
    staff.with(Method::PUT, FACTOR, &second, json!({ "code": staff.code() })).await.is_problem(409, "conflict");

    // The password alone is told apart from a wrong one to nobody but its owner.
    let without = staff.log_in(None).await;
    without.is_problem(403, "second_factor_needed");
    without.blames(403, "code");
    let guess = json!({ "email": "ann@example.org", "password": "analytical engine", "code": "123456" });
    staff.fixture.post("/v1/sessions", "", &guess).await.is_problem(401, "unauthorized");
    staff.log_in(Some(&staff.code())).await.is_problem(403, "wrong_second_factor");
    staff.fixture.clock.advance_ms(STEP_MS);
    let code = staff.code();
    let third = token(&staff.log_in(Some(&format!(" {} {} ", &code[..3], &code[3..]))).await.is(201));
    staff.parked(&third).await.is(200);
    staff.log_in(Some(&code)).await.is_problem(403, "wrong_second_factor");
    staff.log_in(Some(&staff.wrong())).await.is_problem(403, "wrong_second_factor");
}

#[actix_web::test]
async fn a_recovery_code_is_good_once() {
    let (staff, codes, _) = Staff::set_up(Role::Desk).await;
    let typed = codes[0].to_uppercase().replace('-', " ");
    let session = token(&staff.log_in(Some(&typed)).await.is(201));
    staff.parked(&session).await.is(200);
    staff.log_in(Some(&codes[0])).await.is_problem(403, "wrong_second_factor");
    staff.log_in(Some(&codes[1])).await.is(201);
    staff.log_in(Some("aaaa-bbbb-cccc-dddd")).await.is_problem(403, "wrong_second_factor");
    assert!(codes.iter().all(|code| code.len() == 19), "80 bits: {codes:?}");
    // The longest that may be typed, and one more.
    staff.log_in(Some(&"a".repeat(CODE_CHARS_MAX))).await.is_problem(403, "wrong_second_factor");
    staff.log_in(Some(&"a".repeat(CODE_CHARS_MAX + 1))).await.blames(400, "code");
    staff.log_in(Some("")).await.blames(400, "code");
}

#[actix_web::test]
async fn so_many_codes_may_be_wrong() {
    let (staff, codes, token) = Staff::set_up(Role::Owner).await;
    for _ in 0..WRONG_MAX {
        staff.log_in(Some(&staff.wrong())).await.is_problem(403, "wrong_second_factor");
    }
    staff.log_in(Some(&staff.code())).await.is_problem(429, "too_many_requests");
    staff.with(Method::POST, CODES, &token, json!({ "code": staff.code() })).await.is_problem(429, "too_many_requests");
    staff.parked(&token).await.is(200);
    // What cannot be guessed lets in, and the count begins anew.
    staff.log_in(Some(&codes[0])).await.is(201);
    staff.log_in(Some(&staff.code())).await.is(201);
    staff.fixture.clock.advance_ms(STEP_MS);
    for _ in 0..WRONG_MAX {
        staff.log_in(Some(&staff.wrong())).await.is_problem(403, "wrong_second_factor");
    }
    staff.fixture.clock.advance_ms(HOUR_MS - 1);
    staff.log_in(Some(&staff.code())).await.is_problem(429, "too_many_requests");
    staff.fixture.clock.advance_ms(1);
    staff.log_in(Some(&staff.code())).await.is(201);
}

#[actix_web::test]
async fn money_and_names_take_a_fresh_second_factor() {
    let (staff, _, _) = Staff::set_up(Role::Desk).await;
    staff.fixture.sale(1, 0).await;
    let old = token(&staff.log_in(Some(&staff.code())).await.is(201));
    let refund =
        async |token: &str| staff.with(Method::POST, "/v1/admin/orders/0000-0000-0000/refunds", token, json!({})).await;
    let export = async |token: &str| staff.fixture.get("/v1/admin/sales/1/exports/orders.csv", token).await;
    staff.fixture.clock.advance_ms(PROOF_MS_MAX);
    refund(&old).await.is_problem(404, "not_found");
    assert_eq!(export(&old).await.status, 200);
    staff.fixture.clock.advance_ms(1);
    refund(&old).await.is_problem(403, "second_factor_needed");
    export(&old).await.is_problem(403, "second_factor_needed");
    staff.parked(&old).await.is(200);
    staff
        .with(Method::POST, CODES, &old, json!({ "code": staff.wrong() }))
        .await
        .is_problem(403, "wrong_second_factor");
    let fresh = token(&staff.with(Method::POST, CODES, &old, json!({ "code": staff.code() })).await.is(200));
    refund(&fresh).await.is_problem(404, "not_found");
    assert_eq!(export(&fresh).await.status, 200);
    // Another password changes nothing of it.
    let change = json!({ "password": PASSWORD, "new_password": "analytical engine" });
    let changed = token(&staff.with(Method::PUT, "/v1/me/password", &fresh, change).await.is(200));
    assert_eq!(export(&changed).await.status, 200);
    staff.fixture.clock.advance_ms(PROOF_MS_MAX + 1_000);
    export(&changed).await.is_problem(403, "second_factor_needed");
    staff.parked(&changed).await.is(200);
}

#[actix_web::test]
async fn doors_and_viewers_may_do_without_and_shoppers_have_none() {
    for (role, path) in [(Role::Door, "/v1/admin/sales/1/gate-pack"), (Role::Viewer, "/v1/admin/parked")] {
        let staff = Staff::new(role).await;
        staff.fixture.sale(1, 0).await;
        let session = token(&staff.log_in(None).await.is(201));
        staff.fixture.get(path, &session).await.is(200);
        assert_eq!(staff.fixture.get(FACTOR, &session).await.is(200)["needed"], false);
    }
    let (staff, _, token) = Staff::set_up(Role::Viewer).await;
    staff.parked(&token).await.is(200);
    staff.log_in(None).await.is_problem(403, "second_factor_needed");
    let staff = Staff::new(Role::Shopper).await;
    let session = self::token(&staff.log_in(None).await.is(201));
    staff.with(Method::POST, FACTOR, &session, json!({ "password": PASSWORD })).await.is_problem(403, "forbidden");
    staff.log_in(Some("123456")).await.is(201);
}

#[actix_web::test]
async fn a_reset_begins_anew() {
    let (staff, codes, token) = Staff::set_up(Role::Owner).await;
    let now = staff.fixture.world.clock.now();
    staff.fixture.world.operators.reset_password(staff.id, &hash_now(PASSWORD), now).await.unwrap().unwrap();
    staff.fixture.gateway.learn_revocations().await.unwrap();
    staff.parked(&token).await.is_problem(401, "unauthorized");
    let session = self::token(&staff.log_in(None).await.is(201));
    staff.parked(&session).await.is_problem(403, "second_factor_needed");
    // What was for the one before is for nothing.
    staff.with(Method::POST, CODES, &session, json!({ "code": codes[0] })).await.is_problem(409, "conflict");
    let listed = staff.fixture.world.operators.operators_after(None, 9).await.unwrap();
    assert!(!listed[0].has_second_factor);
}

/// A shop that tries things out asks for none, and takes one where it is.
#[actix_web::test]
async fn a_demo_asks_for_none() {
    let fixture = Fixture::with(Settings { second_factor: false, ..settings() }).await;
    let accounts = &fixture.world.accounts;
    accounts
        .create_account("Ann", "ann@example.org", &hash_now(PASSWORD), Role::Owner, Locale::En, None)
        .await
        .unwrap();
    let body = json!({ "email": "ann@example.org", "password": PASSWORD });
    let session = token(&fixture.post("/v1/sessions", "", &body).await.is(201));
    fixture.get("/v1/admin/parked", &session).await.is(200);
    assert_eq!(fixture.get(FACTOR, &session).await.is(200), json!({ "set": false, "needed": false }));
}
