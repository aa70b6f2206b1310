//! What an admission is good for: one sale, a while, a few wrong answers; and how often a button may be pressed.

use std::rc::Rc;

use actix_web::test as call;
use miaosha::app::sale::question;
use miaosha::domain::shared::id::{BuyerId, SaleId};
use miaosha::domain::shared::time::Timestamp;
use miaosha::faces::publisher::Settings;
use miaosha::faces::tokens::admission::SaleAdmission;
use serde_json::json;

use super::fixture::{Gate, Shop, quiz, read, sale, service, settings, word};
use crate::support::clock::START;

const SALE: u64 = 2;

async fn shop(settings: Settings) -> Rc<Shop> {
    let gate = Gate::new();
    gate.answer(100_000);
    let shop = Shop::new(gate, settings);
    shop.tell(&[word(sale(1), false, 1, 0), word(quiz(SALE), false, 1, 0)]).await;
    shop
}

/// Presses with an admission, and says what came of it.
macro_rules! press {
    ($shop:expr, $app:expr, $admission:expr, $body:expr) => {{
        let token = $shop.keys.sign_admission(&$admission);
        let request = $shop.attempt($admission.buyer.0, $admission.sale.0);
        let request = request.insert_header(("authorization", format!("Bearer {token}"))).set_payload($body);
        let (status, said) = read(call::call_service(&$app, request.to_request()).await).await;
        let kind = said["type"].as_str().unwrap_or_default().trim_start_matches("/problems/").to_owned();
        (status.as_u16(), kind)
    }};
}

fn admission(buyer: u64, given_at: Timestamp) -> SaleAdmission {
    SaleAdmission::new(BuyerId(buyer), SaleId(SALE), 0, given_at, START.plus_ms(60_000))
}

fn answered(buyer: u64, is_right: bool) -> String {
    let index = question::index_for(&quiz(SALE), BuyerId(buyer)).unwrap();
    let answer = if is_right { ["four", "pâté", "rot"][index] } else { "no" };
    json!({ "question_id": index, "answer": answer, "quantity": 1 }).to_string()
}

#[actix_web::test]
async fn so_many_answers_of_an_admission_may_be_wrong() {
    let shop = shop(Settings { answers_max: 3, ..settings() }).await;
    let app = service!(shop);
    let (first, other) = (admission(5, START), admission(6, START));
    for _ in 0..3 {
        assert_eq!(press!(shop, app, first, answered(5, false)), (422, "wrong_answer".into()));
    }
    for is_right in [true, false] {
        assert_eq!(press!(shop, app, first, answered(5, is_right)), (403, "new_admission_needed".into()));
    }
    assert_eq!(press!(shop, app, other, answered(6, true)).0, 202, "others are others");
    let next = admission(5, START.plus_ms(1));
    for _ in 0..2 {
        assert_eq!(press!(shop, app, next, answered(5, false)).0, 422);
    }
    assert_eq!(press!(shop, app, next, answered(5, true)).0, 202, "with another admission there are others");
}

#[actix_web::test]
async fn a_button_is_pressed_so_often_in_a_second() {
    let shop = shop(Settings { presses_per_s_max: 5, ..settings() }).await;
    let app = service!(shop);
    let pressed = admission(5, START);
    for _ in 0..2 {
        for _ in 0..5 {
            assert_eq!(press!(shop, app, pressed, answered(5, true)).0, 202);
        }
        for _ in 0..3 {
            assert_eq!(press!(shop, app, pressed, answered(5, true)), (429, "too_many_presses".into()));
        }
        assert_eq!(press!(shop, app, admission(6, START), answered(6, true)).0, 202);
        shop.clock.advance_ms(1_000);
    }
}

#[actix_web::test]
async fn an_admission_is_to_one_sale_and_ends_at_its_second() {
    let shop = shop(settings()).await;
    let app = service!(shop);
    let elsewhere = SaleAdmission { sale: SaleId(1), ..admission(5, START) };
    let token = shop.keys.sign_admission(&elsewhere);
    let request = shop.attempt(5, SALE).insert_header(("authorization", format!("Bearer {token}")));
    let (status, said) = read(call::call_service(&app, request.to_request()).await).await;
    assert_eq!((status.as_u16(), said["type"].as_str()), (403, Some("/problems/other_sale")));
    shop.clock.advance_ms(59_999);
    assert_eq!(press!(shop, app, admission(5, START), answered(5, true)).0, 202);
    shop.clock.advance_ms(1);
    assert_eq!(press!(shop, app, admission(5, START), answered(5, true)), (403, "new_admission_needed".into()));
}
