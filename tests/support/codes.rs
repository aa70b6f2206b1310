//! The code of a mail, read where it lies: for stories that are about something else.

use std::path::Path;

use miaosha::domain::people::code::{Code, Ticket};
use serde_json::Value;
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

fn id(sent: &Value) -> Vec<u8> {
    Ticket::read(sent["ticket"].as_str().unwrap()).expect("a ticket").code.to_bytes().to_vec()
}

fn said(number: i64) -> String {
    Code::of_number(number as u32).unwrap().said()
}

/// Of a shop in one process.
pub async fn in_folder(state: &Path, sent: &Value) -> String {
    let options = SqliteConnectOptions::new().filename(state.join("ledger.sqlite")).read_only(true);
    let mut conn = options.connect().await.unwrap();
    said(sqlx::query_scalar("SELECT code FROM codes WHERE id = ?").bind(id(sent)).fetch_one(&mut conn).await.unwrap())
}
