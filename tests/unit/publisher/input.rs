//! Bad input, of any kind: a 4xx problem that names the field, never a 5xx, never a panic.

use actix_web::test as call;
use miaosha::app::sale::question;
use miaosha::domain::people::{Revoked, Role};
use miaosha::domain::shared::id::{BuyerId, ReservationId, SaleId};
use miaosha::faces::publisher::Settings;
use miaosha::faces::tokens::admission::SaleAdmission;
use miaosha::ports::sale::feed::{SaleFeed, SaleSnapshot};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::json;

use super::fixture::{Gate, Shop, quiz, read, sale, service, settings, settle, word};
use crate::support::clock::START;

async fn shop() -> std::rc::Rc<Shop> {
    let gate = Gate::new();
    gate.answer(100_000);
    let shop = Shop::new(gate, Settings { body_bytes_max: 600, ..settings() });
    shop.tell(&[word(sale(1), false, 1, 0), word(quiz(2), false, 1, 0)]).await;
    shop
}

#[actix_web::test]
async fn every_wrong_body_names_its_field() {
    let shop = shop().await;
    let app = service!(shop);
    let long = "x".repeat(201);
    let huge = format!(r#"{{"answer":"{}"}}"#, "x".repeat(1_000));
    let long_answer = format!(r#"{{"question_id":0,"answer":"{long}"}}"#);
    let cases: [(u64, &str, u16, &str); 26] = [
        (1, "", 400, "body"),
        (1, "null", 400, "body"),
        (1, "[]", 400, "body"),
        (1, "{", 400, "body"),
        (1, r#"{"quantity":1}{"#, 400, "body"),
        (1, r#"{"quantity":"1"}"#, 400, "quantity"),
        (1, r#"{"quantity":null}"#, 400, "quantity"),
        (1, r#"{"quantity":[1]}"#, 400, "quantity"),
        (1, r#"{"quantity":1.5}"#, 400, "quantity"),
        (1, r#"{"quantity":true}"#, 400, "quantity"),
        (1, r#"{"quantity":0}"#, 400, "quantity"),
        (1, r#"{"quantity":-1}"#, 400, "quantity"),
        (1, r#"{"quantity":5}"#, 400, "quantity"),
        (1, r#"{"quantity":256}"#, 400, "quantity"),
        (1, r#"{"quantity":99999999999999999999}"#, 400, "quantity"),
        (1, r#"{"quantity":1,"quantity":2}"#, 400, "quantity"),
        (1, r#"{"price":0}"#, 400, "price"),
        (2, r#"{"answer":"x"}"#, 400, "question_id"),
        (2, r#"{"question_id":0}"#, 400, "answer"),
        (2, r#"{"question_id":"0","answer":"x"}"#, 400, "question_id"),
        (2, r#"{"question_id":3,"answer":"x"}"#, 400, "question_id"),
        (2, r#"{"question_id":-1,"answer":"x"}"#, 400, "question_id"),
        (2, r#"{"question_id":0,"answer":7}"#, 400, "answer"),
        (2, &long_answer, 400, "answer"),
        (2, r#"{"question_id":0,"answer":"nobody knows"}"#, 422, "answer"),
        (1, &huge, 413, "body"),
    ];
    for (sale, body, status, field) in cases {
        let request = shop.attempt(1, sale).set_payload(body.to_owned());
        let (got, said) = read(call::call_service(&app, request.to_request()).await).await;
        assert_eq!((got.as_u16(), said["field"].as_str()), (status, Some(field)), "{body}: {said}");
    }
}

#[actix_web::test]
async fn the_buyers_own_question_must_be_answered() {
    let shop = shop().await;
    let app = service!(shop);
    let sale = quiz(2);
    let mut asked = [0; 3];
    for buyer in 0..60 {
        let index = question::index_for(&sale, BuyerId(buyer)).unwrap();
        asked[index] += 1;
        let right = ["  fOUR\t", "Pa\u{302}tE\u{301}", "“ｒｏｔ”."][index];
        for (id, answer, status) in [
            (index, right, 202),
            (index, "wrong", 422),
            (index, "", 422),
            ((index + 1) % 3, right, 422),
            ((index + 1) % 3, ["four", "pâté", "rot"][(index + 1) % 3], 422),
        ] {
            let body = json!({"question_id": id, "answer": answer, "quantity": 1}).to_string();
            let request = shop.attempt(buyer, 2).set_payload(body).to_request();
            assert_eq!(call::call_service(&app, request).await.status().as_u16(), status, "{buyer} {id} {answer}");
        }
    }
    assert!(asked.iter().all(|&count| count > 5), "{asked:?}");
    let other = miaosha::domain::sale::Sale { question_key: miaosha::domain::sale::QuestionKey([8; 32]), ..quiz(2) };
    let same = (0..60)
        .filter(|&buyer| question::index_for(&other, BuyerId(buyer)) == question::index_for(&sale, BuyerId(buyer)));
    assert!(same.count() < 50, "another key deals the questions differently");
}

#[actix_web::test]
async fn who_asks_must_be_known_and_where_must_exist() {
    let shop = shop().await;
    let app = service!(shop);
    let access = shop.keys.sign_access(BuyerId(1), Role::Shopper, START, 3_600_000);
    let checkout = shop.keys.sign_checkout(ReservationId(1), BuyerId(1), START, 3_600_000);
    let good = shop.token(1, 1);
    let (unsigned, _) = good.rsplit_once('.').unwrap();
    let tokens = [
        String::new(),
        "Basic YTpi".to_owned(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        format!("Token {good}"),
        format!("Bearer {unsigned}."),
        format!("Bearer {access}"),
        format!("Bearer {checkout}"),
    ];
    for token in tokens {
        let request = shop.attempt(1, 1).insert_header(("authorization", token.clone()));
        let (status, said) = read(call::call_service(&app, request.to_request()).await).await;
        assert_eq!((status.as_u16(), said["field"].as_str()), (401, Some("Authorization")), "{token}");
    }
    let bare = call::TestRequest::post().uri("/v1/sales/1/attempts").set_payload("{}");
    assert_eq!(call::call_service(&app, bare.to_request()).await.status(), 401);

    shop.tell_that_this_is_all().await;
    let cases = [
        ("/v1/sales/9/attempts", 404, None),
        ("/v1/sales/x/attempts", 400, Some("id")),
        ("/v1/sales/-1/attempts", 400, Some("id")),
        ("/v1/sales/+1/attempts", 400, Some("id")),
        ("/v1/sales/1.0/attempts", 400, Some("id")),
        ("/v1/sales/%31x/attempts", 400, Some("id")),
        ("/v1/sales/99999999999999999999/attempts", 400, Some("id")),
        ("/v1/sales/1/attempts/", 404, None),
        ("/v1/sales//attempts", 404, None),
    ];
    for (path, status, field) in cases {
        let (got, said) = read(call::call_service(&app, shop.attempt(1, 9).uri(path).to_request()).await).await;
        assert_eq!((got.as_u16(), said["field"].as_str()), (status, field), "{path}: {said}");
    }
    let get = call::TestRequest::get().uri("/v1/sales/1/attempts");
    assert_eq!(read(call::call_service(&app, get.to_request()).await).await.0, 405);
}

#[test]
fn nothing_that_anybody_sends_breaks_the_route() {
    let header = "[ -~]{0,60}";
    let path = prop_oneof![Just("1".to_owned()), Just("2".to_owned()), "[!-.0-~]{0,24}"];
    let kind = prop_oneof![Just("application/json".to_owned()), header.prop_map(|text: String| text)];
    let body = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..700),
        "\\{(\"(quantity|answer|question_id|x)\":(-?[0-9]{1,22}|null|\"\\PC{0,9}\"|\\[\\]),?){0,4}\\}"
            .prop_map(String::into_bytes),
    ];
    let token = prop_oneof![Just(None), header.prop_map(Some), Just(Some("own".to_owned()))];
    actix_web::rt::System::new().block_on(async move {
        let shop = shop().await;
        // Until then it answers 503 for sales it does not know.
        shop.tell_that_this_is_all().await;
        let app = service!(shop);
        let mut runner = TestRunner::new(ProptestConfig { cases: 1_500, ..ProptestConfig::default() });
        for _ in 0..runner.config().cases {
            let drawn = (&path, &kind, &body, &token).new_tree(&mut runner).unwrap().current();
            let (path, kind, body, token) = drawn.clone();
            let Ok(uri) = format!("/v1/sales/{path}/attempts").parse::<actix_web::http::Uri>() else { continue };
            let mut request = shop.attempt(1, 1).uri(&uri.to_string()).insert_header(("content-type", kind));
            if let Some(token) = token.filter(|token| token != "own") {
                request = request.insert_header(("authorization", token));
            }
            let response = call::call_service(&app, request.set_payload(body).to_request()).await;
            let status = response.status();
            let kind = response.headers().get("content-type").unwrap().clone();
            let expected = if status.is_success() { "application/json" } else { "application/problem+json" };
            assert!(status.is_success() || status.is_client_error(), "{status}: {drawn:?}");
            assert_eq!(kind, expected, "{drawn:?}");
        }
        settle().await;
    });
}

/// The news say whose tokens of before are refused, one after the other; nothing that is said later lets them in again.
#[actix_web::test]
async fn who_logged_out_everywhere_is_refused() {
    let shop = shop().await;
    let app = service!(shop);
    let say = async |revoked: Vec<Revoked>| {
        shop.signals.publish(&SaleSnapshot { sent_at: START, revoked, ..SaleSnapshot::default() }).await.unwrap();
        settle().await;
    };
    let status = async |buyer: u64, epoch: u64| {
        let until = START.plus_ms(60_000);
        let token = shop.keys.sign_admission(&SaleAdmission::new(BuyerId(buyer), SaleId(1), epoch, START, until));
        let request = shop.attempt(buyer, 1).insert_header(("authorization", format!("Bearer {token}")));
        let (status, said) = read(call::call_service(&app, request.to_request()).await).await;
        assert!(status == 202 || said["field"] == "Authorization", "{said}");
        status.as_u16()
    };
    assert_eq!(status(5, 0).await, 202);
    say(vec![Revoked { buyer: BuyerId(5), epoch: 2 }]).await;
    assert_eq!((status(5, 0).await, status(5, 1).await, status(5, 2).await), (401, 401, 202));
    assert_eq!(status(6, 0).await, 202);
    say(Vec::new()).await;
    say(vec![Revoked { buyer: BuyerId(6), epoch: 1 }, Revoked { buyer: BuyerId(5), epoch: 1 }]).await;
    assert_eq!((status(6, 0).await, status(5, 1).await, status(5, 2).await), (401, 401, 202));
}
