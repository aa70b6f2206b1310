//! Seating plans. A row is written once and never changed.

use async_trait::async_trait;
use serde_json::{Value, json};
use sqlx::Row as _;

use super::dialect::{Connection, Store, insert_new};
use super::{Result, fault, journal};
use crate::adapters::sql::stored::Number;
use crate::domain::audit::journal::{Action, Subject};
use crate::domain::people::author::Author;
use crate::domain::seating::{Plan, PlanHash};
use crate::domain::shared::time::Timestamp;
use crate::ports;
use crate::ports::seating::plans::Plans;

/// What is written of a plan.
struct Keeping {
    hash: PlanHash,
    name: String,
    seats: u64,
    canonical: String,
    now: Timestamp,
    by: Option<Author>,
}

#[async_trait]
impl Plans for Store {
    async fn keep_plan(&self, plan: &Plan, now: Timestamp, by: Option<&Author>) -> ports::Result<bool> {
        let what = Keeping {
            hash: plan.hash(),
            name: plan.layout().name.clone(),
            seats: plan.seat_count() as u64,
            canonical: plan.canonical().to_owned(),
            now,
            by: by.cloned(),
        };
        self.write("plans.keep", what, |c, what| Box::pin(keep(c, what))).await
    }

    async fn plan(&self, hash: PlanHash) -> ports::Result<Option<String>> {
        read(&mut *self.reader().await?, hash).await.map_err(fault)
    }
}

async fn keep(conn: &mut Connection, what: &Keeping) -> Result<bool> {
    let done = sqlx::query(concat!(
        "/* plans.keep */ ",
        insert_new!(),
        " INTO plans (hash, name, seats, canonical, kept_at) VALUES (?, ?, ?, ?, ?)"
    ))
    .bind(what.hash)
    .bind(&what.name)
    .bind(Number(what.seats))
    .bind(what.canonical.as_bytes())
    .bind(what.now)
    .execute(&mut *conn)
    .await?;
    let is_new = done.rows_affected() == 1;
    if is_new {
        let states = [Value::Null, json!({ "hash": what.hash.to_string(), "seats": what.seats })];
        journal::tell(conn, what.by.as_ref(), Action::PlanKept, Subject::Plan(what.hash), states).await?;
    }
    Ok(is_new)
}

async fn read(conn: &mut Connection, hash: PlanHash) -> Result<Option<String>> {
    let found = sqlx::query("/* plans.read */ SELECT canonical FROM plans WHERE hash = ?")
        .bind(hash)
        .fetch_optional(conn)
        .await?;
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).map_err(|error| super::broken(error.to_string()));
    found.map(|found| text(found.try_get("canonical")?)).transpose()
}
