//! (being built)
pub use crate::adapters::sqlite::{Sandbox, SqliteStore as MysqlStore};
impl crate::adapters::sqlite::SqliteStore {
    pub async fn connect(_: &str, _: u32) -> crate::ports::Result<Self> {
        Err(crate::ports::Fault::new("ledger", "not yet"))
    }
}
