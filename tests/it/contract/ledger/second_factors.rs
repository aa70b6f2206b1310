//! Second factors: what is offered counts when it is confirmed, and whatever is shown is shown once.

use futures_util::future::join_all;
use miaosha::domain::people::{Revoked, Role};
use miaosha::domain::shared::id::BuyerId;
use miaosha::domain::shared::locale::Locale;
use miaosha::ports::people::accounts::Erased;
use miaosha::ports::people::second_factors::{Confirmation, Digest, SecondFactor, TryLimit};

use super::counter::{NOW, Store};

const SECRET: [u8; 20] = [7; 20];
const CODES: [Digest; 3] = [[1; 32], [2; 32], [3; 32]];

fn of(secret: &[u8], step: u64) -> Confirmation<'_> {
    Confirmation { secret, step, recovery: &CODES }
}

async fn account<S: Store>(store: &S, name: &str) -> BuyerId {
    let email = format!("{name}@example.org");
    store.create_account(name, &email, "hash", Role::Owner, Locale::En, None).await.unwrap().unwrap().id
}

async fn set_up<S: Store>(store: &S, name: &str) -> BuyerId {
    let id = account(store, name).await;
    assert!(store.offer_second_factor(id, &SECRET).await.unwrap());
    assert!(store.confirm_second_factor(id, of(&SECRET, 5), NOW, None).await.unwrap().is_some());
    id
}

pub async fn a_second_factor_is_offered_and_confirmed<S: Store>(store: S) {
    let id = account(&store, "ann").await;
    let known = async || store.second_factor(id).await.unwrap();
    let is = |secret: [u8; 20], is_confirmed, used| Some(SecondFactor { secret: secret.to_vec(), is_confirmed, used });
    assert!(known().await.is_none());
    assert_eq!(store.confirm_second_factor(id, of(&SECRET, 5), NOW, None).await.unwrap(), None, "nothing was offered");
    assert!(store.offer_second_factor(id, &[9; 20]).await.unwrap());
    assert!(store.offer_second_factor(id, &SECRET).await.unwrap(), "in the other's place");
    assert!(known().await == is(SECRET, false, 0));
    assert_eq!(
        store.confirm_second_factor(id, of(&[9; 20], 5), NOW, None).await.unwrap(),
        None,
        "that is not the last one"
    );
    let operators = store.operators_after(None, 9).await.unwrap();
    assert!(!operators[0].has_second_factor);
    let revoked = store.confirm_second_factor(id, of(&SECRET, 5), NOW, None).await.unwrap();
    assert_eq!(revoked, Some(Revoked { buyer: id, epoch: 1 }));
    assert!(known().await == is(SECRET, true, 5));
    let operators = store.operators_after(None, 9).await.unwrap();
    assert!(operators[0].has_second_factor);
    assert_eq!(store.confirm_second_factor(id, of(&SECRET, 6), NOW, None).await.unwrap(), None, "it is confirmed");
    assert!(!store.offer_second_factor(id, &[9; 20]).await.unwrap());
    assert!(known().await == is(SECRET, true, 5));
}

pub async fn a_second_factor_goes_with_its_account<S: Store>(store: S) {
    let (ann, bob) = (set_up(&store, "ann").await, set_up(&store, "bob").await);
    store.reset_password(ann, "another", NOW).await.unwrap().unwrap();
    assert!(store.second_factor(ann).await.unwrap().is_none());
    assert!(!store.use_recovery(ann, &CODES[0]).await.unwrap());
    assert!(store.use_recovery(bob, &CODES[0]).await.unwrap(), "another's is another's");
    assert!(matches!(store.erase(bob, true, NOW, None).await.unwrap(), Erased::Done(_)));
    assert!(store.second_factor(bob).await.unwrap().is_none());
    assert!(!store.use_recovery(bob, &CODES[1]).await.unwrap());
}

pub async fn of_many_who_show_one_code_one_is_let_in<S: Store>(store: S) {
    let id = set_up(&store, "ann").await;
    for step in [6, 9] {
        let shown = join_all((0..8).map(|_| store.use_step(id, step))).await;
        assert_eq!(shown.into_iter().filter(|is_first| *is_first.as_ref().unwrap()).count(), 1);
        assert!(!store.use_step(id, step - 1).await.unwrap(), "an earlier one");
    }
    let shown = join_all((0..8).map(|_| store.use_recovery(id, &CODES[1]))).await;
    assert_eq!(shown.into_iter().filter(|is_first| *is_first.as_ref().unwrap()).count(), 1);
    assert!(!store.use_recovery(id, &[4; 32]).await.unwrap());
    assert!(store.use_recovery(id, &CODES[2]).await.unwrap());
}

pub async fn tries_are_counted_before_they_are_judged<S: Store>(store: S) {
    let id = set_up(&store, "ann").await;
    let limit = TryLimit { tries_max: 3, window_ms: 1_000 };
    let tried = async |now| store.try_second_factor(id, limit, now).await.unwrap();
    let many = join_all((0..8).map(|_| tried(NOW))).await;
    assert_eq!(many.into_iter().filter(|is_let| *is_let).count(), 3);
    assert!(!tried(NOW.plus_ms(999)).await);
    assert!(tried(NOW.plus_ms(1_000)).await, "another window");
    assert!(store.use_step(id, 6).await.unwrap());
    for _ in 0..3 {
        assert!(tried(NOW.plus_ms(1_001)).await, "forgotten by what was right");
    }
    assert!(!tried(NOW.plus_ms(1_001)).await);
    assert!(!tried(NOW.plus_ms(2_000)).await);
    assert!(store.use_recovery(id, &CODES[0]).await.unwrap());
    assert!(tried(NOW.plus_ms(2_000)).await);
    assert!(!store.try_second_factor(BuyerId(id.0 + 1), limit, NOW).await.unwrap(), "there is none");
}
