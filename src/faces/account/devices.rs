//! A browser that logged in before. It keeps a word of ours, good for one account, and says it with the next log-in; it opens nothing.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;

use crate::domain::shared::id::BuyerId;
use crate::faces::tokens::TokenKeys;
use crate::kit::work::chance::chance;

const ID_BYTES: usize = 16;

/// As the browser keeps it.
pub fn new(keys: &TokenKeys, buyer: BuyerId) -> String {
    let id: [u8; ID_BYTES] = chance();
    let [mac, ..] = macs(keys, buyer, &id)[..] else { unreachable!("there is a key that signs") };
    BASE64_URL_SAFE_NO_PAD.encode([&id[..], &mac[..]].concat())
}

/// Under which its tries are counted, if this account was logged in to from there.
pub fn known(keys: &TokenKeys, buyer: BuyerId, word: &str) -> Option<String> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(word).ok()?;
    let (id, mac) = bytes.split_at_checked(ID_BYTES)?;
    let is_ours = macs(keys, buyer, id).iter().any(|ours| ours.ct_eq(mac).into());
    is_ours.then(|| format!("device {buyer} {}", BASE64_URL_SAFE_NO_PAD.encode(id)))
}

fn macs(keys: &TokenKeys, buyer: BuyerId, id: &[u8]) -> Vec<[u8; 32]> {
    keys.digests(&[format!("device\n{buyer}\n").as_bytes(), id].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(list: &[(&str, &str)]) -> TokenKeys {
        let access: String = list.iter().map(|(kid, digit)| format!("access:{kid}:{},", digit.repeat(64))).collect();
        let rest = format!("checkout:c:{},admission:d:{}", "c".repeat(64), "d".repeat(64));
        TokenKeys::parse(&(access + &rest)).expect("a list of keys")
    }

    #[test]
    fn a_browser_is_known_for_its_account_alone() {
        let old = keys(&[("a", "a")]);
        let word = new(&old, BuyerId(7));
        let key = known(&old, BuyerId(7), &word);
        assert!(key.is_some() && known(&old, BuyerId(8), &word).is_none());
        assert_eq!(known(&keys(&[("b", "b"), ("a", "a")]), BuyerId(7), &word), key, "also while keys change");
        assert!(known(&keys(&[("b", "b")]), BuyerId(7), &word).is_none());
        assert_ne!(new(&old, BuyerId(7)), word);
        for junk in ["", "x", &word[1..], &word.to_lowercase(), &"A".repeat(500)] {
            assert!(known(&old, BuyerId(7), junk).is_none(), "{junk}");
        }
    }
}
