//! The lines that a new shop prints, pasted into a shell all at once: each is answered, and none by a problem. In both worlds.

use std::process::Stdio;

use futures_util::future::join_all;
use miaosha::adapters::sql::sqlite::SqliteStore;
use miaosha::domain::people::Role;
use miaosha::domain::sale::{Allotment, Question};
use miaosha::domain::shared::locale::Locale;
use miaosha::faces::account::passwords::hash_now;
use miaosha::kit::work::lifecycle::Lifecycle;
use miaosha::ports::people::accounts::Accounts;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

use crate::nginx::front::Fleet;
use crate::support::fleet::Offer;
use crate::support::servers::{rabbit_url, redis_url};

/// What it printed: where it is, and what to try.
struct Printed {
    url: String,
    lines: String,
    operator: String,
    _shop: Child,
    folder: TempDir,
}

/// A shop no one was in before, up to the moment at which its lines are there to be read.
async fn printed() -> Printed {
    let folder = TempDir::new().unwrap();
    let mut shop = Command::new(env!("CARGO_BIN_EXE_miaosha"))
        .args(["serve", "--listen", "127.0.0.1:0", "--inner-listen", "127.0.0.1:0", "--state"])
        .arg(folder.path().join("state"))
        .env("RUST_LOG", "error")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut said = BufReader::new(shop.stdout.take().unwrap()).lines();
    let mut all = Vec::new();
    while all.last().is_none_or(|line: &String| !line.starts_with("The operator is")) {
        all.push(said.next_line().await.unwrap().expect("a shop says what to try"));
    }
    let url = all[0].split(' ').find(|word| word.starts_with("http://")).unwrap().to_owned();
    let operator = all.last().unwrap().clone();
    let lines: Vec<String> = all.into_iter().filter(|line| line.starts_with("  ")).collect();
    Printed { url, lines: lines.join("\n"), operator, _shop: shop, folder }
}

impl Printed {
    /// The same lines for another buyer, at this shop's sale or at another's.
    fn by(&self, name: &str, url: &str, sale: &str) -> String {
        let lines = self.lines.replace("demo@miaosha.test", &email(name)).replace(&self.url, url);
        lines.replace("/v1/sales/1/", &format!("/v1/sales/{sale}/"))
    }

    async fn store(&self) -> SqliteStore {
        let ledger = self.folder.path().join("state/ledger.sqlite");
        SqliteStore::open(&ledger, Lifecycle::new().tasks()).await.unwrap()
    }
}

fn email(name: &str) -> String {
    format!("{name}@example.org")
}

/// With the password that the lines say.
async fn accounts(store: &impl Accounts, names: &[String]) {
    let hash = hash_now("demodemo");
    for name in names {
        store.create_account(name, &email(name), &hash, Role::Shopper, Locale::En, None).await.unwrap().unwrap();
    }
}

/// What a shell answers that is given all of it at once.
async fn pasted(lines: &str) -> Vec<Value> {
    let mut shell =
        Command::new("sh").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    shell.stdin.take().unwrap().write_all(format!("{lines}\n").as_bytes()).await.unwrap();
    let output = shell.wait_with_output().await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{said}");
    said.lines().filter(|line| !line.starts_with("- ")).map(|line| serde_json::from_str(line).expect(&said)).collect()
}

/// Asked, accepted, held, bought, and in the list.
#[track_caller]
fn bought(answers: &[Value]) {
    let [question, accepted, held, order, orders] = answers else { panic!("{answers:?}") };
    assert!(question["question"]["prompt"].is_string(), "{question}");
    assert_eq!(
        (&accepted["status"], accepted["attempt_id"].is_string()),
        (&Value::from("accepted"), true),
        "{accepted}"
    );
    assert_eq!((&held["status"], held["checkout_token"].is_string()), (&Value::from("held"), true), "{held}");
    assert_eq!(order["units"].as_array().map(Vec::len), Some(2), "{order}");
    assert_eq!(orders[0]["order_number"], order["order_number"], "{orders}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shops_lines_work_pasted_the_moment_they_are_there() {
    for _ in 0..4 {
        let printed = printed().await;
        assert!(printed.lines.contains("/v1/sales/1/"), "{}", printed.lines);
        bought(&pasted(&printed.lines).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shops_lines_work_for_many_at_once() {
    let printed = printed().await;
    let names: Vec<String> = (0..20).map(|number| format!("b{number}")).collect();
    accounts(&printed.store().await, &names).await;
    let scripts: Vec<String> = names.iter().map(|name| printed.by(name, &printed.url, "1")).collect();
    for answers in join_all(scripts.iter().map(|script| pasted(script))).await {
        bought(&answers);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_lines_work_before_a_fleet() {
    let offer = Offer {
        allotment: Allotment { capacity: 100, quantity_max: 4, standby_max: 0 },
        hold_ms: 600_000,
        questions: vec![Question { prompt: "How many legs has a cat?".into(), answer: "4".into() }],
    };
    let fleet = Fleet::open(&redis_url(), &rabbit_url(), offer).await;
    let (printed, url, sale) = (printed().await, format!("http://{}", fleet.front.address), fleet.sale.to_string());
    let names: Vec<String> = (0..4).map(|number| format!("c{number}")).collect();
    // The front lets one address in so often in a second, and no oftener.
    for name in &names {
        fleet.person(name, "demodemo").await;
        bought(&pasted(&printed.by(name, &url, &sale)).await);
    }
}

/// Nobody knows the demo's operator but who saw the shop begin, or may read its folder.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demos_operator_has_a_password_of_its_own() {
    let (first, second) = (printed().await, printed().await);
    let kept = |shop: &Printed| std::fs::read_to_string(shop.folder.path().join("state/operator.password")).unwrap();
    let passwords = [&first, &second].map(|shop| kept(shop).trim().to_owned());
    assert_ne!(passwords[0], passwords[1]);
    assert!(passwords[0].len() == 16 && first.operator.contains(&passwords[0]), "{}", first.operator);
    for (password, status) in [(passwords[0].as_str(), "201"), (passwords[1].as_str(), "401"), ("demodemo", "401")] {
        let login = format!(
            "curl -s -o /dev/null -w '%{{http_code}}' {}/v1/sessions -H 'content-type: application/json' \
             -d '{{\"email\":\"operator@miaosha.test\",\"password\":\"{password}\"}}'",
            first.url
        );
        assert_eq!(pasted(&login).await, [status.parse::<u16>().unwrap()]);
    }
}

#[tokio::test]
async fn a_demo_is_for_this_machine_alone() {
    let folder = TempDir::new().unwrap();
    let mut shop = Command::new(env!("CARGO_BIN_EXE_miaosha"));
    // An address that no machine has: were it tried, the words would be others.
    shop.args(["serve", "--listen", "192.0.2.1:0", "--state"]).arg(folder.path().join("state")).kill_on_drop(true);
    let output = shop.output().await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(!output.status.success() && said.contains("--no-demo"), "{said}");
}
