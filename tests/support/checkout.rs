//! A checkout alone at the till, as far as the ledger goes.

use miaosha::domain::money::payment::Payment;
use miaosha::domain::sale::reservation::Reservation;
use miaosha::domain::shared::id::BuyerId;
use miaosha::domain::shared::time::Timestamp;
use miaosha::ports::money::paying::{Begin, Begun, Paying, Take, Took};

/// What a gateway writes before it asks the provider for anything.
pub async fn take(paying: &dyn Paying, payment: &Payment, buyer: BuyerId, now: Timestamp) -> Took {
    let take = Take::Paying { payment: payment.clone(), buyer };
    match paying.begin_all(&[Begin { request: None, take }], now).await.unwrap().remove(0).unwrap() {
        Begun::Here { took, .. } => took,
        elsewhere => panic!("{elsewhere:?}"),
    }
}

/// The row, which is being paid with it from now on.
pub async fn begin(paying: &dyn Paying, payment: &Payment, buyer: BuyerId, now: Timestamp) -> Reservation {
    match take(paying, payment, buyer, now).await {
        Took::Paying(row) => row,
        other => panic!("{other:?}"),
    }
}
