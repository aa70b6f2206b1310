//! A gateway whose catalogue, exports and reports are read from a copy that follows: the copy is stopped, cut off and late.
//!
//! There is one copy, and what stops it stops it for all tests: one at a time.

use std::process::Command;
use std::time::Duration;

use futures_util::future::FutureExt;
use miaosha::domain::shared::id::SaleId;
use serde_json::Value;
use tokio::sync::{Mutex, MutexGuard};

use crate::gateway::fixture::{Fixture, settings};
use crate::gateway::worlds;
use crate::support::proxy::Proxy;
use crate::support::servers::{facts, mysql_replica_url, unique_name};

static ONE_COPY: Mutex<()> = Mutex::const_new(());
/// For what happens in its own time.
const TRIES_MAX: u32 = 600;
const TRY_AGAIN: Duration = Duration::from_millis(50);

struct Copied {
    fixture: Fixture,
    way: Proxy,
    database: String,
    _alone: MutexGuard<'static, ()>,
}

/// What is running goes on, and follows again, however a test ends.
impl Drop for Copied {
    fn drop(&mut self) {
        tell_copy("START SLAVE");
    }
}

/// As the server's own user: what the shop is given may only read.
fn tell_copy(sql: &str) -> String {
    let facts = facts();
    let mut parts = facts["parts"].as_array().unwrap().iter();
    let folder = parts.find(|part| part["name"] == "mariadb-replica").unwrap()["dir"].as_str().unwrap().to_owned();
    let client = Command::new("mariadb")
        .args(["--socket", &format!("{folder}/data/mariadb.sock"), "-N", "-e", sql])
        .output()
        .unwrap();
    assert!(client.status.success(), "{}", String::from_utf8_lossy(&client.stderr));
    String::from_utf8(client.stdout).unwrap()
}

impl Copied {
    async fn new() -> Self {
        let alone = ONE_COPY.lock().await;
        tell_copy("START SLAVE");
        let url = mysql_replica_url();
        let server = url.rsplit_once('@').unwrap().1.split_once('/').unwrap().0.to_owned();
        let way = Proxy::to(server).await;
        let database = unique_name().replace("miaosha_", "miaosha_replica_");
        let (name, port) = (database.clone(), way.port);
        let fixture = Fixture::make(settings(), move |folder, clock, stops| {
            async move { worlds::on_replica(&name, port, folder, clock, stops).await }.boxed_local()
        })
        .await;
        Self { fixture, way, database, _alone: alone }
    }

    async fn ask(&self, path: &str) -> (u16, Vec<u8>) {
        let answer = self.fixture.get(path, &self.fixture.operator()).await;
        (answer.status.as_u16(), answer.bytes)
    }

    async fn listed(&self) -> Vec<u64> {
        let (status, list) = self.ask("/v1/sales").await;
        assert_eq!(status, 200);
        let list: Value = serde_json::from_slice(&list).unwrap();
        list.as_array().unwrap().iter().map(|sale| sale["id"].as_u64().unwrap()).collect()
    }

    async fn comes_to_list(&self, sale: SaleId) {
        for _ in 0..TRIES_MAX {
            if self.listed().await.contains(&sale.0) {
                return;
            }
            tokio::time::sleep(TRY_AGAIN).await;
        }
        panic!("the copy does not follow: {}", tell_copy("SHOW SLAVE STATUS"));
    }

    /// Rows of the list of orders, and placed orders of the report.
    async fn orders(&self, sale: SaleId) -> (usize, u64) {
        let (status, rows) = self.ask(&format!("/v1/admin/sales/{sale}/exports/orders.csv")).await;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&rows));
        let (status, report) = self.ask(&format!("/v1/admin/sales/{sale}/report")).await;
        assert_eq!(status, 200);
        let report: Value = serde_json::from_slice(&report).unwrap();
        (String::from_utf8(rows).unwrap().lines().count() - 1, report["orders"]["placed"].as_u64().unwrap())
    }

    async fn buys(&self, sale: SaleId, buyer: u64) {
        self.fixture.attempt(sale, buyer, 1).await;
        let token = self.fixture.checkout_token(sale, buyer).await;
        self.fixture.check_out(buyer, &token, "ok").await.is(201);
    }
}

/// Late reads are what shows where they went: the catalogue, lists and reports tell of yesterday, buying goes on as ever.
#[actix_web::test]
async fn a_late_copy_is_shown_and_decides_nothing() {
    let copied = Copied::new().await;
    let fixture = &copied.fixture;
    let old = fixture.sale(5, 0).await.id;
    copied.comes_to_list(old).await;
    copied.buys(old, 1).await;

    tell_copy("STOP SLAVE SQL_THREAD");
    let new = fixture.sale(2, 0).await.id;
    copied.buys(old, 2).await;
    copied.buys(new, 3).await;
    assert!(!copied.listed().await.contains(&new.0), "the copy has not heard of it");
    let left = |shown: Value| shown["left"].as_u64().unwrap();
    let path = format!("/v1/sales/{old}");
    assert!(left(fixture.get(&path, "").await.is(200)) >= 4, "the copy has not heard of the second buyer");
    assert!(copied.orders(old).await.1 <= 1, "nor has the report");
    assert!(copied.orders(old).await.0 <= 1, "nor has the list");

    // The new sale can be bought at once, and a client that names it is not told that there is none.
    let shown = fixture.get(&format!("/v1/sales/{new}"), "").await.is(200);
    assert_eq!(left(shown), 1);
    fixture.post(&format!("/v1/sales/{new}/admission"), &fixture.shopper(4), &serde_json::json!({})).await.is(200);
    let standing = fixture.get(&format!("/v1/sales/{new}/reservation"), &fixture.shopper(3)).await.is(200);
    assert_eq!(standing["status"], "confirmed");
    assert_eq!(fixture.get("/v1/orders", &fixture.shopper(3)).await.is(200).as_array().unwrap().len(), 1);
    fixture.attempt(new, 4, 1).await;
    let mine = fixture.get(&format!("/v1/sales/{new}/reservation"), &fixture.shopper(4)).await.is(200);
    assert_eq!(mine["status"], "held", "a buyer asks the primary");
    let paused = fixture.post(&format!("/v1/admin/sales/{new}/pause"), &fixture.operator(), &Value::Null).await.is(200);
    assert_eq!(paused["phase"], "paused", "an operator sees the change, though the copy does not know it");

    tell_copy("START SLAVE SQL_THREAD");
    copied.comes_to_list(new).await;
    assert_eq!((copied.orders(old).await, copied.orders(new).await), ((2, 2), (1, 1)));
    assert_eq!(left(fixture.get(&path, "").await.is(200)), 3);
}

#[actix_web::test]
async fn without_its_copy_the_catalogue_is_there_and_lists_are_not() {
    let copied = Copied::new().await;
    let fixture = &copied.fixture;
    let sale = fixture.sale(5, 0).await.id;
    copied.comes_to_list(sale).await;
    copied.buys(sale, 1).await;

    let [orders, report] = ["exports/orders.csv", "report"].map(|tail| format!("/v1/admin/sales/{sale}/{tail}"));
    for is_a_hole in [false, true] {
        if is_a_hole {
            copied.way.hole(true)
        } else {
            copied.way.close()
        }
        let new = fixture.sale(1, 0).await.id;
        assert!(copied.listed().await.contains(&new.0), "the primary says what there is");
        fixture.get(&format!("/v1/sales/{sale}"), "").await.is(200);
        if !is_a_hole {
            for path in [&orders, &report] {
                fixture.get(path, &fixture.operator()).await.is_problem(503, "unavailable");
            }
        }
        copied.buys(sale, 2 + u64::from(is_a_hole)).await;
        copied.way.hole(false);
        copied.way.open();
    }
    for _ in 0..TRIES_MAX {
        if copied.ask(&orders).await.0 == 200 && copied.orders(sale).await == (3, 3) {
            return;
        }
        tokio::time::sleep(TRY_AGAIN).await;
    }
    panic!("lists do not come back");
}

/// A gateway's account on the replica cannot write there.
#[actix_web::test]
async fn nobody_writes_to_the_copy() {
    let copied = Copied::new().await;
    copied.comes_to_list(copied.fixture.sale(1, 0).await.id).await;
    let url = format!("{}/{}", mysql_replica_url().rsplit_once('/').unwrap().0, copied.database);
    let mut conn = <sqlx::MySqlConnection as sqlx::Connection>::connect(&url).await.unwrap();
    let refused = sqlx::query("DELETE FROM sales").execute(&mut conn).await.unwrap_err();
    assert!(refused.to_string().contains("denied"), "{refused}");
    assert!(!copied.listed().await.is_empty());
}
