//! The built-in payment provider, for shops that take no money yet. Its table is its books, apart from the ledger's: a call
//! to it is a call to somebody else's system, and two of its cards make that felt.
//!
//! A payment is opened, then captured or voided, once; whoever asks again gets the same answer.

use std::time::Duration;

use super::dialect::{Connection, Store, insert_new};
use super::{Result, row};
use crate::domain::id::PaymentId;
use crate::domain::money::Money;
use crate::ports;
use crate::ports::Fault;
use crate::ports::payments::{Captured, Payments, Voided};

const PART: &str = "payments";
const OPENED: i64 = 1;
const CAPTURED: i64 = 2;
const VOIDED: i64 = 3;
const REFUNDED: i64 = 4;

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

    async fn set(&self, payment: PaymentId, to: i64) -> ports::Result<i64> {
        self.store.write("sandbox.set", (payment, to), |c, args| Box::pin(set(c, args))).await.map_err(ours)
    }

    async fn silence(&self) -> Fault {
        tokio::time::sleep(self.wait).await;
        Fault::new(PART, "no answer in time")
    }
}

impl Payments for Sandbox {
    async fn open(&self, payment: PaymentId, amount: Money) -> ports::Result<()> {
        let open = self.store.write("sandbox.open", (payment, amount), |c, args| Box::pin(open(c, args)));
        match open.await.map_err(ours)? {
            VOIDED => Err(Fault::new(PART, "the payment is void")),
            _ => Ok(()),
        }
    }

    async fn capture(&self, payment: PaymentId, card: &str) -> ports::Result<Captured> {
        let (to, why) = match card {
            "ok" => (CAPTURED, "the payment is void"),
            "declined" => (VOIDED, "card declined"),
            "timeout" => return Err(self.silence().await),
            "late" => {
                self.set(payment, CAPTURED).await?;
                return Err(self.silence().await);
            }
            _ => (VOIDED, "unknown card"),
        };
        Ok(match self.set(payment, to).await? {
            CAPTURED | REFUNDED => Captured::Captured,
            _ => Captured::Declined { why: why.to_owned() },
        })
    }

    async fn void(&self, payment: PaymentId) -> ports::Result<Voided> {
        Ok(match self.set(payment, VOIDED).await? {
            CAPTURED | REFUNDED => Voided::Captured,
            _ => Voided::Voided,
        })
    }

    async fn refund(&self, payment: PaymentId) -> ports::Result<()> {
        let refund = self.store.write("sandbox.refund", payment, |c, payment| Box::pin(refund(c, payment)));
        match refund.await.map_err(ours)? {
            Some(REFUNDED) => Ok(()),
            _ => Err(Fault::new(PART, "no money moved that could go back")),
        }
    }

    async fn is_captured(&self, payment: PaymentId) -> ports::Result<bool> {
        let mut conn = self.store.reader().await.map_err(ours)?;
        let state = state(&mut conn, payment).await.map_err(super::fault).map_err(ours)?;
        Ok(state == Some(CAPTURED))
    }
}

fn ours(fault: Fault) -> Fault {
    Fault { part: PART, ..fault }
}

async fn open(conn: &mut Connection, &(payment, amount): &(PaymentId, Money)) -> Result<i64> {
    insert(conn, payment, amount.minor, amount.currency.to_string(), OPENED).await?;
    must_state(conn, payment).await
}

/// Captures or voids what is open; what the provider never heard of is void from then on.
async fn set(conn: &mut Connection, &(payment, to): &(PaymentId, i64)) -> Result<i64> {
    insert(conn, payment, 0, String::new(), VOIDED).await?;
    sqlx::query("/* sandbox.set */ UPDATE sandbox_payments SET state = ? WHERE id = ? AND state = 1")
        .bind(to)
        .bind(payment.to_bytes().to_vec())
        .execute(&mut *conn)
        .await?;
    must_state(conn, payment).await
}

async fn refund(conn: &mut Connection, payment: &PaymentId) -> Result<Option<i64>> {
    sqlx::query("/* sandbox.refund */ UPDATE sandbox_payments SET state = 4 WHERE id = ? AND state = 2")
        .bind(payment.to_bytes().to_vec())
        .execute(&mut *conn)
        .await?;
    state(conn, *payment).await
}

/// Where there is none yet.
async fn insert(conn: &mut Connection, payment: PaymentId, minor: i64, currency: String, state: i64) -> Result<()> {
    sqlx::query(concat!(
        "/* sandbox.insert */ ",
        insert_new!(),
        " INTO sandbox_payments (id, amount_minor, currency, state) VALUES (?, ?, ?, ?)"
    ))
    .bind(payment.to_bytes().to_vec())
    .bind(minor)
    .bind(currency)
    .bind(state)
    .execute(conn)
    .await?;
    Ok(())
}

async fn state(conn: &mut Connection, payment: PaymentId) -> Result<Option<i64>> {
    let found = sqlx::query("/* sandbox.state */ SELECT state FROM sandbox_payments WHERE id = ?")
        .bind(payment.to_bytes().to_vec())
        .fetch_optional(conn)
        .await?;
    found.map(|found| row::small(&found, 0)).transpose()
}

async fn must_state(conn: &mut Connection, payment: PaymentId) -> Result<i64> {
    state(conn, payment).await?.ok_or(sqlx::Error::RowNotFound)
}
