//! Amounts as Stripe counts and takes them. Mostly a currency's smallest unit, as ours; the rest is a list of exceptions, and what
//! cannot be said exactly is not said. How people write an amount is nothing of Stripe's: that is `domain::money`.
//!
//! What an account may be charged depends on its country and its bank as well: what Stripe refuses in the end, it says.

use crate::domain::shared::money::{Currency, Money};
use crate::ports::money::payments::Unpayable;

/// What cards may be charged in.
const TAKEN: &str = "\
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BWP BYN BZD CAD CDF CHF CLP CNY COP CRC \
    CVE CZK DJF DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR ISK JMD JOD JPY KES KGS \
    KHR KMF KRW KWD KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR \
    PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SEK SGD SHP SLE SOS SRD SZL THB TJS TND TOP TRY TTD TWD TZS UAH \
    UGX USD UYU UZS VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW";
/// Charged in whole units, whatever ISO 4217 says of decimals.
const WHOLE: [&str; 15] =
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"];
/// Thousandths, of which the last digit must be zero. ISK and UGX have no decimals in ISO 4217, and hundredths here, both of
/// them zero. TWD and HUF are special for payouts only: they are charged in hundredths.
const THOUSANDTHS: [&str; 5] = ["BHD", "JOD", "KWD", "OMR", "TND"];
/// The least that is charged, as Stripe counts. Of an account whose bank is in another currency it is that one's least, converted.
const LEAST: [(&str, i64); 32] = [
    ("AED", 200),
    ("ARS", 50),
    ("AUD", 50),
    ("BGN", 100),
    ("BRL", 50),
    ("CAD", 50),
    ("CHF", 50),
    ("COP", 50),
    ("CZK", 1_500),
    ("DKK", 250),
    ("EUR", 50),
    ("GBP", 30),
    ("HKD", 400),
    ("HUF", 17_500),
    ("IDR", 50),
    ("ILS", 50),
    ("INR", 50),
    ("JPY", 50),
    ("KRW", 50),
    ("MXN", 1_000),
    ("MYR", 200),
    ("NOK", 300),
    ("NZD", 50),
    ("PHP", 50),
    ("PLN", 200),
    ("RON", 200),
    ("RUB", 50),
    ("SEK", 300),
    ("SGD", 50),
    ("THB", 1_000),
    ("USD", 50),
    ("ZAR", 50),
];

/// Whether it is ever taken.
pub(super) fn check(amount: Money) -> Result<(), Unpayable> {
    let currency = amount.currency;
    if !TAKEN.split(' ').any(|code| code == currency.code()) {
        return Err(Unpayable::Currency(currency));
    }
    let of = |minor: i64| Money { minor, currency };
    let step = step(currency);
    let listed = LEAST.iter().find(|(code, _)| *code == currency.code()).map_or(0, |(_, least)| *least);
    let least = from_stripe(listed, currency).max(step);
    let most = from_stripe(amount_max(currency), currency);
    if amount.minor < least {
        return Err(Unpayable::TooLittle { least: of(least) });
    }
    if amount.minor > most {
        return Err(Unpayable::TooMuch { most: of(most - most % step) });
    }
    if amount.minor % step != 0 {
        return Err(Unpayable::Uneven { step: of(step) });
    }
    Ok(())
}

/// `None` where Stripe has no such amount. What goes back has no least.
pub(super) fn to_stripe(money: Money) -> Option<i64> {
    if money.minor % step(money.currency) != 0 {
        return None;
    }
    let (ours, theirs) = (money.currency.decimals(), decimals(money.currency));
    let amount = match theirs.checked_sub(ours) {
        Some(more) => money.minor.checked_mul(10_i64.checked_pow(more)?)?,
        None => money.minor / 10_i64.checked_pow(ours - theirs)?,
    };
    (1..=amount_max(money.currency)).contains(&amount).then_some(amount)
}

/// What [`to_stripe`] made, in the currency's smallest unit.
pub(super) fn from_stripe(amount: i64, currency: Currency) -> i64 {
    let (ours, theirs) = (currency.decimals(), decimals(currency));
    if theirs >= ours { amount / 10_i64.pow(theirs - ours) } else { amount.saturating_mul(10_i64.pow(ours - theirs)) }
}

/// Of our smallest units, so many at a time.
fn step(currency: Currency) -> i64 {
    match decimals(currency) {
        3 => 10,
        theirs => 10_i64.pow(currency.decimals().saturating_sub(theirs)),
    }
}

/// As many digits as Stripe reads.
fn amount_max(currency: Currency) -> i64 {
    match currency.code() {
        "IDR" => 999_999_999_999,
        "COP" => 9_999_999_999,
        "INR" => 999_999_999,
        _ => 99_999_999,
    }
}

fn decimals(currency: Currency) -> u32 {
    match currency.code() {
        code if WHOLE.contains(&code) => 0,
        code if THOUSANDTHS.contains(&code) => 3,
        _ => 2,
    }
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

    /// Also of currencies that Stripe does not take: what was charged once can be looked at, and goes back.
    #[test]
    fn of_every_currency_the_amount_comes_back_as_it_was() {
        for currency in Currency::all() {
            for minor in [100, 12_300, 999_900] {
                let amount = to_stripe(Money { minor, currency });
                assert_eq!(amount.map(|amount| from_stripe(amount, currency)), Some(minor), "{minor} {currency}");
            }
        }
    }

    /// What may be charged can be said, and what is offered instead of it may be charged.
    #[test]
    fn an_amount_that_may_be_charged_can_be_said() {
        let mut taken = 0;
        for currency in Currency::all() {
            // Every amount near a least one, and between them of every remainder.
            let small = (0..=1_000).chain((1_000..=20_000).step_by(7)).chain(17_400..=17_600);
            for minor in small.chain([99_999_999, 100_000_000, 999_999_999, 999_999_999_999, i64::MAX, -1, i64::MIN]) {
                let amount = Money { minor, currency };
                let instead = match check(amount) {
                    Ok(()) => amount,
                    Err(Unpayable::TooLittle { least }) => least,
                    Err(Unpayable::TooMuch { most }) => most,
                    Err(Unpayable::Uneven { step }) => {
                        assert!(minor % step.minor != 0, "{amount}");
                        Money { minor: minor - minor % step.minor, currency }
                    }
                    Err(Unpayable::Currency(_) | Unpayable::Refused { .. }) => break,
                };
                assert_eq!(check(instead), Ok(()), "{instead} instead of {amount}");
                let said = to_stripe(instead).map(|amount| from_stripe(amount, currency));
                assert_eq!(said, Some(instead.minor), "{instead}");
                taken += 1;
            }
        }
        assert!(taken > 500_000, "only {taken} were looked at");
    }

    #[test]
    fn what_stripe_never_takes_is_refused_with_what_it_would_take() {
        let money = |minor, currency: &str| Money { minor, currency: currency.parse().expect("a currency") };
        let least = |minor, currency| Err(Unpayable::TooLittle { least: money(minor, currency) });
        let most = |minor, currency| Err(Unpayable::TooMuch { most: money(minor, currency) });
        let step = |minor, currency| Err(Unpayable::Uneven { step: money(minor, currency) });
        for (minor, currency, wanted) in [
            (0, "USD", least(50, "USD")),
            (49, "USD", least(50, "USD")),
            (50, "USD", Ok(())),
            (17_499, "HUF", least(17_500, "HUF")),
            (17_501, "HUF", Ok(())),
            (49, "JPY", least(50, "JPY")),
            (50, "JPY", Ok(())),
            (1, "TWD", Ok(())),
            (1, "ISK", Ok(())),
            (1_000_000, "ISK", most(999_999, "ISK")),
            (5_124, "KWD", step(10, "KWD")),
            (5_120, "KWD", Ok(())),
            (1, "KWD", least(10, "KWD")),
            (100_000_000, "KWD", most(99_999_990, "KWD")),
            (150, "MGA", step(100, "MGA")),
            (100_000_000, "USD", most(99_999_999, "USD")),
            (100_000_000, "IDR", Ok(())),
            (1_000_000_000_000, "IDR", most(999_999_999_999, "IDR")),
            (10_000_000_000, "COP", most(9_999_999_999, "COP")),
            (100, "IRR", Err(Unpayable::Currency("IRR".parse().expect("a currency")))),
            (100, "CLF", Err(Unpayable::Currency("CLF".parse().expect("a currency")))),
        ] {
            assert_eq!(check(money(minor, currency)), wanted, "{minor} {currency}");
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
            (1_000_000_000_000, "IDR"),
            (1_000_000, "ISK"),
            (i64::MAX, "ISK"),
            (i64::MIN, "TWD"),
        ] {
            assert_eq!(said(minor, currency), None, "{minor} {currency}");
        }
    }
}
