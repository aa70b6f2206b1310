//! What operators do to their own accounts is in the journal; what shoppers do to theirs is not.

use actix_web::http::Method;
use miaosha::app::people::totp;
use miaosha::domain::audit::journal::Recorded;
use miaosha::domain::people::Role;
use miaosha::domain::people::author::Actor;
use miaosha::domain::shared::id::BuyerId;
use miaosha::domain::shared::locale::Locale;
use miaosha::faces::account::passwords::hash_now;
use serde_json::{Value, json};

use super::fixture::{Answer, Fixture};
use super::over_both;
use super::second_factor::bytes;

over_both! {
    an_operators_own_account_is_in_the_journal
    a_shoppers_own_account_is_not
}

const OLD: &str = "difference engine";
const NEW: &str = "analytical engine";
const FACTOR: &str = "/v1/me/second-factor";

/// One person, with an account of this role, through all that one does to an account.
struct Owner<'f> {
    fixture: &'f Fixture,
    id: BuyerId,
    token: String,
}

impl<'f> Owner<'f> {
    async fn new(fixture: &'f Fixture, role: Role) -> Self {
        // There is always another owner.
        for (email, role) in [("root@example.org", Role::Owner), ("ann@example.org", role)] {
            let made =
                fixture.world.accounts.create_account("Ann", email, &hash_now(OLD), role, Locale::En, None).await;
            made.unwrap().unwrap();
        }
        let id = fixture.world.accounts.account_by_email("ann@example.org").await.unwrap().unwrap().id;
        let mut owner = Self { fixture, id, token: String::new() };
        owner.log_in(OLD).await;
        owner
    }

    async fn log_in(&mut self, password: &str) {
        let body = json!({ "email": "ann@example.org", "password": password });
        let welcome = self.fixture.post("/v1/sessions", "", &body).await.is(201);
        self.took(welcome);
    }

    fn took(&mut self, welcome: Value) {
        self.token = welcome["access_token"].as_str().unwrap().to_owned();
    }

    async fn with(&self, method: Method, path: &str, body: Value) -> Answer {
        self.fixture.send(self.fixture.request(method, path, Some(&self.token)).set_json(body)).await
    }

    async fn new_password(&mut self) {
        let wrong = json!({ "password": "not this one", "new_password": NEW });
        self.with(Method::PUT, "/v1/me/password", wrong).await.is_problem(403, "forbidden");
        let right = json!({ "password": OLD, "new_password": NEW });
        let welcome = self.with(Method::PUT, "/v1/me/password", right).await.is(200);
        self.took(welcome);
    }

    async fn log_outs(&mut self) {
        assert_eq!(self.fixture.delete("/v1/sessions/current", &self.token).await.status, 204);
        self.fixture.delete("/v1/sessions/current", &self.token).await.blames(401, "Authorization");
        self.log_in(NEW).await;
        assert_eq!(self.fixture.delete("/v1/sessions", &self.token).await.status, 204);
        self.log_in(NEW).await;
    }

    async fn new_address(&mut self) {
        let body = json!({ "email": "ann@new.example", "password": NEW });
        let sent = self.with(Method::PUT, "/v1/me/email", body).await.is(202);
        let welcome = self.fixture.prove(&sent).await.is(200);
        self.took(welcome);
    }

    async fn second_factor(&mut self) {
        let offered = self.with(Method::POST, FACTOR, json!({ "password": NEW })).await.is(201);
        let secret = bytes(offered["secret"].as_str().unwrap());
        let code = totp::code(&secret, totp::step(self.fixture.world.clock.now()));
        let welcome = self.with(Method::PUT, FACTOR, json!({ "code": code })).await.is(200);
        self.took(welcome);
    }

    async fn goes(&self) {
        let body = json!({ "password": NEW, "orders": "keep" });
        assert_eq!(self.with(Method::DELETE, "/v1/me", body).await.status, 204);
    }
}

async fn written(fixture: &Fixture) -> Vec<Recorded> {
    fixture.world.journal.entries_after(0, 1_000).await.unwrap()
}

async fn an_operators_own_account_is_in_the_journal(fixture: Fixture) {
    let mut ann = Owner::new(&fixture, Role::Desk).await;
    ann.new_password().await;
    ann.log_outs().await;
    ann.new_address().await;
    ann.second_factor().await;
    ann.goes().await;
    let entries = written(&fixture).await;
    let actions: Vec<_> = entries.iter().map(|entry| entry.action.as_str()).collect();
    let expected = [
        "account.password_set",
        "account.session_ended",
        "account.logged_out",
        "account.address_set",
        "account.second_factor_set",
        "account.erased",
    ];
    assert_eq!(actions, expected);
    for entry in &entries {
        let subject = format!("account:{}", ann.id);
        assert_eq!((entry.actor, entry.role.as_str(), &entry.subject), (Actor::Account(ann.id), "desk", &subject));
        assert!(!entry.network.is_empty() && entry.request.0 != 0, "{entry:?}");
        let told = format!("{} {}", entry.before, entry.after);
        assert!(!told.contains("Ann") && !told.contains('@') && !told.contains("engine"), "{told}");
    }
    assert_eq!(entries[4].after, r#"{"recovery_codes":10}"#);
}

async fn a_shoppers_own_account_is_not(fixture: Fixture) {
    let mut ann = Owner::new(&fixture, Role::Shopper).await;
    ann.new_password().await;
    ann.log_outs().await;
    ann.new_address().await;
    ann.goes().await;
    assert_eq!(written(&fixture).await, []);
}
