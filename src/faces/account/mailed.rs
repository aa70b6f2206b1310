//! Codes by mail: asked for to log in or to change the address, and given back. Whether an address has an account is told to nobody but
//! its owner.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;

use crate::app::people::codes::{self, Issued};
use crate::domain::people::Revoked;
use crate::domain::people::address::Address;
use crate::domain::people::code::{Code, Ticket};
use crate::domain::shared::id::RequestId;
use crate::domain::shared::time::Timestamp;
use crate::faces::account::Needs;
use crate::faces::account::accounts::{
    PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, address, address_of, busy, check_new_password, count, prove,
};
use crate::faces::account::login_limiter::LoginAttempt;
use crate::faces::account::passwords::Pools;
use crate::kit::http::document::problems::{Extended, Members};
use crate::kit::http::document::shapes::{or_null, text};
use crate::kit::http::problem::{Kind, Problem, Rule};
use crate::kit::work::chance::chance;
use crate::ports::people::accounts::Account;
use crate::ports::people::codes::{CodeFor, CodeTry, Proved};
use crate::problem_kinds;

problem_kinds! {
    /// `tries_left` stands beside it.
    WRONG_CODE = "wrong_code", FORBIDDEN, "This is not the code";
    /// Used, tried too often, too old, or never given.
    CODE_OVER = "code_over", CONFLICT, "The code is over";
}

pub const DIGITS: Rule = Rule::declared("digits");

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CodeWanted {
    #[schema(schema_with = address)]
    pub email: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAddress {
    #[schema(schema_with = address)]
    email: String,
    /// The present one.
    password: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CodeProof)]
pub struct Proof {
    /// As it was answered to who asked for the code.
    ticket: String,
    /// Six digits.
    code: String,
    /// Only with a code that logs in; every token of before ends.
    #[serde(default)]
    #[schema(schema_with = password_or_null)]
    new_password: Option<String>,
}

fn password_or_null() -> Object {
    or_null(text::<PASSWORD_CHARS_MIN, PASSWORD_CHARS_MAX>())
}

/// Beside a code that is not the one.
#[derive(Serialize, ToSchema)]
#[schema(as = WrongCode)]
pub struct CodeTriesLeft {
    #[schema(maximum = 4)]
    tries_left: u32,
}

pub type WrongCode = Extended<CodeTriesLeft>;

impl Members for CodeTriesLeft {
    const KIND: Kind = WRONG_CODE;
}

/// A code is on its way, if there is anybody to write to.
#[derive(Serialize, ToSchema)]
pub struct CodeSent {
    /// Goes with the code: another browser has no use for it.
    ticket: String,
    good_until: Timestamp,
    /// As it was asked for.
    address: String,
}

/// To log in without a password, or to set a new one.
pub async fn ask_to_log_in(
    needs: &Needs,
    knock: &LoginAttempt<'_>,
    email: &str,
    day_max: u32,
) -> Result<CodeSent, Problem> {
    let address = address_of("email", email)?;
    knock.pass()?;
    send(needs, address, CodeFor::LogIn, day_max).await
}

pub async fn ask_to_move(
    needs: &Needs,
    pools: &Pools,
    knock: &LoginAttempt<'_>,
    account: Account,
    move_to: NewAddress,
    day_max: u32,
) -> Result<CodeSent, Problem> {
    let address = address_of("email", &move_to.email)?;
    let account = prove(pools, knock, account, move_to.password).await?;
    if address.shown() == account.email {
        return Err(Problem::field("email", Kind::CONFLICT, "this is the account's address already"));
    }
    send(needs, address, CodeFor::NewAddress { account: account.id }, day_max).await
}

pub async fn send(needs: &Needs, address: Address, purpose: CodeFor, day_max: u32) -> Result<CodeSent, Problem> {
    let shown = address.shown().to_owned();
    let now = needs.clock.now();
    let issued = codes::ask(&*needs.codes, address, purpose, day_max, now).await?;
    count("code", issued.is_some());
    let Some(Issued { ticket, good_until }) = issued else {
        let detail = format!("at most {day_max} codes go to one address a day");
        return Err(Problem::field("email", Kind::TOO_MANY_REQUESTS, detail).retry_after_s(seconds_left_of_day(now)));
    };
    Ok(CodeSent { ticket: ticket.written(), good_until, address: shown })
}

fn seconds_left_of_day(now: Timestamp) -> u32 {
    (86_400 - now.0.div_euclid(1_000).rem_euclid(86_400)) as u32
}

/// The account, as whoever read the mail has it now.
pub async fn prove_code(
    needs: &Needs,
    pools: &Pools,
    knock: &LoginAttempt<'_>,
    proof: Proof,
    network: String,
) -> Result<(Account, Option<Revoked>), Problem> {
    let wrong = |detail| Problem::field("ticket", Kind::INVALID, detail);
    let ticket = Ticket::read(&proof.ticket).ok_or_else(|| wrong("must be a ticket as it was answered"))?;
    let Some(code) = Code::read(&proof.code) else {
        return Err(Problem::field("code", Kind::INVALID, "must be six digits").rule(DIGITS));
    };
    knock.pass()?;
    let (id, digest, at) = (ticket.code, ticket.digest(), needs.clock.now());
    // A hash costs a core for a while: not for a ticket that nobody was given.
    let Some(address) = needs.codes.open_for(id, digest, at).await? else {
        count("proof", false);
        return Err(over());
    };
    if let Some(new) = &proof.new_password {
        check_new_password("new_password", new, &[&address])?;
    }
    let password_hash = match proof.new_password {
        Some(new) => Some(pools.known.hash(new).await.map_err(busy)?),
        None => None,
    };
    let request = RequestId::from_bytes(chance());
    let attempt = CodeTry { id, ticket: digest, code, password_hash, at, network, request };
    let proved = needs.codes.prove(&attempt).await?;
    count("proof", matches!(proved, Proved::Account { .. }));
    match proved {
        Proved::Account { account, revoked } => Ok((account, revoked)),
        Proved::Wrong { tries_left } => {
            let problem = Problem::field("code", WRONG_CODE, "this is not the code that was mailed");
            Err(problem.with_facts(&CodeTriesLeft { tries_left }))
        }
        Proved::Over => Err(over()),
    }
}

fn over() -> Problem {
    Problem::field("code", CODE_OVER, "this code was used, tried too often, or is too old; ask for a new one")
}
