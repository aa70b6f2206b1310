//! What every user must be able to use: each page is looked at by rules that run in it, in both languages, by day and by night.

use serde_json::{Value, json};

use super::fixture::{Fixture, story};
use super::window::Window;
use super::words::Tongue;

/// Returns what is wrong with the page.
const RULES: &str = include_str!("rules.js");

#[tokio::test]
async fn every_page_can_be_used_by_everybody_in_english() {
    story("access-en", async |fixture| looks(fixture, Tongue::English).await).await;
}

#[tokio::test]
async fn every_page_can_be_used_by_everybody_in_chinese() {
    story("access-zh", async |fixture| looks(fixture, Tongue::Chinese).await).await;
}

async fn looks(fixture: &Fixture, tongue: Tongue) {
    let open = fixture.shop.sale("A paper boat", json!({})).await;
    let gone = fixture.shop.sale("A leaf", json!({ "capacity": 1, "quantity_max": 1 })).await;
    let soon = fixture.shop.sale("A moon", json!({ "opens_at": 600_000 })).await;
    fixture.shop.shopper("ann").await.attempt(gone, 1).await;
    let window = fixture.window(tongue).await;
    let words = window.words();
    let entries = ["/log-in", "/log-in?by=code", "/log-in?by=new_password", "/sign-up"];
    for path in entries.into_iter().chain(["/", &format!("/sales/{open}"), &format!("/sales/{soon}"), "/sales/999999"])
    {
        holds(&window, path).await;
    }
    window.go("/log-in?by=new_password").await;
    window.fill(words.say("entry.email"), "ann@example.org").await;
    window.press_form().await;
    window.shows("h1", words.say("code.title")).await;
    holds_here(&window, "a code is waited for").await;
    window.log_in("operator@miaosha.test", "correct horse").await;
    window.shows("header nav", words.say("nav.desk")).await;
    for path in ["/orders", "/account", "/check-in", "/desk", "/desk/new", "/desk/refund", "/desk/refunds"] {
        holds(&window, path).await;
    }
    for path in ["/desk/parked", "/desk/audit", "/desk/journal"] {
        holds(&window, path).await;
    }
    holds(&window, &format!("/desk/sales/{open}")).await;
    window.press(words.say("live.close")).await;
    window.shows(".dialog", words.say("ask.close_final")).await;
    holds_here(&window, "asked whether to close").await;
    holds(&window, &format!("/sales/{gone}")).await;
    window.attempt("4").await;
    window.face("standby").await;
    holds_here(&window, "in line").await;
    window.go(&format!("/sales/{open}")).await;
    window.attempt("4").await;
    window.face("held").await;
    holds_here(&window, "held").await;
    window.press_form().await;
    window.face("confirmed").await;
    holds_here(&window, "bought").await;
    window.reload().await;
    window.face("confirmed").await;
    keyboard(&window).await;
}

async fn holds(window: &Window, path: &str) {
    window.go(path).await;
    window.settles().await;
    holds_here(window, path).await;
}

pub async fn holds_here(window: &Window, what: &str) {
    for scheme in ["light", "dark"] {
        window.prefers(scheme).await;
        let wrong = window.run(RULES).await;
        assert_eq!(wrong, json!([]), "{what}, {scheme}");
    }
    window.prefers("light").await;
}

/// From the top of the page the Tab key reaches the content's link first, and everything that can be used.
async fn keyboard(window: &Window) {
    let mut reached = Vec::new();
    for _ in 0..40 {
        window.tab_key().await;
        let at = window.run("const e = document.activeElement; return e === document.body ? null : e.innerText || e.getAttribute('aria-label') || e.id").await;
        match at {
            Value::String(name) if reached.first() != Some(&name) => reached.push(name),
            _ => break,
        }
    }
    assert_eq!(reached.first().map(String::as_str), Some(window.words().say("nav.skip")), "{reached:?}");
    let all = window.run("return document.querySelectorAll('a[href], button:not([disabled]), input').length").await;
    assert!(reached.len() as u64 >= all.as_u64().unwrap(), "{reached:?} of {all}");
}

/// The rules are worth something: a page that breaks each of them is told so.
#[tokio::test]
async fn the_rules_find_what_is_wrong() {
    story("rules", async |fixture| {
        let window = fixture.window(Tongue::English).await;
        window.go("/").await;
        window.settles().await;
        let broken = [
            ("main.append(make('button'))", "no name"),
            ("main.append(make('input'))", "no label"),
            ("main.append(make('img'))", "no alt"),
            ("const p = make('p'); p.textContent = 'faint'; p.style.color = '#d0c8b8'; main.append(p)", "contrast"),
            ("const a = make('a'); a.href = '/'; a.tabIndex = 3; a.textContent = 'x'; main.append(a)", "tab order"),
            ("const b = make('button'); b.tabIndex = -1; b.textContent = 'x'; main.append(b)", "passes it by"),
            ("document.documentElement.lang = ''", "no language"),
            ("main.append(make('h1'))", "one h1"),
            ("main.append(make('h4'))", "heading skips"),
            ("const p = make('p'); p.id = 'main'; main.append(p)", "twice"),
            ("document.querySelector('nav').removeAttribute('aria-label')", "landmark"),
            ("const p = make('p'); p.style.width = '5000px'; p.textContent = 'x'; main.append(p)", "sticks out"),
            ("const b = make('button'); b.textContent = 'x'; b.style.cssText = 'min-height:0;height:8px;width:8px;padding:0'; main.append(b)", "small"),
            ("const p = make('p'); p.setAttribute('aria-labelledby', 'nobody'); main.append(p)", "points to nothing"),
        ];
        for (breaks, word) in broken {
            window.go("/").await;
            window.settles().await;
            assert_eq!(window.run(RULES).await, json!([]), "before {word}");
            let make = "const main = document.querySelector('main'); const make = (name) => document.createElement(name);";
            window.run(&format!("{make} {breaks}")).await;
            let wrong = window.run(RULES).await.to_string();
            assert!(wrong.contains(word), "{word} in {wrong}");
        }
    })
    .await;
}
