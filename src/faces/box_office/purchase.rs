//! The name of a purchase, and whose it is. Whoever knows the name may have the ticket: it holds the buyer's number, which nobody else
//! has, so that the names of others do not follow from one's own. An account's purchase needs the account's token as well.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::domain::shared::id::{AttemptId, BuyerId, SaleId};
use crate::faces::front::routes::numbered_sale;
use crate::kit::http::idempotency::given_key;
use crate::kit::http::problem::Problem;

/// Keys come from strangers, and two with one key would have one ticket: no shorter than what is made up at random.
const KEY_CHARS_MIN: usize = 16;

/// The event, the attempt, and the buyer: `1-0199…-3f1c…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PurchaseId {
    pub sale: SaleId,
    pub attempt: AttemptId,
    pub buyer: BuyerId,
}

impl PurchaseId {
    /// Where its ticket is.
    pub fn url(&self) -> String {
        format!("/tickets/{self}")
    }
}

impl fmt::Display for PurchaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{:016x}", self.sale, self.attempt, self.buyer.0)
    }
}

impl FromStr for PurchaseId {
    type Err = ();

    /// In one way only.
    fn from_str(text: &str) -> Result<Self, ()> {
        let [sale, attempt, buyer] = *text.splitn(3, '-').collect::<Vec<_>>() else { return Err(()) };
        let sale = sale.parse().ok().and_then(numbered_sale).ok_or(())?;
        let buyer = BuyerId(u64::from_str_radix(buyer, 16).map_err(|_| ())?);
        let id = Self { sale, attempt: attempt.parse().map_err(|_| ())?, buyer };
        if id.to_string() == text { Ok(id) } else { Err(()) }
    }
}

/// The buyer of all requests for this event under this key.
pub fn buyer_of(sale: SaleId, key: &str) -> BuyerId {
    let digest = Sha256::digest(format!("box office\n{sale}\n{key}"));
    BuyerId::walk_in(u64::from_be_bytes(digest[..8].try_into().expect("a digest is 32 bytes")))
}

/// Of the headers' values.
pub fn checked_key<'v>(values: impl Iterator<Item = &'v [u8]>) -> Result<Option<&'v str>, Problem> {
    given_key(values, KEY_CHARS_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purchase_is_read_as_it_is_written() {
        let id = PurchaseId { sale: SaleId(1), attempt: AttemptId(0x0199 << 100), buyer: BuyerId::walk_in(u64::MAX) };
        let text = id.to_string();
        assert_eq!(text.parse(), Ok(id));
        let upper = text.to_uppercase();
        let near = [
            "",
            "1",
            "-",
            "1--",
            &text[1..],
            &text[..text.len() - 1],
            &format!("0{text}"),
            &format!("{text}0"),
            &upper,
        ];
        for wrong in near {
            assert_eq!(wrong.parse::<PurchaseId>(), Err(()), "{wrong}");
        }
        assert!(format!("{}-{}", u64::MAX, &text[2..]).parse::<PurchaseId>().is_err(), "more than the ledgers number");
    }

    #[test]
    fn a_key_has_its_length() {
        let checked = |key: &str| checked_key([key.as_bytes()].into_iter()).map(|key| key.map(str::len));
        for (length, is_good) in [(15, false), (16, true), (255, true), (256, false)] {
            let said = checked(&"k".repeat(length));
            assert_eq!(said.is_ok(), is_good, "{length}: {said:?}");
        }
        assert!(checked("a key with spaces in it").is_err());
        assert_eq!(checked_key([].into_iter()), Ok(None));
        let key = [b'k'; 16];
        assert!(checked_key([&key[..], &key[..]].into_iter()).is_err(), "two of them");
    }

    #[test]
    fn a_key_is_one_buyer_of_each_event() {
        let of = |sale, key| buyer_of(SaleId(sale), key);
        assert_eq!(of(1, "0123456789abcdef"), of(1, "0123456789abcdef"));
        assert_ne!(of(1, "0123456789abcdef"), of(2, "0123456789abcdef"));
        assert_ne!(of(1, "0123456789abcdef"), of(1, "0123456789abcdeg"));
        assert!(of(1, "0123456789abcdef").is_walk_in());
    }
}
