//! What a page says of money is what the receipt and the mail say, and what the provider takes: in every currency there is.

use std::collections::BTreeMap;

use miaosha::app::mail::Settings;
use miaosha::app::mail::render::render as mail;
use miaosha::app::receipts::fonts::Fonts;
use miaosha::app::receipts::pdf::render;
use miaosha::app::receipts::sheet::Sheet;
use miaosha::domain::money::order::Order;
use miaosha::domain::shared::id::{BuyerId, PaymentId, ReservationId, SaleId};
use miaosha::domain::shared::locale::Locale;
use miaosha::domain::shared::money::{Currency, Money};
use miaosha::ports::mail::transport::EmailTemplate;
use serde_json::json;

use super::stage::{Stage, story};
use super::words::Tongue;
use crate::mail::rendering::letter;
use crate::receipts::{keys, pages::text_of};
use crate::support::clock::START;

/// The catalogue shows a hundred sales at most.
const SALES_MAX: usize = 80;
/// With digits of its own in every place, so that one that moves is seen.
const MINOR: i64 = 123_456;

#[tokio::test]
async fn every_currency_reads_the_same_everywhere() {
    story("money", async |stage| reads_the_same(stage).await).await;
}

async fn reads_the_same(stage: &Stage) {
    let windows = [stage.window(Tongue::English).await, stage.window(Tongue::Chinese).await];
    for window in &windows {
        window.log_in("operator@miaosha.test", "demodemo").await;
        window.shows("h1", window.words().say("sales.title")).await;
    }
    let (operator, all) = (stage.shop.operator().await, Currency::all());
    for some in all.chunks(SALES_MAX) {
        for currency in some {
            let offer = json!({ "price": { "minor": MINOR, "currency": currency } });
            stage.shop.sale_by(&operator, &format!("In {currency}"), offer).await;
        }
        for window in &windows {
            let shown = shown(window, some).await;
            for &currency in some {
                let amount = Money { minor: MINOR, currency };
                assert_eq!(shown[&format!("In {currency}")], amount.to_string(), "on the page");
            }
        }
    }
    for currency in all {
        let amount = Money { minor: MINOR, currency };
        let said = amount.to_string();
        assert!(printed(amount).contains(&said), "{said} is not on its receipt:\n{}", printed(amount));
        for locale in [Locale::En, Locale::ZhTw] {
            let matter = EmailTemplate::Paid { order: "1A2B-3C4D-5E6F".to_owned(), units: vec![1], amount };
            let mail = mail(letter(locale, matter), &Settings::default(), None);
            for written in [&mail.text, &mail.html] {
                assert!(written.contains(&said), "{said} is not in its mail:\n{written}");
            }
        }
    }
}

/// Each sale's price by its title, as the desk's list shows them.
async fn shown(window: &super::window::Window, some: &[Currency]) -> BTreeMap<String, String> {
    window.go("/desk").await;
    let script =
        "return [...document.querySelectorAll('tbody tr')].map((row) => [...row.cells].map((cell) => cell.innerText))";
    window
        .until("every sale is listed", async || {
            let rows: Vec<Vec<String>> = serde_json::from_value(window.run(script).await).unwrap();
            let prices = rows.into_iter().map(|row| (row[0].clone(), row[3].clone()));
            let prices: BTreeMap<String, String> = prices.collect();
            some.iter().all(|currency| prices.contains_key(&format!("In {currency}"))).then_some(prices)
        })
        .await
}

fn printed(amount: Money) -> String {
    let order = Order {
        number: "1A2B-3C4D-5E6F".to_owned(),
        reservation: ReservationId(1),
        sale: SaleId(1),
        buyer: BuyerId(1),
        units: vec![1],
        amount,
        payment: PaymentId(1),
        placed_at: START,
        refunded: false,
        refunded_units: Vec::new(),
        refunded_amount: Money { minor: 0, ..amount },
    };
    text_of(&render(&Sheet::of(&order, "A lamp", None, &keys("1")), Fonts::get()).unwrap())
}
