//! What several faces answer with: the shapes of the answers, apart from the words of the kernel.

mod order;
mod sale;
mod standing;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::shared::money::{Currency, Money};
pub use crate::faces::front::views::order::{OrderFacts, OrderView};
pub use crate::faces::front::views::sale::SaleView;
pub use crate::faces::front::views::standing::StandingView;

/// An amount, and how many of its digits stand behind the point: a client that formats it need not know the currency.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = Money)]
pub struct MoneyView {
    /// In the currency's smallest unit: never a fraction.
    #[schema(minimum = 0)]
    minor: i64,
    currency: Currency,
    /// Digits behind the point, as ISO 4217 has them for the currency.
    #[schema(maximum = 4)]
    decimals: u32,
}

impl From<Money> for MoneyView {
    fn from(Money { minor, currency }: Money) -> Self {
        Self { minor, currency, decimals: currency.decimals() }
    }
}
