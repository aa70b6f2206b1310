//! The built-in payment provider, for shops that take no money yet. Its table is its books, apart from the ledger's: a call
//! to it stands for a call to an outside system, and two of its cards fail as one would.
//!
//! A payment is opened, then captured or voided, once; a repeated call gets the same answer. What goes back of it is in a
//! table of its own, and never sums up to more than moved.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::Row as _;

use super::dialect::{Connection, Row, Store, for_update, insert_new};
use super::{Result, Verdict};
use crate::adapters::sql::codes::SandboxState;
use crate::domain::money::payment::{MadeRefund, Refund, RefundAnswer};
use crate::domain::shared::id::PaymentId;
use crate::domain::shared::money::Money;
use crate::ports;
use crate::ports::Fault;
use crate::ports::money::payments::{Captured, Opened, Payments, Provider, Unpayable, Voided};
use crate::ports::money::trial::Trial;

const PART: &str = "payments";

#[derive(Clone)]
pub struct Sandbox {
    store: Store,
    wait: Duration,
}

impl Sandbox {
    pub(in super::super) fn new(store: Store) -> Self {
        Self { store, wait: Duration::from_secs(2) }
    }

    /// How long a card that never answers in time keeps its caller waiting.
    pub fn with_wait(self, wait: Duration) -> Self {
        Self { wait, ..self }
    }

    async fn set(&self, payment: PaymentId, to: SandboxState) -> ports::Result<SandboxState> {
        self.store.write("sandbox.set", (payment, to), |c, args| Box::pin(set(c, args))).await.map_err(ours)
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
        let open = self.store.write("sandbox.open", (payment, amount), |c, args| Box::pin(open(c, args)));
        match open.await.map_err(ours)? {
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

async fn open(conn: &mut Connection, &(payment, amount): &(PaymentId, Money)) -> Result<SandboxState> {
    insert(conn, payment, amount.minor, amount.currency.to_string(), SandboxState::Opened).await?;
    must_state(conn, payment).await
}

/// Captures or voids what is open; a payment that the provider does not know is void from then on.
async fn set(conn: &mut Connection, &(payment, to): &(PaymentId, SandboxState)) -> Result<SandboxState> {
    insert(conn, payment, 0, String::new(), SandboxState::Voided).await?;
    sqlx::query("/* sandbox.set */ UPDATE sandbox_payments SET state = ? WHERE id = ? AND state = ?")
        .bind(to)
        .bind(payment)
        .bind(SandboxState::Opened)
        .execute(&mut *conn)
        .await?;
    must_state(conn, payment).await
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

/// Where there is none yet.
async fn insert(
    conn: &mut Connection,
    payment: PaymentId,
    minor: i64,
    currency: String,
    state: SandboxState,
) -> Result<()> {
    sqlx::query(concat!(
        "/* sandbox.insert */ ",
        insert_new!(),
        " INTO sandbox_payments (id, amount_minor, currency, state) VALUES (?, ?, ?, ?)"
    ))
    .bind(payment)
    .bind(minor)
    .bind(currency)
    .bind(state)
    .execute(conn)
    .await?;
    Ok(())
}

async fn must_state(conn: &mut Connection, payment: PaymentId) -> Result<SandboxState> {
    sqlx::query_scalar("/* sandbox.state */ SELECT state FROM sandbox_payments WHERE id = ?")
        .bind(payment)
        .fetch_one(conn)
        .await
}
