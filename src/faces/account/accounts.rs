//! Signing up and logging in. A wrong password and an unknown address are one answer, and cost the same time; an address that has an
//! account and one that has none are one answer, too.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;

use crate::app::people::passwords::is_common;
use crate::app::people::second_factor::CODE_CHARS_MAX;
use crate::domain::people::address::{ADDRESS_BYTES_MAX, Address};
use crate::domain::people::author::Author;
use crate::domain::people::name::{self, NAME_CHARS_MAX, NameFault};
use crate::domain::people::{Permission, Role};
use crate::domain::shared::id::BuyerId;
use crate::domain::shared::locale::Locale;
use crate::faces::account::Needs;
use crate::faces::account::devices;
use crate::faces::account::login_limiter::LoginAttempt;
use crate::faces::account::mailed::{CodeSent, DIGITS, send};
use crate::faces::account::metric::Metric;
use crate::faces::account::passwords::{PoolFull, Pools};
use crate::faces::tokens::TokenKeys;
use crate::kit::http::document::shapes::{described, or_null, text};
use crate::kit::http::limits;
use crate::kit::http::problem::{Kind, Problem, Rule};
use crate::ports::people::accounts::Account;
use crate::ports::people::codes::CodeFor;

const ADDRESS: Rule = Rule::declared("address");
const NO_LINKS: Rule = Rule::declared("no_links");
const TOO_COMMON: Rule = Rule::declared("too_common");
const UNCHANGED: Rule = Rule::declared("unchanged");
const VISIBLE: Rule = Rule::declared("visible");
pub const RULES: &[Rule] = &[ADDRESS, DIGITS, NO_LINKS, TOO_COMMON, UNCHANGED, VISIBLE];

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

pub fn address() -> Object {
    described(text::<3, ADDRESS_BYTES_MAX>(), "ASCII before the @.")
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    email: String,
    password: String,
    /// As it was answered to an earlier log-in of this browser: then what strangers try does not make this one wait.
    #[serde(default)]
    #[schema(schema_with = device_or_null)]
    device: Option<String>,
    /// Of the second factor, where the account has one: six digits of the authenticator, or a recovery code.
    #[serde(default)]
    #[schema(schema_with = code_or_null)]
    pub code: Option<String>,
}

fn device_or_null() -> Object {
    or_null(text::<0, 200>())
}

fn code_or_null() -> Object {
    or_null(text::<1, CODE_CHARS_MAX>())
}

/// An account as its owner sees it.
#[derive(Serialize, ToSchema)]
pub struct User {
    id: BuyerId,
    name: String,
    email: String,
    role: Role,
    /// What the role may; nothing for shoppers.
    may: Vec<Permission>,
    locale: Locale,
}

impl From<Account> for User {
    fn from(account: Account) -> Self {
        let Account { id, name, email, role, locale, .. } = account;
        Self { id, name, email, role, may: role.permissions().collect(), locale }
    }
}

/// Nobody is told whether the address has an account: its owner is, by mail, and costs and answers are alike. Whoever gives the code
/// back has the account.
pub async fn sign_up(
    needs: &Needs,
    pools: &Pools,
    knock: &LoginAttempt<'_>,
    user: NewUser,
    day_max: u32,
) -> Result<CodeSent, Problem> {
    let name = name_of("name", &user.name)?.to_owned();
    let address = address_of("email", &user.email)?;
    check_new_password("password", &user.password, &[&name, address.shown()])?;
    knock.pass()?;
    let _place = knock.hashing().ok_or_else(crowded)?;
    let password_hash = pools.strangers.hash(user.password).await.map_err(busy)?;
    send(needs, address, CodeFor::SignUp { name, password_hash, locale: user.locale }, day_max).await
}

pub fn name_of<'a>(field: &'static str, name: &'a str) -> Result<&'a str, Problem> {
    let name = limits::text(field, name, NAME_CHARS_MAX)?;
    let refused = |rule, detail| Problem::field(field, Kind::INVALID, detail).rule(rule);
    match name::check(name) {
        Ok(()) => Ok(name),
        Err(NameFault::Invisible) => {
            Err(refused(VISIBLE, "must have a letter or a digit, and none that turns the text"))
        }
        Err(NameFault::Link) => Err(refused(NO_LINKS, "must not hold an address of mail or of the web")),
    }
}

/// Whoever changes a password because others know it must not be told that it was changed.
pub fn unchanged() -> Problem {
    Problem::field("new_password", Kind::INVALID, "is the present password").rule(UNCHANGED)
}

/// `owned`: what is known of who will have it.
pub fn check_new_password(field: &'static str, password: &str, owned: &[&str]) -> Result<(), Problem> {
    let length = password.chars().count();
    if !(PASSWORD_CHARS_MIN..=PASSWORD_CHARS_MAX).contains(&length) {
        let range = format!("must be {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters long");
        let problem = Problem::field(field, Kind::INVALID, range).rule(Rule::LENGTH);
        return Err(problem.bounds(PASSWORD_CHARS_MIN, PASSWORD_CHARS_MAX));
    }
    if is_common(password, owned) {
        let detail = "is among the commonest, or your name or address: it would be tried first";
        return Err(Problem::field(field, Kind::INVALID, detail).rule(TOO_COMMON));
    }
    Ok(())
}

pub async fn log_in(
    needs: &Needs,
    pools: &Pools,
    keys: &TokenKeys,
    knock: &LoginAttempt<'_>,
    login: Credentials,
) -> Result<Account, Problem> {
    knock.pass()?;
    // What cannot be an address or a password is checked as well, so that the answer is always the same one.
    let is_short = login.password.chars().count() <= PASSWORD_CHARS_MAX;
    let address = Address::read(&login.email).filter(|_| is_short).map(|address| address.canonical());
    let account = match &address {
        Some(address) => needs.accounts.account_by_email(address).await?,
        None => None,
    };
    let word = login.device.as_deref().unwrap_or_default();
    let device = account.as_ref().and_then(|account| devices::known(keys, account.id, word));
    let is_operators = account.as_ref().is_some_and(|account| account.role.is_operator());
    let pool = match (is_operators, &device) {
        (true, _) => &pools.operators,
        (false, Some(_)) => &pools.known,
        (false, None) => &pools.strangers,
    };
    let is_known = device.is_some();
    let trying = match device {
        Some(device) => knock.by_known(device).await?,
        None => knock.by_stranger(account_key(keys, &address.unwrap_or_default())).await?,
    };
    // Who is known has a pool of their own, and leaves the places of their network to others.
    let _place = if is_known { None } else { Some(knock.hashing().ok_or_else(crowded)?) };
    let known = account.as_ref().map(|account| account.password_hash.clone());
    let password = if is_short { login.password } else { String::new() };
    let is_right = pool.is_right(password, known).await.map_err(busy)?;
    count("log_in", is_right);
    if is_right {
        trying.was_right().await;
    }
    let account = account.filter(|_| is_right);
    account.ok_or_else(|| Problem::new(Kind::UNAUTHORIZED, "the address or the password is wrong"))
}

/// Under which strangers' tries of an account are counted, whether or not it is there. Whoever counts is not told the address.
fn account_key(keys: &TokenKeys, canonical: &str) -> String {
    let digest = keys.digests(format!("account\n{canonical}").as_bytes());
    let digest = digest.first().expect("there is a key that signs");
    format!("account {}", HEXLOWER.encode(&digest[..16]))
}

/// What cannot be undone takes the password as well as a token.
pub async fn prove(
    pools: &Pools,
    knock: &LoginAttempt<'_>,
    account: Account,
    password: String,
) -> Result<Account, Problem> {
    knock.pass()?;
    let trying = knock.by_known(format!("buyer {}", account.id)).await?;
    let is_short = password.chars().count() <= PASSWORD_CHARS_MAX;
    let password = if is_short { password } else { String::new() };
    let is_right = pools.known.is_right(password, Some(account.password_hash.clone())).await.map_err(busy)?;
    count("prove", is_right);
    if !is_right {
        return Err(Problem::field("password", Kind::FORBIDDEN, "this is not the password"));
    }
    trying.was_right().await;
    Ok(account)
}

/// The account as it is then; every token of before is refused.
pub async fn change_password(
    needs: &Needs,
    pools: &Pools,
    account: Account,
    new: String,
    by: Option<&Author>,
) -> Result<Account, Problem> {
    check_new_password("new_password", &new, &[&account.name, &account.email])?;
    let hash = pools.known.hash(new).await.map_err(busy)?;
    let (hashes, now) = ([account.password_hash.as_str(), hash.as_str()], needs.clock.now());
    let changed = needs.accounts.change_password(account.id, hashes, now, by).await?;
    let conflict = || Problem::new(Kind::CONFLICT, "the password was changed by another request meanwhile");
    if !changed {
        return Err(conflict());
    }
    needs.accounts.account(account.id).await?.ok_or_else(conflict)
}

pub fn address_of(field: &'static str, text: &str) -> Result<Address, Problem> {
    let detail = "must be an address such as name@example.org, in ASCII before the @";
    Address::read(text).ok_or_else(|| Problem::field(field, Kind::INVALID, detail).rule(ADDRESS))
}

/// Of one network too many wait for the pool.
pub fn crowded() -> Problem {
    busy(PoolFull)
}

pub fn busy(_: PoolFull) -> Problem {
    metrics::counter!(Metric::HashesShed.name()).increment(1);
    Problem::new(Kind::BUSY, "too many people are signing up or logging in; come again shortly")
}

pub fn count(what: &'static str, done: bool) {
    let outcome = if done { "done" } else { "refused" };
    metrics::counter!(Metric::Entries.name(), "what" => what, "outcome" => outcome).increment(1);
}
