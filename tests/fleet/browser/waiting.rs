//! What happens while a buyer watches: promotion, lapse, a race, a shop that crashes.

use serde_json::json;

use super::fixture::story;
use super::words::Tongue;

#[tokio::test]
async fn who_is_in_line_is_promoted_while_watching() {
    story("promoted", async |fixture| {
        let sale = fixture.shop.sale("The last cup", json!({ "capacity": 1, "quantity_max": 1 })).await;
        let first = fixture.shop.shopper("first").await;
        assert_eq!(first.attempt(sale, 1).await["status"], "held");
        let window = fixture.window(Tongue::English).await;
        window.go(&format!("/sales/{sale}")).await;
        window.sign_up("dee").await;
        window.face("line").await;
        window.attempt("4").await;
        window.face("standby").await;
        window.shows(".place", "1").await;
        window.reload().await;
        window.face("standby").await;
        window.picture("standby").await;
        window.hears().await;
        first.cancel(sale).await;
        window.face("held").await;
        window.press_form().await;
        window.face("confirmed").await;
    })
    .await;
}

#[tokio::test]
async fn who_is_in_line_when_all_is_paid_has_what_is_given_back() {
    story("given-back", async |fixture| {
        let sale = fixture.shop.sale("A quiet room", json!({ "capacity": 1, "quantity_max": 1 })).await;
        let first = fixture.shop.shopper("first").await;
        assert_eq!(first.attempt(sale, 1).await["status"], "held");
        let order = first.pay(sale).await;
        let windows = [fixture.window(Tongue::English).await, fixture.window(Tongue::Chinese).await];
        for (window, name) in windows.iter().zip(["ida", "jon"]) {
            window.go(&format!("/sales/{sale}")).await;
            window.sign_up(name).await;
            window.face("line").await;
            window.shows(".hint", window.words().say("sale.line_paid_hint")).await;
            window.attempt("4").await;
            window.face("standby").await;
            let stays = window.words().say("face.standby_paid").replace("{n}", "1");
            window.shows(".ticket", &stays).await;
        }
        let [next, last] = &windows;
        last.shows(".place", "2").await;
        last.picture("standby-paid").await;
        let operator = fixture.shop.operator().await;
        operator.call("POST", &format!("/v1/admin/orders/{order}/refunds"), Some(&json!({}))).await.is(201);
        next.face("held").await;
        last.shows(".ticket", &last.words().say("face.standby_hint").replace("{n}", "1")).await;
        next.press_form().await;
        next.face("confirmed").await;
        last.shows(".ticket", &last.words().say("face.standby_paid").replace("{n}", "1")).await;
        operator.call("POST", &format!("/v1/admin/sales/{sale}/close"), Some(&json!({}))).await.is(200);
        last.face("ended").await;
        last.shows(".ticket", last.words().say("face.ended_text")).await;
    })
    .await;
}

#[tokio::test]
async fn a_line_that_ends_with_the_sale_says_so() {
    story("line-ends", async |fixture| {
        let sale = fixture
            .shop
            .sale("A long table", json!({ "capacity": 2, "quantity_max": 2, "standby_until": "paid" }))
            .await;
        let first = fixture.shop.shopper("first").await;
        assert_eq!(first.attempt(sale, 1).await["status"], "held");
        first.pay(sale).await;
        assert_eq!(fixture.shop.shopper("second").await.attempt(sale, 2).await["status"], "standby");
        let window = fixture.window(Tongue::English).await;
        window.go(&format!("/sales/{sale}")).await;
        window.sign_up("kai").await;
        window.face("ask").await;
        window.choose("2").await;
        window.fill("2 + 2 = ?", "4").await;
        window.press(&window.words().say("sale.line_up").replace("{n}", "2")).await;
        window.face("standby").await;
        // A party of two, and one unit that no other party took.
        let operator = fixture.shop.operator().await;
        operator.call("POST", &format!("/v1/admin/sales/{sale}/close"), Some(&json!({}))).await.is(200);
        window.face("ended_closed").await;
        // Where the line ends with the last payment, who comes after that is told.
        let sold = fixture
            .shop
            .sale("A short bench", json!({ "capacity": 1, "standby_until": "paid", "quantity_max": 1 }))
            .await;
        assert_eq!(first.attempt(sold, 1).await["status"], "held");
        first.pay(sold).await;
        window.go(&format!("/sales/{sold}")).await;
        window.face("sold").await;
    })
    .await;
}

#[tokio::test]
async fn a_hold_lapses_before_the_buyers_eyes() {
    story("lapsed", async |fixture| {
        let sale = fixture.shop.sale("A short song", json!({ "hold_ms": 4_000 })).await;
        let window = fixture.window(Tongue::English).await;
        window.go(&format!("/sales/{sale}")).await;
        window.sign_up("eve").await;
        window.attempt("4").await;
        window.face("held").await;
        window.face("lapsed").await;
        window.picture("lapsed").await;
        window.press(window.words().say("face.again")).await;
        window.face("ask").await;
        window.attempt("4").await;
        window.face("held").await;
    })
    .await;
}

/// What is said to who listens, and what the ticket shows at that moment.
const LISTENS: &str = "globalThis.heard = []; addEventListener('DOMContentLoaded', () => { \
    const said = document.getElementById('said'); \
    new MutationObserver(() => { \
        const text = said.textContent; \
        if (text) heard.push({ text, shown: document.querySelector('.ticket .body').innerText.includes(text), marked: document.querySelector('.ticket').classList.contains('soon') }); \
    }).observe(said, { childList: true, characterData: true, subtree: true }); });";

#[tokio::test]
async fn a_hold_that_ends_soon_is_told_of_once() {
    story("soon", async |fixture| {
        let sale = fixture.shop.sale("A soap bubble", json!({ "hold_ms": 12_000 })).await;
        for (tongue, name) in [(Tongue::English, "una"), (Tongue::Chinese, "vic")] {
            let window = fixture.window(tongue).await;
            let words = window.words();
            window.prepare(LISTENS).await;
            window.go(&format!("/sales/{sale}")).await;
            window.sign_up(name).await;
            window.attempt("4").await;
            window.face("held").await;
            let (before, after) = words.say("face.held_soon").split_once("{n}").unwrap();
            window.shows(".ticket", before).await;
            window.picture(&format!("soon-{}", tongue.code())).await;
            window.face("lapsed").await;
            let heard = window.run("return heard").await;
            let told = |one: &&serde_json::Value| {
                let text = one["text"].as_str().unwrap();
                text.starts_with(before) && text.ends_with(after)
            };
            let told: Vec<_> = heard.as_array().unwrap().iter().filter(told).collect();
            assert_eq!(told.len(), 1, "{heard}");
            assert_eq!((&told[0]["shown"], &told[0]["marked"]), (&json!(true), &json!(true)), "{heard}");
            assert_eq!(window.run("return document.getElementById('said').ariaLive").await, json!("polite"));
        }
        // A minute before the end of a long hold, and a third of a short one.
        let window = fixture.window(Tongue::English).await;
        window.go("/").await;
        let script = "const app = document.querySelector('script[type=module]').src; \
            return import(app.replace('app.js', 'pages/pay.js')).then(({ soonMs }) => [600_000, 180_000, 30_000].map((hold_ms) => soonMs({ hold_ms })))";
        assert_eq!(window.run(script).await, json!([60_000, 60_000, 10_000]));
    })
    .await;
}

/// A buyer who wants more than is left is asked before being put in line.
#[tokio::test]
async fn fewer_are_offered_before_the_line() {
    story("fewer", async |fixture| {
        let sale = fixture.shop.sale("A pair of skates", json!({ "capacity": 3, "quantity_max": 3 })).await;
        assert_eq!(fixture.shop.shopper("rival").await.attempt(sale, 2).await["status"], "held");
        for (tongue, name) in [(Tongue::English, "wyn"), (Tongue::Chinese, "xia")] {
            let window = fixture.window(tongue).await;
            let words = window.words();
            let line_up = words.say("sale.line_up").replace("{n}", "3");
            let (fewer, _) = words.say("sale.get_fewer").split_once(" {price}").unwrap_or_default();
            let fewer = fewer.replace("{n}", "1");
            window.go(&format!("/sales/{sale}")).await;
            window.sign_up(name).await;
            window.face("ask").await;
            window.shows_no_more(".ticket form", &line_up).await;
            window.choose("3").await;
            window.shows(".ticket form button:not([type])", &fewer).await;
            window.shows(".ticket form button[type]", &line_up).await;
            window.picture(&format!("fewer-{}", tongue.code())).await;
            window.fill("2 + 2 = ?", "4").await;
            window.press(&line_up).await;
            window.face("standby").await;
            let told = words.say("face.standby_fewer").replace("{left}", "1").replace("{n}", "3");
            window.shows(".ticket", &told).await;
            window.shows_no_more(".ticket", &words.say("face.standby_late").replace("{n}", "3")).await;
            window.press(words.say("face.standby_leave")).await;
            window.press(words.say("face.yes")).await;
            window.face("cancelled").await;
            window.press(words.say("face.again")).await;
            window.shows(".ticket form button:not([type])", &fewer).await;
            window.attempt("4").await;
            window.face("held").await;
            let held = words.say("face.held_text").split_once("{price}").unwrap().0.replace("{n}", "1");
            window.shows(".ticket", &held).await;
            window.press(words.say("face.held_leave")).await;
            window.press(words.say("face.yes")).await;
            window.face("cancelled").await;
        }
    })
    .await;
}

/// A page that is told nothing new of its sale while `stale`.
const STALE: &str = "delete globalThis.WebSocket; const real = globalThis.fetch; globalThis.fetch = async (url, ...more) => { \
    const answer = await real(url, ...more); \
    return globalThis.stale && /\\/v1\\/sales\\/\\d+$/.test(url) ? new Promise(() => {}) : answer; };";

#[tokio::test]
async fn who_is_in_line_for_what_was_there_is_told_why() {
    story("stale", async |fixture| {
        for (tongue, name, quantity, key) in [
            (Tongue::English, "yan", "2", "face.standby_late"),
            (Tongue::English, "zoe", "1", "face.standby_late.one"),
            (Tongue::Chinese, "abe", "2", "face.standby_late"),
        ] {
            let sale = fixture.shop.sale("A ticket stub", json!({ "capacity": 2, "quantity_max": 2 })).await;
            let window = fixture.window(tongue).await;
            window.prepare(STALE).await;
            window.go(&format!("/sales/{sale}")).await;
            window.sign_up(name).await;
            window.face("ask").await;
            window.run("globalThis.stale = true").await;
            assert_eq!(fixture.shop.shopper(&format!("before-{name}")).await.attempt(sale, 2).await["status"], "held");
            window.choose(quantity).await;
            window.attempt("4").await;
            window.face("standby").await;
            window.shows(".ticket", &window.words().say(key).replace("{n}", quantity)).await;
            window.picture(&format!("standby-late-{name}")).await;
        }
    })
    .await;
}

#[tokio::test]
async fn two_buyers_race_for_one_unit() {
    story("race", async |fixture| {
        let sale = fixture
            .shop
            .sale("The only one", json!({ "capacity": 1, "quantity_max": 1, "standby_until": "paid" }))
            .await;
        let windows = [fixture.window(Tongue::English).await, fixture.window(Tongue::English).await];
        for (window, name) in windows.iter().zip(["fay", "gus"]) {
            window.go(&format!("/sales/{sale}")).await;
            window.sign_up(name).await;
            window.face("ask").await;
            window.fill("2 + 2 = ?", "4").await;
        }
        tokio::join!(windows[0].press_form(), windows[1].press_form());
        let faces = tokio::join!(settled(&windows[0]), settled(&windows[1]));
        let (winner, loser) = match faces {
            (true, false) => (&windows[0], &windows[1]),
            (false, true) => (&windows[1], &windows[0]),
            both => panic!("held: {both:?}"),
        };
        winner.press_form().await;
        winner.face("confirmed").await;
        loser.face("ended").await;
    })
    .await;
}

/// Whether the unit is held; otherwise the buyer is in line.
async fn settled(window: &super::window::Window) -> bool {
    window.shows_no_more(".ticket .stub h2", window.words().say("face.ask")).await;
    window.shows_no_more(".ticket .stub h2", window.words().say("face.sending")).await;
    window.shows_no_more(".ticket .stub h2", window.words().say("face.pending")).await;
    let face = window.text(".ticket .stub h2").await.unwrap();
    assert!(["face.held", "face.standby"].iter().any(|key| face == window.words().say(key)), "{face}");
    face == window.words().say("face.held")
}

#[tokio::test]
async fn a_shop_that_dies_is_said_and_waited_for() {
    story("dies", async |fixture| {
        let sale = fixture.shop.sale("A sturdy chair", json!({})).await;
        let window = fixture.window(Tongue::English).await;
        let words = window.words();
        window.go(&format!("/sales/{sale}")).await;
        window.sign_up("hal").await;
        window.face("ask").await;
        window.fill("2 + 2 = ?", "4").await;

        // Pressed while the shop is away: it is sent again by itself, and after a reload too.
        fixture.shop.dies().await;
        window.shows(".news", words.say("trouble.offline")).await;
        window.press_form().await;
        window.face("sending").await;
        window.shows(".ticket .slow", words.say("face.sending_again")).await;
        window.picture("offline").await;
        fixture.shop.comes_back().await;
        window.face("held").await;
        window.shows_no_more(".news", words.say("trouble.offline")).await;

        // What is held stays held, and the line comes back.
        window.hears().await;
        fixture.shop.dies().await;
        window.shows(".news", words.say("trouble.offline")).await;
        window.press_form().await;
        fixture.shop.comes_back().await;
        window.face("confirmed").await;
        window.shows_no_more(".news", words.say("trouble.offline")).await;
    })
    .await;
}
