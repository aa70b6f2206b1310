//! The work that a shop may want before it lets a browser in: searched, shown, stopped; and that the search finds what is right.

use serde_json::json;

use super::access::holds_here;
use super::fixture::{Fixture, Shop, story, story_of};
use super::window::Window;
use super::words::Tongue;

/// Wanted of everybody, from the first admission on.
const WANTED: &[(&str, &str)] =
    &[("MIAOSHA__GATEWAY__ADMISSION__PROOF", "true"), ("MIAOSHA__GATEWAY__ADMISSION__FREE_PLACES", "0")];

/// Whether progress was ever to be seen, and what was said.
const WATCHES: &str = "globalThis.progress = []; globalThis.heard = []; addEventListener('DOMContentLoaded', () => { \
    new MutationObserver(() => { \
        const bar = document.querySelector('progress'); \
        if (bar?.checkVisibility()) progress.push(bar.value); \
        const said = document.getElementById('said').textContent; \
        if (said && heard.at(-1) !== said) heard.push(said); \
    }).observe(document.body, { childList: true, characterData: true, subtree: true, attributes: true }); });";

const NO_WORKERS: [(&str, &str); 4] = [
    ("workers", "delete globalThis.Worker;"),
    (
        "workers that may be made",
        "globalThis.Worker = class { constructor() { throw new DOMException('refused', 'SecurityError'); } };",
    ),
    ("workers that answer", "Worker.prototype.postMessage = () => {};"),
    ("names that may become scripts", "delete globalThis.trustedTypes;"),
];

#[tokio::test]
async fn a_browser_proves_its_work_in_english() {
    story_of("proof-en", wanted, async |fixture| proves(fixture, Tongue::English).await).await;
}

#[tokio::test]
async fn a_browser_proves_its_work_in_chinese() {
    story_of("proof-zh", wanted, async |fixture| proves(fixture, Tongue::Chinese).await).await;
}

async fn wanted() -> Shop {
    Shop::with(WANTED).await
}

async fn proves(fixture: &Fixture, tongue: Tongue) {
    let sale = fixture.shop.sale("A riddle", json!({ "quantity_max": 1 })).await;
    let window = fixture.window(tongue).await;
    let words = window.words();
    window.prepare(WATCHES).await;
    window.go(&format!("/sales/{sale}")).await;
    window.sign_up("ada").await;
    window.shows(".ticket", "2 + 2 = ?").await;
    assert_ne!(window.run("return progress").await, json!([]), "nothing was shown of it");
    let heard = window.run("return heard").await;
    assert_eq!(heard[0], json!(words.say("proof.text")), "{heard}");
    assert_eq!(window.run("return document.getElementById('said').ariaLive").await, json!("polite"));
    let shown = "return document.querySelector('.proof').checkVisibility()";
    assert_eq!(window.run(shown).await, json!(false));
    buys(&window).await;
}

async fn buys(window: &Window) {
    window.attempt("4").await;
    window.face("held").await;
    window.press_form().await;
    window.face("confirmed").await;
}

#[tokio::test]
async fn a_browser_without_workers_proves_it_by_itself() {
    story_of("no-workers", wanted, async |fixture| {
        for (number, (what, lack)) in NO_WORKERS.into_iter().enumerate() {
            eprintln!("without {what}");
            let sale = fixture.shop.sale("A riddle", json!({ "quantity_max": 1 })).await;
            let window = fixture.window(Tongue::English).await;
            window.prepare(lack).await;
            window.go(&format!("/sales/{sale}")).await;
            window.sign_up(&format!("solver{number}")).await;
            buys(&window).await;
            window.close().await;
        }
        // Its file does not come.
        let sale = fixture.shop.sale("A riddle", json!({ "quantity_max": 1 })).await;
        let window = fixture.window(Tongue::English).await;
        window.blocks(&["*/worker-proof.js"]).await;
        window.go(&format!("/sales/{sale}")).await;
        window.sign_up("solver").await;
        buys(&window).await;
    })
    .await;
}

/// A worker that is told nothing searches nothing: time to press.
const IDLE: &str = "const real = Worker.prototype.postMessage; Worker.prototype.postMessage = function (...told) { \
    globalThis.made = (globalThis.made ?? 0) + 1; if (made > 1) real.apply(this, told); }; \
    const later = globalThis.setTimeout; globalThis.setTimeout = (work, ms, ...more) => later(work, ms === 5_000 ? 600_000 : ms, ...more);";

#[tokio::test]
async fn a_search_can_be_stopped_and_begun_again() {
    story_of("stopped", wanted, async |fixture| {
        for (tongue, name) in [(Tongue::English, "bob"), (Tongue::Chinese, "cho")] {
            let sale = fixture.shop.sale("A riddle", json!({ "quantity_max": 1 })).await;
            let window = fixture.window(tongue).await;
            let words = window.words();
            window.prepare(IDLE).await;
            window.go(&format!("/sales/{sale}")).await;
            window.sign_up(name).await;
            window.shows(".proof:not([hidden])", words.say("proof.text")).await;
            holds_here(&window, "proving").await;
            window.picture(&format!("proof-{}", tongue.code())).await;
            window.press(words.say("proof.stop")).await;
            window.shows(".proof:not([hidden])", words.say("proof.stopped")).await;
            let focused = window.run("return document.activeElement.innerText").await;
            assert_eq!(focused, json!(words.say("proof.again")));
            holds_here(&window, "stopped").await;
            window.press(words.say("proof.again")).await;
            window.shows(".ticket", "2 + 2 = ?").await;
            buys(&window).await;
        }
    })
    .await;
}

/// Against the browser's own digest: what is found fits, whatever the challenge's length, and nothing smaller does.
#[tokio::test]
async fn the_search_finds_the_first_that_fits() {
    story("search", async |fixture| {
        let window = fixture.window(Tongue::English).await;
        window.go("/").await;
        window.settles().await;
        let script = "const app = document.querySelector('script[type=module]').src; \
            const { searcher } = await import(app.replace('app.js', 'search.js')); \
            const zeros = async (text) => { \
                const digest = new DataView(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))); \
                return digest.getUint32(0) ? Math.clz32(digest.getUint32(0)) : 32 + Math.clz32(digest.getUint32(4)); }; \
            const wrong = []; \
            for (let length = 0; length <= 140; length += 1) { \
                const challenge = 'aB3.-_xyz'.repeat(20).slice(0, length); \
                const search = searcher(challenge, 6); \
                let found = null; \
                while (found === null) found = search.run(7); \
                for (let number = 0; number <= Number(found); number += 1) \
                    if ((await zeros(`${challenge}.${number}`) >= 6) !== (String(number) === found)) wrong.push([length, number, found]); \
            } \
            return wrong;";
        let wrong = window.run(&format!("return (async () => {{ {script} }})()")).await;
        assert_eq!(wrong, json!([]));
    })
    .await;
}
