//! One browser, used as a person would: by what the labels and the buttons say. Everything waits until it is so.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use super::fixture::{PATIENCE, Site, gallery};
use super::letters::Letters;
use super::words::{Tongue, Words};

const AGAIN: Duration = Duration::from_millis(60);

#[derive(Clone, Copy)]
pub struct Look<'a> {
    pub size: (u32, u32),
    /// What its camera sees, over and over: a file of Y4M. Without one it has no camera.
    pub film: Option<&'a Path>,
    /// Whether its settings let a site keep data in it.
    pub keeps: bool,
}

impl Default for Look<'_> {
    fn default() -> Self {
        Self { size: (1180, 900), film: None, keeps: true }
    }
}

#[derive(Clone)]
pub struct Window {
    client: Client,
    url: String,
    tongue: Tongue,
    letters: Option<Arc<Letters>>,
    _profile: Arc<tempfile::TempDir>,
}

impl Window {
    pub async fn open(driver: &str, site: &impl Site, tongue: Tongue, look: Look<'_>) -> Self {
        let profile = tempfile::TempDir::new().unwrap();
        let (width, height) = look.size;
        let mut args = vec![
            "--headless".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-quic".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--no-first-run".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--disable-sync".to_owned(),
            // The browser ends with the process that holds the pipe, however that one ended.
            "--remote-debugging-pipe".to_owned(),
            format!("--window-size={width},{height}"),
            format!("--user-data-dir={}", profile.path().display()),
        ];
        if let Some(film) = look.film {
            args.push("--use-fake-ui-for-media-stream".to_owned());
            args.push("--use-fake-device-for-media-stream".to_owned());
            args.push(format!("--use-file-for-fake-video-capture={}", film.display()));
        }
        let mut settings = json!({ "intl.accept_languages": tongue.code() });
        if !look.keeps {
            settings["profile.default_content_setting_values.cookies"] = json!(2);
        }
        let capabilities = json!({
            "goog:chromeOptions": { "args": args, "prefs": settings },
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let Value::Object(capabilities) = capabilities else { unreachable!() };
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let client = builder.capabilities(capabilities).connect(driver);
        let client = tokio::time::timeout(PATIENCE, client).await.expect("a browser starts").unwrap();
        Self { client, url: site.url(), tongue, letters: site.letters(), _profile: profile.into() }
    }

    pub async fn close(self) {
        let _ = self.client.close().await;
    }

    pub fn words(&self) -> Words {
        Words::of(self.tongue)
    }

    pub async fn go(&self, path: &str) {
        self.client.goto(&format!("{}{path}", self.url)).await.unwrap();
    }

    pub async fn reload(&self) {
        self.client.refresh().await.unwrap();
    }

    pub async fn run(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    /// A second tab of the same browser, which is then the one in use. Gives the handle of the one before.
    pub async fn tab(&self) -> fantoccini::wd::WindowHandle {
        let before = self.client.window().await.unwrap();
        let new = self.client.new_window(true).await.unwrap();
        self.client.switch_to_window(new.handle).await.unwrap();
        before
    }

    pub async fn switch(&self, tab: fantoccini::wd::WindowHandle) -> fantoccini::wd::WindowHandle {
        let before = self.client.window().await.unwrap();
        self.client.switch_to_window(tab).await.unwrap();
        before
    }

    pub async fn until<T>(&self, what: &str, look: impl AsyncFn() -> Option<T>) -> T {
        let looking = async {
            loop {
                if let Some(found) = look().await {
                    return found;
                }
                tokio::time::sleep(AGAIN).await;
            }
        };
        match tokio::time::timeout(PATIENCE, looking).await {
            Ok(found) => found,
            Err(_) => panic!("never: {what}; the page says:\n{}", self.text("body").await.unwrap_or_default()),
        }
    }

    /// What stands in the elements that fit, as it is shown.
    pub async fn text(&self, css: &str) -> Option<String> {
        let script = "return [...document.querySelectorAll(arguments[0])].map((node) => node.innerText).join('\\n')";
        let found = self.client.execute(script, vec![json!(css)]).await.ok()?;
        found.as_str().map(str::to_owned)
    }

    pub async fn shows(&self, css: &str, text: &str) {
        let look = async || self.text(css).await.filter(|found| found.contains(text));
        self.until(&format!("{text:?} in {css}"), look).await;
    }

    pub async fn shows_no_more(&self, css: &str, text: &str) {
        let look = async || self.text(css).await.filter(|found| !found.contains(text));
        self.until(&format!("{text:?} gone from {css}"), look).await;
    }

    /// The ticket's face.
    pub async fn face(&self, name: &str) {
        let words = self.words();
        self.shows(".ticket .stub h2", words.say(&format!("face.{name}"))).await;
        self.until(&format!("the class {name}"), async || {
            self.element(&format!("//section[contains(@class, '{name}')]")).await
        })
        .await;
    }

    async fn element(&self, xpath: &str) -> Option<Element> {
        for element in self.client.find_all(Locator::XPath(xpath)).await.ok()? {
            if element.is_displayed().await.unwrap_or(false) {
                return Some(element);
            }
        }
        None
    }

    /// A button or a link, by its words.
    pub async fn press(&self, words: &str) {
        let is = format!("[normalize-space()={}]", quoted(words));
        let xpath = format!("//button{is} | //a{is} | //a[.//h2{is}] | //summary{is}");
        let press = async || self.element(&xpath).await?.click().await.ok();
        self.until(&format!("pressing {words:?}"), press).await;
    }

    /// A choice of a group, by its words.
    pub async fn choose(&self, words: &str) {
        let xpath = format!("//label[normalize-space()={0}] | //option[normalize-space()={0}]", quoted(words));
        self.until(&format!("choosing {words:?}"), async || self.element(&xpath).await?.click().await.ok()).await;
    }

    /// A field, by its label.
    pub async fn fill(&self, label: &str, text: &str) {
        let xpath = format!("//*[@id=//label[normalize-space()={}]/@for]", quoted(label));
        let fill = async || {
            let field = self.element(&xpath).await?;
            field.clear().await.ok()?;
            field.send_keys(text).await.ok()
        };
        self.until(&format!("filling {label:?}"), fill).await;
    }

    /// Signs up through the page, with the code that is mailed, and comes back to where the page was.
    pub async fn sign_up(&self, name: &str) {
        let words = self.words();
        let here = self.client.current_url().await.unwrap().path().to_owned();
        self.go(&format!("/sign-up?to={here}")).await;
        let email = format!("{name}@example.org");
        self.fill(words.say("entry.name"), name).await;
        self.fill(words.say("entry.email"), &email).await;
        self.fill(words.say("entry.password"), "correct horse").await;
        self.press_form().await;
        self.give_code(&email).await;
        self.shows("header nav", name).await;
    }

    /// Gives back the next code that is mailed to this address.
    pub async fn give_code(&self, email: &str) {
        let code = self.code(email).await;
        self.fill(self.words().say("code.code"), &code).await;
        self.press_form().await;
    }

    /// The next code that is mailed to this address.
    pub async fn code(&self, email: &str) -> String {
        self.letters.as_ref().expect("mails of this site can be read").code(email).await
    }

    pub async fn log_in(&self, email: &str, password: &str) {
        let words = self.words();
        self.go("/log-in").await;
        self.fill(words.say("entry.email"), email).await;
        self.fill(words.say("entry.password"), password).await;
        self.press_form().await;
    }

    /// The one button of the page's form.
    pub async fn press_form(&self) {
        let xpath = "//main//form//button[not(@type)]";
        self.until("pressing the form's button", async || self.element(xpath).await?.click().await.ok()).await;
    }

    /// Answers the question and presses the button.
    pub async fn attempt(&self, answer: &str) {
        self.fill("2 + 2 = ?", answer).await;
        self.press_form().await;
    }

    /// So many of a sale whose question is answered by 4, up to the page of the order.
    pub async fn buy(&self, quantity: &str) {
        self.choose(quantity).await;
        self.attempt("4").await;
        self.face("held").await;
        self.press_form().await;
        self.face("confirmed").await;
        self.client.find(Locator::Css(".ticket a[href^='/orders/']")).await.unwrap().click().await.unwrap();
        self.comes_to("/orders/").await;
    }

    pub async fn path(&self) -> String {
        self.client.current_url().await.unwrap().path().to_owned()
    }

    pub async fn comes_to(&self, path: &str) {
        let look = async || Some(self.path().await).filter(|at| at.starts_with(path));
        self.until(&format!("coming to {path}"), look).await;
    }

    /// The page has asked for what it shows, and shows it.
    pub async fn settles(&self) {
        let loading = self.words().say("wait.loading").to_owned();
        let look = async || self.text("main").await.filter(|text| !text.trim().is_empty() && !text.contains(&loading));
        self.until("the page is there", look).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }

    /// The shop's own line to the page is up.
    pub async fn hears(&self) {
        let script = "const app = document.querySelector('script[type=module]').src; \
                      return import(app.replace('app.js', 'socket.js')).then((socket) => socket.up())";
        let look = async || self.client.execute(script, Vec::new()).await.ok().filter(|up| *up == json!(true));
        self.until("the line is up", look).await;
    }

    /// `light` or `dark`.
    pub async fn prefers(&self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }, { "name": "prefers-reduced-motion", "value": "reduce" }]);
        self.chrome("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    pub async fn tab_key(&self) {
        self.key("Tab", 9, None).await;
    }

    pub async fn enter_key(&self) {
        self.key("Enter", 13, Some("\r")).await;
    }

    pub async fn escape_key(&self) {
        self.key("Escape", 27, None).await;
    }

    async fn key(&self, name: &str, code: u32, text: Option<&str>) {
        let down = if text.is_some() { "keyDown" } else { "rawKeyDown" };
        for kind in [down, "keyUp"] {
            let mut key = json!({ "type": kind, "key": name, "code": name, "windowsVirtualKeyCode": code });
            if let (Some(text), "keyDown") = (text, kind) {
                key["text"] = json!(text);
            }
            self.chrome("Input.dispatchKeyEvent", key).await;
        }
    }

    /// Where the keyboard is.
    pub async fn types(&self, text: &str) {
        self.chrome("Input.insertText", json!({ "text": text })).await;
    }

    /// Runs in every page to come, before the page's own.
    pub async fn prepare(&self, script: &str) {
        self.chrome("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script })).await;
    }

    /// A phone so wide.
    pub async fn narrow(&self, width: u32) {
        let phone = json!({ "width": width, "height": 640, "deviceScaleFactor": 1, "mobile": true });
        self.chrome("Emulation.setDeviceMetricsOverride", phone).await;
    }

    /// From now on files of these names do not come.
    pub async fn blocks(&self, patterns: &[&str]) {
        self.chrome("Network.enable", json!({})).await;
        self.chrome("Network.setCacheDisabled", json!({ "cacheDisabled": true })).await;
        self.chrome("Network.setBlockedURLs", json!({ "urls": patterns })).await;
    }

    pub async fn runs_no_scripts(&self) {
        self.chrome("Emulation.setScriptExecutionDisabled", json!({ "value": true })).await;
    }

    /// What WebDriver has no words for.
    async fn chrome(&self, command: &str, parameters: Value) {
        let command = Chrome(json!({ "cmd": command, "params": parameters }));
        self.client.issue_cmd(command).await.unwrap();
    }

    /// A picture for the gallery.
    pub async fn picture(&self, name: &str) {
        let png = self.client.screenshot().await.unwrap();
        std::fs::write(gallery().join(format!("{name}.png")), png).unwrap();
    }

    pub async fn show_failure(&self, name: &str) {
        if let Ok(png) = self.client.screenshot().await {
            let _ = std::fs::write(gallery().join(format!("{name}.png")), png);
        }
    }

    pub fn client(&self) -> &Client {
        &self.client
    }
}

#[derive(Debug)]
struct Chrome(Value);

impl WebDriverCompatibleCommand for Chrome {
    fn endpoint(&self, base: &::url::Url, session: Option<&str>) -> Result<::url::Url, ::url::ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &::url::Url) -> (::http::Method, Option<String>) {
        (::http::Method::POST, Some(self.0.to_string()))
    }
}

fn quoted(text: &str) -> String {
    assert!(!text.contains('"'), "{text}");
    format!("\"{text}\"")
}
