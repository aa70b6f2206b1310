//! Where one is logged in, and logging out there.

use serde_json::{Value, json};

use super::api::call;
use super::fixture::{Fixture, story};
use super::words::Tongue;

#[tokio::test]
async fn a_log_in_elsewhere_is_ended_in_english() {
    story("sessions-en", async |fixture| ends_one(fixture, Tongue::English).await).await;
}

#[tokio::test]
async fn a_log_in_elsewhere_is_ended_in_chinese() {
    story("sessions-zh", async |fixture| ends_one(fixture, Tongue::Chinese).await).await;
}

async fn ends_one(fixture: &Fixture, tongue: Tongue) {
    let (here, there) = (fixture.window(tongue).await, fixture.window(tongue).await);
    let words = here.words();
    here.go("/").await;
    here.sign_up("vera").await;
    there.go("/log-in").await;
    there.log_in("vera@example.org", "correct horse").await;
    there.shows("header nav", "vera").await;
    let stored = there.run("return localStorage.getItem('miaosha.session')").await;
    let stored: Value = serde_json::from_str(stored.as_str().unwrap()).unwrap();
    let bearer = format!("Bearer {}", stored["token"].as_str().unwrap());
    let me = async || {
        let headers = [("authorization", bearer.as_str())];
        call(&fixture.shop.authority, "GET", "/v1/me", &headers, None).await.unwrap().status
    };
    assert_eq!(me().await, 200);
    here.go("/account").await;
    here.shows(".sessions", words.say("sessions.current")).await;
    here.picture(&format!("sessions-{}", tongue.code())).await;
    here.press(words.say("sessions.end")).await;
    here.shows_no_more(".sessions", words.say("sessions.end")).await;
    assert_eq!(me().await, 401);
    here.shows("header nav", "vera").await;
    // Leaving ends this one at the shop as well.
    let stored = here.run("return localStorage.getItem('miaosha.session')").await;
    let stored: Value = serde_json::from_str(stored.as_str().unwrap()).unwrap();
    let bearer = format!("Bearer {}", stored["token"].as_str().unwrap());
    here.press(words.say("account.out")).await;
    here.shows("header nav", words.say("nav.log_in")).await;
    let answer = call(&fixture.shop.authority, "GET", "/v1/me", &[("authorization", bearer.as_str())], None).await;
    assert_eq!(answer.unwrap().status, 401);
    assert_eq!(here.run("return localStorage.getItem('miaosha.session')").await, json!(null));
}
