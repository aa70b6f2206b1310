//! The desk asks before what cannot be undone, with the figures: closing, raising, putting units back.

use serde_json::{Value, json};

use super::fixture::{Fixture, story};
use super::window::Window;
use super::words::Tongue;

/// Remembers from now on what this page sends that changes something.
pub async fn count_requests(window: &Window) {
    let script = "const real = window.fetch; window.sent = []; \
                  window.fetch = (path, init) => { if (init?.method !== 'GET') sent.push(path); return real(path, init); };";
    window.run(script).await;
}

pub async fn requests(window: &Window) -> Value {
    window.run("return window.sent").await
}

pub async fn press_yes_twice(window: &Window) {
    window.run("const yes = document.querySelector('.dialog button[type=submit]'); yes.click(); yes.click();").await;
}

pub async fn no_question(window: &Window) {
    let gone = async || (window.run("return document.querySelector('.dialog')").await.is_null()).then_some(());
    window.until("the question is gone", gone).await;
}

async fn focused(window: &Window) -> Value {
    window.run("return document.activeElement.innerText").await
}

#[tokio::test]
async fn closing_asks_first() {
    story("closing", async |fixture| closes(fixture, Tongue::English).await).await;
}

/// Where the browser has no dialogs the page has a layer of its own, for the keyboard and for who cannot see as well.
#[tokio::test]
async fn closing_asks_first_without_dialogs() {
    story("closing-old", async |fixture| {
        let window = fixture.window(Tongue::Chinese).await;
        window.prepare("delete HTMLDialogElement.prototype.showModal").await;
        closes_in(fixture, window).await;
    })
    .await;
}

async fn closes(fixture: &Fixture, tongue: Tongue) {
    let window = fixture.window(tongue).await;
    closes_in(fixture, window).await;
}

async fn closes_in(fixture: &Fixture, window: Window) {
    let words = window.words();
    let sale = fixture.shop.sale("A lid", json!({ "capacity": 4 })).await;
    assert_eq!(fixture.shop.shopper("kit").await.attempt(sale, 3).await["status"], "held");
    assert_eq!(fixture.shop.shopper("liv").await.attempt(sale, 2).await["status"], "standby");
    window.log_in("operator@miaosha.test", "correct horse").await;
    window.shows("header nav", words.say("nav.desk")).await;
    window.go(&format!("/desk/sales/{sale}")).await;
    window.shows(".mark", words.say("desk.phase_open")).await;
    count_requests(&window).await;

    window.press(words.say("live.close")).await;
    for (key, n) in [("ask.close_left.one", "1"), ("ask.close_held", "3"), ("ask.close_line.one", "1")] {
        window.shows(".dialog", &words.say(key).replace("{n}", n)).await;
    }
    window.picture(&format!("closing-{}", words.say("live.close").len())).await;
    // Focus is on the harmless answer, and stays in the question, whichever way it is moved.
    assert_eq!(focused(&window).await, json!(words.say("ask.no")));
    for _ in 0..5 {
        window.tab_key().await;
        let inside = "const at = document.activeElement; return at === document.body || at.closest('.dialog') !== null";
        assert_eq!(window.run(inside).await, json!(true));
    }
    let role = "const box = document.querySelector('.dialog'); const named = document.getElementById(box.getAttribute('aria-labelledby')); \
                return [box.getAttribute('role'), named.innerText, document.getElementById(box.getAttribute('aria-describedby')).innerText.length > 40]";
    assert_eq!(window.run(role).await, json!(["alertdialog", words.say("ask.close"), true]));
    window.escape_key().await;
    no_question(&window).await;
    assert_eq!(focused(&window).await, json!(words.say("live.close")));
    window.press(words.say("live.close")).await;
    window.press(words.say("ask.no")).await;
    no_question(&window).await;
    let phase = async || fixture.shop.operator().await.call("GET", &format!("/v1/sales/{sale}"), None).await.is(200);
    assert_eq!((requests(&window).await, &phase().await["phase"]), (json!([]), &json!("open")));

    // Two presses of the button ask once, and two of the answer send once.
    let twice = "const button = [...document.querySelectorAll('main button')].find((one) => one.innerText === arguments[0]); \
                 button.click(); button.click();";
    window.client().execute(twice, vec![json!(words.say("live.close"))]).await.unwrap();
    window.shows(".dialog", words.say("ask.close_final")).await;
    window.shows(".mark", words.say("desk.phase_open")).await;
    assert_eq!(window.run("return document.querySelectorAll('.dialog').length").await, json!(1));
    press_yes_twice(&window).await;
    window.shows(".mark", words.say("desk.phase_closed")).await;
    no_question(&window).await;
    assert_eq!(requests(&window).await, json!([format!("/v1/admin/sales/{sale}/close")]));
    assert_eq!(focused(&window).await, json!("A lid"));
}

#[tokio::test]
async fn raising_asks_first_in_english() {
    story("raising-en", async |fixture| raises(fixture, Tongue::English).await).await;
}

#[tokio::test]
async fn raising_asks_first_in_chinese() {
    story("raising-zh", async |fixture| raises(fixture, Tongue::Chinese).await).await;
}

async fn raises(fixture: &Fixture, tongue: Tongue) {
    let window = fixture.window(tongue).await;
    let words = window.words();
    let sale = fixture.shop.sale("A loaf", json!({ "capacity": 100 })).await;
    window.log_in("operator@miaosha.test", "correct horse").await;
    window.shows("header nav", words.say("nav.desk")).await;
    window.go(&format!("/desk/sales/{sale}")).await;
    window.shows(".mark", "/ 100").await;
    count_requests(&window).await;
    let raise = async |to: &str| {
        window.fill(words.say("live.capacity"), to).await;
        window.press(words.say("live.raise")).await;
    };
    let from = |key: &str, from: &str, to: &str, n: &str| {
        words.say(key).replace("{from}", from).replace("{to}", to).replace("{n}", n)
    };

    // What is not larger is not even asked.
    for not_larger in ["100", "99", "1", "0", "100.5"] {
        raise(not_larger).await;
        window.shows(".field .wrong", &from("ask.raise_larger", "", "", "100")).await;
        no_question(&window).await;
    }
    raise("150").await;
    window.shows_no_more(".field", &from("ask.raise_larger", "", "", "100")).await;
    window.shows(".dialog", &from("ask.raise_text", "100", "150", "50")).await;
    window.press(words.say("ask.no")).await;
    no_question(&window).await;
    assert_eq!(requests(&window).await, json!([]));
    window.press(words.say("live.raise")).await;
    window.shows(".dialog", &from("ask.raise_text", "100", "150", "50")).await;
    press_yes_twice(&window).await;
    window.shows(".mark", "/ 150").await;

    // More than twice as many is typed again.
    raise("1000").await;
    window.shows(".dialog", &from("ask.raise_text", "150", "1,000", "850")).await;
    window.press(words.say("ask.raise_yes")).await;
    window.shows(".dialog", &from("ask.twice_text", "150", "1,000", "")).await;
    window.fill(words.say("ask.twice_label"), "100").await;
    window.press(words.say("ask.raise_yes")).await;
    window.shows(".dialog .wrong", words.say("ask.twice_wrong")).await;
    window.picture("raising").await;
    window.fill(words.say("ask.twice_label"), "1000").await;
    window.press(words.say("ask.raise_yes")).await;
    window.shows(".mark", "/ 1,000").await;
    assert_eq!(
        requests(&window).await,
        json!([format!("/v1/admin/sales/{sale}/raise"), format!("/v1/admin/sales/{sale}/raise")])
    );
}

#[tokio::test]
async fn units_are_taken_out_of_sale_and_put_back_in_english() {
    story("blocks-en", async |fixture| blocks(fixture, Tongue::English).await).await;
}

#[tokio::test]
async fn units_are_taken_out_of_sale_and_put_back_in_chinese() {
    story("blocks-zh", async |fixture| blocks(fixture, Tongue::Chinese).await).await;
}

async fn blocks(fixture: &Fixture, tongue: Tongue) {
    let window = fixture.window(tongue).await;
    let words = window.words();
    let sale = fixture.shop.sale("A bench", json!({ "capacity": 5 })).await;
    let holder = fixture.shop.shopper("ola").await;
    assert_eq!(holder.attempt(sale, 2).await["status"], "held");
    window.log_in("operator@miaosha.test", "correct horse").await;
    window.shows("header nav", words.say("nav.desk")).await;
    window.go(&format!("/desk/sales/{sale}")).await;
    window.shows("main", words.say("blocks.none")).await;
    // What is refused is said in the page's language.
    let take = async |units: &str, reason: &str| {
        window.fill(words.say("blocks.units"), units).await;
        window.fill(words.say("blocks.reason"), reason).await;
        window.press(words.say("blocks.take")).await;
    };
    take("0", "For nobody").await;
    let range = words.say("rule.range").replace("{min}", "1").replace("{max}", "1,000");
    window.shows(".field .wrong", &range).await;
    count_requests(&window).await;

    // More than there is: it takes what is free, and says so.
    take("50", "For the band").await;
    let path = format!("/v1/admin/sales/{sale}/blocks");
    window.shows("main", &words.say("blocks.fewer").replace("{n}", "3").replace("{wanted}", "50")).await;
    window.shows("tbody", "For the band").await;
    window.shows(".mark", "/ 5").await;
    window.shows_no_more("main", words.say("blocks.none")).await;
    assert_eq!(requests(&window).await, json!([path]));
    let read = async || holder.call("GET", &format!("/v1/sales/{sale}"), None).await.is(200)["left"].clone();
    assert_eq!(read().await, json!(0));
    window.picture(&format!("blocks-{}", tongue.code())).await;

    // Closing says that they stay.
    window.press(words.say("live.close")).await;
    window.shows(".dialog", &words.say("ask.close_blocked").replace("{n}", "3")).await;
    window.press(words.say("ask.no")).await;
    no_question(&window).await;

    // The parties on standby get them when they are put back.
    let waiter = fixture.shop.shopper("pia").await;
    assert_eq!(waiter.attempt(sale, 2).await["status"], "standby");
    window.press(words.say("blocks.put_back")).await;
    window.shows(".dialog", &words.say("ask.end_text").replace("{n}", "3").replace("{reason}", "For the band")).await;
    window.escape_key().await;
    no_question(&window).await;
    assert_eq!(requests(&window).await, json!([path]));
    window.press(words.say("blocks.put_back")).await;
    window.shows(".dialog", words.say("ask.end_final")).await;
    press_yes_twice(&window).await;
    window.shows("main", &words.say("blocks.ended").replace("{n}", "3")).await;
    window.shows("main", words.say("blocks.none")).await;
    assert_eq!(requests(&window).await.as_array().unwrap().len(), 2);
    let standing = async || {
        let row = waiter.call("GET", &format!("/v1/sales/{sale}/reservation"), None).await.is(200);
        (row["status"] == "held").then_some(())
    };
    window.until("who waited has it", standing).await;
    // The catalogue's figures may be a moment old.
    window.until("one is left", async || (read().await == json!(1)).then_some(())).await;
    take("1", "For the drummer").await;
    window.shows("tbody", "For the drummer").await;
    take("1", "For nobody").await;
    window.shows(".field .wrong", words.say("blocks.none_free")).await;
    window.press(words.say("live.close")).await;
    window.press(words.say("ask.close_yes")).await;
    window.shows(".mark", words.say("desk.phase_closed")).await;
    take("1", "For nobody").await;
    window.shows("p.wrong", words.say("problem.sale_closed")).await;
}
