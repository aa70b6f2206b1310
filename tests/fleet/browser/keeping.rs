//! What is left after buying: tickets, the door, a refund, one's account.

use fantoccini::Locator;
use serde_json::{Value, json};

use super::api::Person;
use super::fixture::{Fixture, story};
use super::window::Window;
use super::words::Tongue;

#[tokio::test]
async fn a_ticket_lets_in_once_and_not_after_a_refund_in_english() {
    story("tickets-en", async |fixture| tickets(fixture, Tongue::English).await).await;
}

#[tokio::test]
async fn a_ticket_lets_in_once_and_not_after_a_refund_in_chinese() {
    story("tickets-zh", async |fixture| tickets(fixture, Tongue::Chinese).await).await;
}

async fn tickets(fixture: &Fixture, tongue: Tongue) {
    let sale = fixture.shop.sale("A night at the opera", json!({})).await;
    let window = fixture.window(tongue).await;
    let words = window.words();
    window.go(&format!("/sales/{sale}")).await;
    window.sign_up("ora").await;
    window.face("ask").await;
    window.buy("2").await;
    window.shows("h2", words.say("order.tickets")).await;

    // Two codes that are pictures, and the same as texts.
    let codes = window.run("return [...document.querySelectorAll('.token')].map((code) => code.textContent)").await;
    let codes: Vec<&str> = codes.as_array().unwrap().iter().map(|code| code.as_str().unwrap()).collect();
    assert_eq!(codes.len(), 2);
    let drawn = "return [...document.querySelectorAll('img.qr')].filter((code) => code.complete && code.naturalWidth > 20).length";
    window.until("both codes are drawn", async || Some(window.run(drawn).await).filter(|drawn| *drawn == 2)).await;
    window.picture(&format!("tickets-{}", tongue.code())).await;

    let door = fixture.window(tongue).await;
    door.log_in("operator@miaosha.test", "correct horse").await;
    door.press(words.say("nav.check_in")).await;
    door.shows("h1", words.say("check.title")).await;
    door.press("A night at the opera").await;
    for (code, verdict) in [(codes[0], "check.in"), (codes[0], "check.again"), ("no ticket at all", "check.wrong")] {
        show(&door, code, verdict).await;
    }
    door.picture(&format!("check-in-{}", tongue.code())).await;

    // The other unit goes back: its code is gone from the page, and opens no door.
    let number = number_of(&window).await;
    let operator = fixture.shop.operator().await;
    let path = format!("/v1/admin/orders/{number}/refunds");
    let unit = unit_of(codes[1], &window).await;
    operator.call("POST", &path, Some(&json!({ "units": [unit] }))).await.is(201);
    window.reload().await;
    window.shows(".tickets", words.say("order.given_back")).await;
    show(&door, codes[1], "check.back").await;
    operator.call("POST", &path, Some(&json!({}))).await.is(201);
    window.reload().await;
    window.shows("main", words.say("order.refunded")).await;
}

async fn show(door: &Window, code: &str, verdict: &str) {
    door.fill(door.words().say("check.code"), code).await;
    door.press_form().await;
    door.shows(".verdict", door.words().say(verdict)).await;
}

async fn number_of(window: &Window) -> String {
    window.client().current_url().await.unwrap().path_segments().unwrap().next_back().unwrap().to_owned()
}

/// The unit whose code this is, by the page.
async fn unit_of(code: &str, window: &Window) -> u64 {
    let script = "return [...document.querySelectorAll('.tickets li')].map((stub) => [stub.querySelector('.token').textContent, stub.querySelector('h3').textContent])";
    let stubs = window.run(script).await;
    let stub = stubs.as_array().unwrap().iter().find(|stub| stub[0] == code).unwrap();
    let digits: String = stub[1].as_str().unwrap().chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

/// A buyer who watches a sale on another device is told at once that this login is over.
#[tokio::test]
async fn an_account_is_its_owners() {
    story("account", async |fixture| {
        let sale = fixture.shop.sale("A diary", json!({})).await;
        let (here, there) = (fixture.window(Tongue::Chinese).await, fixture.window(Tongue::English).await);
        let words = here.words();
        here.sign_up("pia").await;
        there.log_in("pia@example.org", "correct horse").await;
        there.shows("header nav", "pia").await;
        there.go(&format!("/sales/{sale}")).await;
        there.hears().await;

        here.go("/account").await;
        change_password(&here, "wrong horse", "a better secret").await;
        here.shows(".wrong", words.say("account.not_it")).await;
        change_password(&here, "correct horse", "a better secret").await;
        here.shows(".good", words.say("account.changed")).await;
        there.shows("header nav", there.words().say("nav.log_in")).await;
        there.log_in("pia@example.org", "a better secret").await;
        there.shows("header nav", "pia").await;
        there.go(&format!("/sales/{sale}")).await;
        there.hears().await;

        let keep = "const real = URL.createObjectURL; \
                    URL.createObjectURL = (blob) => { blob.text().then((text) => { globalThis.kept = text; }); return real.call(URL, blob); };";
        here.run(keep).await;
        here.press(words.say("account.export")).await;
        let kept = async || here.run("return globalThis.kept ?? null").await.as_str().map(str::to_owned);
        let kept: Value = serde_json::from_str(&here.until("the export is there", kept).await).unwrap();
        assert!(kept.to_string().contains("pia@example.org"), "{kept}");

        here.press(words.say("account.out_all")).await;
        here.shows("header nav", words.say("nav.log_in")).await;
        there.shows("header nav", there.words().say("nav.log_in")).await;

        here.log_in("pia@example.org", "a better secret").await;
        here.shows("header nav", "pia").await;
        here.go("/account").await;
        here.press(words.say("account.erase")).await;
        let field = here.client().find(Locator::Css("details input[type=password]")).await.unwrap();
        field.send_keys("a better secret").await.unwrap();
        here.client().find(Locator::Css("details button")).await.unwrap().click().await.unwrap();
        here.shows("header nav", words.say("nav.log_in")).await;
        here.log_in("pia@example.org", "a better secret").await;
        here.shows("main", words.say("problem.unauthorized")).await;
    })
    .await;
}

#[tokio::test]
async fn who_goes_is_told_what_is_lost_in_english() {
    story("leaving-en", async |fixture| leaves(fixture, Tongue::English).await).await;
}

#[tokio::test]
async fn who_goes_is_told_what_is_lost_in_chinese() {
    story("leaving-zh", async |fixture| leaves(fixture, Tongue::Chinese).await).await;
}

async fn leaves(fixture: &Fixture, tongue: Tongue) {
    let sale = fixture.shop.sale("A farewell", json!({})).await;
    let window = fixture.window(tongue).await;
    let words = window.words();
    window.go("/").await;
    window.sign_up("quinn").await;
    let quinn = Person::log_in(&fixture.shop.authority, "quinn@example.org", "correct horse").await;
    quinn.attempt(sale, 2).await;
    window.go("/account").await;
    window.press(words.say("account.erase")).await;
    erase(&window).await;
    window.shows("details .wrong", words.say("account.erase_live")).await;
    window.shows("details a", "A farewell").await;

    let number = quinn.pay(sale).await;
    let tickets = quinn.call("GET", &format!("/v1/orders/{number}/tickets"), None).await.is(200);
    erase(&window).await;
    window.shows("details .wrong", &words.say("account.erase_tickets").replace("{n}", "2")).await;
    window.shows("details li", &number).await;
    let at = window.run("return document.querySelector('details a').getAttribute('href')").await;
    assert_eq!(at, json!(format!("/orders/{number}")));
    window.picture(&format!("leaving-{}", tongue.code())).await;
    // Not without a word.
    erase(&window).await;
    window.shows("details .wrong", &words.say("account.erase_tickets").replace("{n}", "2")).await;
    quinn.call("GET", "/v1/me", None).await.is(200);
    window.choose(words.say("account.erase_keep")).await;
    erase(&window).await;
    window.shows("header nav", words.say("nav.log_in")).await;
    assert_eq!(quinn.call("GET", "/v1/me", None).await.status, 401);
    let code = json!({ "sale_id": sale, "token": tickets["units"][0]["token"] });
    fixture.shop.operator().await.call("POST", "/v1/check-ins", Some(&code)).await.is(201);
}

/// The password is typed once, and stays.
async fn erase(window: &Window) {
    let field = window.client().find(Locator::Css("details input[type=password]")).await.unwrap();
    if field.prop("value").await.unwrap().unwrap_or_default().is_empty() {
        field.send_keys("correct horse").await.unwrap();
    }
    window.client().find(Locator::Css("details button")).await.unwrap().click().await.unwrap();
    let working = window.words().say("account.working").to_owned();
    window.shows_no_more("main", &working).await;
}

async fn change_password(window: &Window, old: &str, new: &str) {
    window.fill(window.words().say("account.old"), old).await;
    window.fill(window.words().say("account.new"), new).await;
    window.client().find(Locator::Css("main section form button")).await.unwrap().click().await.unwrap();
}

/// From the login to the order, without a mouse.
#[tokio::test]
async fn a_keyboard_is_enough() {
    story("keyboard", async |fixture| {
        let sale = fixture.shop.sale("A fountain pen", json!({ "quantity_max": 1 })).await;
        let window = fixture.window(Tongue::English).await;
        window.go("/log-in").await;
        window.settles().await;
        tab_to(&window, "e.type === 'email'").await;
        window.types("demo@miaosha.test").await;
        tab_to(&window, "e.type === 'password'").await;
        window.types("demodemo").await;
        window.enter_key().await;
        window.shows("header nav", window.words().say("nav.orders")).await;
        window.go(&format!("/sales/{sale}")).await;
        window.face("ask").await;
        tab_to(&window, "e.closest('.ticket') && e.tagName === 'INPUT' && e.type === 'text'").await;
        window.types("4").await;
        window.enter_key().await;
        window.face("held").await;
        tab_to(&window, "e.closest('.ticket form') && e.tagName === 'BUTTON' && !e.hasAttribute('type')").await;
        window.enter_key().await;
        window.face("confirmed").await;
        tab_to(&window, "e.matches('.ticket a[href^=\"/orders/\"]')").await;
        window.enter_key().await;
        window.comes_to("/orders/").await;
    })
    .await;
}

async fn tab_to(window: &Window, what: &str) {
    let script = format!("const e = document.activeElement; return Boolean({what})");
    for _ in 0..60 {
        if window.run(&script).await == json!(true) {
            return;
        }
        window.tab_key().await;
    }
    panic!("the keyboard never comes to {what}");
}
