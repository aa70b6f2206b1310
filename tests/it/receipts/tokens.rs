//! Tokens: what we signed is read, and nothing else is.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use miaosha::domain::id::{ReservationId, SaleId};
use miaosha::domain::receipt::{KeyId, Proof};
use miaosha::services::receipts::keys::{KeysError, PublicKeys, ReceiptKeys};
use miaosha::services::receipts::token::{TOKEN_CHARS, TokenError, sign, verify};
use proptest::prelude::*;

use super::keys;

const PROOF: Proof = Proof { sale: SaleId(7), unit: 12, reservation: ReservationId(0x0123_4567) };

fn proofs() -> impl Strategy<Value = Proof> {
    (any::<u64>(), any::<u32>(), any::<u128>()).prop_map(|(sale, unit, reservation)| Proof {
        sale: SaleId(sale),
        unit,
        reservation: ReservationId(reservation),
    })
}

proptest! {
    #[test]
    fn what_was_signed_is_read(proof in proofs()) {
        let keys = keys("1");
        let token = sign(proof, &keys);
        prop_assert_eq!(token.len(), TOKEN_CHARS);
        prop_assert_eq!(verify(&token, keys.public()), Ok(proof));
    }

    #[test]
    fn a_flipped_bit_is_refused(proof in proofs(), bit in 0..(97 * 8usize)) {
        let keys = keys("1");
        let mut bytes = URL_SAFE_NO_PAD.decode(sign(proof, &keys)).unwrap();
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(verify(&URL_SAFE_NO_PAD.encode(bytes), keys.public()).is_err());
    }

    #[test]
    fn another_character_is_refused(proof in proofs(), place in 0..TOKEN_CHARS, other in "[A-Za-z0-9_=+/ .-]") {
        let keys = keys("1");
        let token = sign(proof, &keys);
        let changed = format!("{}{other}{}", &token[..place], &token[place + 1..]);
        prop_assert_eq!(verify(&changed, keys.public()).is_ok(), changed == token);
    }

    #[test]
    fn any_text_is_survived(text in ".{0,200}") {
        prop_assert!(verify(&text, keys("1").public()).is_err());
    }
}

/// Every one, for one token.
#[test]
fn no_bit_of_a_token_may_be_another() {
    let keys = keys("1");
    let bytes = URL_SAFE_NO_PAD.decode(sign(PROOF, &keys)).unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(verify(&URL_SAFE_NO_PAD.encode(changed), keys.public()).is_err(), "bit {bit}");
    }
}

#[test]
fn a_token_has_one_spelling() {
    let keys = keys("1");
    let token = sign(PROOF, &keys);
    // The last character carries two bits; the four below them would be ignored by a careless reader.
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = alphabet.iter().position(|c| *c == *token.as_bytes().last().unwrap()).unwrap();
    assert_eq!(last % 4, 0);
    let spelled = |c: usize| format!("{}{}", &token[..TOKEN_CHARS - 1], char::from(alphabet[c]));
    assert_eq!(verify(&spelled(last), keys.public()), Ok(PROOF));
    for (what, other) in [
        ("stray bits", spelled(last + 1)),
        ("padding", format!("{token}==")),
        ("a space", format!("{token} ")),
        ("a byte more", URL_SAFE_NO_PAD.encode([URL_SAFE_NO_PAD.decode(&token).unwrap(), vec![0]].concat())),
        ("a byte less", URL_SAFE_NO_PAD.encode(&URL_SAFE_NO_PAD.decode(&token).unwrap()[..96])),
        ("nothing", String::new()),
    ] {
        assert_eq!(verify(&other, keys.public()), Err(TokenError::Form), "{what}");
    }
}

#[test]
fn the_version_is_looked_at_first() {
    let keys = keys("1");
    let mut bytes = URL_SAFE_NO_PAD.decode(sign(PROOF, &keys)).unwrap();
    bytes[0] = 2;
    let error = verify(&URL_SAFE_NO_PAD.encode(&bytes), keys.public()).unwrap_err();
    assert!(matches!(error, TokenError::Proof(_)), "{error}");
    bytes[0] = 1;
    bytes[1..5].copy_from_slice(&[b'r', 0, b'1', 0]);
    let error = verify(&URL_SAFE_NO_PAD.encode(&bytes), keys.public()).unwrap_err();
    assert!(matches!(error, TokenError::Proof(_)), "a key's id with a hole: {error}");
}

/// A key is changed without a gap: the new one signs, the old one is still known; once it is gone its receipts are void.
#[test]
fn keys_change_without_a_gap() {
    let (old, new) = (format!("r1:{}", "1".repeat(64)), format!("r2:{}", "2".repeat(64)));
    let before = ReceiptKeys::parse(&old).unwrap();
    let between = ReceiptKeys::parse(&format!("{new},{old}")).unwrap();
    let after = ReceiptKeys::parse(&new).unwrap();
    let token = sign(PROOF, &before);
    assert_eq!(verify(&token, between.public()), Ok(PROOF));
    assert_eq!(verify(&token, after.public()), Err(TokenError::Key));
    assert_eq!(verify(&sign(PROOF, &between), after.public()), Ok(PROOF));
    assert_eq!(sign(PROOF, &between), sign(PROOF, &after));
}

/// Two shops that call their keys alike do not believe each other.
#[test]
fn another_shops_token_is_refused() {
    let other = ReceiptKeys::parse(&format!("r1:{}", "9".repeat(64))).unwrap();
    assert_eq!(verify(&sign(PROOF, &other), keys("1").public()), Err(TokenError::Signature));
}

#[test]
fn public_keys_travel_as_jwks() {
    let keys = keys("1");
    let text = serde_json::to_string(&keys.public().to_jwks()).unwrap();
    assert_eq!(&PublicKeys::from_json(&text).unwrap(), keys.public());
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let key = &json["keys"][0];
    assert_eq!((&key["kty"], &key["crv"], &key["kid"]), (&"OKP".into(), &"Ed25519".into(), &"r1".into()));
    assert!(!text.contains(&"1".repeat(64)) && key.get("d").is_none(), "{text}");
    let jwks = |x: &str| format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"r1","x":"{x}"}}]}}"#);
    // The neutral point: a signature of it would be good for any message.
    let weak = URL_SAFE_NO_PAD.encode([vec![1], vec![0; 31]].concat());
    for bad in [jwks(&weak), jwks("AAAA"), text.replace("OKP", "EC"), text.replace("r1", "r-1")] {
        assert!(PublicKeys::from_json(&bad).is_err(), "{bad}");
    }
    assert_eq!(PublicKeys::from_json("{}"), Err(KeysError::Jwks));
    assert_eq!(PublicKeys::from_json(r#"{"keys":[]}"#), Err(KeysError::Count));
}

#[test]
fn a_list_of_keys_that_cannot_be_right_is_refused() {
    let seed = "a".repeat(64);
    let cases = [
        (String::new(), KeysError::Form(1)),
        (seed.clone(), KeysError::Form(1)),
        (format!("r1:{seed},:{seed}"), KeysError::Kid(2)),
        (format!("toolong:{seed}"), KeysError::Kid(1)),
        (format!("r-1:{seed}"), KeysError::Kid(1)),
        ("r1:abc".to_owned(), KeysError::Seed(1)),
        (format!("r1:{}", "g".repeat(64)), KeysError::Seed(1)),
        (format!("r1:{seed},r1:{}", "b".repeat(64)), KeysError::Repeated(2)),
        (format!("r1:{seed},r2:{seed}"), KeysError::Repeated(2)),
    ];
    for (text, error) in cases {
        assert_eq!(ReceiptKeys::parse(&text).err(), Some(error), "{text}");
    }
    let printed = format!("{:?}", keys("1"));
    assert_eq!(printed, "[r1]");
}

#[test]
fn a_kid_has_one_spelling() {
    for text in ["a", "ab", "r1", "Z9z9"] {
        assert_eq!(text.parse::<KeyId>().unwrap().to_string(), text);
    }
    for text in ["", "abcde", "é", "a b", "a\0b", "a\0"] {
        assert!(text.parse::<KeyId>().is_err(), "{text:?}");
    }
}
