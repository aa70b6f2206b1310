//! Whether what a sale asks for can be paid, and can go back in any parts. Asked when the sale is made, before anything is held.

use std::fmt;

use crate::domain::shared::money::Money;
use crate::ports::money::payments::{Payments, Unpayable};

/// The first amount that the provider never takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub quantity: u8,
    pub amount: Money,
    pub why: Unpayable,
}

impl Refused {
    pub fn is_of_currency(&self) -> bool {
        matches!(self.why, Unpayable::Currency(_))
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { quantity, amount, why } = self;
        write!(f, "{amount} for {quantity} cannot be paid: {why}")?;
        f.write_str(match why {
            Unpayable::Currency(_) => "; price it in another currency",
            Unpayable::TooLittle { .. } => "; ask for that or more, or for 0 to give it away",
            Unpayable::TooMuch { .. } => "; ask for less, or let fewer be bought at once",
            Unpayable::Uneven { .. } => "; ask for such a price",
            Unpayable::Refused { .. } => "",
        })
    }
}

/// For every quantity that may be bought. These are all the parts that may go back as well: of an order of some units each is worth
/// the price, so that so many of them are worth what so many cost. What costs nothing is no matter of the provider's.
pub fn check(payments: &dyn Payments, price: Money, quantity_max: u8) -> Result<(), Refused> {
    if price.is_zero() {
        return Ok(());
    }
    for quantity in 1..=quantity_max {
        let refused = |amount, why| Refused { quantity, amount, why };
        let Some(amount) = price.times(quantity.into()) else {
            return Err(refused(price, Unpayable::Refused { why: "no such amount can be written".to_owned() }));
        };
        payments.check(amount).map_err(|why| refused(amount, why))?;
    }
    Ok(())
}
