//! Requests by their key, and what they make.

use futures_util::future::join_all;
use miaosha::domain::shared::id::RequestId;
use miaosha::ports::platform::idempotency::{Answer, Asked, Claim, Fingerprint, Idempotency, Key, Lease};
use miaosha::ports::sale::catalogue::{NewItem, NewSale};

use super::counter::{NOW, Store, allotment, new_sale};

const KEY: Key = Key([1; 32]);
const LEASE_MS: i64 = 1_000;
const TTL_MS: i64 = 86_400_000;

/// Asked at this many milliseconds, with a request's id to begin with.
fn asked(at_ms: i64, request: u128) -> Asked {
    let now = NOW.plus_ms(at_ms);
    Asked {
        key: KEY,
        fingerprints: vec![Fingerprint([2; 32])],
        request: RequestId(request),
        now,
        leased_until: now.plus_ms(LEASE_MS),
        expires_at: now.plus_ms(TTL_MS),
    }
}

fn answer(body: &[u8]) -> Answer {
    Answer::Kept { status: 201, content_type: "application/json".into(), body: body.to_vec() }
}

async fn claimed<S: Store>(store: &S, asked: &Asked) -> Lease {
    match Idempotency::claim(store, asked).await.unwrap() {
        Claim::Yours(lease) => lease,
        other => panic!("{other:?}"),
    }
}

pub async fn one_of_many_claims_a_request<S: Store>(store: S) {
    let claims = join_all((0..16).map(|request| {
        let store = store.clone();
        async move { Idempotency::claim(&store, &asked(0, request)).await.unwrap() }
    }));
    let claims = claims.await;
    let (yours, others): (Vec<_>, Vec<_>) = claims.into_iter().partition(|claim| matches!(claim, Claim::Yours(_)));
    assert_eq!(yours.len(), 1);
    assert!(others.iter().all(|claim| *claim == Claim::InFlight), "{others:?}");
}

pub async fn a_claim_ends_with_its_lease<S: Store>(store: S) {
    let first = claimed(&store, &asked(0, 10)).await;
    assert_eq!((first.request, first.is_again()), (RequestId(10), false));
    assert_eq!(Idempotency::claim(&store, &asked(LEASE_MS - 1, 11)).await.unwrap(), Claim::InFlight);
    let second = claimed(&store, &asked(LEASE_MS, 12)).await;
    assert_eq!((second.request, second.is_again()), (RequestId(10), true), "the effect keeps its id");
    // The first one only slept: what it found out is its own.
    assert!(!Idempotency::keep(&store, KEY, first, &answer(b"first")).await.unwrap());
    store.let_go(KEY, first).await.unwrap();
    assert_eq!(Idempotency::claim(&store, &asked(LEASE_MS, 13)).await.unwrap(), Claim::InFlight);
    assert!(Idempotency::keep(&store, KEY, second, &answer(b"second")).await.unwrap());
    assert!(!Idempotency::keep(&store, KEY, second, &answer(b"third")).await.unwrap(), "an answer is kept once");
    let done = Idempotency::claim(&store, &asked(9 * LEASE_MS, 14)).await.unwrap();
    assert_eq!(done, Claim::Done { lease: second, answer: answer(b"second") });
}

pub async fn a_key_is_good_for_one_payload<S: Store>(store: S) {
    let lease = claimed(&store, &asked(0, 10)).await;
    let other = Asked { fingerprints: vec![Fingerprint([3; 32])], ..asked(1, 11) };
    assert_eq!(Idempotency::claim(&store, &other).await.unwrap(), Claim::OtherPayload);
    Idempotency::keep(&store, KEY, lease, &answer(b"")).await.unwrap();
    assert_eq!(Idempotency::claim(&store, &other).await.unwrap(), Claim::OtherPayload);
    // The secret was changed, and the older one is still good.
    let elder = Asked { fingerprints: vec![Fingerprint([3; 32]), Fingerprint([2; 32])], ..asked(1, 11) };
    assert!(matches!(Idempotency::claim(&store, &elder).await.unwrap(), Claim::Done { .. }));
    let another = Asked { key: Key([9; 32]), ..other };
    assert!(
        matches!(Idempotency::claim(&store, &another).await.unwrap(), Claim::Yours(_)),
        "another's key is another key"
    );
}

pub async fn what_was_kept_is_told_again<S: Store>(store: S) {
    for (n, answer) in [answer(&[0, 255, 10]), answer(b""), Answer::Anew, answer(&vec![7; 60_000])].iter().enumerate() {
        let asked = Asked { key: Key([n as u8; 32]), ..asked(0, n as u128) };
        let lease = claimed(&store, &asked).await;
        assert!(Idempotency::keep(&store, asked.key, lease, answer).await.unwrap());
        for _ in 0..2 {
            let done = Idempotency::claim(&store, &asked).await.unwrap();
            assert_eq!(done, Claim::Done { lease, answer: answer.clone() });
        }
    }
}

pub async fn what_was_let_go_is_claimed_at_once<S: Store>(store: S) {
    let first = claimed(&store, &asked(0, 10)).await;
    store.let_go(KEY, first).await.unwrap();
    let second = claimed(&store, &asked(1, 11)).await;
    assert_eq!((second.request, second.is_again()), (RequestId(10), true));
    Idempotency::keep(&store, KEY, second, &answer(b"x")).await.unwrap();
    store.let_go(KEY, second).await.unwrap();
    assert!(
        matches!(Idempotency::claim(&store, &asked(2, 12)).await.unwrap(), Claim::Done { .. }),
        "what is kept stays"
    );
}

pub async fn what_was_refused_was_never_asked<S: Store>(store: S) {
    let first = claimed(&store, &asked(0, 10)).await;
    store.withdraw(KEY, first).await.unwrap();
    let other = Asked { fingerprints: vec![Fingerprint([3; 32])], ..asked(1, 11) };
    let second = claimed(&store, &other).await;
    assert_eq!((second.request, second.is_again()), (RequestId(11), false), "also with another body");
    // A later one's refusal is not an earlier one's: it may only sleep.
    let third = claimed(&store, &Asked { now: other.leased_until, ..other.clone() }).await;
    store.withdraw(KEY, second).await.unwrap();
    assert_eq!(Idempotency::claim(&store, &other).await.unwrap(), Claim::InFlight, "it is the third one's");
    store.withdraw(KEY, third).await.unwrap();
    let fourth = claimed(&store, &other).await;
    assert_eq!((fourth.request, fourth.is_again()), (RequestId(11), true), "the effect keeps its id");
    Idempotency::keep(&store, KEY, fourth, &answer(b"x")).await.unwrap();
    store.withdraw(KEY, fourth).await.unwrap();
    assert!(matches!(Idempotency::claim(&store, &other).await.unwrap(), Claim::Done { .. }), "what is kept stays");
}

pub async fn an_expired_key_is_a_new_request<S: Store>(store: S) {
    let first = claimed(&store, &asked(0, 10)).await;
    assert!(Idempotency::keep(&store, KEY, first, &answer(b"old")).await.unwrap());
    assert!(matches!(Idempotency::claim(&store, &asked(TTL_MS - 1, 11)).await.unwrap(), Claim::Done { .. }));
    let other = Asked { fingerprints: vec![Fingerprint([3; 32])], ..asked(TTL_MS, 12) };
    let second = claimed(&store, &other).await;
    assert_eq!((second.request, second.is_again()), (RequestId(12), false));
    assert!(!Idempotency::keep(&store, KEY, first, &answer(b"old")).await.unwrap());
    assert!(Idempotency::keep(&store, KEY, second, &answer(b"new")).await.unwrap());
}

pub async fn old_requests_are_forgotten_some_at_a_time<S: Store>(store: S) {
    for n in 0..5 {
        claimed(&store, &Asked { key: Key([n; 32]), ..asked(i64::from(n), 1) }).await;
    }
    let now = NOW.plus_ms(TTL_MS + 3);
    assert_eq!(store.forget(NOW.plus_ms(TTL_MS - 1), 9).await.unwrap(), 0);
    assert_eq!(store.forget(now, 3).await.unwrap(), 3);
    assert_eq!(store.forget(now, 3).await.unwrap(), 1);
    assert_eq!(store.forget(now, 3).await.unwrap(), 0);
    let left = Asked { key: Key([4; 32]), ..asked(5, 1) };
    assert_eq!(Idempotency::claim(&store, &left).await.unwrap(), Claim::InFlight, "what is young stays");
}

pub async fn a_request_makes_one_item_and_one_sale<S: Store>(store: S) {
    let item = NewItem { title: "A lamp".into(), description: "It shines".into() };
    let twice = join_all((0..4).map(|_| store.create_item_once(&item, Some(RequestId(1)), None))).await;
    let twice: Vec<_> = twice.into_iter().map(Result::unwrap).collect();
    assert!(twice.iter().all(|made| *made == twice[0]), "{twice:?}");
    let other = store.create_item_once(&item, Some(RequestId(2)), None).await.unwrap();
    assert_ne!(other.id, twice[0].id);
    assert_ne!(store.create_item(&item).await.unwrap().id, store.create_item(&item).await.unwrap().id);

    let sale = new_sale(&store, allotment(1, 0)).await;
    let new = NewSale {
        item: sale.item,
        price: sale.price,
        allotment: sale.allotment,
        standby_until: sale.standby_until,
        hold_ms: sale.hold_ms,
        opens_at: sale.opens_at,
        closes_at: sale.closes_at,
        questions: Vec::new(),
        question_key: sale.question_key,
    };
    let made = join_all((0..4).map(|_| store.create_sale_once(&new, Some(RequestId(1)), None))).await;
    let made: Vec<_> = made.into_iter().map(|made| made.unwrap().unwrap().id).collect();
    assert!(made.iter().all(|id| *id == made[0]), "{made:?}");
    assert_eq!(store.sales(9).await.unwrap().len(), 2);
}
