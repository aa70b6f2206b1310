//! Operators who may not do everything: each sees what the role includes, and a role that is taken away is gone from the open page.

use std::time::Duration;

use serde_json::{Value, json};

use super::fixture::{Fixture, story};
use super::words::Tongue;

/// In which orders are given the words by which doors find them.
const A_SWEEP: Duration = Duration::from_secs(1);

/// What the shop says to the page's token.
const STATUS: &str = "const { token } = JSON.parse(localStorage.getItem('miaosha.session')); \
                      return fetch('/v1/me', { headers: { authorization: `Bearer ${token}` } }).then((answer) => answer.status)";

#[tokio::test]
async fn a_steward_lets_in_and_does_nothing_else_in_english() {
    story("steward-en", async |fixture| lets_in(fixture, Tongue::English).await).await;
}

#[tokio::test]
async fn a_steward_lets_in_and_does_nothing_else_in_chinese() {
    story("steward-zh", async |fixture| lets_in(fixture, Tongue::Chinese).await).await;
}

async fn lets_in(fixture: &Fixture, tongue: Tongue) {
    let sale = fixture.shop.sale("A parade", json!({})).await;
    let buyer = fixture.shop.shopper("quin").await;
    buyer.attempt(sale, 1).await;
    let path = format!("/v1/orders/{}/tickets", buyer.pay(sale).await);
    let tickets: Value = buyer.call("GET", &path, None).await.is(200);
    let token = tickets["units"][0]["token"].as_str().unwrap();
    fixture.shop.add_operator("steward", "door").await;

    let door = fixture.window(tongue).await;
    let words = door.words();
    door.log_in("steward@miaosha.test", "correct horse").await;
    door.comes_to("/check-in").await;
    door.shows("h1", words.say("check.title")).await;
    let links = door.text("header nav").await.unwrap();
    assert!(links.contains(words.say("nav.check_in")) && !links.contains(words.say("nav.desk")), "{links}");
    door.press("A parade").await;
    door.fill(words.say("check.code"), token).await;
    door.press(words.say("check.check")).await;
    door.shows(".verdict", words.say("check.in")).await;
    door.picture(&format!("steward-{}", tongue.code())).await;
    for path in ["/desk", "/desk/new", "/desk/refund", "/desk/refunds", "/desk/parked", "/desk/audit", "/desk/journal"]
    {
        door.go(path).await;
        door.shows("h1", words.say("page.not_yours")).await;
    }
    door.go(&format!("/desk/sales/{sale}")).await;
    door.shows("h1", words.say("page.not_yours")).await;

    // The phone is lost: what is open on it is of no use within a second.
    door.go("/check-in").await;
    door.shows(".door h2", "A parade").await;
    let list = fixture.shop.operators(&["list"], b"").await;
    let role = |list: &Value, name: &str| {
        let all = list["operators"].as_array().unwrap().iter();
        all.filter(|one| one["email"] == format!("{name}@miaosha.test")).map(|one| one["role"].clone()).next()
    };
    assert_eq!((role(&list, "steward"), role(&list, "operator")), (Some(json!("door")), Some(json!("owner"))));
    fixture.shop.operators(&["remove", "--email", "steward@miaosha.test"], b"").await;
    let refused = async || Some(door.run(STATUS).await).filter(|status| *status == 401);
    door.until("the token is refused", refused).await;
    door.fill(words.say("check.code"), token).await;
    door.press(words.say("check.check")).await;
    door.shows("header nav", words.say("nav.log_in")).await;
    assert_eq!(role(&fixture.shop.operators(&["list"], b"").await, "steward"), None);
    door.log_in("steward@miaosha.test", "correct horse").await;
    door.shows("header nav", "steward").await;
    door.go("/check-in").await;
    door.shows("h1", words.say("page.forbidden")).await;
}

#[tokio::test]
async fn a_viewer_sees_the_desk_and_no_button() {
    story("viewer", async |fixture| {
        let sale = fixture.shop.sale("A parade", json!({})).await;
        fixture.shop.add_operator("vera", "viewer").await;
        let desk = fixture.window(Tongue::English).await;
        let words = desk.words();
        desk.log_in("vera@miaosha.test", "correct horse").await;
        desk.press(words.say("nav.desk")).await;
        desk.shows("tbody", "A parade").await;
        let buttons = desk.text("main .row").await.unwrap();
        for (key, is_there) in [
            ("desk.refunds", true),
            ("desk.audit", true),
            ("desk.parked", true),
            ("desk.new", false),
            ("nav.check_in", false),
        ] {
            assert_eq!(buttons.contains(words.say(key)), is_there, "{key}: {buttons}");
        }
        desk.picture("desk-viewer").await;
        desk.go(&format!("/desk/sales/{sale}")).await;
        desk.shows("h1", "A parade").await;
        desk.shows("main", words.say("live.report")).await;
        desk.shows("main", words.say("blocks.none")).await;
        let page = desk.text("main").await.unwrap();
        for key in ["live.pause", "live.close", "live.raise", "live.orders", "live.reservations", "blocks.take"] {
            assert!(!page.contains(words.say(key)), "{key}: {page}");
        }
        desk.picture("running-viewer").await;
        for path in ["/desk/new", "/desk/refund", "/check-in"] {
            desk.go(path).await;
            desk.shows("h1", words.say("page.not_yours")).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_steward_looks_up_lets_in_and_undoes_in_english() {
    story("holder-en", async |fixture| looks_up(fixture, Tongue::English).await).await;
}

#[tokio::test]
async fn a_steward_looks_up_lets_in_and_undoes_in_chinese() {
    story("holder-zh", async |fixture| looks_up(fixture, Tongue::Chinese).await).await;
}

async fn looks_up(fixture: &Fixture, tongue: Tongue) {
    let sale = fixture.shop.sale("A parade", json!({})).await;
    let buyer = fixture.shop.shopper("quin").await;
    buyer.attempt(sale, 1).await;
    let number = buyer.pay(sale).await;
    fixture.shop.add_operator("steward", "door").await;

    let door = fixture.window(tongue).await;
    let words = door.words();
    door.log_in("steward@miaosha.test", "correct horse").await;
    door.comes_to("/check-in").await;
    door.press("A parade").await;
    door.fill(words.say("holders.name"), "qu").await;
    door.press(words.say("holders.seek")).await;
    door.shows(".wrong", "3").await;
    // By the end of the number, as people read it out.
    door.fill(words.say("holders.name"), &number[10..]).await;
    let found = async || {
        door.press(words.say("holders.seek")).await;
        tokio::time::sleep(A_SWEEP).await;
        door.text(".holder").await.filter(|found| found.contains("quin"))
    };
    let found = door.until("the sweeper has given the order its words", found).await;
    assert!(found.contains(&number), "{found}");

    let lets_in = async || {
        door.press(words.say("holders.let_in")).await;
        door.shows(".dialog", words.say("holders.ask_text")).await;
        door.press(words.say("holders.yes")).await;
        door.shows(".verdict", words.say("check.in")).await;
        door.shows_no_more(".holder", words.say("holders.let_in")).await;
    };
    lets_in().await;
    door.picture(&format!("holder-{}", tongue.code())).await;
    door.press(words.say("undo.undo")).await;
    door.shows(".dialog", words.say("undo.text")).await;
    door.press(words.say("undo.yes")).await;
    door.shows(".verdict", words.say("undo.done")).await;
    door.shows(".holder", words.say("holders.let_in")).await;
    lets_in().await;

    let operator = fixture.shop.operator().await;
    let path = format!("/v1/admin/sales/{sale}/check-in-undos");
    let undos: Value = operator.call("GET", &path, None).await.is(200);
    assert_eq!(undos.as_array().map(Vec::len), Some(1), "{undos}");
}
