//! Whether the database has every step that this binary knows. A newer one may have more: old and new run side by side.

use std::collections::HashMap;

use sqlx::Row as _;

use super::Result;
use super::dialect::{Connection, MIGRATIONS};
use crate::ports::{self, Fault};

pub(in super::super) async fn verify(conn: &mut Connection) -> ports::Result<()> {
    let applied = applied(conn).await.map_err(|error| missing(format!("there is no schema ({error})")))?;
    for step in MIGRATIONS.iter() {
        let name = format!("{:04} {}", step.version, step.description);
        match applied.get(&step.version) {
            None => return Err(missing(format!("migration {name} is missing"))),
            Some(checksum) if checksum[..] != step.checksum[..] => {
                return Err(Fault::new("ledger", format!("migration {name} is not the one this binary knows")));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn missing(what: String) -> Fault {
    Fault::new("ledger", format!("{what}: run `miaosha migrate`"))
}

async fn applied(conn: &mut Connection) -> Result<HashMap<i64, Vec<u8>>> {
    let found = sqlx::query("/* schema.verify */ SELECT version, checksum FROM _sqlx_migrations WHERE success = TRUE")
        .fetch_all(conn)
        .await?;
    found.iter().map(|found| Ok((found.try_get("version")?, found.try_get("checksum")?))).collect()
}
