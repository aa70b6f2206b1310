//! What a page says of money is what the receipt and the mail say, and what the provider takes: in every currency there is.

use std::collections::BTreeMap;

use miaosha::app::mail::Settings;
use miaosha::app::mail::render::render as mail;
use miaosha::app::receipts::fonts::Fonts;
use miaosha::app::receipts::pdf::render;
use miaosha::app::receipts::sheet::Sheet;
use miaosha::domain::shared::locale::Locale;
use miaosha::domain::shared::money::{Currency, Money};
use miaosha::ports::mail::transport::EmailTemplate;
use serde_json::json;

use super::fixture::{Fixture, story};
use super::words::Tongue;
use crate::receipts::pages::text_of;
use crate::support::mail::letter;
use crate::support::orders::order;
use crate::support::receipts::keys;

/// The catalogue shows a hundred sales at most.
const SALES_MAX: usize = 80;
/// With digits of its own in every place, so that one that moves is seen.
const MINOR: i64 = 123_456;

#[tokio::test]
async fn every_currency_reads_the_same_everywhere() {
    story("money", async |fixture| reads_the_same(fixture).await).await;
}

async fn reads_the_same(fixture: &Fixture) {
    let windows = [fixture.window(Tongue::English).await, fixture.window(Tongue::Chinese).await];
    for window in &windows {
        window.log_in("operator@miaosha.test", "correct horse").await;
        window.shows("h1", window.words().say("sales.title")).await;
    }
    let (operator, all) = (fixture.shop.operator().await, Currency::all());
    for some in all.chunks(SALES_MAX) {
        for currency in some {
            let offer = json!({ "price": { "minor": MINOR, "currency": currency } });
            fixture.shop.sale_by(&operator, &format!("In {currency}"), offer).await;
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
    text_of(&render(&Sheet::of(&order(&[1], amount), "A lamp", None, &keys("1")), Fonts::get()).unwrap())
}
