//! Leases of sales that are decided from a consumer's memory. A restore takes and gives them in its own transaction.

use async_trait::async_trait;
use serde_json::{Value, json};
use sqlx::Row as _;

use super::dialect::{Connection, Row, Store, ledger_time};
use super::{Result, fault, journal, row};
use crate::adapters::sql::stored::Number;
use crate::domain::audit::journal::{Action, Subject};
use crate::domain::people::author::Author;
use crate::domain::shared::id::SaleId;
use crate::ports;
use crate::ports::sale::fallback::{Fallbacks, SaleLease};

/// Of a row of `sales`: who has a valid lease, or 0.
macro_rules! leased_by {
    () => {
        concat!("CASE WHEN sales.fallback_until > (", ledger_time!(), ") THEN sales.fallback_by ELSE 0 END")
    };
}

pub(super) use leased_by;

async fn renew(conn: &mut Connection, &(sale, generation, lease): &(SaleId, u64, SaleLease)) -> Result<bool> {
    let renewed = sqlx::query(concat!(
        "/* fallback.renew */ UPDATE sales SET fallback_until = (",
        ledger_time!(),
        ") + ? WHERE id = ? AND generation = ? AND fallback_by = ?"
    ))
    .bind(lease.ms)
    .bind(sale)
    .bind(Number(generation))
    .bind(Number(lease.by))
    .execute(conn)
    .await?;
    Ok(renewed.rows_affected() > 0)
}

async fn give_back(conn: &mut Connection, &(sale, by): &(SaleId, u64)) -> Result<()> {
    sqlx::query("/* fallback.give_back */ UPDATE sales SET fallback_until = 0 WHERE id = ? AND fallback_by = ?")
        .bind(sale)
        .bind(Number(by))
        .execute(conn)
        .await?;
    Ok(())
}

async fn want(conn: &mut Connection, (sale, wanted, by): &(SaleId, bool, Option<Author>)) -> Result<bool> {
    let wants = sqlx::query("/* fallback.want */ UPDATE sales SET fallback_wanted = ? WHERE id = ?")
        .bind(i64::from(*wanted))
        .bind(*sale)
        .execute(&mut *conn)
        .await?;
    if wants.rows_affected() == 0 {
        return Ok(false);
    }
    let states = [Value::Null, json!({ "on": wanted })];
    journal::tell(conn, by.as_ref(), Action::FallbackSet, Subject::Sale(*sale), states).await?;
    Ok(true)
}

async fn is_wanted(conn: &mut Connection, sale: SaleId) -> Result<bool> {
    let wanted: Option<i64> =
        sqlx::query_scalar("/* fallback.is_wanted */ SELECT fallback_wanted FROM sales WHERE id = ?")
            .bind(sale)
            .fetch_optional(conn)
            .await?;
    Ok(wanted.is_some_and(|wanted| wanted != 0))
}

async fn leased(conn: &mut Connection) -> Result<Vec<(SaleId, SaleLease)>> {
    let found = sqlx::query(concat!(
        "/* fallback.leased */ SELECT id, fallback_by, fallback_partitions, fallback_until - (",
        ledger_time!(),
        ") AS ms FROM sales WHERE fallback_until > (",
        ledger_time!(),
        ") ORDER BY id"
    ))
    .fetch_all(conn)
    .await?;
    let lease = |found: &Row| -> Result<(SaleId, SaleLease)> {
        let (by, partitions) = (row::number(found, "fallback_by")?, row::number(found, "fallback_partitions")?);
        Ok((found.try_get("id")?, SaleLease { by, ms: found.try_get("ms")?, partitions: partitions as u16 }))
    };
    found.iter().map(lease).collect()
}

#[async_trait]
impl Fallbacks for Store {
    async fn renew(&self, sale: SaleId, generation: u64, lease: &SaleLease) -> ports::Result<bool> {
        self.write("fallback.renew", (sale, generation, *lease), |c, args| Box::pin(renew(c, args))).await
    }

    async fn give_back(&self, sale: SaleId, by: u64) -> ports::Result<()> {
        self.write("fallback.give_back", (sale, by), |c, args| Box::pin(give_back(c, args))).await
    }

    async fn is_wanted(&self, sale: SaleId) -> ports::Result<bool> {
        is_wanted(&mut *self.reader().await?, sale).await.map_err(fault)
    }

    async fn want(&self, sale: SaleId, wanted: bool, by: Option<&Author>) -> ports::Result<bool> {
        self.write("fallback.want", (sale, wanted, by.cloned()), |c, args| Box::pin(want(c, args))).await
    }

    async fn leased(&self) -> ports::Result<Vec<(SaleId, SaleLease)>> {
        leased(&mut *self.reader().await?).await.map_err(fault)
    }
}
