//! Nothing grows for ever without a reason: `docs/retention.md` has a row for each table of each store, and no row without a table.

use std::collections::{BTreeMap, BTreeSet};

use super::source::Tree;

const PAPER: &str = "docs/retention.md";
/// The head of the tables that are compared.
const HEAD: &str = "| table | what it is | kept | what removes it | setting | seen by |";

/// Tables that a step of a schema makes.
fn made(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let name = line.trim_start().strip_prefix("CREATE TABLE ")?;
        name.split([' ', '(']).next()
    })
}

/// What a row says of its table: the cells behind its name.
fn rows(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut rows = BTreeMap::new();
    let mut is_one = false;
    for line in text.lines() {
        is_one = line.starts_with('|') && (is_one || line == HEAD);
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let name = cells[0].trim_matches('`');
        if is_one && line != HEAD && !name.starts_with("---") {
            rows.insert(name.to_owned(), cells[1..].iter().map(|cell| (*cell).to_owned()).collect());
        }
    }
    rows
}

/// `settings`: every key there is, as `table.key`.
pub fn retention(paper: &str, steps: &[String], settings: &BTreeSet<String>) -> Vec<String> {
    let tables: BTreeSet<&str> = steps.iter().flat_map(|text| made(text)).collect();
    let rows = rows(paper);
    let mut complaints = Vec::new();
    for table in tables.iter().filter(|table| !rows.contains_key(**table)) {
        complaints.push(format!("{PAPER}: has no row for the table {table}"));
    }
    for (table, cells) in &rows {
        if !tables.contains(table.as_str()) {
            complaints.push(format!("{PAPER}: there is no table {table}"));
        }
        let [_, kept, removes, setting, _] = cells.as_slice() else {
            complaints.push(format!("{PAPER}: {table} has {} cells", cells.len()));
            continue;
        };
        let is_reasoned = kept.starts_with("for ever: ") && kept.len() > "for ever: ".len();
        if removes.is_empty() && !is_reasoned {
            complaints.push(format!("{PAPER}: {table} is removed by nothing, and no reason is given"));
        }
        let unknown = setting.split('`').skip(1).step_by(2).find(|name| !settings.contains(*name));
        if let Some(unknown) = unknown {
            complaints.push(format!("{PAPER}: {table} names {unknown}, which is no setting"));
        }
    }
    complaints
}

/// Keys of the sample configurations, which say every default.
fn keys(text: &str) -> BTreeSet<String> {
    let mut table = String::new();
    let mut keys = BTreeSet::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            table = format!("{name}.");
        } else if let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
            keys.insert(format!("{table}{key}"));
        }
    }
    keys
}

pub fn all() -> Vec<String> {
    let paper = Tree::read(&[PAPER], &["md"]).files.remove(0).1;
    let steps: Vec<String> = Tree::read(&["migrations"], &["sql"]).files.into_iter().map(|(_, text)| text).collect();
    let settings = Tree::read(&["deploy/config"], &["toml"]).files.iter().flat_map(|(_, text)| keys(text)).collect();
    retention(&paper, &steps, &settings)
}

#[test]
fn a_table_without_a_row_is_refused() {
    let steps =
        ["-- x\nCREATE TABLE turns (\n    sale BIGINT\n);".to_owned(), "CREATE TABLE orders(id INTEGER);".to_owned()];
    let settings = keys("# x\n[tender]\nturns_kept_ms = 1\n");
    assert_eq!(settings, BTreeSet::from(["tender.turns_kept_ms".to_owned()]));
    let paper =
        |rows: &[&str]| format!("# x\n\n{HEAD}\n|---|---|---|---|---|---|\n{}\n\n| other | `x` |\n", rows.join("\n"));
    let turns = "| `turns` | x | 90 days | the tender | `tender.turns_kept_ms` | `y` |";
    let orders = "| `orders` | x | for ever: books | | | |";
    assert_eq!(retention(&paper(&[turns, orders]), &steps, &settings), [""; 0]);
    let wrong = [
        (vec![turns], "no row for the table orders"),
        (vec![turns, orders, "| `more` | x | for ever: y | | | |"], "there is no table more"),
        (vec![turns, "| `orders` | x | for ever: | | | |"], "no reason is given"),
        (vec![turns, "| `orders` | x | 9 days | | | |"], "no reason is given"),
        (vec![turns, "| `orders` | x | for ever: y | |"], "has 3 cells"),
        (vec![orders, "| `turns` | x | 9 days | y | `tender.turn_ms` | |"], "names tender.turn_ms"),
    ];
    for (rows, expected) in wrong {
        let complaints = retention(&paper(&rows), &steps, &settings);
        assert!(complaints.len() == 1 && complaints[0].contains(expected), "{expected}: {complaints:?}");
    }
}
