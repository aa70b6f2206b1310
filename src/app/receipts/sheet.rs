//! What stands on a receipt, apart from how it looks.

use crate::app::receipts::keys::ReceiptKeys;
use crate::app::receipts::token;
use crate::domain::money::order::Order;
use crate::domain::receipts::Proof;
use crate::domain::shared::locale::Locale;
use crate::domain::shared::money::Money;
use crate::domain::shared::time::Timestamp;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    pub order: String,
    pub item: String,
    /// `None` when this shop has no account of the buyer.
    pub buyer: Option<String>,
    pub amount: Money,
    pub placed_at: Timestamp,
    pub locale: Locale,
    /// How far the clocks that it speaks of are ahead of UTC.
    pub utc_offset_minutes: i16,
    pub units: Vec<Unit>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    pub number: u32,
    /// `None` when it was given back.
    pub token: Option<String>,
}

impl Sheet {
    pub fn of(order: &Order, item: &str, buyer: Option<&str>, keys: &ReceiptKeys) -> Self {
        let unit = |&number: &u32| {
            let proof = Proof { sale: order.sale, unit: number, reservation: order.reservation };
            Unit { number, token: (!order.refunded_units.contains(&number)).then(|| token::sign(proof, keys)) }
        };
        Self {
            order: order.number.clone(),
            item: plain(item),
            buyer: buyer.map(plain),
            amount: order.amount,
            placed_at: order.placed_at,
            locale: Locale::default(),
            utc_offset_minutes: 0,
            units: order.units.iter().map(unit).collect(),
        }
    }

    pub fn said_in(self, locale: Locale, utc_offset_minutes: i16) -> Self {
        Self { locale, utc_offset_minutes, ..self }
    }

    /// Of one unit, where all cost the same.
    pub fn price(&self) -> Option<Money> {
        let units = i64::try_from(self.units.len()).ok().filter(|units| *units > 1)?;
        let even = self.amount.minor % units == 0;
        even.then_some(Money { minor: self.amount.minor / units, currency: self.amount.currency })
    }

    pub fn left(&self) -> usize {
        self.units.iter().filter(|unit| unit.token.is_some()).count()
    }
}

/// On one line: what cannot be seen is no part of a name.
fn plain(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}
