//! Holds the house's rules by reading its sources. Each rule is a function from a text to its complaints, and is tried on a
//! bad text first: a rule that cannot complain is worth nothing.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod families;
mod floors;
mod limits;
mod links;
mod plain;
mod retention;
mod scripts;
mod source;
mod tasks;

use source::Tree;

fn hold(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// Every file of these endings under these folders, through one rule.
fn each(folders: &[&str], endings: &[&str], rule: impl Fn(&str, &str) -> Vec<String>) {
    let tree = Tree::read(folders, endings);
    assert!(!tree.files.is_empty(), "there is nothing in {folders:?}");
    hold(tree.files.iter().flat_map(|(path, text)| rule(path, text)).collect());
}

#[test]
fn nobody_names_what_stands_above() {
    each(&["src"], &["rs"], floors::floors);
}

#[test]
fn every_library_stays_in_its_room() {
    each(&["src", "bin"], &["rs"], floors::libraries);
}

#[test]
fn the_kernel_is_pure() {
    each(&["src/domain", "src/ports"], &["rs"], floors::purity);
}

#[test]
fn tasks_begin_in_one_place() {
    each(&["src", "bin"], &["rs"], tasks::begin_in_one_place);
}

#[test]
fn every_source_says_what_it_is() {
    each(&["src", "bin", "tests", "loadtest"], &["rs"], plain::says_what_it_is);
}

#[test]
fn files_and_functions_are_small() {
    each(&["src", "bin", "tests", "loadtest"], &["rs"], plain::is_small);
}

#[test]
fn the_project_speaks_of_itself_alone() {
    let endings =
        ["rs", "lua", "sql", "md", "toml", "sh", "run", "yml", "yaml", "html", "css", "js", "tf", "conf", "Makefile"];
    each(&["."], &endings, plain::speaks_of_itself);
}

/// Each has its own migrations.
const STORES: [&str; 1] = ["shop"];

#[test]
fn both_dialects_have_the_same_migrations() {
    for store in STORES {
        let names = |dialect: &str| Tree::read(&[&format!("migrations/{dialect}/{store}")], &["sql"]).names();
        hold(plain::same_migrations(&names("mysql"), &names("sqlite")));
        hold(plain::has_no_holes(&names("mysql")));
    }
}

#[test]
fn every_script_is_a_signed_contract() {
    hold(scripts::all());
}

#[test]
fn documents_point_to_what_is_there() {
    hold(links::all_links());
    hold(links::all_tests());
}

#[test]
fn every_decision_has_its_four_parts() {
    let files = Tree::read(&["docs/decisions"], &["md"]).files;
    assert!(files.len() > 1, "there are no decisions");
    hold(links::decisions(&files));
}

#[test]
fn every_table_says_how_long_it_is_kept() {
    hold(retention::all());
}

#[test]
fn every_limit_is_tried_at_its_edge() {
    hold(limits::all());
}
