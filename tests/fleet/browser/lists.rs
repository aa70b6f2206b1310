//! Lists that are longer than a page, in a browser: everything is reached, nothing is shown twice, and the keyboard stays where
//! it was. And what an operator wrote of a sale.

use fantoccini::Locator;
use serde_json::{Value, json};

use super::api::Person;
use super::fixture::story;
use super::window::{Look, Window};
use super::words::Tongue;

#[tokio::test]
async fn every_sale_is_reached() {
    story("many-sales", async |fixture| {
        // With the demo's two.
        fixture.shop.seed(248).await;
        let window = fixture.window(Tongue::Chinese).await;
        window.go("/").await;
        comes_to_list(&window, ".shelf li", 100).await;
        let new = fixture.shop.sale("A newcomer", json!({})).await;
        more(&window).await;
        at_least(&window, ".shelf li", 200).await;
        assert!(is_on_more(&window).await, "whoever pressed can press again");
        more(&window).await;
        comes_to_list(&window, ".shelf li", 251).await;
        let links = hrefs(&window, ".shelf a").await;
        let mut wanted: Vec<String> = (1..=250).rev().map(|sale| format!("/sales/{sale}")).collect();
        wanted.insert(0, format!("/sales/{new}"));
        assert_eq!(links, wanted, "newest first, each once");
        window.until("no more follow", async || Some(!shows_more(&window).await).filter(|gone| *gone)).await;
        let focused = window.run("return document.activeElement.getAttribute('href')").await;
        assert_eq!(focused, json!("/sales/50"), "the keyboard goes on with what is new");
        window.picture("many-sales").await;

        window.log_in("operator@miaosha.test", "correct horse").await;
        window.shows("header nav", window.words().say("nav.desk")).await;
        window.go("/desk").await;
        comes_to_list(&window, "tbody tr", 100).await;
        for count in [200, 251] {
            more(&window).await;
            comes_to_list(&window, "tbody tr", count).await;
        }
        assert_eq!(hrefs(&window, "tbody a").await, wanted.iter().map(|at| format!("/desk{at}")).collect::<Vec<_>>());
        window.go("/desk/audit").await;
        comes_to_list(&window, "main section", 10).await;
        more(&window).await;
        comes_to_list(&window, "main section", 20).await;
        window.shows(".verdict", window.words().say("audit.pass")).await;
    })
    .await;
}

/// By words in any language, by whether it has opened, in either order; the address keeps what was asked.
#[tokio::test]
async fn a_sale_is_looked_for() {
    story("searching", async |stage| {
        stage.shop.seed(120).await;
        let teapot = stage.shop.sale("手作紫砂茶壺", json!({})).await;
        let later = stage.shop.sale("Lamps, later", json!({ "opens_at": 3_600_000, "closes_at": 7_200_000 })).await;
        for tongue in [Tongue::English, Tongue::Chinese] {
            let window = stage.window(tongue).await;
            let say = |key: &str| window.words().say(key).to_owned();
            window.go("/").await;
            comes_to_list(&window, ".shelf li", 100).await;
            window.fill(&say("sales.search"), "茶壺").await;
            window.enter_key().await;
            comes_to_list(&window, ".shelf li", 1).await;
            assert_eq!(hrefs(&window, ".shelf a").await, [format!("/sales/{teapot}")]);
            window.shows("#said", &say("sales.found.one").replace("{n}", "1")).await;
            assert!(!shows_more(&window).await);
            window.reload().await;
            comes_to_list(&window, ".shelf li", 1).await;
            window.fill(&say("sales.search"), "kettle").await;
            window.press(&say("sales.find")).await;
            window.shows(".lead", &say("sales.none_found")).await;
            comes_to_list(&window, ".shelf li", 0).await;
            window.fill(&say("sales.search"), "...").await;
            window.press(&say("sales.find")).await;
            window.shows(".find .wrong", &say("rule.empty.search")).await;
            // A hundred on the first page; the others follow, in the order that was asked for.
            window.fill(&say("sales.search"), "SEEDED").await;
            window.enter_key().await;
            comes_to_list(&window, ".shelf li", 100).await;
            window.choose(&say("sales.opening")).await;
            let wanted: Vec<String> = (3..=122).map(|sale| format!("/sales/{sale}")).collect();
            window
                .until("what opened first is first", async || {
                    Some(hrefs(&window, ".shelf a").await).filter(|seen| *seen == wanted[..100])
                })
                .await;
            more(&window).await;
            comes_to_list(&window, ".shelf li", 120).await;
            assert_eq!(hrefs(&window, ".shelf a").await, wanted);
            // Those that open later.
            window.fill(&say("sales.search"), "lamp").await;
            window.press(&say("sales.upcoming")).await;
            window.press(&say("sales.find")).await;
            comes_to_list(&window, ".shelf li", 1).await;
            assert_eq!(hrefs(&window, ".shelf a").await, [format!("/sales/{later}")]);
            assert_eq!(pressed(&window).await, say("sales.upcoming"));
            window.press(&say("sales.open")).await;
            window.shows(".lead", &say("sales.none_found")).await;
            window.picture(&format!("searching-{}", tongue.code())).await;
        }
    })
    .await;
}

async fn pressed(window: &Window) -> String {
    let script = "return document.querySelector('.chips [aria-pressed=true]').innerText";
    window.run(script).await.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_order_is_reached() {
    story("many-orders", async |fixture| {
        fixture.shop.seed(120).await;
        let window = fixture.window(Tongue::English).await;
        window.go("/").await;
        window.sign_up("olga").await;
        let olga = Person::log_in(&fixture.shop.authority, "olga@example.org", "correct horse").await;
        let mut numbers = Vec::new();
        for sale in 3..=122 {
            olga.attempt(sale, 1).await;
            numbers.push(olga.pay(sale).await);
        }
        window.go("/orders").await;
        comes_to_list(&window, "tbody tr", 100).await;
        more(&window).await;
        comes_to_list(&window, "tbody tr", 120).await;
        let mut shown = hrefs(&window, "tbody a").await;
        let mut wanted: Vec<String> = numbers.iter().map(|number| format!("/orders/{number}")).collect();
        shown.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(shown, wanted);
        let names = window.text("tbody td:nth-child(2)").await.unwrap();
        assert_eq!(names.lines().filter(|name| name.starts_with("Seeded item ")).count(), 120, "{names}");
        assert!(!shows_more(&window).await);
    })
    .await;
}

/// Plain text in paragraphs, and no word is too long for a telephone.
#[tokio::test]
async fn what_is_written_of_a_sale_is_shown() {
    story("description", async |fixture| {
        let word = "Donaudampfschiff".repeat(30);
        let text = format!("<b>Bold</b> & plain.\nSecond line.\n\n  \nSecond paragraph: {word}\n");
        let sale = fixture.shop.sale("A steamer", json!({ "description": text })).await;
        let look = Look { size: (500, 900), ..Look::default() };
        let window = fixture.window_of(Tongue::English, look).await;
        window.go(&format!("/sales/{sale}")).await;
        window.shows(".about h2", window.words().say("sale.about")).await;
        let paragraphs =
            window.run("return [...document.querySelectorAll('.about p')].map((one) => one.textContent)").await;
        assert_eq!(paragraphs, json!(["<b>Bold</b> & plain.\nSecond line.", format!("Second paragraph: {word}")]));
        let lines = window.text(".about p:nth-of-type(1)").await.unwrap();
        assert_eq!(lines, "<b>Bold</b> & plain.\nSecond line.", "a line's end is one");
        let wide = window.run("return document.documentElement.scrollWidth - innerWidth").await;
        assert!(wide.as_i64().unwrap() <= 1, "the page sticks out by {wide}");
        window.picture("description").await;

        let silent = fixture.shop.sale("A mute swan", json!({ "description": "" })).await;
        window.go(&format!("/sales/{silent}")).await;
        window.face("log_in").await;
        assert_eq!(window.run("return document.querySelector('.about')").await, Value::Null);
    })
    .await;
}

async fn comes_to_list(window: &Window, css: &str, count: usize) {
    let look = async || Some(counted(window, css).await).filter(|seen| *seen == count);
    window.until(&format!("{count} of {css}"), look).await;
}

async fn at_least(window: &Window, css: &str, count: usize) {
    let look = async || Some(counted(window, css).await).filter(|seen| *seen >= count);
    window.until(&format!("{count} of {css}"), look).await;
}

async fn counted(window: &Window, css: &str) -> usize {
    window.run(&format!("return document.querySelectorAll('{css}').length")).await.as_u64().unwrap() as usize
}

async fn hrefs(window: &Window, css: &str) -> Vec<String> {
    let script = format!("return [...document.querySelectorAll('{css}')].map((link) => link.getAttribute('href'))");
    window.run(&script).await.as_array().unwrap().iter().map(|at| at.as_str().unwrap().to_owned()).collect()
}

async fn shows_more(window: &Window) -> bool {
    let buttons = window.client().find_all(Locator::Css(".more button")).await.unwrap();
    let [button] = buttons.as_slice() else { panic!("{} buttons", buttons.len()) };
    button.is_displayed().await.unwrap()
}

/// By the keyboard.
async fn more(window: &Window) {
    window.until("more follow", async || Some(shows_more(window).await).filter(|shown| *shown)).await;
    window.run("document.querySelector('.more button').focus()").await;
    window.enter_key().await;
}

async fn is_on_more(window: &Window) -> bool {
    window.run("return document.activeElement === document.querySelector('.more button')").await == json!(true)
}
