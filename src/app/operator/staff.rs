//! Accounts of operators, as a shell looks after them. Whatever changes here ends the account's tokens: a running shop knows of it
//! within a second. No call of the shop does any of this; whoever can read its folder or its servers' secrets can.

use serde_json::{Value, json};

use crate::app::operator::{CommandError, Needs};
use crate::domain::people::Role;
use crate::domain::people::author::Author;
use crate::ports::people::accounts::Account;
use crate::ports::people::operators::{Operator, RoleSet};

/// Operators read at once.
const PAGE: u32 = 100;

/// In the order of their numbers.
pub async fn list(needs: &Needs) -> Result<Value, CommandError> {
    let mut operators: Vec<Operator> = Vec::new();
    loop {
        let after = operators.last().map(|operator| operator.id);
        let page = needs.operators.operators_after(after, PAGE).await?;
        if page.is_empty() {
            let shown = operators.into_iter().map(|Operator { id, email, role, has_second_factor }| {
                json!({ "id": id, "email": email, "role": role, "second_factor": has_second_factor })
            });
            return Ok(json!({ "operators": shown.collect::<Vec<_>>() }));
        }
        operators.extend(page);
    }
}

pub async fn set_role(needs: &Needs, email: &str, role: Role, by: &Author) -> Result<Value, CommandError> {
    let account = account(needs, email).await?;
    let is_changed = match needs.operators.set_role_by(account.id, role, needs.clock.now(), Some(by)).await? {
        RoleSet::Done(_) => true,
        RoleSet::Same => false,
        RoleSet::LastOwner => {
            return refused("this is the last owner: make another one before, or nobody can");
        }
        RoleSet::Missing => return no_account(),
    };
    Ok(json!({ "id": account.id, "role": role, "changed": is_changed }))
}

/// For operators only: shoppers help themselves, and an owner's terminal is not the way into anybody's account.
pub async fn reset(needs: &Needs, email: &str, password_hash: &str, by: &Author) -> Result<Value, CommandError> {
    let account = account(needs, email).await?;
    if !account.role.is_operator() {
        return refused("this account is no operator's");
    }
    match needs.operators.reset_password_by(account.id, password_hash, needs.clock.now(), Some(by)).await? {
        Some(_) => Ok(json!({ "id": account.id, "role": account.role })),
        None => no_account(),
    }
}

async fn account(needs: &Needs, email: &str) -> Result<Account, CommandError> {
    match needs.accounts.account_by_email(&email.trim().to_lowercase()).await? {
        Some(account) => Ok(account),
        None => no_account(),
    }
}

fn no_account<T>() -> Result<T, CommandError> {
    refused("no account has this address")
}

fn refused<T>(why: &str) -> Result<T, CommandError> {
    Err(CommandError::Refused(why.to_owned()))
}
