//! Signing up and logging in. A wrong password and an unknown address are one answer, and cost the same time.

use serde::{Deserialize, Serialize};

use crate::domain::id::BuyerId;
use crate::domain::locale::Locale;
use crate::http::limits;
use crate::http::problem::{Kind, Problem};
use crate::ports::World;
use crate::ports::accounts::{Account, Accounts, Role};
use crate::services::gateway::metric::Metric;
use crate::services::gateway::passwords::{Passwords, PoolFull};

const NAME_CHARS_MAX: usize = 100;
const EMAIL_BYTES_MAX: usize = 254;
const EMAIL_LOCAL_BYTES_MAX: usize = 64;
const EMAIL_LABEL_BYTES_MAX: usize = 63;
const PASSWORD_CHARS_MIN: usize = 8;
const PASSWORD_CHARS_MAX: usize = 128;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    name: String,
    email: String,
    password: String,
    /// English, unless something else is asked for.
    #[serde(default)]
    locale: Locale,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    email: String,
    password: String,
}

/// An account as its owner sees it.
#[derive(Serialize)]
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

pub async fn sign_up<W: World>(world: &W, passwords: &Passwords, user: NewUser) -> Result<Account, Problem> {
    let name = limits::text("name", &user.name, NAME_CHARS_MAX)?;
    let email = email(&user.email)?;
    let length = user.password.chars().count();
    if !(PASSWORD_CHARS_MIN..=PASSWORD_CHARS_MAX).contains(&length) {
        let range = format!("must be {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters long");
        return Err(Problem::field("password", Kind::Invalid, range));
    }
    let hash = passwords.hash(user.password.clone()).await.map_err(busy)?;
    let created = world.store().create_account(name, &email, &hash, Role::Shopper, user.locale).await?;
    count("sign_up", created.is_some());
    match created {
        Some(account) => Ok(account),
        None => signed_up_before(world, passwords, &email, user.password).await,
    }
}

/// Who signs up again with the same password is the same person, who perhaps never heard the first answer.
async fn signed_up_before<W: World>(
    world: &W,
    passwords: &Passwords,
    email: &str,
    password: String,
) -> Result<Account, Problem> {
    let account = world.store().account_by_email(email).await?;
    let known = account.as_ref().map(|account| account.password_hash.clone());
    let is_theirs = passwords.is_right(password, known).await.map_err(busy)?;
    let taken = || Problem::field("email", Kind::EmailTaken, "somebody signed up with this address");
    account.filter(|_| is_theirs).ok_or_else(taken)
}

pub async fn log_in<W: World>(world: &W, passwords: &Passwords, login: Credentials) -> Result<Account, Problem> {
    // What cannot be an address or a password is checked as well, so that the answer is always the same one.
    let email = login.email.trim().to_ascii_lowercase();
    let is_short = email.len() <= EMAIL_BYTES_MAX && login.password.chars().count() <= PASSWORD_CHARS_MAX;
    let account = if is_short { world.store().account_by_email(&email).await? } else { None };
    let known = account.as_ref().map(|account| account.password_hash.clone());
    let password = if is_short { login.password } else { String::new() };
    let is_right = passwords.is_right(password, known).await.map_err(busy)?;
    count("log_in", is_right);
    let account = account.filter(|_| is_right);
    account.ok_or_else(|| Problem::new(Kind::Unauthorized, "the address or the password is wrong"))
}

/// Lower case, and plausible; whether anybody reads there is another question.
fn email(text: &str) -> Result<String, Problem> {
    let email = text.trim().to_ascii_lowercase();
    if is_plausible(&email) {
        return Ok(email);
    }
    Err(Problem::field("email", Kind::Invalid, "must be an address such as name@example.org, in ASCII"))
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
    Problem::new(Kind::Busy, "too many people are signing up or logging in; come again shortly")
}

fn count(what: &'static str, done: bool) {
    let outcome = if done { "done" } else { "refused" };
    metrics::counter!(Metric::Entries.name(), "what" => what, "outcome" => outcome).increment(1);
}
