//! The narrowest phone, and the longest words: nothing makes a page scroll sideways, and nothing is cut off.

use serde_json::{Value, json};

use super::fixture::{Fixture, story};
use super::window::Window;
use super::words::Tongue;

const WIDTH: u32 = 320;

/// What sticks out; tables may, within their region.
const STICKS_OUT: &str = "const root = document.documentElement; \
    const out = [...document.querySelectorAll('body *')].filter((node) => { \
        if (node.closest('svg, .wide table, .unseen, .skip, nav .name') || !node.checkVisibility()) return false; \
        const box = node.getBoundingClientRect(); \
        return box.width > 0 && (box.right > root.clientWidth + 0.5 || box.left < -0.5 || (node.scrollWidth > node.clientWidth + 1 && !node.matches('.wide, input, textarea') && getComputedStyle(node).display !== 'inline' && getComputedStyle(node).overflowX !== 'visible')); \
    }); \
    const names = out.map((node) => `${node.tagName} .${node.getAttribute('class')} ${node.textContent.slice(0, 30)}`); \
    return [root.scrollWidth, root.clientWidth, names];";

#[tokio::test]
async fn the_narrowest_phone_holds_the_longest_words_in_english() {
    story("narrow-en", async |fixture| looks(fixture, Tongue::English).await).await;
}

#[tokio::test]
async fn the_narrowest_phone_holds_the_longest_words_in_chinese() {
    story("narrow-zh", async |fixture| looks(fixture, Tongue::Chinese).await).await;
}

/// One word of so many characters.
fn word(part: &str, length: usize) -> String {
    part.chars().cycle().take(length).collect()
}

async fn looks(fixture: &Fixture, tongue: Tongue) {
    let (latin, han) = (word("Donaudampfschifffahrt", 200), word("長相思在長安絡緯秋啼金井闌", 200));
    let prompt = word("Rindfleischetikettierung", 200);
    let dear = json!({
        "price": { "minor": 100_000_000_000_i64, "currency": "TWD" }, "capacity": 4, "quantity_max": 4, "standby_max": 1_000_000,
        "questions": [{ "prompt": prompt, "answer": "4" }],
    });
    let bought = fixture.shop.sale(&latin, dear.clone()).await;
    let wanted = fixture.shop.sale(&han, dear.clone()).await;
    let later = fixture.shop.sale(&latin, json!({ "opens_at": 900_000_000 , "closes_at": 990_000_000 })).await;
    let rival = fixture.shop.shopper("rival").await;
    assert_eq!(rival.attempt(wanted, 3).await["status"], "held");

    let window = fixture.window(tongue).await;
    let words = window.words();
    window.narrow(WIDTH).await;
    let entries = ["/log-in", "/log-in?by=code", "/log-in?by=new_password", "/sign-up"];
    for path in
        entries.into_iter().chain(["/", "/sales/999999", &format!("/sales/{later}"), &format!("/sales/{wanted}")])
    {
        window.go(path).await;
        fits(&window, path).await;
    }
    window.picture(&format!("narrow-sale-{}", tongue.code())).await;

    // A name and an address as long as may be.
    let email = format!("{}@{}.{}.example.org", word("address", 64), word("mail", 63), word("host", 63));
    window.go("/sign-up").await;
    window.fill(words.say("entry.name"), &word("Hubertblaine", 100)).await;
    window.fill(words.say("entry.email"), &email).await;
    window.fill(words.say("entry.password"), "correct horse").await;
    window.press_form().await;
    window.shows("main", &email).await;
    fits(&window, "a code is waited for").await;
    window.picture(&format!("narrow-code-{}", tongue.code())).await;
    window.give_code(&email).await;
    window.shows("header nav", "Hubertblaine").await;
    for path in ["/", "/account", "/orders", "/desk"] {
        window.go(path).await;
        fits(&window, path).await;
    }
    window.picture(&format!("narrow-forbidden-{}", tongue.code())).await;

    window.go(&format!("/sales/{wanted}")).await;
    window.face("ask").await;
    window.choose("3").await;
    fits(&window, "fewer than wanted").await;
    window.picture(&format!("narrow-fewer-{}", tongue.code())).await;
    window.fill(&prompt, "4").await;
    window.press(&words.say("sale.line_up").replace("{n}", "3")).await;
    window.face("standby").await;
    fits(&window, "standby").await;
    window.picture(&format!("narrow-standby-{}", tongue.code())).await;
    window.go(&format!("/sales/{bought}")).await;
    window.face("ask").await;
    window.choose("4").await;
    window.fill(&prompt, "4").await;
    window.press_form().await;
    window.face("held").await;
    fits(&window, "held").await;
    window.picture(&format!("narrow-held-{}", tongue.code())).await;
    window.press_form().await;
    window.face("confirmed").await;
    fits(&window, "confirmed").await;
    window.client().find(fantoccini::Locator::Css(".ticket a[href^='/orders/']")).await.unwrap().click().await.unwrap();
    window.shows("h2", words.say("order.tickets")).await;
    window.run("for (const node of document.querySelectorAll('details')) node.open = true").await;
    fits(&window, "order").await;
    window.picture(&format!("narrow-order-{}", tongue.code())).await;
    window.go("/orders").await;
    fits(&window, "orders").await;
    window.picture(&format!("narrow-orders-{}", tongue.code())).await;
    operators(fixture, tongue, bought).await;
}

async fn operators(fixture: &Fixture, tongue: Tongue, sale: u64) {
    let desk = fixture.window(tongue).await;
    let words = desk.words();
    desk.narrow(WIDTH).await;
    desk.log_in("operator@miaosha.test", "correct horse").await;
    desk.shows("header nav", words.say("nav.desk")).await;
    for path in [
        "/desk",
        "/desk/new",
        "/desk/refund",
        "/desk/parked",
        "/desk/audit",
        "/desk/journal",
        &format!("/desk/sales/{sale}"),
        &format!("/desk/sales/{sale}/edit"),
    ] {
        desk.go(path).await;
        fits(&desk, path).await;
        desk.picture(&format!("narrow{}-{}", path.replace('/', "-"), tongue.code())).await;
    }
    desk.go("/check-in").await;
    fits(&desk, "doors").await;
    desk.press(&word("Donaudampfschifffahrt", 200)).await;
    desk.fill(words.say("check.code"), &word("nothing", 200)).await;
    desk.press_form().await;
    desk.shows(".verdict", words.say("check.wrong")).await;
    fits(&desk, "check-in").await;
}

async fn fits(window: &Window, what: &str) {
    window.settles().await;
    let seen = window.run(STICKS_OUT).await;
    let [wide, view, names] = [0, 1, 2].map(|at| seen[at].clone());
    assert_eq!(view, Value::from(WIDTH), "{what}");
    assert!(wide.as_u64().unwrap() <= u64::from(WIDTH) && names == json!([]), "{what}: {wide} wide; {names:#}");
}
