//! The payment providers: the sandbox in both dialects, and Stripe over a counterpart of our own and over a foreign one.

mod amounts;
mod faults;
mod refund_states;
mod signatures;

use std::time::Duration;

use miaosha::adapters::memory::payments::MemorySandbox;
use miaosha::adapters::sql::mysql::MysqlStore;
use miaosha::adapters::sql::sqlite::SqliteStore;
use miaosha::kit::work::lifecycle::Lifecycle;
use miaosha::ports::money::payments::Payments;
use sqlx::{AssertSqlSafe, Connection, MySqlConnection};
use tempfile::TempDir;

use crate::contract::payments::{self as contract, Cards};
use crate::support::servers;
use crate::support::stripe::{NetworkFault, Step, StripeServer};

pub const SANDBOX: Cards = Cards { good: "ok", declined: "declined", unknown: "4242" };
pub const OURS: Cards = Cards { good: "pm_card_visa", declined: "pm_card_declined_lost_card", unknown: "tok_nobody" };

pub async fn sqlite() -> (SqliteStore, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("ledger.db"), Lifecycle::new().tasks()).await.unwrap();
    store.migrate().await.unwrap();
    (store, folder)
}

/// Of a private server that goes away with its databases.
pub async fn mysql() -> (MysqlStore, ()) {
    let (name, url) = (servers::unique_name(), servers::mysql_url());
    let mut conn = MySqlConnection::connect(&url).await.unwrap();
    sqlx::query(AssertSqlSafe(format!("CREATE DATABASE `{name}`"))).execute(&mut conn).await.unwrap();
    let (server, _) = url.rsplit_once('/').unwrap();
    let store = MysqlStore::connect(&format!("{server}/{name}"), 8).await.unwrap();
    store.migrate().await.unwrap();
    (store, ())
}

macro_rules! suite {
    ($($test:ident)*) => {
        suite! { sandbox_over_sqlite sandbox_over_mysql stripe_over_sqlite stripe_over_mysql: $($test)* }
        suite! { @over sandbox_in_memory, sqlite, |_store| (MemorySandbox::default().with_wait(Duration::ZERO), SANDBOX), $($test)* }
    };
    ($sandbox_lite:ident $sandbox_my:ident $stripe_lite:ident $stripe_my:ident: $($test:ident)*) => {
        suite! { @over $sandbox_lite, sqlite, |store| (store.sandbox(&Lifecycle::new()).with_wait(Duration::ZERO), SANDBOX), $($test)* }
        #[cfg(feature = "servers")]
        suite! { @over $sandbox_my, mysql, |store| (store.sandbox(&Lifecycle::new()).with_wait(Duration::ZERO), SANDBOX), $($test)* }
        suite! { @over $stripe_lite, sqlite, |store| (StripeServer::start().await.adapter(store), OURS), $($test)* }
        #[cfg(feature = "servers")]
        suite! { @over $stripe_my, mysql, |store| (StripeServer::start().await.adapter(store), OURS), $($test)* }
    };
    (@over $name:ident, $db:ident, |$store:ident| $made:expr, $($test:ident)*) => {
        mod $name {
            #[allow(unused_imports, reason = "some use the one, some the other")]
            use super::*;
            $(#[tokio::test]
            async fn $test() {
                let ($store, _keep) = $db().await;
                let (payments, cards) = $made;
                contract::$test(payments, cards).await;
            })*
        }
    };
}

suite! {
    a_good_card_is_captured_once
    a_payment_goes_back_in_parts_and_never_beyond_itself
    of_refunds_at_once_no_more_goes_back_than_moved
    a_bad_card_voids_the_payment
    an_amount_of_nothing_is_not_taken
    a_void_of_what_was_never_opened_holds
    of_many_at_once_each_has_its_own_answer
    of_a_capture_and_a_void_at_the_provider_one_wins
}

#[tokio::test]
async fn the_sandbox_has_silent_cards() {
    let (store, _keep) = sqlite().await;
    has_silent_cards(store.sandbox(&Lifecycle::new()).with_wait(Duration::ZERO)).await;
}

#[tokio::test]
async fn the_sandbox_in_memory_has_silent_cards() {
    has_silent_cards(MemorySandbox::default().with_wait(Duration::ZERO)).await;
}

#[cfg(feature = "servers")]
#[tokio::test]
async fn the_sandbox_over_mysql_has_silent_cards() {
    let (store, ()) = mysql().await;
    has_silent_cards(store.sandbox(&Lifecycle::new()).with_wait(Duration::ZERO)).await;
}

async fn has_silent_cards(sandbox: impl Payments) {
    let (silent, late): (contract::Card, contract::Card) = (Box::new(|| "timeout"), Box::new(|| "late"));
    contract::a_card_that_is_silent_is_settled_by_a_void(sandbox, silent, late).await;
}

/// Twice each, because a lost answer is asked for again.
#[tokio::test]
async fn stripe_may_be_silent() {
    let (store, _keep) = sqlite().await;
    let server = StripeServer::start().await;
    let (payments, here) = (server.adapter(store), server.clone());
    let silent = Box::new(move || {
        (0..2).for_each(|_| here.next(Step::Confirm, NetworkFault::CutBefore));
        OURS.good
    });
    let late = Box::new(move || {
        (0..2).for_each(|_| server.next(Step::Capture, NetworkFault::CutAfter));
        OURS.good
    });
    contract::a_card_that_is_silent_is_settled_by_a_void(payments, silent, late).await;
}
