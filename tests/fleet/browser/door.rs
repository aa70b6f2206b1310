//! The door's camera. Not every browser can read codes; here the camera and the page are real, and the reader is another program.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use miaosha::app::receipts::Code;
use serde_json::{Value, json};

use super::fixture::story;
use super::window::{Look, Window};
use super::words::Tongue;

const WIDE: usize = 640;
const HIGH: usize = 480;
/// Pixels of a square's side.
const SQUARE: usize = 7;
/// The page looks four times in it.
const A_WHILE: Duration = Duration::from_secs(1);

/// A browser's reader of codes that hands each picture to the test that asks for it, and sees what it is told.
const READER: &str = "globalThis.BarcodeDetector = class {
    async detect(video) {
        const canvas = Object.assign(document.createElement('canvas'), { width: video.videoWidth, height: video.videoHeight });
        canvas.getContext('2d').drawImage(video, 0, 0);
        globalThis.picture = canvas.toDataURL('image/png').split(',')[1];
        globalThis.looks = (globalThis.looks ?? 0) + 1;
        return globalThis.seen ? [{ rawValue: globalThis.seen }] : [];
    }
};";

/// One picture, grey, of a code on paper.
fn film(code: &str) -> Vec<u8> {
    let code = Code::of(code);
    let (left, top) = ((WIDE - code.width * SQUARE) / 2, (HIGH - code.width * SQUARE) / 2);
    let mut light = vec![235_u8; WIDE * HIGH];
    for run in code.runs() {
        for row in 0..SQUARE {
            let start = (top + run.y * SQUARE + row) * WIDE + left + run.x * SQUARE;
            light[start..start + run.length * SQUARE].fill(16);
        }
    }
    let mut film = format!("YUV4MPEG2 W{WIDE} H{HIGH} F10:1 Ip A1:1 C420jpeg\nFRAME\n").into_bytes();
    film.extend(light);
    film.extend([128].repeat(WIDE * HIGH / 2));
    film
}

/// What a program that knows nothing of ours reads in what the camera sees.
async fn read(window: &Window, folder: &Path) -> Option<String> {
    let picture = window.run("return globalThis.picture ?? null").await;
    let file = folder.join("seen.png");
    std::fs::write(&file, STANDARD.decode(picture.as_str()?).unwrap()).unwrap();
    let read = Command::new("zbarimg")
        .args(["--quiet", "--raw", "--nodbus", "-Sdisable", "-Sqrcode.enable"])
        .arg(file)
        .output();
    Some(String::from_utf8(read.unwrap().stdout).unwrap().trim().to_owned()).filter(|code| !code.is_empty())
}

#[tokio::test]
async fn a_camera_reads_a_ticket() {
    story("camera", async |fixture| {
        let sale = fixture.shop.sale("A parade", json!({})).await;
        let buyer = fixture.shop.shopper("quin").await;
        buyer.attempt(sale, 1).await;
        let path = format!("/v1/orders/{}/tickets", buyer.pay(sale).await);
        let tickets: Value = buyer.call("GET", &path, None).await.is(200);
        let token = tickets["units"][0]["token"].as_str().unwrap();

        let folder = tempfile::tempdir().unwrap();
        let film_at = folder.path().join("film.y4m");
        std::fs::write(&film_at, film(token)).unwrap();
        let door = fixture.window_of(Tongue::English, Look { film: Some(&film_at), ..Look::default() }).await;
        let words = door.words();
        door.prepare(READER).await;
        door.log_in("operator@miaosha.test", "correct horse").await;
        door.press(words.say("nav.check_in")).await;
        door.shows("h1", words.say("check.title")).await;
        door.press("A parade").await;
        door.press(words.say("check.camera")).await;
        let seen = door.until("the code is read", async || read(&door, folder.path()).await).await;
        assert_eq!(seen, token);
        door.run(&format!("globalThis.seen = '{seen}'")).await;
        door.shows(".verdict", words.say("check.in")).await;
        door.picture("check-in-camera").await;

        // A ticket that is held up for a while is one ticket.
        let looks = door.run("return globalThis.looks").await.as_i64().unwrap();
        tokio::time::sleep(A_WHILE).await;
        assert!(door.run("return globalThis.looks").await.as_i64().unwrap() > looks);
        door.shows(".verdict", words.say("check.in")).await;

        // Stopped, the camera is off; without its picture there is nothing to see.
        door.press(words.say("check.stop")).await;
        let off = "return document.querySelector('video').srcObject.getTracks().every((track) => track.readyState === 'ended')";
        door.until("the camera is off", async || Some(door.run(off).await).filter(|off| *off == json!(true))).await;
    })
    .await;
}

/// A door is one sale's: it is chosen first, stays chosen, and another sale's ticket is sent there. The code comes as a scanner with
/// a caps lock types it.
#[tokio::test]
async fn a_door_is_of_one_sale() {
    story("two-doors", async |fixture| {
        let [parade, fair] =
            [fixture.shop.sale("A parade", json!({})).await, fixture.shop.sale("A fair", json!({})).await];
        let mut tokens = Vec::new();
        for (sale, name) in [(parade, "rosa"), (fair, "sven")] {
            let buyer = fixture.shop.shopper(name).await;
            buyer.attempt(sale, 1).await;
            let path = format!("/v1/orders/{}/tickets", buyer.pay(sale).await);
            let tickets: Value = buyer.call("GET", &path, None).await.is(200);
            tokens.push(tickets["units"][0]["token"].as_str().unwrap().to_lowercase());
        }
        let door = fixture.window(Tongue::Chinese).await;
        let words = door.words();
        let scan = async |token: &str| {
            door.fill(words.say("check.code"), token).await;
            door.press(words.say("check.check")).await;
        };
        door.log_in("operator@miaosha.test", "correct horse").await;
        door.press(words.say("nav.check_in")).await;
        door.shows("h1", words.say("check.title")).await;
        door.press("A parade").await;
        door.shows(".door h2", "A parade").await;
        scan(&tokens[1]).await;
        door.shows(".verdict", words.say("check.elsewhere")).await;
        door.shows(".result p", "A fair").await;
        door.picture("check-in-elsewhere").await;
        scan("TB and nothing more").await;
        door.shows(".verdict", words.say("check.wrong")).await;
        door.shows(".result p", words.say("rule.token_form")).await;
        scan(&tokens[0]).await;
        door.shows(".verdict", words.say("check.in")).await;

        door.reload().await;
        door.shows(".door h2", "A parade").await;
        scan(&tokens[0]).await;
        door.shows(".verdict", words.say("check.again")).await;
        door.press(words.say("check.other_sale")).await;
        door.fill(words.say("check.number"), &fair.to_string()).await;
        door.press(words.say("check.choose")).await;
        door.shows(".door h2", "A fair").await;
        scan(&tokens[1]).await;
        door.shows(".verdict", words.say("check.in")).await;
    })
    .await;
}

/// What a field does not keep to is said in the reader's language, with its bounds.
#[tokio::test]
async fn a_field_is_blamed_in_the_readers_language() {
    story("blamed", async |fixture| {
        let desk = fixture.window(Tongue::Chinese).await;
        let words = desk.words();
        desk.log_in("operator@miaosha.test", "correct horse").await;
        desk.shows("header nav", words.say("nav.desk")).await;
        desk.go("/desk/new").await;
        desk.press(words.say("new.make")).await;
        desk.shows(".wrong", words.say("rule.empty")).await;
        desk.fill(words.say("new.title"), "A kite").await;
        desk.fill(words.say("new.quantity_max"), "9").await;
        desk.press(words.say("new.make")).await;
        desk.shows(".wrong", &words.say("rule.range").replace("{min}", "1").replace("{max}", "8")).await;
        desk.fill(words.say("new.quantity_max"), "2").await;
        desk.press(words.say("new.question_more")).await;
        desk.fill(words.say("new.prompt"), "2 + 2 = ?").await;
        desk.fill(words.say("new.answer"), "\u{200b}").await;
        desk.press(words.say("new.make")).await;
        desk.shows(".wrong", words.say("rule.empty")).await;
    })
    .await;
}
