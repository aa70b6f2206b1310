//! An owner of a shop that is no demo: a second factor is set up with the first log-in, asked for at the next, and shown again before
//! money goes back.

use std::time::Duration;

use miaosha::adapters::system::SystemClock;
use miaosha::app::people::totp;
use serde_json::json;
use tokio::time::sleep;

use super::fixture::{Shop, story_of};
use super::words::Tongue;

const HALF_STEP_MS: i64 = 15_000;
const EMAIL: &str = "operator@miaosha.test";

#[tokio::test]
async fn an_owner_sets_up_a_second_factor_in_english() {
    sets_up("factor-en", Tongue::English).await;
}

#[tokio::test]
async fn an_owner_sets_up_a_second_factor_in_chinese() {
    sets_up("factor-zh", Tongue::Chinese).await;
}

async fn sets_up(name: &'static str, tongue: Tongue) {
    let open = || Shop::with(&[("MIAOSHA__GATEWAY__SECOND_FACTOR", "true")]);
    story_of(name, open, async |fixture| {
        let desk = fixture.window(tongue).await;
        let words = desk.words();
        desk.log_in(EMAIL, "correct horse").await;
        desk.press(words.say("nav.desk")).await;
        desk.comes_to("/second-factor").await;
        desk.fill(words.say("account.old"), "correct horse").await;
        desk.press(words.say("factor.begin")).await;
        desk.shows("main", words.say("factor.key_text")).await;
        let secret = fixture.shop.secret(EMAIL).await;
        let code = |step: u64| totp::code(&secret, step);
        let now = || totp::step(SystemClock::machine_now());
        desk.picture(&format!("factor-key-{}", tongue.code())).await;
        desk.fill(words.say("factor.first"), "not a code").await;
        desk.press(words.say("factor.confirm")).await;
        desk.shows(".field .wrong", words.say("problem.wrong_second_factor")).await;
        // The earliest that is taken, so that two more are good at once; in the first half of a step, so that it still is when it is sent.
        let mut first = now() - 1;
        while totp::step(SystemClock::machine_now().plus_ms(HALF_STEP_MS)) > first + 1 {
            sleep(Duration::from_millis(200)).await;
            first = now() - 1;
        }
        desk.fill(words.say("factor.first"), &code(first)).await;
        desk.press(words.say("factor.confirm")).await;
        desk.shows("h2", words.say("factor.recovery")).await;
        let codes = desk.text("main li").await.unwrap();
        let codes: Vec<&str> = codes.lines().collect();
        assert_eq!(codes.len(), 10, "{codes:?}");
        desk.picture(&format!("factor-codes-{}", tongue.code())).await;
        desk.press(words.say("factor.kept")).await;
        desk.comes_to("/desk").await;
        desk.shows("h1", words.say("desk.title")).await;

        // The next log-in asks for it.
        desk.press("operator").await;
        desk.press(words.say("account.out")).await;
        desk.shows("header nav", words.say("nav.log_in")).await;
        desk.log_in(EMAIL, "correct horse").await;
        desk.fill(words.say("factor.code"), &code(first)).await;
        desk.press_form().await;
        desk.shows(".field .wrong", words.say("problem.wrong_second_factor")).await;
        desk.fill(words.say("factor.code"), codes[0]).await;
        desk.press_form().await;
        desk.shows("header nav", words.say("nav.desk")).await;

        // A log-in of long ago gives no money back before a code was shown; what was wanted is then done.
        let owner = fixture.shop.owner(EMAIL, &secret).await;
        let sale = fixture.shop.sale_by(&owner, "A drum", json!({})).await;
        let buyer = fixture.shop.shopper("ann").await;
        buyer.attempt(sale, 1).await;
        let order = buyer.pay(sale).await;
        let token = fixture.shop.token_of_long_ago(EMAIL).await;
        desk.run(&format!(
            "const kept = JSON.parse(localStorage['miaosha.session']); kept.token = '{token}'; \
             localStorage['miaosha.session'] = JSON.stringify(kept)"
        ))
        .await;
        desk.go(&format!("/desk/refund?order={order}")).await;
        desk.press(words.say("refund.give")).await;
        desk.press(words.say("ask.refund_yes")).await;
        desk.shows(".dialog", words.say("factor.again")).await;
        desk.picture(&format!("factor-again-{}", tongue.code())).await;
        desk.fill(words.say("factor.code"), "000 000 0").await;
        desk.press(words.say("factor.show")).await;
        desk.shows(".dialog .wrong", words.say("problem.wrong_second_factor")).await;
        desk.fill(words.say("factor.code"), codes[1]).await;
        desk.press(words.say("factor.show")).await;
        desk.shows(".good", &words.say("refund.done").replace("{number}", &order)).await;
    })
    .await;
}
