//! Browsers that lack something, or refuse it: the shop sells all the same, and says what it cannot remember.

use serde_json::{Value, json};

use super::fixture::{Fixture, story};
use super::window::{Look, Window};
use super::words::Tongue;

/// Uncaught errors of a page.
const FAULTS: &str = "globalThis.faults = []; \
    addEventListener('error', ({ message }) => faults.push(String(message))); \
    addEventListener('unhandledrejection', ({ reason }) => faults.push(String(reason)));";

const STORAGE_REFUSED: &str = "for (const name of ['localStorage', 'sessionStorage']) \
    Object.defineProperty(globalThis, name, { get() { throw new DOMException('refused', 'SecurityError'); } });";
const STORAGE_GONE: &str = "for (const name of ['localStorage', 'sessionStorage']) \
    Object.defineProperty(globalThis, name, { value: null });";
const STORAGE_FULL: &str =
    "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); };";
const STORAGE_DEAF: &str = "Storage.prototype.setItem = () => {};";

const WITHOUT: [(&str, &str); 8] = [
    ("locks", "Object.defineProperty(Navigator.prototype, 'locks', { value: undefined });"),
    (
        "locks that are granted",
        "LockManager.prototype.request = () => Promise.reject(new DOMException('refused', 'SecurityError'));",
    ),
    ("channels between tabs", "delete globalThis.BroadcastChannel; delete globalThis.SharedWorker;"),
    ("sockets", "delete globalThis.WebSocket;"),
    (
        "sockets that may be opened",
        "globalThis.WebSocket = class { constructor() { throw new DOMException('refused', 'SecurityError'); } };",
    ),
    ("ids of its own, as over plain HTTP", "delete Crypto.prototype.randomUUID; delete Crypto.prototype.subtle;"),
    ("signals of signals", "delete AbortSignal.any; delete AbortSignal.timeout;"),
    (
        "what is newer than modules",
        "delete globalThis.structuredClone; delete CSS.escape; delete globalThis.HTMLDialogElement; \
         delete globalThis.BarcodeDetector; delete globalThis.requestIdleCallback; delete globalThis.ResizeObserver; \
         delete globalThis.IntersectionObserver; delete Document.prototype.startViewTransition; \
         for (const name of ['mediaDevices', 'clipboard', 'share', 'vibrate', 'serviceWorker']) \
             Object.defineProperty(Navigator.prototype, name, { value: undefined });",
    ),
];

const INTL: [(&str, &str); 3] = [
    (
        "plurals and words for time",
        "for (const name of ['PluralRules', 'RelativeTimeFormat', 'ListFormat', 'DisplayNames']) delete Intl[name];",
    ),
    ("dates", "delete Intl.DateTimeFormat;"),
    (
        "options it knows",
        "const refuse = (name, own) => { Intl[name] = class extends Intl[name] { constructor(language, options = {}) { \
             if (own.some((option) => option in options)) throw new RangeError('unknown option'); super(language, options); } }; }; \
         refuse('DateTimeFormat', ['dateStyle', 'timeStyle']); Intl.PluralRules = class { constructor() { throw new RangeError('unknown language'); } }; \
         const Plain = Intl.NumberFormat; Intl.NumberFormat = class extends Plain { constructor(language, options = {}) { \
             if (!options.currency) throw new RangeError('unknown option'); super(language, options); } };",
    ),
];

#[tokio::test]
async fn a_browser_that_keeps_nothing_is_enough_and_says_so_once() {
    story("keeps-nothing", async |fixture| {
        let looks = [STORAGE_REFUSED, STORAGE_GONE, STORAGE_FULL, STORAGE_DEAF, ""];
        for (number, lack) in looks.into_iter().enumerate() {
            let tongue = if number % 2 == 0 { Tongue::Chinese } else { Tongue::English };
            // The last one by the browser's own setting.
            let look = Look { keeps: !lack.is_empty(), ..Look::default() };
            let window = fixture.window_of(tongue, look).await;
            window.prepare(lack).await;
            buys(fixture, &window, &format!("keeper{number}"), true).await;
            // What the page remembered is gone with it.
            window.reload().await;
            window.shows("header nav", window.words().say("nav.log_in")).await;
            window.shows("main", window.words().say("entry.password")).await;
            window.close().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_browser_without_the_newest_is_enough() {
    story("without", async |fixture| {
        for (number, (what, lack)) in WITHOUT.into_iter().enumerate() {
            eprintln!("without {what}");
            let window = fixture.window(Tongue::English).await;
            window.prepare(lack).await;
            buys(fixture, &window, &format!("buyer{number}"), false).await;
            window.close().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_browser_without_words_for_numbers_and_times_is_enough() {
    story("intl", async |fixture| {
        for (number, (what, lack)) in INTL.into_iter().enumerate() {
            for tongue in [Tongue::English, Tongue::Chinese] {
                eprintln!("without {what}, in {}", tongue.code());
                let window = fixture.window(tongue).await;
                window.prepare(lack).await;
                buys(fixture, &window, &format!("{}{number}", tongue.code().to_lowercase()), false).await;
                window.close().await;
            }
        }
    })
    .await;
}

/// Looks, logs in, presses, pays, and sees the order, without ever loading the page anew.
async fn buys(fixture: &Fixture, window: &Window, name: &str, is_told: bool) {
    let title = format!("A comb for {name}");
    fixture.shop.sale(&title, json!({})).await;
    fixture.shop.shopper(name).await;
    let words = window.words();
    window.prepare(FAULTS).await;
    window.go("/").await;
    window.press(&title).await;
    window.face("log_in").await;
    assert_eq!(window.text(".notice").await.unwrap(), "");
    window.press(words.say("nav.log_in")).await;
    window.fill(words.say("entry.email"), &format!("{name}@example.org")).await;
    window.fill(words.say("entry.password"), "correct horse").await;
    window.press_form().await;
    window.shows("header nav", name).await;
    if is_told {
        window.shows(".notice", words.say("notice.forgetful")).await;
        window.press(words.say("notice.close")).await;
    }
    window.press(&title).await;
    window.face("ask").await;
    window.buy("2").await;
    window.shows("main", &title).await;
    window.shows("h2", words.say("order.tickets")).await;
    window.press(words.say("nav.orders")).await;
    window.shows("table", &title).await;
    assert_eq!(window.text(".notice").await.unwrap(), "");
    assert_eq!(window.run("return faults").await, json!([]));
}

/// With no room for what is new, what was there before does not come back with a reload.
#[tokio::test]
async fn what_could_not_be_kept_does_not_leave_the_old_behind() {
    story("full", async |fixture| {
        let window = fixture.window(Tongue::English).await;
        window.go("/").await;
        window.settles().await;
        let script = "const app = document.querySelector('script[type=module]').src; \
            const storage = await import(app.replace('app.js', 'storage.js')); \
            const own = Storage.prototype.setItem; \
            const seen = [storage.write('a', 'old'), storage.read('a')]; \
            Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }; \
            seen.push(storage.write('a', 'new'), storage.read('a'), localStorage.getItem('a')); \
            Storage.prototype.setItem = own; \
            seen.push(storage.write('a', 'newer'), storage.read('a'), localStorage.getItem('a')); \
            storage.drop('a'); \
            seen.push(storage.read('a')); \
            localStorage.setItem('miaosha.session', '{\"user\":1}'); \
            return seen;";
        let seen = window.run(&format!("return (async () => {{ {script} }})()")).await;
        assert_eq!(seen, json!([true, "old", false, "new", null, true, "newer", "\"newer\"", null]));
        // What is stored there and is no login counts as logged out.
        window.reload().await;
        window.shows("header nav", window.words().say("nav.log_in")).await;
    })
    .await;
}

/// A camera without a picture, and a reader of codes that is there and does not work.
const NO_READER: &str = "navigator.mediaDevices.getUserMedia = async () => new MediaStream(); \
    globalThis.BarcodeDetector = class { constructor() { throw new TypeError('no codes'); } };";

/// Where codes cannot be read, they are typed.
#[tokio::test]
async fn a_door_without_a_reader_types() {
    story("reader", async |fixture| {
        let window = fixture.window(Tongue::English).await;
        let words = window.words();
        window.prepare(NO_READER).await;
        window.prepare(FAULTS).await;
        window.log_in("operator@miaosha.test", "correct horse").await;
        window.press(words.say("nav.check_in")).await;
        window.shows("h1", words.say("check.title")).await;
        window.press("A clay teapot, one of a hundred").await;
        window.press(words.say("check.camera")).await;
        window.shows(".result", words.say("check.denied")).await;
        window.fill(words.say("check.code"), "nothing").await;
        window.press_form().await;
        window.shows(".verdict", words.say("check.wrong")).await;
        assert_eq!(window.run("return faults").await, json!([]));
    })
    .await;
}

/// Whatever does not come, there are words.
#[tokio::test]
async fn a_page_that_fails_is_never_blank() {
    story("fails", async |fixture| {
        let window = fixture.window(Tongue::Chinese).await;
        let words = window.words();
        for (file, said) in [
            ("api.js", "商店沒有載入成功"),
            ("words/zh-TW.js", "商店沒有載入成功"),
            ("pages/sales.js", words.say("page.broken")),
        ] {
            window.blocks(&[&format!("*/{file}")]).await;
            window.go("/").await;
            window.shows("main", said).await;
            window.picture(&format!("fails-{}", file.replace('/', "-"))).await;
        }
        window.blocks(&[]).await;
        window.go("/").await;
        window.shows("h1", words.say("sales.title")).await;
        // The words for failure are gone, and do not come later.
        assert_eq!(window.run("return document.getElementById('late')").await, Value::Null);
    })
    .await;
}

#[tokio::test]
async fn a_browser_that_runs_no_scripts_is_told() {
    story("scripts", async |fixture| {
        let window = fixture.window(Tongue::English).await;
        window.runs_no_scripts().await;
        window.go("/").await;
        window.shows("main", "This shop needs JavaScript").await;
        window.picture("no-scripts").await;
    })
    .await;
}
