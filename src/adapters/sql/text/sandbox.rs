//! The built-in payment provider, for shops that take no money yet. Its table is its books, apart from the ledger's: a call
//! to it stands for a call to an outside system, and two of its cards fail as one would.
//!
//! A payment is opened, then captured or voided, once; a repeated call gets the same answer. What goes back of it is in a
//! table of its own, and never sums up to more than moved.
//!
//! Calls that are there together share a commit, so that a shop under load does not pay for its stand-in: three statements and a
//! commit for up to 64 of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::Row as _;

use super::bulk::{self, Statement};
use super::dialect::{Connection, Row, Store, for_update, insert_new};
use super::{Result, Verdict};
use crate::adapters::sql::codes::SandboxState;
use crate::domain::money::payment::{MadeRefund, Refund, RefundAnswer};
use crate::domain::shared::id::PaymentId;
use crate::domain::shared::money::Money;
use crate::kit::work::groups::{Groups, Limits, Missed};
use crate::ports;
use crate::ports::Fault;
use crate::ports::money::payments::{Captured, Opened, Payments, Provider, Unpayable, Voided};
use crate::ports::money::trial::Trial;
use crate::ports::platform::tasks::Tasks;

const PART: &str = "payments";

/// Calls in one commit, and assignments in one of its statements, at most.
const GROUP_MAX: usize = 64;
/// Calls that wait, at most; a caller that comes then waits for a place.
const WAITING_MAX: usize = 1_024;

/// What is asked of a payment: to open it, or to capture or void it.
type Ask = (PaymentId, Deed);

#[derive(Debug, Clone, Copy)]
enum Deed {
    Open(Money),
    Set(SandboxState),
}

#[derive(Clone)]
pub struct Sandbox {
    store: Store,
    books: Arc<Groups<Ask, ports::Result<SandboxState>>>,
    wait: Duration,
}

impl Sandbox {
    pub(in super::super) fn new(store: Store, tasks: &dyn Tasks) -> Self {
        let (limits, books) = (Limits { group_max: GROUP_MAX, waiting_max: WAITING_MAX }, store.clone());
        let books = Groups::start(tasks, "sandbox", limits, move |asks| write_down(books.clone(), asks));
        Self { store, books: Arc::new(books), wait: Duration::from_secs(2) }
    }

    /// How long a card that never answers in time keeps its caller waiting.
    pub fn with_wait(self, wait: Duration) -> Self {
        Self { wait, ..self }
    }

    async fn ask(&self, payment: PaymentId, deed: Deed) -> ports::Result<SandboxState> {
        let missed = |_: Missed| Fault::new(PART, "the sandbox has stopped");
        self.books.ask((payment, deed)).await.map_err(missed)?
    }

    async fn set(&self, payment: PaymentId, to: SandboxState) -> ports::Result<SandboxState> {
        self.ask(payment, Deed::Set(to)).await
    }

    async fn silence(&self) -> Fault {
        tokio::time::sleep(self.wait).await;
        Fault::new(PART, "no answer in time")
    }
}

#[async_trait]
impl Payments for Sandbox {
    fn provider(&self) -> Provider {
        Provider::Sandbox
    }

    fn check(&self, amount: Money) -> ports::Result<(), Unpayable> {
        Trial::takes(amount)
    }

    async fn open(&self, payment: PaymentId, amount: Money) -> ports::Result<Opened> {
        if let Err(unpayable) = self.check(amount) {
            return Ok(Opened::Refused(unpayable));
        }
        match self.ask(payment, Deed::Open(amount)).await? {
            SandboxState::Voided => Err(Fault::new(PART, "the payment is void")),
            _ => Ok(Opened::Opened),
        }
    }

    async fn capture(&self, payment: PaymentId, card: &str) -> ports::Result<Captured> {
        let (to, why) = match Trial::of(card) {
            Trial::Captured => (SandboxState::Captured, "the payment is void"),
            Trial::Declined { why } => (SandboxState::Voided, why),
            Trial::Silent => return Err(self.silence().await),
            Trial::Late => {
                self.set(payment, SandboxState::Captured).await?;
                return Err(self.silence().await);
            }
        };
        Ok(match self.set(payment, to).await? {
            SandboxState::Captured => Captured::Captured,
            _ => Captured::Declined { why: why.to_owned() },
        })
    }

    async fn fingerprint(&self, card: &str) -> ports::Result<Option<String>> {
        Ok(Trial::fingerprint(card))
    }

    async fn void(&self, payment: PaymentId) -> ports::Result<Voided> {
        Ok(match self.set(payment, SandboxState::Voided).await? {
            SandboxState::Captured => Voided::Captured,
            _ => Voided::Voided,
        })
    }

    async fn refund(&self, of: &Refund, _tries: u32) -> ports::Result<RefundAnswer> {
        let refund = self.store.transact("sandbox.refund", *of, |c, of| Box::pin(refund(c, of)));
        Ok(match refund.await.map_err(ours)? {
            true => RefundAnswer::Done,
            false => RefundAnswer::Refused { code: "more_than_is_left".to_owned() },
        })
    }

    /// All of them are ours: the sandbox has no dashboard in which others are made.
    async fn refunds(&self, payment: PaymentId) -> ports::Result<Vec<MadeRefund>> {
        let mut conn = self.store.reader().await.map_err(ours)?;
        refunds(&mut conn, payment).await.map_err(super::fault).map_err(ours)
    }

    async fn kept_minor(&self, payment: PaymentId) -> ports::Result<i64> {
        let mut conn = self.store.reader().await.map_err(ours)?;
        kept(&mut conn, payment).await.map_err(super::fault).map_err(ours)
    }
}

fn ours(fault: Fault) -> Fault {
    fault.of(PART)
}

/// All of them or none.
async fn write_down(store: Store, asks: Vec<Ask>) -> Vec<ports::Result<SandboxState>> {
    let count = asks.len();
    match store.write("sandbox.group", asks, |c, asks| Box::pin(group(c, asks))).await {
        Ok(states) => states.into_iter().map(Ok).collect(),
        Err(fault) => vec![Err(ours(fault)); count],
    }
}

/// Opens, captures or voids what is open; a payment that the provider does not know is void from then on. The state of each.
async fn group(conn: &mut Connection, asks: &[Ask]) -> Result<Vec<SandboxState>> {
    // The first word about a payment counts. In the order in which all transactions lock.
    let (mut new, mut sets) = (BTreeMap::new(), BTreeMap::new());
    for &(payment, deed) in asks {
        new.entry(payment).or_insert(match deed {
            Deed::Open(amount) => (amount.minor, amount.currency.to_string(), SandboxState::Opened),
            Deed::Set(_) => (0, String::new(), SandboxState::Voided),
        });
        if let Deed::Set(to) = deed {
            sets.entry(payment).or_insert(to);
        }
    }
    let new: Vec<_> = new.into_iter().collect();
    for new in bulk::pieces(&new, bulk::ROWS_MAX) {
        let mut query = Statement::new(concat!(
            "/* sandbox.insert */ ",
            insert_new!(),
            " INTO sandbox_payments (id, amount_minor, currency, state) "
        ));
        query.push_rows(new, |values, (payment, (minor, currency, state))| {
            values.bind(*payment).bind(*minor).bind(currency).bind(*state);
        });
        query.build()?.execute(&mut *conn).await?;
    }
    let sets: Vec<_> = sets.into_iter().collect();
    for sets in sets.chunks(GROUP_MAX) {
        let mut query = Statement::new("/* sandbox.set */ UPDATE sandbox_payments SET state = ");
        query.push_by_id(sets.iter().copied());
        query.push(" WHERE id IN ").push_list(sets.iter().map(|(payment, _)| payment));
        query.push(" AND state = ").push_bind(SandboxState::Opened);
        query.build()?.execute(&mut *conn).await?;
    }
    let mut states = HashMap::with_capacity(new.len());
    for new in new.chunks(bulk::ROWS_MAX) {
        let mut query = Statement::new("/* sandbox.states */ SELECT id, state FROM sandbox_payments WHERE id IN ");
        query.push_list(new.iter().map(|(payment, _)| payment));
        for found in query.build()?.fetch_all(&mut *conn).await? {
            states.insert(found.try_get::<PaymentId, _>("id")?, found.try_get("state")?);
        }
    }
    asks.iter().map(|(payment, _)| states.get(payment).copied().ok_or(sqlx::Error::RowNotFound)).collect()
}

/// The payment is locked, so that refunds of it follow each other; `false`, and nothing is written, when too much would go
/// back, or of another currency.
async fn refund(conn: &mut Connection, of: &Refund) -> Result<Verdict<bool>> {
    let currency: Option<String> = sqlx::query_scalar(concat!(
        "/* sandbox.refund.lock */ SELECT currency FROM sandbox_payments WHERE id = ?",
        for_update!()
    ))
    .bind(of.payment)
    .fetch_optional(&mut *conn)
    .await?;
    sqlx::query(concat!(
        "/* sandbox.refund */ ",
        insert_new!(),
        " INTO sandbox_refunds (id, payment, amount_minor) VALUES (?, ?, ?)"
    ))
    .bind(of.id)
    .bind(of.payment)
    .bind(of.amount.minor)
    .execute(&mut *conn)
    .await?;
    let fits = currency == Some(of.amount.currency.to_string()) && kept(conn, of.payment).await? >= 0;
    Ok(if fits { Verdict::Keep(true) } else { Verdict::Undo(false) })
}

async fn refunds(conn: &mut Connection, payment: PaymentId) -> Result<Vec<MadeRefund>> {
    let found = sqlx::query("/* sandbox.refunds */ SELECT id, amount_minor FROM sandbox_refunds WHERE payment = ?")
        .bind(payment)
        .fetch_all(conn)
        .await?;
    let made = |found: &Row| {
        let (id, minor) = (found.try_get("id")?, found.try_get("amount_minor")?);
        Ok(MadeRefund { id, by_us: true, minor, answer: RefundAnswer::Done })
    };
    found.iter().map(made).collect()
}

/// What moved, less what went back.
async fn kept(conn: &mut Connection, payment: PaymentId) -> Result<i64> {
    sqlx::query_scalar(
        "/* sandbox.kept */ SELECT COALESCE((SELECT amount_minor FROM sandbox_payments WHERE id = ? \
         AND state = ?), 0) - (SELECT CAST(COALESCE(SUM(amount_minor), 0) AS SIGNED) FROM sandbox_refunds \
         WHERE payment = ?)",
    )
    .bind(payment)
    .bind(SandboxState::Captured)
    .bind(payment)
    .fetch_one(conn)
    .await
}
