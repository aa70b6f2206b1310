//! A sale from its draft to its publishing, in both languages: nobody else sees it before; what is corrected is seen by who looks; and
//! what stays says why.

use super::fixture::{Fixture, story};
use super::window::Window;
use super::words::Tongue;

#[tokio::test]
async fn a_sale_is_corrected_and_published_in_english() {
    story("drafts-en", async |fixture| corrects(fixture, Tongue::English).await).await;
}

#[tokio::test]
async fn a_sale_is_corrected_and_published_in_chinese() {
    story("drafts-zh", async |fixture| corrects(fixture, Tongue::Chinese).await).await;
}

/// The draft whose page this is.
pub async fn publish(desk: &Window) {
    let words = desk.words();
    desk.shows(".mark", words.say("desk.phase_draft")).await;
    desk.press(words.say("live.publish")).await;
    desk.press(words.say("ask.publish_yes")).await;
    desk.shows_no_more(".mark", words.say("desk.phase_draft")).await;
}

async fn corrects(fixture: &Fixture, tongue: Tongue) {
    let (desk, shopper) = (fixture.window(tongue).await, fixture.window(tongue).await);
    let (words, code) = (desk.words(), tongue.code());
    desk.log_in("operator@miaosha.test", "correct horse").await;
    desk.press(words.say("nav.desk")).await;
    desk.press(words.say("desk.new")).await;
    desk.fill(words.say("new.title"), "A clay teapto").await;
    desk.fill(words.say("new.description"), "It pours.\n\nFired twice in Yixing.").await;
    desk.fill(words.say("new.price"), "12.5").await;
    desk.press(words.say("new.question_more")).await;
    desk.fill(words.say("new.prompt"), "2 + 2 = ?").await;
    desk.fill(words.say("new.answer"), "4").await;
    desk.press_form().await;
    desk.comes_to("/desk/sales/").await;
    desk.shows("h1", "A clay teapto").await;
    desk.shows(".mark", words.say("desk.phase_draft")).await;
    desk.picture(&format!("draft-{code}")).await;
    let sale: u64 = desk.path().await.rsplit('/').next().unwrap().parse().unwrap();

    // Nobody else sees it, in the list or alone.
    shopper.go("/").await;
    shopper.settles().await;
    assert!(!shopper.text("main").await.unwrap().contains("teapto"));
    shopper.go(&format!("/sales/{sale}")).await;
    shopper.shows("h1", words.say("sale.missing")).await;
    let kim = fixture.shop.shopper("kim").await;
    kim.call("GET", &format!("/v1/sales/{sale}"), None).await.is(404);

    desk.press(words.say("live.edit")).await;
    desk.shows("main", "2 + 2 = ?").await;
    desk.fill(words.say("new.title"), "A clay pot").await;
    desk.fill(words.say("new.price"), "13").await;
    desk.picture(&format!("edit-{code}")).await;
    desk.press(words.say("edit.save")).await;
    desk.shows("h1", "A clay pot").await;
    desk.go("/desk").await;
    desk.shows("tbody", words.say("desk.phase_draft")).await;
    desk.shows("tbody", "TWD 13.00").await;
    desk.picture(&format!("desk-drafts-{code}")).await;
    desk.press("A clay pot").await;
    publish(&desk).await;

    shopper.go("/").await;
    shopper.shows("main", "TWD 13.00").await;
    shopper.press("A clay pot").await;
    shopper.shows("h1", "A clay pot").await;
    shopper.shows(".about p:nth-of-type(2)", "Fired twice in Yixing.").await;

    // Who looks at it sees it corrected.
    desk.press(words.say("live.edit")).await;
    desk.fill(words.say("new.title"), "A red clay pot").await;
    desk.fill(words.say("new.description"), "It pours red.").await;
    desk.press(words.say("edit.save")).await;
    desk.shows("h1", "A red clay pot").await;
    shopper.shows("h1", "A red clay pot").await;
    shopper.shows(".about", "It pours red.").await;

    // Who holds one holds it at the price that it was pressed for.
    assert_eq!(kim.attempt(sale, 1).await["status"], "held");
    desk.press(words.say("live.edit")).await;
    desk.fill(words.say("new.price"), "99").await;
    desk.press(words.say("edit.save")).await;
    desk.shows(".field .wrong", words.say("rule.pressed")).await;
    desk.press(words.say("edit.back")).await;
    desk.shows("h1", "A red clay pot").await;
    let shown = kim.call("GET", &format!("/v1/sales/{sale}"), None).await.is(200);
    assert_eq!((&shown["price"]["minor"], &shown["version"]), (&serde_json::json!(1_300), &serde_json::json!(4)));
}
