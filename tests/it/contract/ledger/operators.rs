//! Accounts of operators: listed, changed, and never without an owner.

use miaosha::domain::people::{Revoked, Role};
use miaosha::domain::shared::id::BuyerId;
use miaosha::domain::shared::locale::Locale;
use miaosha::ports::people::accounts::{Account, Erased, LogOutPlace};
use miaosha::ports::people::operators::{Operator, RoleSet};

use super::counter::{NOW, Store};

async fn account<S: Store>(store: &S, name: &str, role: Role) -> Account {
    store.create_account(name, &format!("{name}@example.org"), "hash", role, Locale::En, None).await.unwrap().unwrap()
}

pub async fn operators_are_listed_and_change<S: Store>(store: S) {
    let (ann, bob, eve) = (
        account(&store, "ann", Role::Owner).await,
        account(&store, "bob", Role::Shopper).await,
        account(&store, "eve", Role::Door).await,
    );
    let operator = |account: &Account, role| Operator {
        id: account.id,
        email: account.email.clone(),
        role,
        has_second_factor: false,
    };
    let listed = async |after, max| store.operators_after(after, max).await.unwrap();
    assert_eq!(listed(None, 9).await, [operator(&ann, Role::Owner), operator(&eve, Role::Door)]);
    assert_eq!(listed(None, 1).await, [operator(&ann, Role::Owner)]);
    assert_eq!(listed(Some(ann.id), 9).await, [operator(&eve, Role::Door)]);
    assert_eq!(listed(Some(eve.id), 9).await, []);

    let done = |account: &Account, epoch| RoleSet::Done(Revoked { buyer: account.id, epoch });
    let set = async |account: &Account, role| store.set_role(account.id, role, NOW).await.unwrap();
    assert_eq!(set(&bob, Role::Desk).await, done(&bob, 1), "and logged out");
    assert_eq!(set(&bob, Role::Desk).await, RoleSet::Same);
    assert_eq!(store.account(bob.id).await.unwrap().unwrap().epoch, 1, "what changed nothing logs nobody out");
    assert_eq!(set(&eve, Role::Shopper).await, done(&eve, 1));
    assert_eq!(listed(None, 9).await, [operator(&ann, Role::Owner), operator(&bob, Role::Desk)]);
    let log_outs = store.log_outs_after(LogOutPlace::before(NOW), 9).await.unwrap();
    assert_eq!(log_outs.iter().map(|(_, revoked)| revoked.buyer).collect::<Vec<_>>(), [bob.id, eve.id]);

    let revoked = store.reset_password(bob.id, "another", NOW).await.unwrap();
    assert_eq!(revoked, Some(Revoked { buyer: bob.id, epoch: 2 }));
    assert_eq!(store.account(bob.id).await.unwrap().unwrap().password_hash, "another");
    let missing = BuyerId(eve.id.0 + 1);
    assert_eq!(store.set_role(missing, Role::Owner, NOW).await.unwrap(), RoleSet::Missing);
    assert_eq!(store.reset_password(missing, "x", NOW).await.unwrap(), None);
    assert!(matches!(store.erase(bob.id, true, NOW, None).await.unwrap(), Erased::Done(_)));
    assert_eq!(listed(None, 9).await, [operator(&ann, Role::Owner)], "who is gone is no operator");
    assert_eq!(set(&bob, Role::Owner).await, RoleSet::Missing);
}

pub async fn one_owner_stays<S: Store>(store: S) {
    let (ann, bob) = (account(&store, "ann", Role::Owner).await, account(&store, "bob", Role::Owner).await);
    let set = async |account: &Account, role| store.set_role(account.id, role, NOW).await.unwrap();
    assert!(matches!(set(&bob, Role::Viewer).await, RoleSet::Done(_)), "there is another");
    for role in [Role::Shopper, Role::Desk, Role::Door, Role::Viewer] {
        assert_eq!(set(&ann, role).await, RoleSet::LastOwner);
    }
    assert_eq!(set(&ann, Role::Owner).await, RoleSet::Same);
    assert_eq!(store.erase(ann.id, true, NOW, None).await.unwrap(), Erased::LastOwner);
    assert!(store.account(ann.id).await.unwrap().is_some_and(|found| found == ann), "nothing was done");
    assert!(matches!(set(&bob, Role::Owner).await, RoleSet::Done(_)));
    assert!(matches!(store.erase(ann.id, true, NOW, None).await.unwrap(), Erased::Done(_)));
    assert_eq!(set(&bob, Role::Desk).await, RoleSet::LastOwner, "who is gone is no owner");
}

pub async fn of_two_owners_who_demote_each_other_one_stays<S: Store>(store: S) {
    let (ann, bob) = (account(&store, "ann", Role::Owner).await, account(&store, "bob", Role::Owner).await);
    for _ in 0..8 {
        let demote = async |account: &Account| store.set_role(account.id, Role::Desk, NOW).await.unwrap();
        let (one, other) = tokio::join!(demote(&ann), demote(&bob));
        let stays = [one, other].iter().filter(|set| **set == RoleSet::LastOwner).count();
        assert_eq!(stays, 1, "{one:?} {other:?}");
        let owners = store.operators_after(None, 9).await.unwrap();
        assert_eq!(owners.iter().filter(|operator| operator.role == Role::Owner).count(), 1, "{owners:?}");
        for account in [&ann, &bob] {
            store.set_role(account.id, Role::Owner, NOW).await.unwrap();
        }
    }
}
