//! Holds the house's rules by reading its sources. Each rule is a function from a text to its complaints, and is tried on a
//! bad text first: a rule that cannot complain is worth nothing.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

#[path = "tidy/floors.rs"]
mod floors;
#[path = "tidy/limits.rs"]
mod limits;
#[path = "tidy/plain.rs"]
mod plain;
#[path = "tidy/scripts.rs"]
mod scripts;
#[path = "tidy/source.rs"]
mod source;

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
fn one_file_joins_adapters_and_services() {
    each(&["src", "bin"], &["rs"], floors::joins);
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

#[test]
fn both_dialects_have_the_same_migrations() {
    let names = |dialect: &str| Tree::read(&[&format!("migrations/{dialect}")], &["sql"]).names();
    hold(plain::same_migrations(&names("mysql"), &names("sqlite")));
}

#[test]
fn every_script_is_a_signed_contract() {
    each(&["lua"], &["lua"], scripts::is_plain);
    let verbs = Tree::read(&["lua"], &["lua"]).files.into_iter().filter(|(path, _)| !path.contains("/lib/"));
    let verbs: Vec<_> = verbs.collect();
    hold(scripts::are_all_called(&verbs));
    hold(verbs.iter().flat_map(|(path, text)| scripts::keeps_its_contract(path, text)).collect());
    let read = |path: &str| Tree::read(&[path], &["lua", "md"]).files.remove(0).1;
    hold(scripts::agrees_on_answers_max(&read("lua/lib/answers.lua")));
    hold(scripts::has_the_codes(&read("lua/README.md")));
}

#[test]
fn every_limit_is_tried_at_its_edge() {
    hold(limits::all());
}
