//! Operators: a sale from its making to the audit, in both languages.

use serde_json::json;

use super::api::Person;
use super::asking::{count_requests, no_question, press_yes_twice, requests};
use super::drafts::publish;
use super::fixture::{Fixture, story};
use super::words::Tongue;

#[tokio::test]
async fn an_operator_opens_a_sale_in_english() {
    story("desk-en", async |fixture| opens(fixture, Tongue::English).await).await;
}

#[tokio::test]
async fn an_operator_opens_a_sale_in_chinese() {
    story("desk-zh", async |fixture| opens(fixture, Tongue::Chinese).await).await;
}

async fn opens(fixture: &Fixture, tongue: Tongue) {
    let window = fixture.window(tongue).await;
    let (words, code) = (window.words(), tongue.code());
    window.log_in("operator@miaosha.test", "correct horse").await;
    window.press(words.say("nav.desk")).await;
    window.shows("h1", words.say("desk.title")).await;
    window.shows("tbody", "A clay teapot").await;
    window.picture(&format!("desk-{code}")).await;

    window.press(words.say("desk.new")).await;
    window.fill(words.say("new.title"), "A drum").await;
    window.fill(words.say("new.price"), "12.5").await;
    window.fill(words.say("new.capacity"), "0").await;
    window.choose(words.say("new.until_paid")).await;
    window.press(words.say("new.question_more")).await;
    window.fill(words.say("new.prompt"), "2 + 2 = ?").await;
    window.fill(words.say("new.answer"), "4").await;
    window.picture(&format!("new-{code}")).await;
    window.press_form().await;
    let bounds = words.say("rule.range").replace("{min}", "1");
    window.shows(".field .wrong", bounds.split("{max}").next().unwrap()).await;
    window.fill(words.say("new.capacity"), "2").await;
    window.press_form().await;
    window.comes_to("/desk/sales/").await;
    window.shows("h1", "A drum").await;
    publish(&window).await;
    window.shows(".mark", words.say("desk.phase_open")).await;
    let sale: u64 = window.path().await.rsplit('/').next().unwrap().parse().unwrap();

    let made = fixture.shop.operator().await.call("GET", &format!("/v1/sales/{sale}"), None).await.is(200);
    assert_eq!(made["standby_until"], "paid");

    // What shoppers do is seen here.
    let shopper = fixture.shop.shopper("kim").await;
    assert_eq!(shopper.attempt(sale, 2).await["status"], "held");
    assert_eq!(fixture.shop.shopper("lou").await.attempt(sale, 1).await["status"], "standby");
    window.shows(&figure(2), "2").await;
    window.shows(&figure(3), "1").await;
    window.picture(&format!("running-{code}")).await;

    window.press(words.say("live.pause")).await;
    window.shows(".mark", words.say("desk.phase_paused")).await;
    window.press(words.say("live.resume")).await;
    window.shows(".mark", words.say("desk.phase_open")).await;
    window.fill(words.say("live.capacity"), "3").await;
    window.press(words.say("live.raise")).await;
    window.press(words.say("ask.raise_yes")).await;
    window.shows(".mark", "/ 3").await;
    // Who was in line has it now.
    window.shows(&figure(3), "0").await;
    window.press(words.say("live.close")).await;
    window.press(words.say("ask.close_yes")).await;
    window.shows(".mark", words.say("desk.phase_closed")).await;

    window.press(words.say("desk.audit")).await;
    window.shows(".verdict", words.say("audit.pass")).await;
    window.shows("main", "PASS").await;
    window.picture(&format!("audit-{code}")).await;
    window.go("/desk/parked").await;
    window.shows("main", words.say("parked.none")).await;
    window.picture(&format!("parked-{code}")).await;

    // And who did all this is written down.
    window.go("/desk").await;
    window.press(words.say("desk.journal")).await;
    window.shows("h1", words.say("desk.journal")).await;
    window.shows("tbody", "sale.closed").await;
    window.shows("tbody", &format!("sale:{sale}")).await;
    window.picture(&format!("journal-{code}")).await;
    window.fill(words.say("journal.subject"), "sale:999999").await;
    window.press(words.say("journal.seek")).await;
    window.shows("main", words.say("journal.none")).await;
}

/// What is wrong with a price stands at its field, in words, before anything is made; what is right is meant to the last digit.
#[tokio::test]
async fn a_price_is_typed_to_the_last_digit() {
    story("prices", async |fixture| {
        let window = fixture.window(Tongue::English).await;
        let words = window.words();
        let (price, code) = (words.say("new.price").to_owned(), words.say("new.currency").to_owned());
        window.log_in("operator@miaosha.test", "correct horse").await;
        window.press(words.say("nav.desk")).await;
        window.press(words.say("desk.new")).await;
        window.fill(words.say("new.title"), "A drum").await;
        let first = |key: &str| words.say(key).split('{').next().unwrap().to_owned();
        let (whole, digits) = ("JPY has no smaller unit".to_owned(), "KWD has 3 digits".to_owned());
        for (typed, currency, said) in [
            ("", "TWD", first("new.price_unreadable")),
            ("   ", "TWD", first("new.price_unreadable")),
            ("free", "TWD", first("new.price_unreadable")),
            ("1,5", "TWD", first("new.price_unreadable")),
            ("-1", "TWD", first("new.price_unreadable")),
            ("1e3", "TWD", first("new.price_unreadable")),
            ("一百", "TWD", first("new.price_unreadable")),
            ("12.345", "TWD", "TWD has 2 digits".to_owned()),
            ("1.2345", "KWD", digits),
            ("100.0", "JPY", whole),
            ("1", "ZZZ", first("new.currency_unknown")),
            ("1", "", first("new.currency_unknown")),
            ("0", "TWD", first("new.free_sure")),
            ("0.00", "EUR", first("new.free_sure")),
        ] {
            window.fill(&code, currency).await;
            window.fill(&price, typed).await;
            window.run("for (const node of document.querySelectorAll('.field .wrong')) node.textContent = ''").await;
            window.press(words.say("new.make")).await;
            window.shows(".field .wrong", &said).await;
        }
        window.picture("price-free").await;
        // Another price is another wish; and what was nothing is not said again.
        window.fill(&price, "１２．５０").await;
        window.fill(&code, "ＥＵＲ").await;
        window.press(words.say("new.make")).await;
        window.comes_to("/desk/sales/").await;
        publish(&window).await;
        window.go("/desk").await;
        window.shows("tbody", "EUR 12.50").await;
        window.go("/desk/new").await;
        window.fill(words.say("new.title"), "A gift").await;
        window.fill(&price, "0").await;
        window.press(words.say("new.make")).await;
        window.press(words.say("new.make_free")).await;
        window.comes_to("/desk/sales/").await;
        publish(&window).await;
        window.go("/desk").await;
        window.shows("tbody", "TWD 0.00").await;
        // An amount with every digit that a number has.
        window.go("/desk/new").await;
        window.fill(words.say("new.title"), "A palace").await;
        window.fill(&price, "999999999.99").await;
        window.press(words.say("new.make")).await;
        window.comes_to("/desk/sales/").await;
        publish(&window).await;
        window.go("/desk").await;
        window.shows("tbody", "TWD 999,999,999.99").await;
        let sales = fixture.shop.shopper("pat").await.call("GET", "/v1/sales", None).await.is(200);
        let made: Vec<_> =
            sales.as_array().unwrap().iter().take(3).map(|sale| sale["price"]["minor"].clone()).collect();
        assert_eq!(made, [json!(99_999_999_999_i64), json!(0), json!(1_250)]);
    })
    .await;
}

fn figure(number: usize) -> String {
    format!(".charts figure:nth-child({number}) strong")
}

#[tokio::test]
async fn an_operator_gives_money_back() {
    story("refund", async |fixture| {
        let sale = fixture.shop.sale("A torn coat", json!({})).await;
        let buyer = fixture.shop.shopper("nan").await;
        let held = buyer.attempt(sale, 2).await;
        let number = buyer.pay(sale).await;
        let window = fixture.window(Tongue::English).await;
        let words = window.words();
        window.log_in("operator@miaosha.test", "correct horse").await;
        window.press(words.say("nav.desk")).await;
        window.press(words.say("desk.refund")).await;
        window.fill(words.say("refund.number"), &number.to_lowercase()).await;
        window.fill(words.say("refund.units"), "999999").await;
        window.press_form().await;
        window.shows("form .wrong", "no unit 999999").await;
        window.fill(words.say("refund.units"), &format!("#{}", held["units"][0])).await;
        count_requests(&window).await;

        // One of two units is half of the price.
        window.press_form().await;
        window.shows(".dialog", "TWD 1,280.00 goes back").await;
        window.shows(".dialog", &format!("1 unit: #{}", held["units"][0])).await;
        window.shows(".dialog", &number).await;
        window.picture("refund-asked").await;
        window.escape_key().await;
        no_question(&window).await;
        let read = async || buyer.call("GET", &format!("/v1/orders/{number}"), None).await.is(200);
        assert_eq!((requests(&window).await, &read().await["refunded_units"]), (json!([]), &json!([])));

        window.press_form().await;
        window.shows(".dialog", "goes back").await;
        press_yes_twice(&window).await;
        window.shows("form .good", &number).await;
        assert_eq!(requests(&window).await, json!([format!("/v1/admin/orders/{number}/refunds")]));
        let order = read().await;
        assert_eq!((&order["refunded"], &order["refunded_units"]), (&json!(false), &json!([held["units"][0]])));
        window.picture("refund").await;
    })
    .await;
}

/// A refund that the provider ended as failed is never called refunded, and an operator sees to it: once more, or otherwise.
#[tokio::test]
async fn an_operator_sees_to_what_failed() {
    story("refunds", async |fixture| {
        let sale = fixture.shop.sale("A broken bell", json!({})).await;
        let buyer = fixture.shop.shopper("oda").await;
        buyer.attempt(sale, 2).await;
        let number = buyer.pay(sale).await;
        let state = async || {
            let order = buyer.call("GET", &format!("/v1/orders/{number}"), None).await.is(200);
            order["refunds"][0]["state"].as_str().map(str::to_owned)
        };
        let operator = fixture.shop.operator().await;
        operator.call("POST", &format!("/v1/admin/orders/{number}/refunds"), Some(&json!({}))).await.is(201);
        let window = fixture.window(Tongue::English).await;
        let words = window.words();
        let comes_to = async |wanted: &str| {
            window.until(wanted, async || state().await.filter(|state| state == wanted)).await;
        };
        let fails =
            "UPDATE refunds SET state = 4, code = 'lost_or_stolen_card', version = version + 1, tries = tries + 1";
        comes_to("done").await;
        fixture.shop.spoil(fails).await;

        window.log_in("operator@miaosha.test", "correct horse").await;
        window.press(words.say("nav.desk")).await;
        window.press(words.say("desk.refunds")).await;
        window.shows("section h2", &number).await;
        window.shows("section", "lost_or_stolen_card").await;
        window.picture("refunds").await;
        window.press(words.say("refunds.retry")).await;
        window.shows("main [role=status]", &number).await;
        window.shows("main", words.say("refunds.none")).await;
        comes_to("done").await;

        fixture.shop.spoil(fails).await;
        window.reload().await;
        window.press(words.say("refunds.settle")).await;
        window.shows("form .wrong", words.say("rule.empty")).await;
        window.fill(words.say("refunds.note"), "By transfer 7788").await;
        window.press(words.say("refunds.settle")).await;
        window.shows("main", words.say("refunds.none")).await;
        comes_to("settled").await;
        let listed = operator.call("GET", "/v1/admin/refunds?state=settled", None).await.is(200);
        assert_eq!(listed[0]["note"], "By transfer 7788");
    })
    .await;
}

/// What the buyer reads of the money, word for word by where it is.
#[tokio::test]
async fn a_buyer_reads_where_the_money_is() {
    story("refund-states", async |fixture| {
        let sale = fixture.shop.sale("A cracked cup", json!({})).await;
        let window = fixture.window(Tongue::English).await;
        window.go("/").await;
        window.sign_up("pia").await;
        let buyer = Person::log_in(&fixture.shop.authority, "pia@example.org", "correct horse").await;
        buyer.attempt(sale, 1).await;
        let number = buyer.pay(sale).await;
        let operator = fixture.shop.operator().await;
        operator.call("POST", &format!("/v1/admin/orders/{number}/refunds"), Some(&json!({}))).await.is(201);
        let done = async || {
            let order = buyer.call("GET", &format!("/v1/orders/{number}"), None).await.is(200);
            (order["refunds"][0]["state"] == "done").then_some(())
        };
        window.until("done", done).await;
        window.go(&format!("/orders/{number}")).await;
        window.shows(".refunds", "went back to your card").await;
        for (sql, said) in [
            ("UPDATE refunds SET state = 4, code = 'x', version = version + 1", "could not be sent back"),
            ("UPDATE refunds SET state = 2, next_at = 9000000000000000, version = version + 1", "has it in hand"),
            ("UPDATE refunds SET state = 1, version = version + 1", "is on its way back to you"),
        ] {
            fixture.shop.spoil(sql).await;
            window.reload().await;
            window.shows(".refunds", said).await;
            window.shows_no_more(".refunds", "went back").await;
        }
    })
    .await;
}

/// The desk is for operators; other users are told so.
#[tokio::test]
async fn a_shopper_does_not_get_to_the_desk() {
    story("no-desk", async |fixture| {
        let window = fixture.window(Tongue::English).await;
        let words = window.words();
        window.go("/desk").await;
        window.comes_to("/log-in").await;
        window.log_in("demo@miaosha.test", "demodemo").await;
        window.shows("h1", words.say("sales.title")).await;
        window.go("/desk/new").await;
        window.shows("h1", words.say("page.forbidden")).await;
        let answer = fixture.shop.shopper("mia").await.call("GET", "/v1/admin/audit", None).await;
        assert_eq!(answer.is(403)["type"], json!("/problems/forbidden"));
    })
    .await;
}
