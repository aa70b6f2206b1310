//! Codes that prove an address.

use async_trait::async_trait;
use serde_json::Value;
use sqlx::Row as _;

use super::dialect::{Connection, Row, Store, for_update};
use super::{Result, accounts, bulk, day_counts, fault, is_duplicate, outbox, people, row};
use crate::adapters::sql::codes::{Counted, Purpose};
use crate::domain::audit::journal::Action;
use crate::domain::people::address::Address;
use crate::domain::people::author::{Actor, Author};
use crate::domain::people::code::{CODE_MS_MAX, CODE_TRIES_MAX, Code, TicketDigest};
use crate::domain::people::{Revoked, Role};
use crate::domain::shared::event::{AddressChanged, CodeAsked, Event, Fact};
use crate::domain::shared::id::{BuyerId, CodeId};
use crate::domain::shared::locale::Locale;
use crate::domain::shared::time::Timestamp;
use crate::ports;
use crate::ports::people::accounts::Account;
use crate::ports::people::codes::{Asked, CodeFor, CodeLetter, CodeTry, Codes, LetterAbout, NewCode, Proved};

#[async_trait]
impl Codes for Store {
    async fn ask(&self, code: &NewCode) -> ports::Result<Asked> {
        self.write("codes.ask", code.clone(), |c, code| Box::pin(ask(c, code))).await
    }

    async fn open_for(&self, id: CodeId, ticket: TicketDigest, at: Timestamp) -> ports::Result<Option<String>> {
        let found = found(&mut *self.reader().await?, id).await.map_err(fault)?;
        Ok(found.filter(|found| found.ticket == ticket && found.is_open(at)).map(|found| found.shown))
    }

    async fn prove(&self, attempt: &CodeTry) -> ports::Result<Proved> {
        self.write("codes.prove", attempt.clone(), |c, attempt| Box::pin(prove(c, attempt))).await
    }

    async fn code_letter(&self, id: CodeId, at: Timestamp) -> ports::Result<Option<CodeLetter>> {
        let found = found(&mut *self.reader().await?, id).await.map_err(fault)?;
        Ok(found.filter(|found| found.is_open(at)).and_then(Found::letter))
    }

    async fn former_address(&self, id: CodeId) -> ports::Result<Option<String>> {
        let found = found(&mut *self.reader().await?, id).await.map_err(fault)?;
        Ok(found.and_then(|found| found.former))
    }

    async fn forget_codes(&self, before: Timestamp, max: u32) -> ports::Result<u64> {
        self.write("codes.forget", (before, max), |c, args| Box::pin(forget(c, args))).await
    }
}

struct Found {
    ticket: TicketDigest,
    code: Code,
    purpose: Purpose,
    account: Option<BuyerId>,
    shown: String,
    canonical: String,
    address: Option<String>,
    name: Option<String>,
    password_hash: Option<String>,
    locale: Locale,
    former: Option<String>,
    asked_at: Timestamp,
    tries: u32,
    used_at: Option<Timestamp>,
}

impl Found {
    fn is_open(&self, at: Timestamp) -> bool {
        self.used_at.is_none() && self.tries < CODE_TRIES_MAX && at < self.asked_at.plus_ms(CODE_MS_MAX)
    }

    fn letter(self) -> Option<CodeLetter> {
        let about = match (self.purpose, self.account) {
            (Purpose::SignUp, None) => LetterAbout::SignUp,
            (Purpose::SignUp, Some(_)) => LetterAbout::SignUpAgain,
            (Purpose::LogIn, _) => LetterAbout::LogIn,
            (Purpose::NewAddress, _) => LetterAbout::NewAddress,
        };
        Some(CodeLetter { address: self.address?, locale: self.locale, code: self.code, about })
    }
}

/// Whom a code belongs to, and where it goes.
#[derive(Default)]
struct Owner {
    account: Option<BuyerId>,
    address: Option<String>,
    locale: Option<Locale>,
}

/// An operator's mailbox is no way around the password: nobody is written to.
fn may_be_written(account: &Account) -> bool {
    account.role == Role::Shopper
}

async fn owner(conn: &mut Connection, new: &NewCode) -> Result<Owner> {
    let there = accounts::by_canonical(conn, &new.address.canonical()).await?;
    let own = |account: Account| match may_be_written(&account) {
        true => Owner { account: Some(account.id), address: Some(account.email), locale: Some(account.locale) },
        false => Owner { account: Some(account.id), ..Owner::default() },
    };
    let typed = || Some(new.address.shown().to_owned());
    Ok(match (&new.purpose, there) {
        (CodeFor::SignUp { locale, .. }, None) => Owner { account: None, address: typed(), locale: Some(*locale) },
        (CodeFor::SignUp { .. } | CodeFor::LogIn, Some(account)) => own(account),
        (CodeFor::LogIn, None) => Owner::default(),
        // Another way to write one's own is a new address, too.
        (CodeFor::NewAddress { account }, there) => {
            let is_free = there.is_none_or(|there| there.id == *account);
            let locale = accounts::by_id(conn, *account).await?.map(|account| account.locale);
            Owner { account: Some(*account), address: typed().filter(|_| is_free), locale }
        }
    })
}

async fn ask(conn: &mut Connection, new: &NewCode) -> Result<Asked> {
    let canonical = new.address.canonical();
    if !day_counts::take(conn, &canonical, Counted::Codes, new.asked_at, new.day_max).await? {
        return Ok(Asked::TooMany);
    }
    let Owner { account, address, locale } = owner(conn, new).await?;
    let (purpose, name, password_hash) = match &new.purpose {
        CodeFor::SignUp { name, password_hash, .. } => (Purpose::SignUp, Some(name), Some(password_hash)),
        CodeFor::LogIn => (Purpose::LogIn, None, None),
        CodeFor::NewAddress { .. } => (Purpose::NewAddress, None, None),
    };
    let is_new = account.is_none();
    let is_written = address.is_some();
    sqlx::query(
        "/* codes.ask */ INSERT INTO codes (id, ticket, code, purpose, account, shown, canonical, address, name, \
         password_hash, locale, asked_at, tries) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
    )
    .bind(new.id)
    .bind(new.ticket)
    .bind(new.code)
    .bind(purpose)
    .bind(account)
    .bind(new.address.shown())
    .bind(&canonical)
    .bind(address)
    // What somebody else wrote of an account that is there counts for nothing, and is not kept.
    .bind(name.filter(|_| is_new))
    .bind(password_hash.filter(|_| is_new))
    .bind(locale.map(Locale::tag))
    .bind(new.asked_at)
    .execute(&mut *conn)
    .await?;
    if is_written {
        let fact = Fact::CodeAsked(CodeAsked { code: new.id });
        outbox::write(conn, &[Event::new(fact, 0, new.asked_at)]).await?;
    }
    Ok(Asked::Kept)
}

/// What a [`Found`] is read from.
macro_rules! rows {
    ($name:literal, $($tail:tt)*) => {
        concat!(
            "/* ", $name, " */ SELECT ticket, code, purpose, account, shown, canonical, address, name, password_hash, ",
            "locale, former, asked_at, tries, used_at FROM codes WHERE id = ?",
            $($tail)*
        )
    };
}

async fn found(conn: &mut Connection, id: CodeId) -> Result<Option<Found>> {
    let found = sqlx::query(rows!("codes.found", "")).bind(id).fetch_optional(conn).await?;
    found.as_ref().map(read).transpose()
}

async fn found_locked(conn: &mut Connection, id: CodeId) -> Result<Option<Found>> {
    let found = sqlx::query(rows!("codes.locked", for_update!())).bind(id).fetch_optional(conn).await?;
    found.as_ref().map(read).transpose()
}

fn read(found: &Row) -> Result<Found> {
    Ok(Found {
        ticket: found.try_get("ticket")?,
        code: found.try_get("code")?,
        purpose: found.try_get("purpose")?,
        account: found.try_get("account")?,
        shown: found.try_get("shown")?,
        canonical: found.try_get("canonical")?,
        address: found.try_get("address")?,
        name: found.try_get("name")?,
        password_hash: found.try_get("password_hash")?,
        locale: row::locale(found, "locale")?,
        former: found.try_get("former")?,
        asked_at: found.try_get("asked_at")?,
        tries: row::small(found, "tries")?,
        used_at: found.try_get("used_at")?,
    })
}

async fn prove(conn: &mut Connection, attempt: &CodeTry) -> Result<Proved> {
    let found = found_locked(conn, attempt.id).await?;
    // With another ticket it is another browser, which learns nothing and uses no try up.
    let Some(found) = found.filter(|found| found.ticket == attempt.ticket && found.is_open(attempt.at)) else {
        return Ok(Proved::Over);
    };
    let is_right = found.code == attempt.code;
    sqlx::query("/* codes.try */ UPDATE codes SET tries = tries + 1, used_at = ? WHERE id = ?")
        .bind(is_right.then_some(attempt.at))
        .bind(attempt.id)
        .execute(&mut *conn)
        .await?;
    match found.purpose {
        _ if !is_right => Ok(Proved::Wrong { tries_left: CODE_TRIES_MAX - found.tries - 1 }),
        Purpose::SignUp => sign_up(conn, found, attempt).await,
        Purpose::LogIn => log_in(conn, found.account, attempt).await,
        Purpose::NewAddress => move_to(conn, found, attempt).await,
    }
}

async fn sign_up(conn: &mut Connection, found: Found, attempt: &CodeTry) -> Result<Proved> {
    let (Some(name), Some(password_hash)) = (found.name, found.password_hash) else {
        return log_in(conn, found.account, attempt).await;
    };
    let (id, role, locale) = (BuyerId(0), Role::Shopper, found.locale);
    let new = Account { id, name, email: found.shown, password_hash, role, locale, epoch: 0 };
    let account = match accounts::create(conn, &new).await? {
        Some(account) => account,
        // Signed up meanwhile under another code: whoever reads this mailbox is its owner.
        None => {
            let there = accounts::by_canonical(conn, &found.canonical).await?;
            return log_in(conn, there.map(|account| account.id), attempt).await;
        }
    };
    // So that it goes when the account goes.
    sqlx::query("/* codes.became */ UPDATE codes SET account = ? WHERE id = ?")
        .bind(account.id)
        .bind(attempt.id)
        .execute(conn)
        .await?;
    Ok(Proved::Account { account, revoked: None })
}

async fn log_in(conn: &mut Connection, account: Option<BuyerId>, attempt: &CodeTry) -> Result<Proved> {
    let Some(id) = account else { return Ok(Proved::Over) };
    // One that became an operator's since is none of ours.
    let Some(account) = accounts::by_id(conn, id).await?.filter(may_be_written) else { return Ok(Proved::Over) };
    let Some(new) = &attempt.password_hash else { return Ok(Proved::Account { account, revoked: None }) };
    sqlx::query(
        "/* codes.password */ UPDATE accounts SET password_hash = ?, epoch = epoch + 1, epoch_at = ? \
         WHERE id = ? AND erased_at IS NULL",
    )
    .bind(new)
    .bind(attempt.at)
    .bind(id)
    .execute(&mut *conn)
    .await?;
    people::tell_of_password(conn, id, attempt.at).await?;
    changed(conn, id).await
}

async fn move_to(conn: &mut Connection, found: Found, attempt: &CodeTry) -> Result<Proved> {
    let Some(id) = found.account else { return Ok(Proved::Over) };
    let Some(before) = accounts::by_id(conn, id).await? else { return Ok(Proved::Over) };
    let moved = sqlx::query(
        "/* codes.move */ UPDATE accounts SET email = ?, canonical = ?, epoch = epoch + 1, epoch_at = ? \
         WHERE id = ? AND erased_at IS NULL",
    )
    .bind(&found.shown)
    .bind(&found.canonical)
    .bind(attempt.at)
    .bind(id)
    .execute(&mut *conn)
    .await;
    match moved {
        // Taken meanwhile.
        Err(error) if is_duplicate(&error) => return Ok(Proved::Over),
        moved => moved?,
    };
    sqlx::query("/* codes.former */ UPDATE codes SET former = ? WHERE id = ?")
        .bind(&before.email)
        .bind(attempt.id)
        .execute(&mut *conn)
        .await?;
    // To the old address, whose reader may be somebody else than whoever did this.
    let fact = Fact::AddressChanged(AddressChanged { buyer: id, code: attempt.id });
    let event = Event::new(fact, attempt.id.0, attempt.at);
    let old = Address::canonical_of(&before.email);
    people::notice(conn, &old, Counted::AddressLetters, event).await?;
    if before.role.is_operator() {
        let author = Author {
            actor: Actor::Account(id),
            role: Some(before.role),
            network: attempt.network.clone(),
            request: attempt.request,
            at: attempt.at,
        };
        people::own(conn, Some(&author), Action::AddressSet, id, Value::Null).await?;
    }
    changed(conn, id).await
}

/// The account as it is now, whose tokens of before are no good.
async fn changed(conn: &mut Connection, id: BuyerId) -> Result<Proved> {
    let Some(account) = accounts::by_id(conn, id).await? else { return Ok(Proved::Over) };
    let revoked = Some(Revoked { buyer: id, epoch: account.epoch });
    Ok(Proved::Account { account, revoked })
}

async fn forget(conn: &mut Connection, &(before, max): &(Timestamp, u32)) -> Result<u64> {
    let text = bulk::delete_some!("codes.forget", "codes", "asked_at < ?", "asked_at");
    let forgotten = bulk::delete_until(conn, text, before, max).await?;
    Ok(forgotten + day_counts::forget(conn, before, max).await?)
}
