//! What shoppers alone are shown.

use std::collections::HashMap;

use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;

use crate::domain::money::order::Order;
use crate::domain::money::payment::RefundEntry;
use crate::domain::shared::id::SaleId;
use crate::domain::shared::money::Currency;
use crate::faces::front::views::OrderView;
use crate::kit::http::document::shapes::words;
use crate::ports::money::payments::Provider;

#[derive(Serialize, ToSchema)]
#[schema(as = Currency)]
pub struct CurrencyView {
    currency: Currency,
    /// Digits behind the point, as ISO 4217 has them for the currency.
    #[schema(maximum = 4)]
    decimals: u32,
}

impl From<Currency> for CurrencyView {
    fn from(currency: Currency) -> Self {
        Self { currency, decimals: currency.decimals() }
    }
}

/// Who takes the money.
#[derive(Serialize, ToSchema)]
#[schema(as = Provider)]
pub struct ProviderView {
    /// In the sandbox no money moves; what it takes for cards is `ok`, `declined`, `timeout` and `late`.
    #[schema(schema_with = providers)]
    provider: &'static str,
}

fn providers() -> Object {
    words([Provider::Sandbox.name(), Provider::Stripe.name()])
}

impl From<Provider> for ProviderView {
    fn from(provider: Provider) -> Self {
        Self { provider: provider.name() }
    }
}

/// An order in its buyer's list.
#[derive(Serialize, ToSchema)]
#[schema(as = ListedOrder)]
pub struct ListedOrderView {
    #[serde(flatten)]
    order: OrderView,
    #[schema(required)]
    sale_title: Option<String>,
}

impl ListedOrderView {
    pub fn new(order: Order, refunds: &[RefundEntry], titles: &HashMap<SaleId, String>) -> Self {
        let sale_title = titles.get(&order.sale).cloned();
        Self { order: OrderView::with_refunds(order, refunds), sale_title }
    }
}
