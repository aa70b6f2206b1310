//! A shop in one process, killed after each step of its buyers: everything that happened to them has its mail.

use std::time::Duration;

use hyper::Method;
use miaosha::adapters::system::SystemClock;
use serde_json::{Value, json};

use crate::support::mail::{Seen, files};
use crate::support::shop::Shop;
use crate::support::sink::Sink;

struct Buyer {
    token: String,
}

async fn person(shop: &Shop, name: &str, email: &str, locale: &str) -> Buyer {
    let user = json!({ "name": name, "email": email, "password": "correct horse", "locale": locale });
    let welcome = shop.sign_up(user).await;
    Buyer { token: welcome["access_token"].as_str().unwrap().to_owned() }
}

async fn operator(shop: &Shop) -> String {
    let password = std::fs::read_to_string(shop.state().join("operator.password")).unwrap();
    let login = json!({ "email": "operator@miaosha.test", "password": password.trim() });
    shop.post("/v1/sessions", "", login).await["access_token"].as_str().unwrap().to_owned()
}

async fn sale(shop: &Shop) -> u64 {
    let operator = operator(shop).await;
    let item = json!({ "title": "跨年演唱會", "description": "" });
    let item = shop.post("/v1/admin/items", &operator, item).await["id"].clone();
    let now = SystemClock::machine_now().0;
    let sale = json!({
        "item_id": item, "price": { "minor": 128_000, "currency": "TWD" }, "capacity": 2, "quantity_max": 2,
        "standby_max": 5, "hold_ms": 600_000, "opens_at": now, "closes_at": now + 86_400_000,
        "questions": [{ "prompt": "2 + 2?", "answer": "4" }],
    });
    shop.post("/v1/admin/sales", &operator, sale).await["id"].as_u64().unwrap()
}

/// Until what became of it is this.
async fn stands(shop: &Shop, sale: u64, buyer: &Buyer, status: &str) -> Value {
    for _ in 0..300 {
        let path = format!("/v1/sales/{sale}/reservation");
        let (_, answer) = shop.call(Method::GET, &path, &buyer.token, Value::Null).await;
        if answer["status"] == status {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("it is not {status}");
}

/// Asks for units until the shop, which may have only just come back, sells.
async fn attempt(shop: &Shop, sale: u64, buyer: &Buyer, quantity: u8) {
    let admission = shop.admission(sale, &buyer.token).await;
    for _ in 0..100 {
        let body = json!({ "question_id": 0, "answer": "4", "quantity": quantity });
        let (status, answer) = shop.call(Method::POST, &format!("/v1/sales/{sale}/attempts"), &admission, body).await;
        match status {
            202 => return,
            404 | 409 | 429 => tokio::time::sleep(Duration::from_millis(100)).await,
            _ => panic!("{status} {answer}"),
        }
    }
    panic!("the shop does not sell");
}

async fn pay(shop: &Shop, sale: u64, buyer: &Buyer) {
    let held = stands(shop, sale, buyer, "held").await;
    let body = json!({ "checkout_token": held["checkout_token"], "card": "ok" });
    shop.call(Method::POST, "/v1/checkouts", &buyer.token, body).await;
    stands(shop, sale, buyer, "confirmed").await;
}

/// One who gives up, one who waits, is promoted and pays, and one who buys the other unit; the shop is killed after each.
async fn a_day_at(shop: &mut Shop) {
    let ann = person(shop, "Ann", "ann@example.org", "en").await;
    let chen = person(shop, "陳小姐", "chen@example.org", "zh-TW").await;
    let bob = person(shop, "Bob", "bob@example.org", "en").await;
    let sale = sale(shop).await;
    attempt(shop, sale, &ann, 2).await;
    stands(shop, sale, &ann, "held").await;
    attempt(shop, sale, &chen, 1).await;
    stands(shop, sale, &chen, "standby").await;
    let path = format!("/v1/sales/{sale}/reservation");
    shop.call(Method::DELETE, &path, &ann.token, Value::Null).await;
    shop.restart().await;
    pay(shop, sale, &chen).await;
    shop.restart().await;
    attempt(shop, sale, &bob, 1).await;
    pay(shop, sale, &bob).await;
    shop.restart().await;
}

/// Each mail once, or twice the same: the subjects by the recipient.
fn told(mails: impl Iterator<Item = Vec<u8>>) -> Vec<(String, String)> {
    let mut seen: Vec<(String, Vec<u8>)> = mails.map(|bytes| (Seen::read(&bytes).message_id, bytes)).collect();
    seen.sort();
    seen.dedup();
    let ids: std::collections::BTreeSet<_> = seen.iter().map(|(id, _)| id.clone()).collect();
    assert_eq!(ids.len(), seen.len(), "two mails of one id are the same mail");
    let is_code = |seen: &Seen| seen.subject.ends_with("is your code") || seen.subject.starts_with("您的驗證碼");
    let mut told: Vec<_> = seen
        .iter()
        .map(|(_, bytes)| Seen::read(bytes))
        .filter(|seen| !is_code(seen))
        .map(|seen| (seen.to.1, seen.subject.split([':', '：', ' ']).next().unwrap().to_owned()))
        .collect();
    told.sort();
    told
}

fn everything() -> Vec<(String, String)> {
    [("bob@example.org", "Your"), ("chen@example.org", "訂單"), ("chen@example.org", "輪到您了，請於")]
        .map(|(to, first)| (to.to_owned(), first.to_owned()))
        .to_vec()
}

#[tokio::test]
async fn what_happens_in_a_shop_without_a_mail_server_is_in_its_folder() {
    let mut shop = Shop::start(Vec::new()).await;
    a_day_at(&mut shop).await;
    let folder = shop.state().join("mail");
    for _ in 0..600 {
        if files(&folder).iter().filter(|(name, _)| name.ends_with(".eml") && !name.contains("-code-")).count() == 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let files = files(&folder);
    let mails = files.iter().filter(|(name, _)| name.ends_with(".eml")).map(|(_, bytes)| bytes.clone());
    assert_eq!(told(mails), everything());
    for kind in ["-promoted-", "-paid-"] {
        assert!(files.iter().any(|(name, _)| name.contains(kind)), "{kind}");
    }
    let paid = files.iter().filter(|(name, _)| name.contains("-paid-"));
    for (_, bytes) in paid {
        let seen = Seen::read(bytes);
        assert!(seen.text.contains("TWD 1,280.00") && seen.text.contains("http://127.0.0.1:"), "{}", seen.text);
    }
}

/// Everything was paid; who waits all the same has what is given back, and is written to.
#[tokio::test]
async fn who_waits_when_all_is_paid_is_written_to_when_a_unit_is_given_back() {
    let shop = Shop::start(Vec::new()).await;
    let ann = person(&shop, "Ann", "ann@example.org", "en").await;
    let chen = person(&shop, "陳小姐", "chen@example.org", "zh-TW").await;
    let sale = sale(&shop).await;
    attempt(&shop, sale, &ann, 2).await;
    pay(&shop, sale, &ann).await;
    attempt(&shop, sale, &chen, 1).await;
    stands(&shop, sale, &chen, "standby").await;
    let order = stands(&shop, sale, &ann, "confirmed").await["order_number"].as_str().unwrap().to_owned();
    let path = format!("/v1/admin/orders/{order}/refunds");
    shop.post(&path, &operator(&shop).await, json!({ "units": [1] })).await;
    stands(&shop, sale, &chen, "held").await;
    let folder = shop.state().join("mail");
    let promoted =
        || files(&folder).into_iter().find(|(name, _)| name.contains("-promoted-") && name.ends_with(".eml"));
    for _ in 0..600 {
        if promoted().is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let seen = Seen::read(&promoted().expect("it is written").1);
    assert_eq!((seen.to.1.as_str(), seen.subject.starts_with("輪到您了，請於")), ("chen@example.org", true));
}

#[tokio::test]
async fn what_happens_in_a_shop_is_mailed_though_the_server_is_down_for_a_while() {
    let sink = Sink::start().await;
    sink.down(true);
    let mut shop = Shop::start(vec![
        ("MIAOSHA__MAIL__SMTP_URL", sink.url()),
        ("MIAOSHA__MAIL__AGAIN_MS_MAX", "1000".into()),
        // Workers that the kills interrupt count as dead soon.
        ("MIAOSHA__MAIL__CARRY_MS_MAX", "2000".into()),
        ("MIAOSHA__MAIL__DELIVER_MS_MAX", "2000".into()),
        ("MIAOSHA__MAIL__CLAIM_BEYOND_MS", "500".into()),
    ])
    .await;
    a_day_at(&mut shop).await;
    assert_eq!(sink.mails().len(), 0);
    sink.down(false);
    for _ in 0..600 {
        if told(sink.mails().into_iter().map(|mail| mail.bytes)).len() == 4 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(told(sink.mails().into_iter().map(|mail| mail.bytes)), everything());
    assert!(!shop.state().join("mail").exists(), "with a server, nothing is left in files");
}
