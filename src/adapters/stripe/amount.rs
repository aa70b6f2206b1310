//! Amounts as Stripe counts them. Mostly a currency's smallest unit, as ours; the rest is a list of exceptions, and what cannot
//! be said exactly is not said.

use crate::domain::money::{Currency, Money};

/// Charged in whole units, whatever ISO 4217 says of decimals.
const WHOLE: [&str; 15] =
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"];
/// Without decimals in the world, and written with two of them, both zero, here.
const TWO_ZEROS: [&str; 2] = ["ISK", "UGX"];
/// Thousandths, of which the last digit must be zero. TWD and HUF are special for payouts only: they are charged in hundredths.
const THOUSANDTHS: [&str; 5] = ["BHD", "JOD", "KWD", "OMR", "TND"];
/// Eight digits, the most that every currency takes.
const AMOUNT_MAX: i64 = 99_999_999;

/// `None` where Stripe has no such amount.
pub(super) fn to_stripe(money: Money) -> Option<i64> {
    let ten = |places: u32| 10_i64.checked_pow(places);
    let (ours, theirs) = (money.currency.decimals(), decimals(money.currency));
    let amount = if theirs >= ours {
        money.minor.checked_mul(ten(theirs - ours)?)?
    } else {
        let unit = ten(ours - theirs)?;
        (money.minor % unit == 0).then_some(money.minor / unit)?
    };
    let is_round = theirs < 3 || amount % 10 == 0;
    (is_round && (1..=AMOUNT_MAX).contains(&amount)).then_some(amount)
}

/// What [`to_stripe`] made, in the currency's smallest unit.
pub(super) fn from_stripe(amount: i64, currency: Currency) -> i64 {
    let (ours, theirs) = (currency.decimals(), decimals(currency));
    if theirs >= ours { amount / 10_i64.pow(theirs - ours) } else { amount.saturating_mul(10_i64.pow(ours - theirs)) }
}

fn decimals(currency: Currency) -> u32 {
    let code = currency.to_string();
    let is_in = |list: &[&str]| list.contains(&code.as_str());
    if is_in(&WHOLE) {
        return 0;
    }
    if is_in(&THOUSANDTHS) {
        return 3;
    }
    debug_assert!(!is_in(&TWO_ZEROS) || currency.decimals() == 0);
    2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(minor: i64, currency: &str) -> Option<i64> {
        to_stripe(Money { minor, currency: currency.parse().expect("a currency") })
    }

    #[test]
    fn amounts_are_said_as_stripe_counts_them() {
        for (minor, currency, amount) in [
            (120_000, "TWD", 120_000),
            (2_501, "TWD", 2_501),
            (1_999, "USD", 1_999),
            (500, "HUF", 500),
            (500, "JPY", 500),
            (500, "KRW", 500),
            (5, "ISK", 500),
            (7, "UGX", 700),
            (5_120, "KWD", 5_120),
            (1_000, "MGA", 10),
            (99_999_999, "EUR", 99_999_999),
        ] {
            assert_eq!(said(minor, currency), Some(amount), "{minor} {currency}");
            assert_eq!(from_stripe(amount, currency.parse().expect("a currency")), minor);
        }
    }

    #[test]
    fn what_cannot_be_said_exactly_is_not_said() {
        for (minor, currency) in [
            (5_124, "KWD"),
            (1_001, "MGA"),
            (0, "TWD"),
            (-1, "TWD"),
            (100_000_000, "USD"),
            (1_000_000, "ISK"),
            (i64::MAX, "ISK"),
            (i64::MIN, "TWD"),
        ] {
            assert_eq!(said(minor, currency), None, "{minor} {currency}");
        }
    }
}
