//! What happens to money: whether it can be paid, payments without an answer, refunds.

pub mod checkout;
pub mod metric;
pub mod payable;
pub mod points;
pub mod refund_units;
pub mod refunds;
pub mod settle;
pub mod till;
pub mod webhook;

use std::sync::Arc;

use crate::app::sale::tell;
use crate::ports::money::orders::Orders;
use crate::ports::money::paying::Paying;
use crate::ports::money::payments::Payments;
use crate::ports::money::refunds::Refunds;
use crate::ports::platform::clock::Clock;
use crate::ports::platform::fault::Faults;
use crate::ports::sale::catalogue::Catalogue;
use crate::ports::sale::reservations::Reservations;

#[derive(Clone)]
pub struct Needs {
    pub reservations: Arc<dyn Reservations>,
    pub orders: Arc<dyn Orders>,
    pub paying: Arc<dyn Paying>,
    pub refunds: Arc<dyn Refunds>,
    pub catalogue: Arc<dyn Catalogue>,
    pub payments: Arc<dyn Payments>,
    pub clock: Arc<dyn Clock>,
    pub faults: Arc<dyn Faults>,
    pub tell: tell::Needs,
}
