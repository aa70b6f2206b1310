//! Codes that are mailed: to sign up, to log in, for a new password, for another address. Nothing is lost by a reload, and what is
//! left to do is said.

use serde_json::{Value, json};

use super::api::{Person, call};
use super::fixture::{Fixture, story};
use super::window::Window;
use super::words::Tongue;

#[tokio::test]
async fn a_stranger_signs_up_with_a_code_and_buys_in_english() {
    story("code-en", async |fixture| signs_up(fixture, Tongue::English).await).await;
}

#[tokio::test]
async fn a_stranger_signs_up_with_a_code_and_buys_in_chinese() {
    story("code-zh", async |fixture| signs_up(fixture, Tongue::Chinese).await).await;
}

/// What is typed into the form of `/sign-up`.
async fn asks(window: &Window, name: &str, email: &str, password: &str) {
    let words = window.words();
    window.fill(words.say("entry.name"), name).await;
    window.fill(words.say("entry.email"), email).await;
    window.fill(words.say("entry.password"), password).await;
    window.press_form().await;
}

/// The step for the code is there, and the keyboard in its field.
async fn waits(window: &Window, email: &str) {
    let words = window.words();
    window.shows("h1", words.say("code.title")).await;
    window.shows("main .lead", email).await;
    let at = "const e = document.activeElement; return e.inputMode === 'numeric' && e.autocomplete === 'one-time-code'";
    window.until("the keyboard is in the field", async || Some(window.run(at).await).filter(|at| *at == true)).await;
}

async fn signs_up(fixture: &Fixture, tongue: Tongue) {
    let sale = fixture.shop.sale("A music box", json!({})).await;
    let window = fixture.window(tongue).await;
    let words = window.words();
    window.go(&format!("/sales/{sale}")).await;
    window.face("log_in").await;
    window.press(words.say("entry.to_sign_up")).await;
    let url = window.client().current_url().await.unwrap();
    asks(&window, "uma", "uma@example.org", "correct horse").await;
    waits(&window, "uma@example.org").await;
    window.picture(&format!("code-{}", tongue.code())).await;
    assert_eq!(window.client().current_url().await.unwrap(), url, "nothing of it is in the address");

    let kept = window.run("return JSON.stringify([localStorage, sessionStorage])").await.to_string();
    assert!(kept.contains("ticket") && !kept.contains("correct horse"), "{kept}");

    // A reload, and a look at the shop, come back to it.
    let code = window.code("uma@example.org").await;
    window.reload().await;
    waits(&window, "uma@example.org").await;
    window.press(words.say("nav.sales")).await;
    window.shows("h1", words.say("sales.title")).await;
    window.client().back().await.unwrap();
    waits(&window, "uma@example.org").await;

    // As the mail has it, with a space; and nothing less.
    window.fill(words.say("code.code"), &code[..5]).await;
    window.press_form().await;
    window.shows(".field .wrong", words.say("rule.digits")).await;
    window.fill(words.say("code.code"), &format!(" {} {} ", &code[..3], &code[3..])).await;
    window.press_form().await;
    window.comes_to(&format!("/sales/{sale}")).await;
    window.face("ask").await;
    window.buy("1").await;
    window.shows("main", "A music box").await;
    assert_eq!(window.run("return sessionStorage.length").await, json!(0));
}

#[tokio::test]
async fn a_password_that_was_forgotten_is_set_anew_in_english() {
    story("forgotten-en", async |fixture| forgets(fixture, Tongue::English).await).await;
}

#[tokio::test]
async fn a_password_that_was_forgotten_is_set_anew_in_chinese() {
    story("forgotten-zh", async |fixture| forgets(fixture, Tongue::Chinese).await).await;
}

async fn forgets(fixture: &Fixture, tongue: Tongue) {
    let vic = fixture.shop.shopper("vic").await;
    let window = fixture.window(tongue).await;
    let words = window.words();
    window.go("/log-in?to=/orders").await;
    window.press(words.say("entry.forgot")).await;
    window.shows("h1", words.say("entry.new_password")).await;
    window.fill(words.say("entry.email"), "vic@example.org").await;
    window.press_form().await;
    waits(&window, "vic@example.org").await;
    window.reload().await;
    waits(&window, "vic@example.org").await;
    window.picture(&format!("forgotten-{}", tongue.code())).await;

    let code = window.code("vic@example.org").await;
    window.fill(words.say("code.code"), &code).await;
    window.fill(words.say("account.new"), "12345678").await;
    window.press_form().await;
    window.shows(".field .wrong", words.say("rule.too_common")).await;
    window.fill(words.say("account.new"), "a better secret").await;
    window.press_form().await;
    window.comes_to("/orders").await;
    window.shows("header nav", "vic").await;

    assert_eq!(vic.call("GET", "/v1/me", None).await.status, 401, "the logins of before are over");
    let login = async |password: &str| {
        let body = json!({ "email": "vic@example.org", "password": password });
        call(&fixture.shop.authority, "POST", "/v1/sessions", &[("idempotency-key", password)], Some(&body)).await
    };
    assert_eq!(login("correct horse").await.unwrap().status, 401);
    assert_eq!(login("a better secret").await.unwrap().status, 201);
}

#[tokio::test]
async fn a_code_is_enough_to_log_in() {
    story("by-code", async |fixture| {
        fixture.shop.shopper("wil").await;
        let window = fixture.window(Tongue::Chinese).await;
        let words = window.words();
        window.go("/log-in?to=/account").await;
        window.press(words.say("entry.to_code")).await;
        window.shows("h1", words.say("entry.by_code")).await;
        window.fill(words.say("entry.email"), "wil@example.org").await;
        window.press_form().await;
        waits(&window, "wil@example.org").await;
        // Wide digits, of a Chinese keyboard.
        let code = window.code("wil@example.org").await;
        let wide: String = code.chars().map(|digit| char::from_u32(digit as u32 + 0xfee0).unwrap()).collect();
        window.fill(words.say("code.code"), &wide).await;
        window.press_form().await;
        window.comes_to("/account").await;
        window.shows("main", "wil@example.org").await;
        // Who has no account is told the same.
        let stranger = fixture.window(Tongue::English).await;
        stranger.go("/log-in?by=code").await;
        stranger.fill(stranger.words().say("entry.email"), "nobody@example.org").await;
        stranger.press_form().await;
        waits(&stranger, "nobody@example.org").await;
    })
    .await;
}

#[tokio::test]
async fn a_wrong_code_says_how_many_tries_are_left_in_english() {
    story("tries-en", async |fixture| tries(fixture, Tongue::English).await).await;
}

#[tokio::test]
async fn a_wrong_code_says_how_many_tries_are_left_in_chinese() {
    story("tries-zh", async |fixture| tries(fixture, Tongue::Chinese).await).await;
}

async fn tries(fixture: &Fixture, tongue: Tongue) {
    let window = fixture.window(tongue).await;
    let words = window.words();
    window.go("/sign-up").await;
    asks(&window, "xia", "xia@example.org", "correct horse").await;
    waits(&window, "xia@example.org").await;
    let code = window.code("xia@example.org").await;
    let wrong = if code == "000000" { "000001" } else { "000000" };
    for left in ["4", "3", "2", "1"] {
        window.fill(words.say("code.code"), wrong).await;
        window.press_form().await;
        let key = if left == "1" { "code.wrong.one" } else { "code.wrong" };
        window.shows(".field .wrong", &words.say(key).replace("{n}", left)).await;
    }
    window.picture(&format!("tries-{}", tongue.code())).await;
    // A mail takes a while: a new one is not to be had at once, but when this one is over.
    let again = words.say("code.again");
    let (_, seconds) = words.say("code.again_in").split_once("{n}").unwrap();
    window.shows(".hint", seconds).await;
    assert_eq!(held_back(&window).await, json!(true));
    window.fill(words.say("code.code"), wrong).await;
    window.press_form().await;
    window.shows(".field .wrong", words.say("problem.code_over")).await;
    assert_eq!(held_back(&window).await, json!(false));
    assert_eq!(window.run("return document.activeElement.innerText").await, json!(again));
    window.press(again).await;
    window.shows(".good", words.say("code.renewed")).await;
    assert_eq!(held_back(&window).await, json!(true));
    waits(&window, "xia@example.org").await;
    window.give_code("xia@example.org").await;
    window.shows("header nav", "xia").await;
}

/// Whether a new code is not to be had yet.
async fn held_back(window: &Window) -> Value {
    window.run("return document.querySelector('[aria-describedby=code-wait]').ariaDisabled === 'true'").await
}

#[tokio::test]
async fn another_code_or_another_address_is_a_press_away() {
    story("again", async |fixture| {
        let window = fixture.window(Tongue::English).await;
        let words = window.words();
        window.go("/sign-up").await;
        asks(&window, "yan", "yam@example.org", "correct horse").await;
        waits(&window, "yam@example.org").await;
        window.press(words.say("code.other")).await;
        window.shows("h1", words.say("entry.sign_up")).await;
        let typed = "return [...document.querySelectorAll('main input')].map((field) => field.value)";
        assert_eq!(window.run(typed).await, json!(["yan", "yam@example.org", ""]));
        asks(&window, "yan", "yan@example.org", "correct horse").await;
        waits(&window, "yan@example.org").await;
        window.code("yan@example.org").await;

        // Later.
        assert_eq!(held_back(&window).await, json!(true));
        window.press(words.say("code.again")).await;
        let late = "const real = Date.now; Date.now = () => real() + 31_000";
        window.run(late).await;
        window
            .until("a new one may be had", async || Some(held_back(&window).await).filter(|held| *held == false))
            .await;
        window.press(words.say("code.again")).await;
        window.shows(".good", words.say("code.renewed")).await;
        window.code("yan@example.org").await;

        // The page that was loaded anew does not have the password any more.
        window.reload().await;
        waits(&window, "yan@example.org").await;
        window.run(late).await;
        window
            .until("a new one may be had", async || Some(held_back(&window).await).filter(|held| *held == false))
            .await;
        window.press(words.say("code.again")).await;
        window.shows(".field .wrong", words.say("code.password_again")).await;
        assert_eq!(window.run(typed).await, json!(["yan", "yan@example.org", ""]));
        assert_eq!(window.run("return document.activeElement.type").await, json!("password"));
        window.fill(words.say("entry.password"), "correct horse").await;
        window.press_form().await;
        waits(&window, "yan@example.org").await;
        window.give_code("yan@example.org").await;
        window.shows("header nav", "yan").await;
    })
    .await;
}

#[tokio::test]
async fn what_the_shop_does_not_take_is_said_at_its_field() {
    story("fields", async |fixture| {
        for tongue in [Tongue::English, Tongue::Chinese] {
            let window = fixture.window(tongue).await;
            let words = window.words();
            for (name, email, password, rule) in [
                ("zoe", "zoe@example.org", "12345678", "rule.too_common"),
                ("see https://example.org", "zoe@example.org", "correct horse", "rule.no_links"),
                ("\u{2060}\u{200b}", "zoe@example.org", "correct horse", "rule.visible"),
                ("zoe", "zoe", "correct horse", "rule.address"),
            ] {
                window.go("/sign-up").await;
                asks(&window, name, email, password).await;
                window.shows(".field .wrong", words.say(rule)).await;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn an_address_is_changed_with_a_code_in_english() {
    story("address-en", async |fixture| moves(fixture, Tongue::English).await).await;
}

#[tokio::test]
async fn an_address_is_changed_with_a_code_in_chinese() {
    story("address-zh", async |fixture| moves(fixture, Tongue::Chinese).await).await;
}

async fn moves(fixture: &Fixture, tongue: Tongue) {
    let window = fixture.window(tongue).await;
    let words = window.words();
    window.go("/").await;
    window.sign_up("abe").await;
    window.go("/account").await;
    for (email, password, wrong) in [
        ("abe@example.net", "wrong horse", "account.not_it"),
        ("abe@example.org", "correct horse", "address.same"),
        ("abe", "correct horse", "rule.address"),
    ] {
        wishes(&window, email, password).await;
        window.shows(".address .wrong", words.say(wrong)).await;
    }
    wishes(&window, "abe@example.net", "correct horse").await;
    window.shows(".address .lead", "abe@example.net").await;
    window.picture(&format!("address-{}", tongue.code())).await;
    window.reload().await;
    window.shows(".address .lead", "abe@example.net").await;
    window.fill(words.say("code.code"), &window.code("abe@example.net").await).await;
    press_address(&window).await;
    window.shows(".good", &words.say("address.changed").replace("{address}", "abe@example.net")).await;
    window.shows("main .lead", "abe@example.net").await;
    assert_eq!(window.path().await, "/account");

    Person::log_in(&fixture.shop.authority, "abe@example.net", "correct horse").await;
    let body = json!({ "email": "abe@example.org", "password": "correct horse" });
    let old = call(&fixture.shop.authority, "POST", "/v1/sessions", &[("idempotency-key", "old")], Some(&body)).await;
    assert_eq!(old.unwrap().status, 401);
}

async fn wishes(window: &Window, email: &str, password: &str) {
    window.fill(window.words().say("address.new"), email).await;
    window.fill(window.words().say("entry.password"), password).await;
    press_address(window).await;
}

async fn press_address(window: &Window) {
    window.run("document.querySelector('.address form button:not([type])').click()").await;
}

const FORGETFUL: &str = "for (const name of ['localStorage', 'sessionStorage']) \
    Object.defineProperty(globalThis, name, { get() { throw new DOMException('refused', 'SecurityError'); } });";

/// Where nothing can be kept, the page itself remembers; the other language asks nothing again.
#[tokio::test]
async fn a_browser_that_keeps_nothing_takes_a_code() {
    story("code-kept", async |fixture| {
        let window = fixture.window(Tongue::English).await;
        window.prepare(FORGETFUL).await;
        window.go("/sign-up").await;
        asks(&window, "bea", "bea@example.org", "correct horse").await;
        waits(&window, "bea@example.org").await;
        window.press("繁體中文").await;
        window.shows("h1", super::words::Words::of(Tongue::Chinese).say("code.title")).await;
        window.press("English").await;
        window.give_code("bea@example.org").await;
        window.shows("header nav", "bea").await;
    })
    .await;
}
