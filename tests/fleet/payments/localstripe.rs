//! The contract over a foreign emulator, which knows nothing of what our own counterpart was written for.

use std::sync::Arc;

use miaosha::adapters::sql::sqlite::SqliteStore;
use miaosha::adapters::stripe::Stripe;
use miaosha::kit::work::lifecycle::Lifecycle;

use crate::contract::payments::{self as contract, Cards};
use crate::support::localstripe::LocalStripe;
use crate::support::stripe::settings;

const CARDS: Cards = Cards { good: "pm_card_visa", declined: "pm_card_chargeCustomerFail", unknown: "pm_nobody" };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_holds() {
    let server = LocalStripe::start().await;
    macro_rules! hold {
        ($($test:ident)*) => {$({
            let folder = tempfile::tempdir().unwrap();
            let store = SqliteStore::open(&folder.path().join("ledger.db"), Lifecycle::new().tasks()).await.unwrap();
            store.migrate().await.unwrap();
            contract::$test(Stripe::new(settings(&server.url), Arc::new(store)).unwrap(), CARDS).await;
        })*};
    }
    hold! {
        a_good_card_is_captured_once
        a_payment_goes_back_in_parts_and_never_beyond_itself
        a_bad_card_voids_the_payment
        a_void_of_what_was_never_opened_holds
        of_a_capture_and_a_void_at_the_provider_one_wins
    }
}
