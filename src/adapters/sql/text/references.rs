//! What an outside provider calls our payments.
//!
//! Of "the provider answered" and "no request waits for it any more" one write wins, and the other finds out: money only moves
//! of a payment whose name is here.

use async_trait::async_trait;
use sqlx::Row as _;

use super::dialect::{Connection, Row, Store, insert_new};
use super::{Result, fault, row};
use crate::domain::shared::id::PaymentId;
use crate::domain::shared::money::Money;
use crate::ports;
use crate::ports::money::payments::{Reference, References};

#[async_trait]
impl References for Store {
    async fn ask(&self, payment: PaymentId, amount: Money) -> ports::Result<Reference> {
        self.write("references.ask", (payment, amount), |c, args| Box::pin(ask(c, args))).await
    }

    async fn name(&self, payment: PaymentId, theirs: &str) -> ports::Result<Reference> {
        self.write("references.name", (payment, theirs.to_owned()), |c, args| Box::pin(name(c, args))).await
    }

    async fn void_reference(&self, payment: PaymentId) -> ports::Result<Reference> {
        self.write("references.forgo", payment, |c, payment| Box::pin(void_reference(c, *payment))).await
    }

    async fn reference(&self, payment: PaymentId) -> ports::Result<Option<Reference>> {
        fetch(&mut *self.reader().await?, payment).await.map_err(fault)
    }

    async fn named(&self, theirs: &str) -> ports::Result<Option<PaymentId>> {
        named(&mut *self.reader().await?, theirs).await.map_err(fault)
    }
}

async fn ask(conn: &mut Connection, &(payment, amount): &(PaymentId, Money)) -> Result<Reference> {
    insert(conn, payment, amount.minor, amount.currency.to_string(), false).await?;
    must_fetch(conn, payment).await
}

async fn name(conn: &mut Connection, (payment, theirs): &(PaymentId, String)) -> Result<Reference> {
    sqlx::query(
        "/* references.name */ UPDATE payment_references SET theirs = ? \
         WHERE payment = ? AND theirs IS NULL AND void = 0",
    )
    .bind(theirs)
    .bind(payment)
    .execute(&mut *conn)
    .await?;
    must_fetch(conn, *payment).await
}

async fn void_reference(conn: &mut Connection, payment: PaymentId) -> Result<Reference> {
    insert(conn, payment, 0, String::new(), true).await?;
    sqlx::query(
        "/* references.void_reference */ UPDATE payment_references SET void = 1 WHERE payment = ? AND theirs IS NULL",
    )
    .bind(payment)
    .execute(&mut *conn)
    .await?;
    must_fetch(conn, payment).await
}

/// Where there is none yet.
async fn insert(conn: &mut Connection, payment: PaymentId, minor: i64, currency: String, void: bool) -> Result<()> {
    sqlx::query(concat!(
        "/* references.insert */ ",
        insert_new!(),
        " INTO payment_references (payment, amount_minor, currency, theirs, void) VALUES (?, ?, ?, NULL, ?)"
    ))
    .bind(payment)
    .bind(minor)
    .bind(currency)
    .bind(void)
    .execute(conn)
    .await?;
    Ok(())
}

async fn fetch(conn: &mut Connection, payment: PaymentId) -> Result<Option<Reference>> {
    let found = sqlx::query(
        "/* references.fetch */ SELECT amount_minor, currency, theirs, void FROM payment_references WHERE payment = ?",
    )
    .bind(payment)
    .fetch_optional(conn)
    .await?;
    found.as_ref().map(reference).transpose()
}

async fn must_fetch(conn: &mut Connection, payment: PaymentId) -> Result<Reference> {
    fetch(conn, payment).await?.ok_or(sqlx::Error::RowNotFound)
}

fn reference(found: &Row) -> Result<Reference> {
    if let Some(theirs) = found.try_get("theirs")? {
        return Ok(Reference::Known(theirs));
    }
    let currency: String = found.try_get("currency")?;
    let is_void: bool = found.try_get("void")?;
    if is_void && currency.is_empty() {
        return Ok(Reference::Void(None));
    }
    let money = row::money(found, "amount_minor")?;
    Ok(if is_void { Reference::Void(Some(money)) } else { Reference::Asked(money) })
}

async fn named(conn: &mut Connection, theirs: &str) -> Result<Option<PaymentId>> {
    let found = sqlx::query("/* references.named */ SELECT payment FROM payment_references WHERE theirs = ?")
        .bind(theirs)
        .fetch_optional(conn)
        .await?;
    found.map(|found| found.try_get("payment")).transpose()
}
