//! Tokens: who they were signed for, and everything that may be wrong with one.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use miaosha::domain::people::Role;
use miaosha::domain::shared::id::{BatchId, BuyerId, ReservationId, SaleId};
use miaosha::faces::tokens::TokenKeys;
use miaosha::faces::tokens::admission::{AdmissionKeys, SaleAdmission};
use miaosha::kit::http::auth::KeysError;
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
    let principal = keys.verify_access(&token, START).unwrap();
    assert_eq!((principal.buyer, principal.role), (BuyerId(u64::MAX), Role::Owner));

    let token = keys.sign_checkout(ReservationId(7), BuyerId(9), START, 60_000);
    assert_eq!(keys.verify_checkout(&token, START).unwrap(), (ReservationId(7), BuyerId(9)));
}

/// Whatever key signed it: ids of the house are no buyer's.
#[test]
fn nobody_is_the_house() {
    let keys = keys();
    let block = BatchId::new(START.0 as u64, 7);
    for house in (0..100).map(|part| BuyerId::house(block, part)).chain([BuyerId(1 << 62), BuyerId((1 << 63) - 1)]) {
        assert!(house.is_house(), "{house}");
        let token = keys.sign_access(house, Role::Owner, START, 60_000);
        assert_eq!(keys.verify_access(&token, START).unwrap_err().kind, Kind::UNAUTHORIZED);
        assert_eq!(keys.verify_access_until(&token).unwrap_err().kind, Kind::UNAUTHORIZED);
    }
    for person in [0, 1, (1 << 62) - 1, 1 << 63, u64::MAX] {
        let token = keys.sign_access(BuyerId(person), Role::Shopper, START, 60_000);
        assert_eq!(keys.verify_access(&token, START).unwrap().buyer, BuyerId(person));
        assert!(keys.verify_access_until(&token).is_ok() && !BuyerId(person).is_house());
    }
}

#[test]
fn a_token_ends_when_its_time_is_over() {
    let keys = keys();
    let token = keys.sign_access(BuyerId(1), Role::Shopper, START, 60_000);
    assert!(keys.verify_access(&token, START.plus_ms(60_000)).is_ok());
    let problem = keys.verify_access(&token, START.plus_ms(67_000)).unwrap_err();
    assert_eq!(problem.kind, Kind::UNAUTHORIZED);
    assert!(problem.detail.contains("expired"), "{problem}");
}

#[test]
fn one_kind_of_token_is_never_another() {
    let keys = keys();
    let access = keys.sign_access(BuyerId(1), Role::Shopper, START, 60_000);
    let checkout = keys.sign_checkout(ReservationId(7), BuyerId(1), START, 60_000);
    assert_eq!(keys.verify_checkout(&access, START).unwrap_err().kind, Kind::UNAUTHORIZED);
    assert_eq!(keys.verify_access(&checkout, START).unwrap_err().kind, Kind::UNAUTHORIZED);
}

#[test]
fn keys_can_be_changed_without_a_gap() {
    let before = keys();
    let old = before.sign_access(BuyerId(1), Role::Shopper, START, 60_000);
    let list = format!("access:a2:{OTHER},access:a1:{ACCESS},checkout:c1:{CHECKOUT},admission:d1:{ADMISSION}");
    let after = TokenKeys::parse(&list).unwrap();
    assert!(after.verify_access(&old, START).is_ok());
    let new = after.sign_access(BuyerId(1), Role::Shopper, START, 60_000);
    assert!(after.verify_access(&new, START).is_ok());
    let problem = before.verify_access(&new, START).unwrap_err();
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
    assert!(keys().verify_access(&keys_sign(&admission), START).is_err());
}

fn keys_sign(admission: &SaleAdmission) -> String {
    keys().sign_admission(admission)
}

/// Signed with the right secret by other code: what matters is what it says, not how its header is written.
fn forge(header: &Header, claims: &Value, secret: &str) -> String {
    let bytes: Vec<u8> = (0..64).step_by(2).map(|at| u8::from_str_radix(&secret[at..at + 2], 16).unwrap()).collect();
    jsonwebtoken::encode(header, claims, &EncodingKey::from_secret(&bytes)).unwrap()
}

fn claims() -> Value {
    json!({"iss": "miaosha", "aud": "access", "sub": "5", "role": "shopper", "exp": START.0 / 1_000 + 60})
}

fn header() -> Header {
    Header { typ: Some("access+jwt".into()), kid: Some("a1".into()), ..Header::new(Algorithm::HS256) }
}

#[test]
fn a_token_of_another_make_with_our_key_is_read_too() {
    let token = forge(&Header { cty: Some("JSON".into()), ..header() }, &claims(), ACCESS);
    assert_eq!(keys().verify_access(&token, START).unwrap().buyer, BuyerId(5));
    let token = forge(&header(), &claims(), ACCESS);
    assert_eq!(keys().verify_access(&token, START).unwrap().buyer, BuyerId(5));
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
        (format!("{none}.{payload}."), "not signed with HS256"),
        (format!("{message}."), "signature is wrong"),
        (format!("{message}.AAAA"), "signature is wrong"),
        (message.to_owned(), "not a token"),
        (forge(&header(), &claims(), OTHER), "signature is wrong"),
        (typed(Some("access+jwt"), Some("a1"), Algorithm::HS512), "not signed with HS256"),
        (typed(Some("access+jwt"), None, Algorithm::HS256), "does not name its key"),
        (typed(Some("access+jwt"), Some("c1"), Algorithm::HS256), "key is not known"),
        (typed(Some("access+jwt"), Some("zz"), Algorithm::HS256), "key is not known"),
        (typed(Some("JWT"), Some("a1"), Algorithm::HS256), "not an access token"),
        (typed(None, Some("a1"), Algorithm::HS256), "not an access token"),
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
        let problem = keys().verify_access(&token, START).expect_err(&token);
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
            assert!(keys.verify_access(&changed, START).is_err(), "{changed}");
        }
    }
}

#[test]
fn key_lists_that_make_no_sense_are_refused() {
    let parse = |text: String| TokenKeys::parse(&text).unwrap_err();
    assert_eq!(parse(String::new()), KeysError::Form(1));
    assert_eq!(parse(format!("access:a1:{ACCESS}:more")), KeysError::Form(1));
    assert_eq!(parse(format!("admin:a1:{ACCESS}")), KeysError::Kind(1));
    assert_eq!(parse(format!("access::{ACCESS}")), KeysError::Kid(1));
    assert_eq!(parse("access:a1:11".into()), KeysError::Secret(1));
    assert_eq!(parse(format!("access:a1:{}g", &ACCESS[1..])), KeysError::Secret(1));
    assert_eq!(parse(format!("access:a1:{ACCESS},checkout:c1:{ACCESS}")), KeysError::Repeated(2));
    assert_eq!(parse(format!("access:a1:{ACCESS},checkout:a1:{CHECKOUT}")), KeysError::Repeated(2));
    assert_eq!(parse(format!("access:a1:{ACCESS}")), KeysError::Missing("checkout"));
    assert_eq!(parse(format!("access:a1:{ACCESS},checkout:c1:{CHECKOUT}")), KeysError::Missing("admission"));
    assert!(!format!("{:?}", keys()).contains("1111"));
}

proptest! {
    #[test]
    fn no_text_breaks_the_reading_of_a_token(token in "\\PC{0,300}|[A-Za-z0-9_.-]{0,300}") {
        prop_assert_eq!(keys().verify_access(&token, START).unwrap_err().kind, Kind::UNAUTHORIZED);
    }
}
