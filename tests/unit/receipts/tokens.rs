//! Tokens: what we signed is read, and nothing else is.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use miaosha::app::receipts::Code;
use miaosha::app::receipts::keys::{KeysError, PublicKeys, ReceiptKeys};
use miaosha::app::receipts::letters;
use miaosha::app::receipts::token::{PREFIX, TOKEN_CHARS, TYPED_BYTES_MAX, TokenError, sign, verify};
use miaosha::domain::receipts::{KeyId, Proof};
use miaosha::domain::shared::id::{ReservationId, SaleId};
use proptest::prelude::*;

use super::keys;

const PROOF: Proof = Proof { sale: SaleId(7), unit: 12, reservation: ReservationId(0x0123_4567) };

fn bytes_of(token: &str) -> [u8; 97] {
    letters::read(token.strip_prefix(PREFIX).unwrap()).unwrap()
}

fn spelled(bytes: &[u8]) -> String {
    format!("{PREFIX}{}", letters::write(bytes))
}

/// As tokens were written first.
fn in_base64(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(bytes_of(token))
}

fn each(text: &str, turn: impl Fn(char) -> char) -> String {
    text.chars().map(turn).collect()
}

fn caps_lock(typed: &str) -> String {
    each(typed, |c| if c.is_ascii_uppercase() { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() })
}

/// What a machine with a German keyboard makes of a scanner that types as on an American one.
fn german(typed: &str) -> String {
    each(typed, |c| match c {
        'y' => 'z',
        'z' => 'y',
        'Y' => 'Z',
        'Z' => 'Y',
        c => c,
    })
}

/// And one with a French keyboard; digits and signs are never typed.
fn french(typed: &str) -> String {
    each(typed, |c| match c {
        'a' => 'q',
        'q' => 'a',
        'A' => 'Q',
        'Q' => 'A',
        'z' => 'w',
        'w' => 'z',
        'Z' => 'W',
        'W' => 'Z',
        'm' => ',',
        'M' => '?',
        c => c,
    })
}

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
        let mut bytes = bytes_of(&sign(proof, &keys));
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(verify(&spelled(&bytes), keys.public()).is_err());
        prop_assert!(verify(&URL_SAFE_NO_PAD.encode(bytes), keys.public()).is_err());
    }

    #[test]
    fn another_character_is_refused(proof in proofs(), place in 0..TOKEN_CHARS, other in "[A-Za-z0-9_=+/ .,?-]") {
        let keys = keys("1");
        let token = sign(proof, &keys);
        let changed = format!("{}{other}{}", &token[..place], &token[place + 1..]);
        let is_same = letters::plain(&changed).is_some_and(|plain| plain == token);
        prop_assert_eq!(verify(&changed, keys.public()).is_ok(), is_same);
    }

    /// Whatever keyboard it comes through, with or without a caps lock, in groups, with any end of a line.
    #[test]
    fn any_keyboard_types_it(proof in proofs(), keyboard in 0..3, caps in any::<bool>(), size in 1..20usize, gap in "[ -]", end in "[\r\n\t ]{0,3}") {
        let keys = keys("1");
        let token = sign(proof, &keys);
        let typed = if caps { caps_lock(&token) } else { token.clone() };
        let typed = match keyboard { 0 => german(&typed), 1 => french(&typed), _ => typed };
        let groups: Vec<String> = typed.as_bytes().chunks(size).map(|group| String::from_utf8(group.to_vec()).unwrap()).collect();
        prop_assert_eq!(verify(&format!("{}{end}", groups.join(&gap)), keys.public()), Ok(proof));
        prop_assert_eq!(verify(&format!("{typed}{end}"), keys.public()), Ok(proof));
    }

    /// Paper that is out there is good.
    #[test]
    fn what_was_written_in_base64_is_read(proof in proofs(), caps in any::<bool>(), end in "[\r\n\t ]{0,3}") {
        let keys = keys("1");
        let first = in_base64(&sign(proof, &keys));
        let typed = if caps { caps_lock(&first) } else { first };
        prop_assert_eq!(verify(&format!("{typed}{end}"), keys.public()), Ok(proof));
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
    let bytes = bytes_of(&sign(PROOF, &keys));
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes;
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(verify(&spelled(&changed), keys.public()).is_err(), "bit {bit}");
    }
}

/// Letters that no keyboard makes another of these of, in 45 × 45 squares; the same bytes in base64url took 49 × 49.
#[test]
fn a_token_is_short_and_plain() {
    let token = sign(PROOF, &keys("1"));
    assert_eq!((TOKEN_CHARS, token.len(), &token[..2]), (177, 177, "TB"));
    assert!(token.chars().all(|letter| "ABCDEFGHIJKMNOPRSTUVXY".contains(letter)), "{token}");
    assert_eq!(Code::of(&token).width, 45);
    assert_eq!(Code::of(&in_base64(&token)).width, 49);
}

/// What people read wrongly means nothing else.
#[test]
fn a_copied_token_is_read() {
    let keys = keys("1");
    let token = sign(PROOF, &keys);
    for (letter, others) in [("I", ["1", "l", "L", "|"]), ("O", ["0", "o", "O", "0"])] {
        assert!(token.contains(letter), "{token}");
        for other in others {
            assert_eq!(verify(&token.replace(letter, other), keys.public()), Ok(PROOF), "{other} for {letter}");
        }
    }
}

#[test]
fn what_is_no_token_is_refused() {
    let keys = keys("1");
    let token = sign(PROOF, &keys);
    let first = in_base64(&token);
    let last = &token[TOKEN_CHARS - 1..];
    for (what, other) in [
        ("another beginning", token.replacen("TB", "TC", 1)),
        ("no beginning", token[2..].to_owned()),
        ("a letter more", format!("{token}{last}")),
        ("a letter less", token[..TOKEN_CHARS - 1].to_owned()),
        ("a letter that is never written", format!("{}W", &token[..TOKEN_CHARS - 1])),
        ("more than its bytes hold", format!("{PREFIX}{}", "Y".repeat(TOKEN_CHARS - 2))),
        ("a byte more", spelled(&[&bytes_of(&token)[..], &[0]].concat())),
        ("more than anybody types", format!("{token}{}", " ".repeat(TYPED_BYTES_MAX))),
        ("padding", format!("{first}==")),
        ("a gap in base64", format!("{} {}", &first[..9], &first[9..])),
        ("nothing", String::new()),
    ] {
        assert_eq!(verify(&other, keys.public()), Err(TokenError::Form), "{what}");
    }
}

/// The last character of base64 carries two bits; the four below them would be ignored by a careless reader.
#[test]
fn base64_has_one_spelling() {
    let keys = keys("1");
    let token = in_base64(&sign(PROOF, &keys));
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = alphabet.iter().position(|c| *c == *token.as_bytes().last().unwrap()).unwrap();
    let ending = |c: usize| format!("{}{}", &token[..token.len() - 1], char::from(alphabet[c]));
    assert_eq!((last % 4, verify(&ending(last), keys.public())), (0, Ok(PROOF)));
    assert_eq!(verify(&ending(last + 1), keys.public()), Err(TokenError::Form));
}

#[test]
fn the_version_is_looked_at_first() {
    let keys = keys("1");
    let mut bytes = bytes_of(&sign(PROOF, &keys));
    bytes[0] = 2;
    let error = verify(&spelled(&bytes), keys.public()).unwrap_err();
    assert!(matches!(error, TokenError::Proof(_)), "{error}");
    bytes[0] = 1;
    bytes[1..5].copy_from_slice(&[b'r', 0, b'1', 0]);
    let error = verify(&spelled(&bytes), keys.public()).unwrap_err();
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
