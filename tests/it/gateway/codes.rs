//! Codes by mail: an account is made by one, a password forgotten with one, an address changed by one; and what they do not do.

use actix_web::http::Method;
use futures_util::future::join_all;
use miaosha::domain::people::Role;
use miaosha::domain::people::code::{CODE_MS_MAX, CODE_TRIES_MAX};
use miaosha::domain::shared::event::Fact;
use miaosha::domain::shared::id::BuyerId;
use miaosha::domain::shared::locale::Locale;
use miaosha::faces::front::Settings;
use miaosha::ports::people::codes::LetterAbout;
use miaosha::ports::platform::clock::Clock;
use serde_json::{Value, json};

use super::fixture::{Answer, Fixture, settings};
use super::over_both;

over_both! {
    an_account_is_made_by_its_code
    whether_an_address_has_an_account_is_told_to_its_owner_alone
    a_code_is_the_browsers_that_asked
    a_code_is_good_for_so_long
    a_code_is_tried_so_often
    of_many_who_give_a_code_back_one_is_let_in
    who_forgot_the_password_sets_another
    who_asks_for_nobody_writes_to_nobody
    an_address_is_changed_by_whoever_reads_the_new_one
    an_address_that_is_taken_is_not_moved_to
    two_who_sign_up_with_one_mailbox_are_one
    a_mailbox_is_sent_so_many_codes_a_day
    owners_are_told_of_so_many_passwords_a_day
    old_codes_are_forgotten_some_at_a_time
    what_was_asked_for_goes_with_the_account
}

const PASSWORD: &str = "difference engine";
const EMAIL: &str = "Ada@example.org";

fn ada() -> Value {
    json!({ "name": "Ada", "email": EMAIL, "password": PASSWORD })
}

async fn ask(fixture: &Fixture, email: &str) -> Answer {
    fixture.post("/v1/codes", "", &json!({ "email": email })).await
}

async fn give(fixture: &Fixture, ticket: &Value, code: &str) -> Answer {
    fixture.post("/v1/codes/proof", "", &json!({ "ticket": ticket, "code": code })).await
}

async fn log_in(fixture: &Fixture, email: &str, password: &str) -> Answer {
    fixture.post("/v1/sessions", "", &json!({ "email": email, "password": password })).await
}

fn token(welcome: &Value) -> String {
    welcome["access_token"].as_str().unwrap().to_owned()
}

fn id(welcome: &Value) -> BuyerId {
    BuyerId(welcome["user"]["id"].as_u64().unwrap())
}

/// Another code than this one.
fn wrong(code: &str) -> String {
    let number: u32 = code.replace(' ', "").parse().unwrap();
    format!("{:06}", (number + 1) % 1_000_000)
}

/// What is to be told of accounts, and nothing of sales.
async fn told(fixture: &Fixture) -> Vec<Fact> {
    fixture.world.outbox.unpublished(1_000).await.unwrap().into_iter().map(|event| event.fact).collect()
}

async fn an_account_is_made_by_its_code(fixture: Fixture) {
    let sent = fixture.post("/v1/users", "", &ada()).await.is(202);
    assert_eq!((&sent["address"], sent["good_until"].is_i64()), (&json!(EMAIL), true));
    assert!(fixture.world.accounts.account_by_email(EMAIL).await.unwrap().is_none(), "there is none yet");
    log_in(&fixture, EMAIL, PASSWORD).await.is_problem(401, "unauthorized");
    let letter = fixture.letter(&sent).await.unwrap();
    assert_eq!((letter.address.as_str(), letter.about, letter.locale), (EMAIL, LetterAbout::SignUp, Locale::En));
    let code = letter.code.said();
    let missed = give(&fixture, &sent["ticket"], &wrong(&code)).await;
    missed.is_problem(403, "wrong_code");
    assert_eq!((&missed.body["tries_left"], &missed.body["field"]), (&json!(CODE_TRIES_MAX - 1), &json!("code")));
    let welcome = give(&fixture, &sent["ticket"], &code).await.is(200);
    assert_eq!((&welcome["user"]["name"], &welcome["user"]["email"]), (&json!("Ada"), &json!(EMAIL)));
    fixture.get("/v1/me", &token(&welcome)).await.is(200);
    log_in(&fixture, "ada@EXAMPLE.org", PASSWORD).await.is(201);
    // Once.
    give(&fixture, &sent["ticket"], &code).await.is_problem(409, "code_over");
    assert!(fixture.letter(&sent).await.is_none());
}

async fn whether_an_address_has_an_account_is_told_to_its_owner_alone(fixture: Fixture) {
    let first = fixture.sign_up(&ada()).await;
    let eve = json!({ "name": "Eve", "email": "ada+x@example.org", "password": "a guess at it" });
    let taken = fixture.post("/v1/users", "", &eve).await.is(202);
    let free =
        fixture.post("/v1/users", "", &json!({ "name": "E", "email": "e@example.org", "password": "a guess at it" }));
    let free = free.await.is(202);
    let keys = |answer: &Value| answer.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&taken), keys(&free));
    // The letter goes to the account's address, and what it says logs in: nothing that was typed counts.
    let letter = fixture.letter(&taken).await.unwrap();
    assert_eq!((letter.address.as_str(), letter.about), (EMAIL, LetterAbout::SignUpAgain));
    let welcome = fixture.prove(&taken).await.is(200);
    assert_eq!(welcome["user"], first["user"]);
    log_in(&fixture, EMAIL, PASSWORD).await.is(201);
    log_in(&fixture, EMAIL, "a guess at it").await.is_problem(401, "unauthorized");
}

async fn a_code_is_the_browsers_that_asked(fixture: Fixture) {
    let (hers, his) = (fixture.post("/v1/users", "", &ada()).await.is(202), ask(&fixture, EMAIL).await.is(202));
    let code = fixture.code(&hers).await;
    // He talked her out of it; his ticket has none, and uses none of her tries up.
    for _ in 0..2 * CODE_TRIES_MAX {
        give(&fixture, &his["ticket"], &code).await;
    }
    // Nor does it help to know which letter is hers: the ticket's second half is a secret.
    let ticket = hers["ticket"].as_str().unwrap();
    let other = if &ticket[30..31] == "A" { "B" } else { "A" };
    for _ in 0..2 * CODE_TRIES_MAX {
        let guessed = json!(format!("{}{other}{}", &ticket[..30], &ticket[31..]));
        give(&fixture, &guessed, &code).await.is_problem(409, "code_over");
    }
    give(&fixture, &json!("A".repeat(43)), &code).await.is_problem(409, "code_over");
    give(&fixture, &json!("A".repeat(42)), &code).await.blames(400, "ticket");
    give(&fixture, &hers["ticket"], "12345").await.blames(400, "code");
    give(&fixture, &hers["ticket"], &code).await.is(200);
}

async fn a_code_is_good_for_so_long(fixture: Fixture) {
    for (age_ms, is_good) in [(CODE_MS_MAX - 1, true), (CODE_MS_MAX, false)] {
        let sent = fixture.post("/v1/users", "", &ada()).await.is(202);
        let code = fixture.code(&sent).await;
        fixture.clock.advance_ms(age_ms);
        assert_eq!(fixture.letter(&sent).await.is_some(), is_good, "nor is it mailed any more");
        let answer = give(&fixture, &sent["ticket"], &code).await;
        if is_good { drop(answer.is(200)) } else { answer.is_problem(409, "code_over") }
    }
}

async fn a_code_is_tried_so_often(fixture: Fixture) {
    let sent = fixture.post("/v1/users", "", &ada()).await.is(202);
    let code = fixture.code(&sent).await;
    for left in (0..CODE_TRIES_MAX).rev() {
        let missed = give(&fixture, &sent["ticket"], &wrong(&code)).await.is(403);
        assert_eq!(missed["tries_left"], left);
    }
    give(&fixture, &sent["ticket"], &code).await.is_problem(409, "code_over");
    // The last try is one.
    let sent = fixture.post("/v1/users", "", &ada()).await.is(202);
    let code = fixture.code(&sent).await;
    for _ in 1..CODE_TRIES_MAX {
        give(&fixture, &sent["ticket"], &wrong(&code)).await.is(403);
    }
    give(&fixture, &sent["ticket"], &code).await.is(200);
}

async fn of_many_who_give_a_code_back_one_is_let_in(fixture: Fixture) {
    let sent = fixture.post("/v1/users", "", &ada()).await.is(202);
    let code = fixture.code(&sent).await;
    let answers = join_all((0..8).map(|_| give(&fixture, &sent["ticket"], &code))).await;
    let let_in = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(let_in, 1, "{answers:?}");
    answers.iter().filter(|answer| answer.status != 200).for_each(|answer| answer.is_problem(409, "code_over"));
}

async fn who_forgot_the_password_sets_another(fixture: Fixture) {
    let old = fixture.sign_up(&ada()).await;
    let sent = ask(&fixture, " ada@example.org").await.is(202);
    let code = fixture.code(&sent).await;
    let with = |new: &str| json!({ "ticket": sent["ticket"], "code": code, "new_password": new });
    for (new, field) in [("short", "new_password"), ("password1", "new_password"), ("ada@example.org", "new_password")]
    {
        fixture.post("/v1/codes/proof", "", &with(new)).await.blames(400, field);
    }
    let welcome = fixture.post("/v1/codes/proof", "", &with("analytical engine")).await.is(200);
    assert_eq!(id(&welcome), id(&old));
    fixture.get("/v1/me", &token(&old)).await.is_problem(401, "unauthorized");
    fixture.get("/v1/me", &token(&welcome)).await.is(200);
    log_in(&fixture, EMAIL, PASSWORD).await.is_problem(401, "unauthorized");
    log_in(&fixture, EMAIL, "analytical engine").await.is(201);
    let is_told = |fact: &Fact| matches!(fact, Fact::PasswordChanged(told) if told.buyer == id(&old));
    assert_eq!(told(&fixture).await.iter().filter(|fact| is_told(fact)).count(), 1, "and its owner is told");
    // Without another password it only logs in.
    let welcome = fixture.prove(&ask(&fixture, EMAIL).await.is(202)).await.is(200);
    fixture.get("/v1/me", &token(&welcome)).await.is(200);
    log_in(&fixture, EMAIL, "analytical engine").await.is(201);
}

/// Neither who has no account nor an operator, whose second proof a mailbox is not.
async fn who_asks_for_nobody_writes_to_nobody(fixture: Fixture) {
    let accounts = &fixture.world.accounts;
    accounts.create_account("Root", "root@example.org", "-", Role::Owner, Locale::En, None).await.unwrap();
    for email in ["nobody@example.org", "root@example.org"] {
        let sent = ask(&fixture, email).await.is(202);
        assert!(fixture.letter(&sent).await.is_none(), "{email}");
        let answer = give(&fixture, &sent["ticket"], "123456").await;
        assert!(["/problems/wrong_code", "/problems/code_over"].contains(&answer.body["type"].as_str().unwrap()));
    }
    let again = json!({ "name": "Eve", "email": "root@example.org", "password": "a guess at it" });
    assert!(fixture.letter(&fixture.post("/v1/users", "", &again).await.is(202)).await.is_none());
    assert_eq!(told(&fixture).await, []);
    ask(&fixture, "no address").await.blames(400, "email");
}

async fn move_to(fixture: &Fixture, token: &str, email: &str, password: &str) -> Answer {
    let request = fixture.request(Method::PUT, "/v1/me/email", Some(token));
    fixture.send(request.set_json(json!({ "email": email, "password": password }))).await
}

async fn an_address_is_changed_by_whoever_reads_the_new_one(fixture: Fixture) {
    let old = fixture.sign_up(&ada()).await;
    move_to(&fixture, &token(&old), "ada@new.example", "wrong wrong").await.blames(403, "password");
    move_to(&fixture, &token(&old), EMAIL, PASSWORD).await.blames(409, "email");
    move_to(&fixture, &token(&old), "no address", PASSWORD).await.blames(400, "email");
    let sent = move_to(&fixture, &token(&old), "ada@new.example", PASSWORD).await.is(202);
    let letter = fixture.letter(&sent).await.unwrap();
    assert_eq!((letter.address.as_str(), letter.about), ("ada@new.example", LetterAbout::NewAddress));
    assert_eq!(fixture.get("/v1/me", &token(&old)).await.is(200)["email"], EMAIL, "not before");
    let welcome = fixture.prove(&sent).await.is(200);
    assert_eq!((id(&welcome), &welcome["user"]["email"]), (id(&old), &json!("ada@new.example")));
    fixture.get("/v1/me", &token(&old)).await.is_problem(401, "unauthorized");
    log_in(&fixture, EMAIL, PASSWORD).await.is_problem(401, "unauthorized");
    log_in(&fixture, "ada@new.example", PASSWORD).await.is(201);
    // The old one is told, as long as it is known.
    let told = told(&fixture).await;
    let moved = told.iter().find_map(|fact| match fact {
        Fact::AddressChanged(moved) => Some(moved.clone()),
        _ => None,
    });
    let moved = moved.unwrap();
    assert_eq!(fixture.world.codes.former_address(moved.code).await.unwrap().as_deref(), Some(EMAIL));
    // Another way to write it is a change, too, of how it is shown.
    let welcome = log_in(&fixture, "ada@new.example", PASSWORD).await.is(201);
    let sent = move_to(&fixture, &token(&welcome), "Ada+shop@new.example", PASSWORD).await.is(202);
    assert_eq!(fixture.prove(&sent).await.is(200)["user"]["email"], "Ada+shop@new.example");
    fixture.sign_up(&ada()).await;
}

async fn an_address_that_is_taken_is_not_moved_to(fixture: Fixture) {
    let ada = fixture.sign_up(&ada()).await;
    let eve = fixture.sign_up(&json!({ "name": "Eve", "email": "eve@example.org", "password": PASSWORD })).await;
    let sent = move_to(&fixture, &token(&ada), "EVE@example.org", PASSWORD).await.is(202);
    assert!(fixture.letter(&sent).await.is_none(), "nor is it said that it is");
    // Taken between the question and the answer.
    let sent = move_to(&fixture, &token(&ada), "new@example.org", PASSWORD).await.is(202);
    let first = move_to(&fixture, &token(&eve), "new@example.org", PASSWORD).await.is(202);
    fixture.prove(&first).await.is(200);
    fixture.prove(&sent).await.is_problem(409, "code_over");
    assert_eq!(fixture.get("/v1/me", &token(&ada)).await.is(200)["email"], EMAIL);
}

async fn two_who_sign_up_with_one_mailbox_are_one(fixture: Fixture) {
    let other = json!({ "name": "Countess", "email": "ada+again@example.org", "password": "analytical engine" });
    let (one, two) =
        (fixture.post("/v1/users", "", &ada()).await.is(202), fixture.post("/v1/users", "", &other).await.is(202));
    let first = fixture.prove(&one).await.is(200);
    let second = fixture.prove(&two).await.is(200);
    assert_eq!(first["user"], second["user"]);
    log_in(&fixture, EMAIL, "analytical engine").await.is_problem(401, "unauthorized");
}

async fn a_mailbox_is_sent_so_many_codes_a_day(fixture: Fixture) {
    let max = Settings::default().codes_day_max;
    for number in 0..max {
        ask(&fixture, &format!("a.d.a+{number}@gmail.com")).await.is(202);
    }
    let refused = ask(&fixture, "ADA@googlemail.com").await;
    refused.blames(429, "email");
    assert!(refused.headers.get("retry-after").unwrap().to_str().unwrap().parse::<u32>().unwrap() <= 86_400);
    let user = json!({ "name": "Ada", "email": "ada@gmail.com", "password": PASSWORD });
    fixture.post("/v1/users", "", &user).await.blames(429, "email");
    ask(&fixture, EMAIL).await.is(202);
    fixture.clock.advance_ms(86_400_000);
    ask(&fixture, "ada@gmail.com").await.is(202);
}

async fn owners_are_told_of_so_many_passwords_a_day(fixture: Fixture) {
    let welcome = fixture.sign_up(&ada()).await;
    let (accounts, buyer) = (&fixture.world.accounts, id(&welcome));
    let mut hash = accounts.account(buyer).await.unwrap().unwrap().password_hash;
    for number in 0..12 {
        let new = format!("hash {number}");
        assert!(accounts.change_password(buyer, [&hash, &new], fixture.world.clock.now(), None).await.unwrap());
        hash = new;
    }
    let told = told(&fixture).await;
    assert_eq!(told.iter().filter(|fact| matches!(fact, Fact::PasswordChanged(_))).count(), 10);
}

async fn old_codes_are_forgotten_some_at_a_time(fixture: Fixture) {
    for number in 0..3 {
        ask(&fixture, &format!("x{number}@example.org")).await.is(202);
    }
    let forget =
        async |max| fixture.world.codes.forget_codes(fixture.clock.now().plus_ms(-86_400_000), max).await.unwrap();
    assert_eq!(forget(9).await, 0);
    fixture.clock.advance_ms(2 * 86_400_000);
    // Of codes and of counts, each.
    assert_eq!([forget(2).await, forget(2).await, forget(2).await], [4, 2, 0]);
}

async fn what_was_asked_for_goes_with_the_account(fixture: Fixture) {
    let sent = fixture.post("/v1/users", "", &ada()).await.is(202);
    let welcome = fixture.prove(&sent).await.is(200);
    let asked = ask(&fixture, EMAIL).await.is(202);
    assert!(fixture.letter(&asked).await.is_some());
    let request = fixture.request(Method::DELETE, "/v1/me", Some(&token(&welcome)));
    assert_eq!(fixture.send(request.set_json(json!({ "password": PASSWORD }))).await.status, 204);
    assert!(fixture.letter(&asked).await.is_none());
    give(&fixture, &asked["ticket"], "123456").await.is_problem(409, "code_over");
}

#[actix_web::test]
async fn a_new_password_of_a_code_is_not_hashed_for_who_has_none() {
    let fixture = Fixture::with(settings()).await;
    let before = fixture.gateway.hashes();
    let proof = json!({ "ticket": "A".repeat(43), "code": "123456", "new_password": "analytical engine" });
    fixture.post("/v1/codes/proof", "", &proof).await.is_problem(409, "code_over");
    assert_eq!(fixture.gateway.hashes(), before);
}
