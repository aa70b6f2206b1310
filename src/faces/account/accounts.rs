//! Signing up and logging in. A wrong password and an unknown address are one answer, and cost the same time.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;

use crate::domain::people::Role;
use crate::domain::shared::id::BuyerId;
use crate::domain::shared::locale::Locale;
use crate::faces::account::Needs;
use crate::faces::account::login_limiter::LoginAttempt;
use crate::faces::account::metric::Metric;
use crate::faces::account::passwords::{Passwords, PoolFull};
use crate::kit::http::document::shapes::{described, text};
use crate::kit::http::limits;
use crate::kit::http::problem::{Kind, Problem, Rule};
use crate::ports::people::accounts::Account;
use crate::problem_kinds;

problem_kinds! {
    EMAIL_TAKEN = "email_taken", CONFLICT, "The address is taken";
}

const ADDRESS: Rule = Rule::declared("address");
pub const RULES: &[Rule] = &[ADDRESS];

const NAME_CHARS_MAX: usize = 100;
const EMAIL_BYTES_MAX: usize = 254;
const EMAIL_LOCAL_BYTES_MAX: usize = 64;
const EMAIL_LABEL_BYTES_MAX: usize = 63;
/// Of a new password.
pub const PASSWORD_CHARS_MIN: usize = 8;
pub const PASSWORD_CHARS_MAX: usize = 128;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    #[schema(schema_with = text::<1, NAME_CHARS_MAX>)]
    name: String,
    #[schema(schema_with = address)]
    email: String,
    #[schema(schema_with = text::<PASSWORD_CHARS_MIN, PASSWORD_CHARS_MAX>)]
    password: String,
    /// English, unless something else is asked for.
    #[serde(default)]
    locale: Locale,
}

fn address() -> Object {
    described(text::<3, EMAIL_BYTES_MAX>(), "ASCII.")
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    email: String,
    password: String,
}

/// An account as its owner sees it.
#[derive(Serialize, ToSchema)]
pub struct User {
    id: BuyerId,
    name: String,
    email: String,
    role: Role,
    locale: Locale,
}

impl From<Account> for User {
    fn from(account: Account) -> Self {
        let Account { id, name, email, role, locale, .. } = account;
        Self { id, name, email, role, locale }
    }
}

/// An address that is taken costs as much as one that is free, and its owner, proved by the password, is logged in. That an
/// address is taken is said all the same: without a mail to every newcomer nothing else is honest, and tries are counted.
pub async fn sign_up(
    needs: &Needs,
    passwords: &Passwords,
    knock: &LoginAttempt<'_>,
    user: NewUser,
) -> Result<Account, Problem> {
    let name = limits::text("name", &user.name, NAME_CHARS_MAX)?;
    let email = email(&user.email)?;
    check_new_password("password", &user.password)?;
    knock.pass(&email)?;
    if let Some(account) = needs.accounts.account_by_email(&email).await? {
        return signed_up_before(passwords, account, user.password).await;
    }
    let hash = passwords.hash(user.password.clone()).await.map_err(busy)?;
    let created = needs.accounts.create_account(name, &email, &hash, Role::Shopper, user.locale).await?;
    count("sign_up", created.is_some());
    match created {
        Some(account) => Ok(account),
        // Another request was quicker, perhaps the same person's.
        None => match needs.accounts.account_by_email(&email).await? {
            Some(account) => signed_up_before(passwords, account, user.password).await,
            None => Err(taken()),
        },
    }
}

/// A second sign-up with the same password is the same person's, who perhaps never got the first answer.
async fn signed_up_before(passwords: &Passwords, account: Account, password: String) -> Result<Account, Problem> {
    let known = Some(account.password_hash.clone());
    let is_theirs = passwords.is_right(password, known).await.map_err(busy)?;
    if is_theirs { Ok(account) } else { Err(taken()) }
}

fn taken() -> Problem {
    Problem::field("email", EMAIL_TAKEN, "an account with this address exists already")
}

fn check_new_password(field: &'static str, password: &str) -> Result<(), Problem> {
    let length = password.chars().count();
    if (PASSWORD_CHARS_MIN..=PASSWORD_CHARS_MAX).contains(&length) {
        return Ok(());
    }
    let range = format!("must be {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters long");
    let problem = Problem::field(field, Kind::INVALID, range).rule(Rule::LENGTH);
    Err(problem.bounds(PASSWORD_CHARS_MIN, PASSWORD_CHARS_MAX))
}

pub async fn log_in(
    needs: &Needs,
    passwords: &Passwords,
    knock: &LoginAttempt<'_>,
    login: Credentials,
) -> Result<Account, Problem> {
    // What cannot be an address or a password is checked as well, so that the answer is always the same one.
    let email = login.email.trim().to_ascii_lowercase();
    let is_short = email.len() <= EMAIL_BYTES_MAX && login.password.chars().count() <= PASSWORD_CHARS_MAX;
    knock.pass(if is_short { &email } else { "" })?;
    let account = if is_short { needs.accounts.account_by_email(&email).await? } else { None };
    let known = account.as_ref().map(|account| account.password_hash.clone());
    let password = if is_short { login.password } else { String::new() };
    let is_right = passwords.is_right(password, known).await.map_err(busy)?;
    count("log_in", is_right);
    let account = account.filter(|_| is_right);
    account.ok_or_else(|| Problem::new(Kind::UNAUTHORIZED, "the address or the password is wrong"))
}

/// What cannot be undone takes the password as well as a token.
pub async fn prove(
    passwords: &Passwords,
    knock: &LoginAttempt<'_>,
    account: Account,
    password: String,
) -> Result<Account, Problem> {
    knock.pass(&account.email)?;
    let is_short = password.chars().count() <= PASSWORD_CHARS_MAX;
    let password = if is_short { password } else { String::new() };
    let is_right = passwords.is_right(password, Some(account.password_hash.clone())).await.map_err(busy)?;
    count("prove", is_right);
    if is_right { Ok(account) } else { Err(Problem::field("password", Kind::FORBIDDEN, "this is not the password")) }
}

/// The account as it is then; every token of before is refused.
pub async fn change_password(
    needs: &Needs,
    passwords: &Passwords,
    account: Account,
    new: String,
) -> Result<Account, Problem> {
    check_new_password("new_password", &new)?;
    let hash = passwords.hash(new).await.map_err(busy)?;
    let changed = needs.accounts.change_password(account.id, &account.password_hash, &hash, needs.clock.now()).await?;
    let conflict = || Problem::new(Kind::CONFLICT, "the password was changed by another request meanwhile");
    if !changed {
        return Err(conflict());
    }
    needs.accounts.account(account.id).await?.ok_or_else(conflict)
}

/// Lower case, and plausible; whether mail arrives there is not checked.
fn email(text: &str) -> Result<String, Problem> {
    let email = text.trim().to_ascii_lowercase();
    if is_plausible(&email) {
        return Ok(email);
    }
    Err(Problem::field("email", Kind::INVALID, "must be an address such as name@example.org, in ASCII").rule(ADDRESS))
}

fn is_plausible(email: &str) -> bool {
    let Some((local, domain)) = email.rsplit_once('@') else { return false };
    let local_fits = (1..=EMAIL_LOCAL_BYTES_MAX).contains(&local.len())
        && local.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte))
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..");
    let label_fits = |label: &str| {
        (1..=EMAIL_LABEL_BYTES_MAX).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    email.len() <= EMAIL_BYTES_MAX && local_fits && domain.contains('.') && domain.split('.').all(label_fits)
}

fn busy(_: PoolFull) -> Problem {
    metrics::counter!(Metric::HashesShed.name()).increment(1);
    Problem::new(Kind::BUSY, "too many people are signing up or logging in; come again shortly")
}

fn count(what: &'static str, done: bool) {
    let outcome = if done { "done" } else { "refused" };
    metrics::counter!(Metric::Entries.name(), "what" => what, "outcome" => outcome).increment(1);
}
