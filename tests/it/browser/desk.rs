//! Operators: a sale from its making to the audit, in both languages.

use serde_json::json;

use super::stage::{Stage, story};
use super::words::Tongue;

#[tokio::test]
async fn an_operator_opens_a_sale_in_english() {
    story("desk-en", async |stage| opens(stage, Tongue::English).await).await;
}

#[tokio::test]
async fn an_operator_opens_a_sale_in_chinese() {
    story("desk-zh", async |stage| opens(stage, Tongue::Chinese).await).await;
}

async fn opens(stage: &Stage, tongue: Tongue) {
    let window = stage.window(tongue).await;
    let (words, code) = (window.words(), tongue.code());
    window.log_in("operator@miaosha.test", "demodemo").await;
    window.press(words.say("nav.desk")).await;
    window.shows("h1", words.say("desk.title")).await;
    window.shows("tbody", "A clay teapot").await;
    window.picture(&format!("desk-{code}")).await;

    window.press(words.say("desk.new")).await;
    window.fill(words.say("new.title"), "A drum").await;
    window.fill(words.say("new.price"), "12.5").await;
    window.fill(words.say("new.capacity"), "0").await;
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
    window.shows(".mark", words.say("desk.phase_open")).await;
    let sale: u64 = window.path().await.rsplit('/').next().unwrap().parse().unwrap();

    // What shoppers do is seen here.
    let shopper = stage.shop.shopper("kim").await;
    assert_eq!(shopper.attempt(sale, 2).await["status"], "held");
    assert_eq!(stage.shop.shopper("lou").await.attempt(sale, 1).await["status"], "standby");
    window.shows(&figure(2), "2").await;
    window.shows(&figure(3), "1").await;
    window.picture(&format!("running-{code}")).await;

    window.press(words.say("live.pause")).await;
    window.shows(".mark", words.say("desk.phase_paused")).await;
    window.press(words.say("live.resume")).await;
    window.shows(".mark", words.say("desk.phase_open")).await;
    window.fill(words.say("live.capacity"), "1").await;
    window.press(words.say("live.raise")).await;
    window.shows("main", "capacity only grows").await;
    window.fill(words.say("live.capacity"), "3").await;
    window.press(words.say("live.raise")).await;
    window.shows(".mark", "/ 3").await;
    // Who was in line has it now.
    window.shows(&figure(3), "0").await;
    window.press(words.say("live.close")).await;
    window.shows(".mark", words.say("desk.phase_closed")).await;

    window.press(words.say("desk.audit")).await;
    window.shows(".verdict", words.say("audit.pass")).await;
    window.shows("main", "PASS").await;
    window.picture(&format!("audit-{code}")).await;
    window.go("/desk/parked").await;
    window.shows("main", words.say("parked.none")).await;
    window.picture(&format!("parked-{code}")).await;
}

fn figure(number: usize) -> String {
    format!(".charts figure:nth-child({number}) strong")
}

#[tokio::test]
async fn an_operator_gives_money_back() {
    story("refund", async |stage| {
        let sale = stage.shop.sale("A torn coat", json!({})).await;
        let buyer = stage.shop.shopper("nan").await;
        let held = buyer.attempt(sale, 2).await;
        let number = buyer.pay(sale).await;
        let window = stage.window(Tongue::English).await;
        let words = window.words();
        window.log_in("operator@miaosha.test", "demodemo").await;
        window.press(words.say("nav.desk")).await;
        window.press(words.say("desk.refund")).await;
        window.fill(words.say("refund.number"), &number.to_lowercase()).await;
        window.fill(words.say("refund.units"), "999999").await;
        window.press_form().await;
        window.shows("form .wrong", "unit").await;
        window.fill(words.say("refund.units"), &format!("#{}", held["units"][0])).await;
        window.press_form().await;
        window.shows("form .good", &number).await;
        let order = buyer.call("GET", &format!("/v1/orders/{number}"), None).await.is(200);
        assert_eq!((&order["refunded"], &order["refunded_units"]), (&json!(false), &json!([held["units"][0]])));
        window.picture("refund").await;
    })
    .await;
}

/// The desk is for operators; whoever is none is told so.
#[tokio::test]
async fn a_shopper_does_not_get_to_the_desk() {
    story("no-desk", async |stage| {
        let window = stage.window(Tongue::English).await;
        let words = window.words();
        window.go("/desk").await;
        window.comes_to("/log-in").await;
        window.log_in("demo@miaosha.test", "demodemo").await;
        window.shows("h1", words.say("sales.title")).await;
        window.go("/desk/new").await;
        window.shows("h1", words.say("page.forbidden")).await;
        let answer = stage.shop.shopper("mia").await.call("GET", "/v1/admin/audit", None).await;
        assert_eq!(answer.is(403)["type"], json!("/problems/forbidden"));
    })
    .await;
}
