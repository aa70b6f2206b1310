//! Tokens: who they were signed for, and everything that may be wrong with one.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use miaosha::domain::people::Role;
use miaosha::domain::shared::id::{BatchId, BuyerId, ReservationId, SaleId};
use miaosha::faces::tokens::TokenKeys;
use miaosha::faces::tokens::access::AccessKeys;
use miaosha::faces::tokens::admission::{AdmissionKeys, SaleAdmission};
use miaosha::kit::http::keys::KeysError;
use miaosha::kit::http::problem::Kind;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::clock::START;

const ACCESS: &str = "1111111111111111111111111111111111111111111111111111111111111111";
const CHECKOUT: &str = "2222222222222222222222222222222222222222222222222222222222222222";
const ADMISSION: &str = "4444444444444444444444444444444444444444444444444444444444444444";
const OTHER: &str = "3333333333333333333333333333333333333333333333333333333333333333";

fn keys() -> TokenKeys {
    TokenKeys::parse(&format!("access:a1:{ACCESS},checkout:c1:{CHECKOUT},admission:d1:{ADMISSION}")).unwrap()
}

#[test]
fn tokens_say_who_they_were_signed_for() {
    let keys = keys();
    let token = keys.sign_access(BuyerId(u64::MAX), Role::Owner, START, 60_000);
    let principal = keys.access().verify(&token, START).unwrap();
    assert_eq!((principal.buyer, principal.role), (BuyerId(u64::MAX), Role::Owner));

    let token = keys.sign_checkout(ReservationId(7), BuyerId(9), START, 60_000);
    assert_eq!(keys.verify_checkout(&token, START).unwrap(), (ReservationId(7), BuyerId(9)));
}

/// Whatever key signed it: ids of the house, and of people without an account, are no token's.
#[test]
fn nobody_is_the_house() {
    let keys = keys();
    let block = BatchId::new(START.0 as u64, 7);
    for house in (0..100).map(|part| BuyerId::house(block, part)).chain([BuyerId(1 << 62), BuyerId((1 << 63) - 1)]) {
        assert!(house.is_house(), "{house}");
        let token = keys.sign_access(house, Role::Owner, START, 60_000);
        assert_eq!(keys.access().verify(&token, START).unwrap_err().kind, Kind::UNAUTHORIZED);
        assert_eq!(keys.access().verify_until(&token).unwrap_err().kind, Kind::UNAUTHORIZED);
    }
    for walk_in in [BuyerId::walk_in(0), BuyerId::walk_in(u64::MAX), BuyerId(1 << 61), BuyerId((1 << 62) - 1)] {
        assert!(walk_in.is_walk_in() && !walk_in.is_house(), "{walk_in}");
        let token = keys.sign_access(walk_in, Role::Owner, START, 60_000);
        assert_eq!(keys.access().verify(&token, START).unwrap_err().kind, Kind::UNAUTHORIZED);
    }
    for person in [0, 1, (1 << 61) - 1, 1 << 63, u64::MAX] {
        let token = keys.sign_access(BuyerId(person), Role::Shopper, START, 60_000);
        assert_eq!(keys.access().verify(&token, START).unwrap().buyer, BuyerId(person));
        assert!(
            keys.access().verify_until(&token).is_ok() && !BuyerId(person).is_house() && !BuyerId(person).is_walk_in()
        );
    }
}

#[test]
fn a_token_ends_when_its_time_is_over() {
    let keys = keys();
    let token = keys.sign_access(BuyerId(1), Role::Shopper, START, 60_000);
    assert!(keys.access().verify(&token, START.plus_ms(60_000)).is_ok());
    let problem = keys.access().verify(&token, START.plus_ms(67_000)).unwrap_err();
    assert_eq!(problem.kind, Kind::UNAUTHORIZED);
    assert!(problem.detail.contains("expired"), "{problem}");
}

#[test]
fn one_kind_of_token_is_never_another() {
    let keys = keys();
    let access = keys.sign_access(BuyerId(1), Role::Shopper, START, 60_000);
    let checkout = keys.sign_checkout(ReservationId(7), BuyerId(1), START, 60_000);
    assert_eq!(keys.verify_checkout(&access, START).unwrap_err().kind, Kind::UNAUTHORIZED);
    assert_eq!(keys.access().verify(&checkout, START).unwrap_err().kind, Kind::UNAUTHORIZED);
}

#[test]
fn keys_can_be_changed_without_a_gap() {
    let before = keys();
    let old = before.sign_access(BuyerId(1), Role::Shopper, START, 60_000);
    let list = format!("access:a2:{OTHER},access:a1:{ACCESS},checkout:c1:{CHECKOUT},admission:d1:{ADMISSION}");
    let after = TokenKeys::parse(&list).unwrap();
    assert!(after.access().verify(&old, START).is_ok());
    let new = after.sign_access(BuyerId(1), Role::Shopper, START, 60_000);
    assert!(after.access().verify(&new, START).is_ok());
    let problem = before.access().verify(&new, START).unwrap_err();
    assert!(problem.detail.contains("key is not known"), "{problem}");
}

/// A publisher reads admissions, and is not handed a key that could do more.
#[test]
fn a_publisher_has_the_keys_of_admissions_alone() {
    let parse = |text: String| AdmissionKeys::parse(&text);
    assert_eq!(parse(format!("access:a1:{ACCESS}")).unwrap_err(), KeysError::Foreign(1, "access"));
    let both = format!("admission:d1:{ADMISSION},checkout:c1:{CHECKOUT}");
    let refused = parse(both).unwrap_err();
    assert_eq!(refused, KeysError::Foreign(2, "checkout"));
    assert!(refused.to_string().contains("`checkout`") && !refused.to_string().contains(CHECKOUT), "{refused}");
    assert_eq!(parse(format!("desk:d1:{ADMISSION}")).unwrap_err(), KeysError::Kind(1));
    assert_eq!(parse(String::new()).unwrap_err(), KeysError::Form(1));

    let publisher = parse(format!("admission:d2:{OTHER},admission:d1:{ADMISSION}")).unwrap();
    let admission = SaleAdmission::new(BuyerId(u64::MAX), SaleId(7), 3, START, START.plus_ms(60_999));
    assert_eq!(admission.until, START.plus_ms(60_000), "in whole seconds");
    for keys in [publisher, keys().for_publisher()] {
        assert_eq!(keys.verify(&keys_sign(&admission)).unwrap(), admission);
        let (access, checkout) = (
            self::keys().sign_access(BuyerId(1), Role::Shopper, START, 60_000),
            self::keys().sign_checkout(ReservationId(7), BuyerId(1), START, 60_000),
        );
        for token in [access, checkout, String::new()] {
            assert_eq!(keys.verify(&token).unwrap_err().kind, Kind::UNAUTHORIZED);
        }
        let house = SaleAdmission { buyer: BuyerId(1 << 62), ..admission };
        assert_eq!(keys.verify(&keys_sign(&house)).unwrap_err().kind, Kind::UNAUTHORIZED);
    }
    assert!(keys().access().verify(&keys_sign(&admission), START).is_err());
}

fn keys_sign(admission: &SaleAdmission) -> String {
    keys().sign_admission(admission)
}

/// Signed with the right seed by other code: what matters is what it says, not how its header is written.
fn forge(header: &Header, claims: &Value, seed: &str) -> String {
    let key = match header.alg {
        // PKCS #8: the seed, after what says that it is one.
        Algorithm::EdDSA => {
            EncodingKey::from_ed_der(&[&bytes("302e020100300506032b657004220420"), &bytes(seed)[..]].concat())
        }
        _ => EncodingKey::from_secret(&bytes(seed)),
    };
    jsonwebtoken::encode(header, claims, &key).unwrap()
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn claims() -> Value {
    json!({"iss": "miaosha", "aud": "access", "sub": "5", "role": "shopper", "exp": START.0 / 1_000 + 60})
}

fn header() -> Header {
    Header { typ: Some("access+jwt".into()), kid: Some("a1".into()), ..Header::new(Algorithm::EdDSA) }
}

#[test]
fn a_token_of_another_make_with_our_key_is_read_too() {
    let token = forge(&Header { cty: Some("JSON".into()), ..header() }, &claims(), ACCESS);
    assert_eq!(keys().access().verify(&token, START).unwrap().buyer, BuyerId(5));
    let token = forge(&header(), &claims(), ACCESS);
    assert_eq!(keys().access().verify(&token, START).unwrap().buyer, BuyerId(5));
}

#[test]
fn what_is_wrong_with_a_token_is_said() {
    let without = |claim: &str| {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(claim);
        forge(&header(), &claims, ACCESS)
    };
    let with = |claim: &str, value: Value| {
        let mut claims = claims();
        claims[claim] = value;
        forge(&header(), &claims, ACCESS)
    };
    let typed = |typ: Option<&str>, kid: Option<&str>, alg| {
        let header = Header { typ: typ.map(Into::into), kid: kid.map(Into::into), ..Header::new(alg) };
        forge(&header, &claims(), ACCESS)
    };
    // {"alg":"none","typ":"access+jwt","kid":"a1"}
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiYWNjZXNzK2p3dCIsImtpZCI6ImExIn0";
    let good = forge(&header(), &claims(), ACCESS);
    let (message, _) = good.rsplit_once('.').unwrap();
    let payload = message.split_once('.').unwrap().1;
    let cases = [
        (String::new(), "not a token"),
        ("x".into(), "not a token"),
        ("a.b.c".into(), "not a token"),
        ("....".into(), "not a token"),
        ("x".repeat(10_000), "too long"),
        (format!("{none}.{payload}."), "not signed with EdDSA"),
        (format!("{message}."), "signature is wrong"),
        (format!("{message}.AAAA"), "signature is wrong"),
        (message.to_owned(), "signature is wrong"),
        (forge(&header(), &claims(), OTHER), "signature is wrong"),
        (typed(Some("access+jwt"), Some("a1"), Algorithm::HS256), "not signed with EdDSA"),
        (typed(Some("access+jwt"), None, Algorithm::EdDSA), "does not name its key"),
        (typed(Some("access+jwt"), Some("c1"), Algorithm::EdDSA), "key is not known"),
        (typed(Some("access+jwt"), Some("zz"), Algorithm::EdDSA), "key is not known"),
        (typed(Some("JWT"), Some("a1"), Algorithm::EdDSA), "not an access token"),
        (typed(None, Some("a1"), Algorithm::EdDSA), "not an access token"),
        (with("iss", json!("somebody")), "claims are missing or wrong"),
        (with("aud", json!("checkout")), "claims are missing or wrong"),
        (with("aud", json!(["access", "checkout"])), "claims are missing or wrong"),
        (with("sub", json!("me")), "claims are missing or wrong"),
        (with("sub", json!(5)), "claims are missing or wrong"),
        (with("role", json!("king")), "claims are missing or wrong"),
        (with("exp", json!("tomorrow")), "claims are missing or wrong"),
        (with("exp", json!(0)), "expired"),
        (with("exp", json!(i64::MIN)), "expired"),
        (without("iss"), "claims are missing or wrong"),
        (without("aud"), "claims are missing or wrong"),
        (without("sub"), "claims are missing or wrong"),
        (without("role"), "claims are missing or wrong"),
        (without("exp"), "claims are missing or wrong"),
    ];
    for (token, why) in cases {
        let problem = keys().access().verify(&token, START).expect_err(&token);
        assert_eq!(problem.kind, Kind::UNAUTHORIZED, "{token}");
        assert!(problem.detail.contains(why), "{token}: {problem}, not {why:?}");
    }
}

#[test]
fn no_change_to_a_token_goes_unseen() {
    let keys = keys();
    let token = keys.sign_access(BuyerId(1), Role::Shopper, START, 60_000);
    for at in 0..token.len() {
        for with in [b'A', b'b', b'.', b'_'] {
            let mut changed = token.clone().into_bytes();
            if changed[at] == with {
                continue;
            }
            changed[at] = with;
            let changed = String::from_utf8(changed).unwrap();
            assert!(keys.access().verify(&changed, START).is_err(), "{changed}");
        }
    }
}

#[test]
fn key_lists_that_make_no_sense_are_refused() {
    let parse = |text: String| TokenKeys::parse(&text).unwrap_err();
    assert_eq!(parse(String::new()), KeysError::Form(1));
    assert_eq!(parse(format!("access:a1:{ACCESS}:more")), KeysError::Form(1));
    assert_eq!(parse(format!("admin:a1:{ACCESS}")), KeysError::Kind(1));
    assert_eq!(parse(format!("access-public:a1:{ACCESS}")), KeysError::Foreign(1, "access-public"));
    assert_eq!(parse(format!("access::{ACCESS}")), KeysError::Kid(1));
    assert_eq!(parse("access:a1:11".into()), KeysError::Digits(1));
    assert_eq!(parse(format!("access:a1:{}g", &ACCESS[1..])), KeysError::Digits(1));
    assert_eq!(parse(format!("access:a1:{ACCESS},checkout:c1:{ACCESS}")), KeysError::Repeated(2));
    assert_eq!(parse(format!("access:a1:{ACCESS},checkout:a1:{CHECKOUT}")), KeysError::Repeated(2));
    assert_eq!(parse(format!("access:a1:{ACCESS}")), KeysError::Missing("checkout"));
    assert_eq!(parse(format!("access:a1:{ACCESS},checkout:c1:{CHECKOUT}")), KeysError::Missing("admission"));
    assert!(!format!("{:?}", keys()).contains("1111"));
}

/// Who has what verifies, and nothing else, hears who asks and can say of nobody who they are.
#[test]
fn who_verifies_access_tokens_has_nothing_that_signs() {
    let text = keys().access().listed();
    let public = AccessKeys::parse(&text).unwrap();
    assert_eq!(public.listed(), text);
    let hex = text.strip_prefix("access-public:a1:").unwrap();
    assert!(hex.len() == 64 && hex != ACCESS, "{text}");
    let token = keys().sign_access(BuyerId(7), Role::Owner, START, 60_000);
    let principal = public.verify(&token, START).unwrap();
    assert_eq!((principal.buyer, principal.role), (BuyerId(7), Role::Owner));
    // What it has, taken for a secret or a seed.
    for alg in [Algorithm::HS256, Algorithm::HS512, Algorithm::EdDSA] {
        let forged = forge(&Header { alg, ..header() }, &claims(), hex);
        for keys in [&public, keys().access()] {
            assert_eq!(keys.verify(&forged, START).unwrap_err().kind, Kind::UNAUTHORIZED, "{alg:?}");
        }
    }
    let both = TokenKeys::parse(&format!(
        "access:a2:{OTHER},access:a1:{ACCESS},checkout:c1:{CHECKOUT},admission:d1:{ADMISSION}"
    ));
    let both = both.unwrap();
    let kids: Vec<_> = both.access().listed().split(',').map(|key| key[..17].to_owned()).collect();
    assert_eq!(kids, ["access-public:a2:", "access-public:a1:"]);
    assert!(AccessKeys::parse(&both.access().listed()).unwrap().verify(&token, START).is_ok());

    let refused = |text: String| AccessKeys::parse(&text).unwrap_err();
    assert_eq!(refused(format!("access:a1:{ACCESS}")), KeysError::Foreign(1, "access"));
    assert_eq!(refused(format!("{text},checkout:c1:{CHECKOUT}")), KeysError::Foreign(2, "checkout"));
    assert_eq!(refused(format!("{text},admission:d1:{ADMISSION}")), KeysError::Foreign(2, "admission"));
    assert_eq!(refused(format!("{text},{text}")), KeysError::Repeated(2));
    assert_eq!(refused(format!("access-public:a1:{}", &ACCESS[2..])), KeysError::Digits(1));
    // The neutral point, which would take a signature of anything.
    assert_eq!(refused(format!("access-public:a1:01{}", "0".repeat(62))), KeysError::Public(1));
    assert_eq!(refused(String::new()), KeysError::Form(1));
}

/// The algorithm is the kind's, and so are the keys: whatever a header says, and whatever kid it names.
#[test]
fn another_kinds_key_signs_no_access_token() {
    for (kid, key) in [("c1", CHECKOUT), ("d1", ADMISSION), ("a1", CHECKOUT), ("a1", ADMISSION)] {
        for alg in [Algorithm::HS256, Algorithm::EdDSA] {
            let header = Header { kid: Some(kid.into()), alg, ..header() };
            assert_eq!(
                keys().access().verify(&forge(&header, &claims(), key), START).unwrap_err().kind,
                Kind::UNAUTHORIZED
            );
        }
    }
    // And the seed of access tokens none of the others.
    let admission =
        json!({"iss": "miaosha", "aud": "admission", "sub": "5", "sale": "7", "n": 1, "exp": START.0 / 1_000 + 60});
    let publisher = keys().for_publisher();
    for (kid, key, is_good) in [("d1", ADMISSION, true), ("a1", ACCESS, false), ("d1", ACCESS, false)] {
        let alg = Algorithm::HS256;
        let header = Header { typ: Some("admission+jwt".into()), kid: Some(kid.into()), alg, ..header() };
        assert_eq!(publisher.verify(&forge(&header, &admission, key)).is_ok(), is_good, "{kid}");
    }
}

/// That it was verified before is no reason to take it later.
#[test]
fn a_token_that_was_verified_before_ends_all_the_same() {
    let keys = keys();
    let token = keys.sign_access(BuyerId(7), Role::Shopper, START, 60_000);
    for at in [START, START.plus_ms(60_000)] {
        assert_eq!(keys.access().verify(&token, at).unwrap().buyer, BuyerId(7));
    }
    for at in [START.plus_ms(67_000), START.plus_ms(67_000)] {
        assert!(keys.access().verify(&token, at).unwrap_err().detail.contains("expired"));
    }
    assert!(keys.access().verify(&format!("{token}A"), START).is_err());
    assert!(keys.access().verify(&token, START).is_ok());
}

proptest! {
    #[test]
    fn no_text_breaks_the_reading_of_a_token(token in "\\PC{0,300}|[A-Za-z0-9_.-]{0,300}") {
        prop_assert_eq!(keys().access().verify(&token, START).unwrap_err().kind, Kind::UNAUTHORIZED);
    }
}
