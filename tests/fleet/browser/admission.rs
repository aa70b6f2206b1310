//! The right to press, as a page asks for it and shows it: before the opening, once, anew when it is over; and why there is none.

use serde_json::{Value, json};

use super::access::holds_here;
use super::api::Person;
use super::fixture::{Fixture, Shop, story, story_of};
use super::window::Window;
use super::words::Tongue;

/// What pages send that changes something, and as whom: the audience of the token they show.
const SPY: &str = "globalThis.sent = []; const sends = globalThis.fetch; globalThis.fetch = (path, init) => { \
    const [, claims] = init?.headers?.authorization?.split('.') ?? []; \
    if (init?.method === 'POST') sent.push([path, claims ? JSON.parse(atob(claims.replace(/-/g, '+').replace(/_/g, '/'))).aud : null]); \
    return sends(path, init); };";

async fn sent(window: &Window) -> Value {
    window.run("return sent.filter(([path]) => path.startsWith('/v1/sales/'))").await
}

#[tokio::test]
async fn a_buyer_is_let_in_before_the_opening_in_english() {
    story("admitted-en", async |fixture| is_ready(fixture, Tongue::English).await).await;
}

#[tokio::test]
async fn a_buyer_is_let_in_before_the_opening_in_chinese() {
    story("admitted-zh", async |fixture| is_ready(fixture, Tongue::Chinese).await).await;
}

/// Everything is there before the bell: the question too. At the bell there is one call, the press.
async fn is_ready(fixture: &Fixture, tongue: Tongue) {
    let far = fixture.shop.sale("A comet", json!({ "opens_at": 7_200_000, "closes_at": 9_000_000 })).await;
    let window = fixture.window(tongue).await;
    let words = window.words();
    window.prepare(SPY).await;
    window.go(&format!("/sales/{far}")).await;
    window.face("scheduled").await;
    window.shows(".ticket", words.say("face.scheduled_log_in")).await;
    window.sign_up("ada").await;
    window.face("scheduled").await;
    let (before, after) = words.say("admission.early").split_once("{when}").unwrap();
    window.shows(".ticket", before.trim()).await;
    window.shows(".ticket", after).await;
    window.picture(&format!("early-{}", tongue.code())).await;

    let sale = fixture.shop.sale("A sunrise", json!({ "opens_at": 12_000 })).await;
    window.go(&format!("/sales/{sale}")).await;
    window.face("scheduled").await;
    window.shows(".ticket", words.say("admission.ready")).await;
    holds_here(&window, "ready").await;
    window.picture(&format!("ready-{}", tongue.code())).await;
    let admission = json!([format!("/v1/sales/{sale}/admission"), "access"]);
    assert_eq!(sent(&window).await, json!([admission]));
    window.face("ask").await;
    window.attempt("4").await;
    window.face("held").await;
    let press = json!([format!("/v1/sales/{sale}/attempts"), "admission"]);
    assert_eq!(sent(&window).await, json!([admission, press]));
    let asked =
        "return performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('/question')).length";
    assert_eq!(window.run(asked).await, json!(0));
}

/// A reload finds the admission where it was; who logs out leaves none behind.
#[tokio::test]
async fn an_admission_outlives_a_reload_and_not_a_login() {
    story("kept", async |fixture| {
        let sale = fixture.shop.sale("A shell", json!({})).await;
        let window = fixture.window(Tongue::English).await;
        window.prepare(SPY).await;
        window.go(&format!("/sales/{sale}")).await;
        window.sign_up("bea").await;
        window.shows(".ticket", "2 + 2 = ?").await;
        window.reload().await;
        window.shows(".ticket", "2 + 2 = ?").await;
        assert_eq!(sent(&window).await, json!([]));
        window.go("/account").await;
        window.press(window.words().say("account.out")).await;
        window.shows("header nav", window.words().say("nav.log_in")).await;
        assert_eq!(window.run("return localStorage.getItem('miaosha.admission')").await, Value::Null);
    })
    .await;
}

/// What the shop does not take any more is replaced, and the buyer need not press again.
#[tokio::test]
async fn an_admission_that_is_over_is_renewed_once() {
    story("renewed", async |fixture| {
        let sale = fixture.shop.sale("A rope", json!({})).await;
        let window = fixture.window(Tongue::English).await;
        window.prepare(SPY).await;
        window.go(&format!("/sales/{sale}")).await;
        window.sign_up("cal").await;
        window.shows(".ticket", "2 + 2 = ?").await;
        // As one that another key signed.
        let spoil = "const kept = JSON.parse(localStorage.getItem('miaosha.admission')); \
                     kept.given.admission = kept.given.admission.slice(0, -8) + 'AAAAAAAA'; \
                     localStorage.setItem('miaosha.admission', JSON.stringify(kept));";
        window.run(spoil).await;
        window.reload().await;
        window.attempt("4").await;
        window.face("held").await;
        let [admission, press] = ["admission", "attempts"].map(|what| format!("/v1/sales/{sale}/{what}"));
        let presses = json!([[press, "admission"], [admission, "access"], [press, "admission"]]);
        assert_eq!(sent(&window).await, presses);
        window.press(window.words().say("face.held_leave")).await;
        window.press(window.words().say("face.yes")).await;
        window.face("cancelled").await;

        // Whatever is shown is refused: the page does not try for ever.
        let spoils = "const real = globalThis.fetch; globalThis.fetch = (path, init) => { \
                      if (path.endsWith('/attempts')) init.headers.authorization += 'AA'; return real(path, init); };";
        window.run(spoils).await;
        window.press(window.words().say("face.again")).await;
        window.attempt("4").await;
        window.shows(".ticket .wrong", window.words().say("problem.new_admission_needed")).await;
        let all = sent(&window).await;
        let pressed = all.as_array().unwrap().iter().filter(|one| one[0] == press).count();
        assert_eq!(pressed, 4, "{all}");
        window.shows("header nav", "cal").await;
    })
    .await;
}

/// Somebody holds already, from another device, and this page was not told.
#[tokio::test]
async fn who_has_a_reservation_is_shown_it() {
    let settings = &[("MIAOSHA__GATEWAY__ADMISSION__ADMISSION_MS", "2000")];
    story_of(
        "has",
        async || Shop::with(settings).await,
        async |fixture| {
            let sale = fixture.shop.sale("A key", json!({})).await;
            let window = fixture.window(Tongue::English).await;
            window.prepare("delete globalThis.WebSocket;").await;
            window.go(&format!("/sales/{sale}")).await;
            window.sign_up("dov").await;
            window.shows(".ticket", "2 + 2 = ?").await;
            let dov = Person::log_in(&fixture.shop.authority, "dov@example.org", "correct horse").await;
            assert_eq!(dov.attempt(sale, 1).await["status"], "held");
            let over = async || {
                let script = "return JSON.parse(localStorage.getItem('miaosha.admission')).given.until < Date.now()";
                (window.run(script).await == json!(true)).then_some(())
            };
            window.until("the admission is over", over).await;
            // Whoever writes the answer may press soon: another admission is asked for, and there is none.
            window.fill("2 + 2 = ?", "4").await;
            window.face("held").await;
        },
    )
    .await;
}

#[tokio::test]
async fn who_let_a_hold_lapse_waits_in_english() {
    cools_off(Tongue::English, "cooling-en").await;
}

#[tokio::test]
async fn who_let_a_hold_lapse_waits_in_chinese() {
    cools_off(Tongue::Chinese, "cooling-zh").await;
}

/// Until when is said, the page goes on by itself, and the second time is the last one here.
async fn cools_off(tongue: Tongue, name: &'static str) {
    let settings = &[
        ("MIAOSHA__GATEWAY__ADMISSION__COOL_OFF", "true"),
        ("MIAOSHA__GATEWAY__ADMISSION__COOL_OFF_MS", "20000"),
        ("MIAOSHA__GATEWAY__ADMISSION__LAPSES_MAX", "2"),
    ];
    story_of(
        name,
        async || Shop::with(settings).await,
        async |fixture| {
            let sale = fixture.shop.sale("A candle", json!({ "hold_ms": 4_000, "quantity_max": 1 })).await;
            let window = fixture.window(tongue).await;
            let words = window.words();
            window.go(&format!("/sales/{sale}")).await;
            window.sign_up("eli").await;
            window.attempt("4").await;
            window.face("lapsed").await;
            window.press(words.say("face.again")).await;
            window.face("cooling").await;
            let (before, after) = words.say("face.cooling_text").split_once("{when}").unwrap();
            window.shows(".ticket", before.trim()).await;
            window.shows("#said", after.trim()).await;
            let counts = async || window.text(".ticket .count").await.filter(|left| left.starts_with("00:"));
            window.until("the time is counted down", counts).await;
            holds_here(&window, "cooling off").await;
            window.picture(name).await;
            // A reload changes nothing.
            window.reload().await;
            window.press(words.say("face.again")).await;
            window.face("cooling").await;

            window.attempt("4").await;
            window.face("lapsed").await;
            window.press(words.say("face.again")).await;
            window.face("out").await;
            window.shows(".ticket", words.say("face.out_text")).await;
            holds_here(&window, "out").await;
            window.picture(&format!("out-{}", tongue.code())).await;
        },
    )
    .await;
}

#[tokio::test]
async fn a_full_network_is_told() {
    let settings =
        &[("MIAOSHA__GATEWAY__ADMISSION__NETWORK", "true"), ("MIAOSHA__GATEWAY__ADMISSION__NETWORK_PLACES_MAX", "1")];
    story_of(
        "network",
        async || Shop::with(settings).await,
        async |fixture| {
            let sale = fixture.shop.sale("A gate", json!({})).await;
            fixture.shop.shopper("first").await.admitted(sale).await;
            for (tongue, name) in [(Tongue::English, "fin"), (Tongue::Chinese, "gia")] {
                let window = fixture.window(tongue).await;
                window.go(&format!("/sales/{sale}")).await;
                window.sign_up(name).await;
                window.face("full").await;
                window.shows(".ticket", window.words().say("face.full_text")).await;
                holds_here(&window, "full").await;
                window.picture(&format!("full-{}", tongue.code())).await;
                window.press(window.words().say("face.again")).await;
                window.face("full").await;
            }
        },
    )
    .await;
}
