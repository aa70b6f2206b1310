//! Buying, from the first look to the receipt, with a reload wherever one might lose something.

use serde_json::json;

use super::fixture::{Fixture, story};
use super::window::Look;
use super::words::Tongue;

#[tokio::test]
async fn a_buyer_buys_in_english() {
    story("buying-en", async |fixture| buys(fixture, Tongue::English).await).await;
}

#[tokio::test]
async fn a_buyer_buys_in_chinese() {
    story("buying-zh", async |fixture| buys(fixture, Tongue::Chinese).await).await;
}

async fn buys(fixture: &Fixture, tongue: Tongue) {
    let sale = fixture.shop.sale("A lamp of rice paper", json!({ "capacity": 30 })).await;
    let window = fixture.window(tongue).await;
    let words = window.words();
    let code = tongue.code();

    window.go("/").await;
    window.shows("h1", words.say("sales.title")).await;
    window.picture(&format!("sales-{code}")).await;
    window.press("A lamp of rice paper").await;
    window.face("log_in").await;
    window.sign_up("ann").await;
    window.comes_to(&format!("/sales/{sale}")).await;
    window.face("ask").await;
    window.choose("2").await;

    window.attempt("5").await;
    window.shows(".field .wrong", words.say("problem.wrong_answer")).await;
    window.picture(&format!("asked-{code}")).await;
    // A ticket looks the same whatever stands on it.
    let frame =
        "const { width, padding } = getComputedStyle(document.querySelector('.ticket')); return [width, padding]";
    let asked = window.run(frame).await;
    window.attempt("4").await;
    window.face("held").await;
    assert_eq!(window.run(frame).await, asked);
    window.reload().await;
    window.face("held").await;
    window.picture(&format!("held-{code}")).await;

    window.shows(".ticket .trial", words.say("pay.sandbox")).await;
    window.press(words.say("pay.declined")).await;
    window.press_form().await;
    window.shows(".ticket .wrong", words.say("problem.card_declined")).await;
    window.face("held").await;
    window.reload().await;
    window.face("held").await;

    // The bank takes the money and its answer is lost: the page says so, also after a reload, until it is known.
    window.press(words.say("pay.late")).await;
    window.press_form().await;
    window.face("paying").await;
    window.reload().await;
    window.face("paying").await;
    window.face("confirmed").await;
    window.picture(&format!("bought-{code}")).await;
    window.reload().await;
    window.face("confirmed").await;

    window.go("/orders").await;
    window.shows("table", "A lamp of rice paper").await;
    window.picture(&format!("orders-{code}")).await;
    window.client().find(fantoccini::Locator::Css("table a")).await.unwrap().click().await.unwrap();
    window.comes_to("/orders/").await;
    window.shows("main", "A lamp of rice paper").await;
    window.shows("main", "2,560").await;
    window.picture(&format!("order-{code}")).await;
}

/// A question of another language's keyboard, typed without a mouse, on a phone.
#[tokio::test]
async fn a_phone_is_enough() {
    story("phone", async |fixture| {
        let sale = fixture.shop.sale("A bowl", json!({ "questions": [], "quantity_max": 1 })).await;
        let window = fixture.window_of(Tongue::Chinese, Look { size: (390, 844), ..Look::default() }).await;
        window.go(&format!("/sales/{sale}")).await;
        window.sign_up("bo").await;
        window.face("ask").await;
        window.picture("asked-phone").await;
        let wider = window.run("return document.documentElement.scrollWidth > innerWidth").await;
        assert_eq!(wider, json!(false), "nothing sticks out");
        window.press_form().await;
        window.face("held").await;
        window.picture("held-phone").await;
        window.press_form().await;
        window.face("confirmed").await;
    })
    .await;
}

#[tokio::test]
async fn two_tabs_agree() {
    story("tabs", async |fixture| {
        let sale = fixture.shop.sale("A kite", json!({})).await;
        let window = fixture.window(Tongue::English).await;
        let words = window.words();
        window.go(&format!("/sales/{sale}")).await;
        window.sign_up("cy").await;
        window.face("ask").await;
        let first = window.tab().await;
        window.go(&format!("/sales/{sale}")).await;
        window.attempt("4").await;
        window.face("held").await;
        let second = window.switch(first).await;
        window.face("held").await;
        window.press(words.say("face.held_leave")).await;
        window.press(words.say("face.yes")).await;
        window.face("cancelled").await;
        let first = window.switch(second).await;
        window.face("cancelled").await;
        window.go("/account").await;
        window.press(words.say("account.out")).await;
        window.shows("header nav", words.say("nav.log_in")).await;
        window.switch(first).await;
        window.face("log_in").await;
    })
    .await;
}

#[tokio::test]
async fn what_costs_nothing_is_taken_in_english() {
    story("free-en", async |fixture| takes(fixture, Tongue::English).await).await;
}

#[tokio::test]
async fn what_costs_nothing_is_taken_in_chinese() {
    story("free-zh", async |fixture| takes(fixture, Tongue::Chinese).await).await;
}

/// No card is asked for, anywhere.
async fn takes(fixture: &Fixture, tongue: Tongue) {
    let price = json!({ "minor": 0, "currency": "TWD" });
    let sale = fixture.shop.sale("A leaflet", json!({ "price": price })).await;
    let window = fixture.window(tongue).await;
    let words = window.words();
    window.go(&format!("/sales/{sale}")).await;
    window.face("log_in").await;
    window.sign_up("ida").await;
    window.face("ask").await;
    let get = words.say("sale.get_free").replace("{n}", "1");
    window.shows(".ticket", &get).await;
    window.attempt("4").await;
    window.face("held").await;
    window.shows(".ticket", words.say("pay.get")).await;
    assert_eq!(window.run("return document.querySelectorAll('.ticket input').length").await, json!(0));
    window.picture(&format!("free-{}", tongue.code())).await;
    window.press(words.say("pay.get")).await;
    window.face("confirmed").await;
    window.go("/orders").await;
    window.shows("main", "TWD 0.00").await;
}
