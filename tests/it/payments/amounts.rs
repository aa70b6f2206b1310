//! Amounts on their way to Stripe and back: in every currency the same amount, and of whatever may be sold every part can go back.

use miaosha::adapters::sql::sqlite::SqliteStore;
use miaosha::adapters::stripe::Stripe;
use miaosha::app::money::payable;
use miaosha::domain::money::payment::{Refund, RefundAnswer};
use miaosha::domain::shared::id::{PaymentId, RefundId};
use miaosha::domain::shared::money::{Currency, Money};
use miaosha::ports::money::payments::{Captured, Opened, Payments, Unpayable};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::sync::Arc;

use super::{OURS, sqlite};
use crate::support::orders::order;
use crate::support::stripe::{Step, StripeServer, settings};

/// What Stripe counted, in its own number, and what that is in ours, in every currency that it takes; and a part of it back.
#[tokio::test]
async fn in_every_currency_what_moves_is_what_was_asked_for() {
    let ((store, _keep), server) = (sqlite().await, StripeServer::start().await);
    let stripe = server.adapter(store);
    let mut taken = 0;
    for (number, currency) in Currency::all().into_iter().enumerate() {
        let amount = Money { minor: 123_400, currency };
        let payment = PaymentId(number as u128 + 1);
        if stripe.check(amount) == Err(Unpayable::Currency(currency)) {
            continue;
        }
        taken += 1;
        assert_eq!(stripe.open(payment, amount).await.unwrap(), Opened::Opened, "{amount}");
        assert_eq!(stripe.capture(payment, OURS.good).await.unwrap(), Captured::Captured, "{amount}");
        assert_eq!(stripe.kept_minor(payment).await.unwrap(), amount.minor, "{amount}");
        let part = Refund { id: RefundId(payment.0), payment, amount: Money { minor: 23_400, currency } };
        assert_eq!(stripe.refund(&part, 0).await.unwrap(), RefundAnswer::Done, "{amount}");
        assert_eq!(stripe.kept_minor(payment).await.unwrap(), 100_000, "{amount}");
    }
    assert!(taken > 130 && server.calls(Step::Refund) == taken, "{taken} currencies were tried");
}

fn stripe_of(store: SqliteStore) -> Stripe {
    Stripe::new(settings("http://127.0.0.1:9"), Arc::new(store)).unwrap()
}

#[tokio::test]
async fn of_what_may_be_sold_every_part_can_go_back() {
    let (store, _keep) = sqlite().await;
    let stripe = stripe_of(store);
    let all = Currency::all();
    let prices = prop_oneof![1..20_000_i64, (1..20_000_i64).prop_map(|tens| tens * 10), 1..200_000_000_i64];
    let sales = (prices, 0..all.len(), 1..=8_u8, 1..=8_u32, proptest::collection::vec(1..=8_usize, 1..=8));
    let mut runner = TestRunner::new(Config { cases: 4_000, ..Config::default() });
    let sold = std::cell::Cell::new(0);
    let run = runner.run(&sales, |(minor, currency, quantity_max, units, parts)| {
        let price = Money { minor, currency: all[currency] };
        if payable::check(&stripe, price, quantity_max).is_err() || units > u32::from(quantity_max) {
            return Ok(());
        }
        sold.set(sold.get() + 1);
        let mut order = order(&(1..=units).collect::<Vec<_>>(), price.times(units).unwrap());
        prop_assert_eq!(stripe.check(order.amount), Ok(()));
        for part in parts {
            let left = order.left();
            let given: Vec<u32> = left.iter().take(part).copied().collect();
            if given.is_empty() {
                break;
            }
            let share = order.share_of(given.len());
            prop_assert_eq!(stripe.check(share), Ok(()), "{} of {}", share, order.amount);
            order = order.without(&given, share);
        }
        Ok(())
    });
    run.unwrap();
    assert!(sold.get() > 400, "only {} could be sold", sold.get());
}
