//! A line of the log names the trace it was written in.

use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use miaosha::adapters::rabbit::{RabbitBroker, RabbitConfig};
use miaosha::adapters::sql::mysql::MysqlStore;
use miaosha::domain::sale::attempt::{Attempt, Batch};
use miaosha::domain::shared::id::{BatchId, BuyerId, SaleId};
use miaosha::domain::shared::trace::{Mark, Trace};
use miaosha::kit::work::lifecycle::Lifecycle;
use miaosha::ports::sale::attempts::Attempts;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, MySqlConnection};

use crate::support::servers::{mysql_url, rabbit_url, redis_url, unique_name};

const TRACE: u128 = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736;

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A batch of an unknown sale: the consumer says so, and drops it. It exports nothing, and passes on what comes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_within_traced_work_names_its_trace() {
    let (namespace, name) = (unique_name(), unique_name());
    let mut conn = MySqlConnection::connect(&mysql_url()).await.unwrap();
    sqlx::query(AssertSqlSafe(format!("CREATE DATABASE `{name}`"))).execute(&mut conn).await.unwrap();
    let url = format!("{}/{name}", mysql_url().rsplit_once('/').unwrap().0);
    MysqlStore::connect(&url, 1).await.unwrap().migrate().await.unwrap();
    let config = RabbitConfig {
        at: rabbit_url().as_str().into(),
        namespace: namespace.clone(),
        partitions: 4,
        queue_messages_max: 100_000,
        confirm_ms: 10_000,
    };
    let broker = RabbitBroker::connect(config, Lifecycle::new().tasks()).await.unwrap();
    let id = BatchId::new(1, 7);
    let batch = |chance, traced| Batch {
        id: BatchId::new(1, chance),
        sale: SaleId(1),
        attempts: vec![Attempt { buyer: BuyerId(1), quantity: 1, waits: true }],
        traced,
    };
    let mark = Mark { of: id.attempt(0).into(), trace: Trace { id: TRACE, span: 0xab } };
    broker.submit(batch(7, vec![mark])).await.unwrap();

    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let mut command = Command::new(env!("CARGO_BIN_EXE_consumer"));
    command.env("MIAOSHA__NAMESPACE", &namespace).env("MIAOSHA__REDIS__URL", redis_url());
    command.env("MIAOSHA__RABBIT__URL", rabbit_url()).env("MIAOSHA__MYSQL__URL", url).env("RUST_LOG", "info");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log).unwrap());
    let _consumer = Killed(command.spawn().unwrap());

    let first = said(&log, 1).await.remove(0);
    assert_eq!(first["trace_id"], format!("{TRACE:032x}"), "{first}");
    assert_eq!(first["span_id"], format!("{:016x}", 0xab), "the span that is passed on: {first}");
    assert_eq!((&first["service"], &first["level"]), (&Value::from("consumer"), &Value::from("ERROR")));
    assert_eq!((&first["sale.id"], &first["attempts"]), (&Value::from("1"), &Value::from(1)));
    assert!(first["timestamp"].as_str().is_some_and(|at| at.ends_with('Z')) && first["target"].is_string(), "{first}");

    // One that is not traced says nothing of a trace.
    broker.submit(batch(8, Vec::new())).await.unwrap();
    let second = said(&log, 2).await.remove(1);
    assert_eq!((&second["trace_id"], &second["span_id"]), (&Value::Null, &Value::Null));
}

/// What the consumer said of batches it drops.
async fn said(log: &std::path::Path, lines: usize) -> Vec<Value> {
    for _ in 0..600 {
        let text = std::fs::read_to_string(log).unwrap();
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let all = whole.lines().map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("{line}")));
        let dropped: Vec<Value> =
            all.filter(|line| line["message"].as_str().is_some_and(|text| text.contains("unknown sale"))).collect();
        if dropped.len() >= lines {
            return dropped;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{}", std::fs::read_to_string(log).unwrap());
}
