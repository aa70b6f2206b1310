//! Codes that prove an address: asked for, written to its owner, tried.
//!
//! A code and what it is for lie in one row. That it was asked for, that it was tried and what it proves are one transaction each, so
//! that of two who try at once one finds it used, and a crash leaves either all of it or nothing.

use async_trait::async_trait;

use crate::domain::people::Revoked;
use crate::domain::people::address::Address;
use crate::domain::people::code::{Code, TicketDigest};
use crate::domain::shared::id::{BuyerId, CodeId, RequestId};
use crate::domain::shared::locale::Locale;
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;
use crate::ports::people::accounts::Account;

/// What whoever gives the code back gets for it.
#[derive(Clone, PartialEq, Eq)]
pub enum CodeFor {
    /// An account. Where there is one, the code logs in to it, and neither the name nor the password of this request counts.
    SignUp { name: String, password_hash: String, locale: Locale },
    /// To be logged in, and a new password if one is said then. Where there is no account, or an operator's, nobody is written to.
    LogIn,
    /// This address in place of the account's. Where it is another's, nobody is written to.
    NewAddress { account: BuyerId },
}

#[derive(Clone)]
pub struct NewCode {
    pub id: CodeId,
    pub ticket: TicketDigest,
    pub code: Code,
    pub address: Address,
    pub purpose: CodeFor,
    pub asked_at: Timestamp,
    /// Codes of one canonical address a day (UTC).
    pub day_max: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// The same whether anybody is written to or not.
    Kept,
    TooMany,
}

#[derive(Clone)]
pub struct CodeTry {
    pub id: CodeId,
    pub ticket: TicketDigest,
    pub code: Code,
    /// Of the new password, with a code that logs in.
    pub password_hash: Option<String>,
    pub at: Timestamp,
    /// For the journal, where the account turns out to be an operator's: the neighbourhood of who tries, and the request.
    pub network: String,
    pub request: RequestId,
}

#[derive(Clone, PartialEq, Eq)]
pub enum Proved {
    /// The account as it is now; every token of before is refused where it changed.
    Account {
        account: Account,
        revoked: Option<Revoked>,
    },
    Wrong {
        tries_left: u32,
    },
    /// Used, too old, tried too often, or there never was one.
    Over,
}

/// What is written to the owner of an address.
#[derive(Clone, PartialEq, Eq)]
pub struct CodeLetter {
    /// Where it goes: of an account, the account's own, however it was written by who asked.
    pub address: String,
    pub locale: Locale,
    pub code: Code,
    pub about: LetterAbout,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LetterAbout {
    SignUp,
    /// Somebody signed up where there is an account.
    SignUpAgain,
    LogIn,
    NewAddress,
}

#[async_trait]
pub trait Codes: Send + Sync + 'static {
    async fn ask(&self, code: &NewCode) -> Result<Asked>;

    /// The address that was asked for, if a try could succeed at all: before a password is hashed for it.
    async fn open_for(&self, id: CodeId, ticket: TicketDigest, at: Timestamp) -> Result<Option<String>>;

    async fn prove(&self, attempt: &CodeTry) -> Result<Proved>;

    /// `None` once it is over, and where nobody is written to.
    async fn code_letter(&self, id: CodeId, at: Timestamp) -> Result<Option<CodeLetter>>;

    /// Where an account's owner was written to before this code moved it.
    async fn former_address(&self, id: CodeId) -> Result<Option<String>>;

    /// Removes what was asked for before, and counts of days that are over: how many rows.
    async fn forget_codes(&self, asked_before: Timestamp, max: u32) -> Result<u64>;
}
