//! Money is an integer count of a currency's smallest unit. Nowhere a float.
//!
//! How many decimals a currency has is asked of one table, and only here: pages, mails, receipts, exports and providers are told.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A currency of ISO 4217 in which things can be priced: one with a smallest unit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency(iso_currency::Currency);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CurrencyError {
    #[error("a currency is three capital letters, such as TWD")]
    Malformed,
    #[error("ISO 4217 has no such currency")]
    Unknown,
    /// Metals, units of account, the codes for tests and for no currency.
    #[error("nothing can be priced in this code of ISO 4217: it is not the money of any country")]
    NotMoney,
}

impl FromStr for Currency {
    type Err = CurrencyError;

    fn from_str(text: &str) -> Result<Self, CurrencyError> {
        if text.len() != 3 || !text.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err(CurrencyError::Malformed);
        }
        let listed = iso_currency::Currency::from_code(text).ok_or(CurrencyError::Unknown)?;
        Self::listed(listed).ok_or(CurrencyError::NotMoney)
    }
}

impl TryFrom<String> for Currency {
    type Error = CurrencyError;

    fn try_from(text: String) -> Result<Self, CurrencyError> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> String {
        currency.to_string()
    }
}

impl Currency {
    /// Every one, by its code.
    pub fn all() -> Vec<Currency> {
        let listed = (0..=999).filter_map(iso_currency::Currency::from_numeric).filter_map(Self::listed);
        let mut all: Vec<Currency> = listed.collect();
        all.sort_unstable_by_key(|currency| currency.code());
        all
    }

    fn listed(listed: iso_currency::Currency) -> Option<Currency> {
        (listed.exponent().is_some() && !listed.is_special()).then_some(Self(listed))
    }

    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// Digits behind the point, as ISO 4217 has them.
    pub fn decimals(self) -> u32 {
        u32::from(self.0.exponent().expect("only what has a smallest unit is a currency here"))
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// In the currency's smallest unit: cents, or dollars where there are no cents.
    pub minor: i64,
    pub currency: Currency,
}

/// As people read it, on pages, in mails and on receipts alike: `TWD 1,280.00`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.currency, self.digits(","))
    }
}

impl Money {
    /// As other programs read it: `1280.00`.
    pub fn decimal(self) -> String {
        self.digits("")
    }

    fn digits(self, between_thousands: &str) -> String {
        let (decimals, minor) = (self.currency.decimals(), self.minor.unsigned_abs());
        let (one, sign) = (10_u64.pow(decimals), if self.minor < 0 { "-" } else { "" });
        let whole = grouped(minor / one, between_thousands);
        match decimals {
            0 => format!("{sign}{whole}"),
            _ => format!("{sign}{whole}.{:0width$}", minor % one, width = decimals as usize),
        }
    }

    pub fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// The price of several units; `None` when no such amount can be written.
    pub fn times(self, units: u32) -> Option<Money> {
        Some(Money { minor: self.minor.checked_mul(i64::from(units))?, currency: self.currency })
    }
}

fn grouped(number: u64, between: &str) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push_str(between);
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(minor: i64, currency: &str) -> Money {
        Money { minor, currency: currency.parse().expect("a currency") }
    }

    /// The codes of which browsers and the standard say different things, and those that are special elsewhere.
    #[test]
    fn decimals_are_those_of_the_standard() {
        for (decimals, codes) in [
            (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"),
            (2, "AFN ALL COP HUF IDR IRR KPW LAK LBP MGA MMK PKR RSD SLL SOS SYP YER TWD USD EUR MRU"),
            (3, "BHD IQD JOD KWD LYD OMR TND"),
            (4, "CLF UYW"),
        ] {
            for code in codes.split(' ') {
                assert_eq!(code.parse::<Currency>().map(Currency::decimals), Ok(decimals), "{code}");
            }
        }
    }

    #[test]
    fn only_currencies_are_currencies() {
        use CurrencyError::{Malformed, NotMoney, Unknown};
        for (text, error) in [
            ("", Malformed),
            ("twd", Malformed),
            ("TW", Malformed),
            ("TWDX", Malformed),
            ("TW\u{ff24}", Malformed),
            ("ZZZ", Unknown),
            ("NTD", Unknown),
            ("XXX", NotMoney),
            ("XAU", NotMoney),
            ("XDR", NotMoney),
            ("XTS", NotMoney),
        ] {
            assert_eq!(text.parse::<Currency>(), Err(error), "{text:?}");
        }
        let all = Currency::all();
        assert!(all.len() > 150, "{} were found", all.len());
        assert!(all.is_sorted_by_key(|currency| currency.code()));
        for currency in all {
            assert_eq!(currency.to_string().parse(), Ok(currency));
        }
    }

    #[test]
    fn amounts_are_written_with_all_their_decimals() {
        for (amount, text, decimal) in [
            (money(128_000, "TWD"), "TWD 1,280.00", "1280.00"),
            (money(150_000, "HUF"), "HUF 1,500.00", "1500.00"),
            (money(1_500, "JPY"), "JPY 1,500", "1500"),
            (money(5, "KWD"), "KWD 0.005", "0.005"),
            (money(0, "USD"), "USD 0.00", "0.00"),
            (money(-123_456_789, "USD"), "USD -1,234,567.89", "-1234567.89"),
            (money(i64::MIN, "JPY"), "JPY -9,223,372,036,854,775,808", "-9223372036854775808"),
        ] {
            assert_eq!((amount.to_string().as_str(), amount.decimal().as_str()), (text, decimal));
        }
    }
}
