//! Rules about documents: what they point to is there, what they name is there, and decisions have their four parts.

use std::collections::BTreeSet;
use std::path::Path;

use super::source::{Tree, is_word};

/// Lines of a decision, at most: who needs more has made two.
const DECISION_MAX: usize = 20;
/// What a decision says, each part at the beginning of a line.
const PARTS: [&str; 4] = ["**Context.**", "**Choice.**", "**Price.**", "**What would change our mind.**"];
/// Heads of the last column of tables whose cells name tests.
const NAMES_TESTS: [&str; 2] = ["seen by", "caught by"];

/// Every relative link leads to a file, and to a heading of it where one is named. `headings` are a file's, none if it is not there.
pub fn links(path: &str, text: &str, headings: impl Fn(&str) -> Option<BTreeSet<String>>) -> Vec<String> {
    let mut complaints = Vec::new();
    for target in targets(&prose(text)) {
        let (file, heading) = target.split_once('#').unwrap_or((&target, ""));
        let at = if file.is_empty() { path.to_owned() } else { joined(path, file) };
        match headings(&at) {
            None => complaints.push(format!("{path}: there is no {at}")),
            Some(known) if !heading.is_empty() && !known.contains(heading) => {
                complaints.push(format!("{path}: {at} has no heading #{heading}"));
            }
            Some(_) => {}
        }
    }
    complaints
}

/// Without what is code: it shows links and makes none.
fn prose(text: &str) -> String {
    let mut fenced = false;
    let mut out = String::new();
    for line in text.lines() {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        if !fenced && !fence {
            out.extend(line.split('`').step_by(2).flat_map(|part| [part, "` `"]));
            out.push('\n');
        }
    }
    out
}

/// What a text points to in this tree: `](target)`, `src="target"`, `href="target"`.
fn targets(text: &str) -> Vec<String> {
    let ends = [("](", ')'), ("src=\"", '"'), ("href=\"", '"')];
    let found = ends.iter().flat_map(|(begin, end)| text.split(begin).skip(1).map(|rest| rest.split(*end).next()));
    let relative = |target: &&str| !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:");
    found.flatten().filter(relative).map(str::to_owned).collect()
}

fn joined(path: &str, target: &str) -> String {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// As renderers make a name of a heading: small letters, dashes for spaces, no signs.
fn heading(line: &str) -> Option<String> {
    let title = line.strip_prefix('#')?.trim_start_matches('#').strip_prefix(' ')?;
    let kept = title.to_lowercase().chars().filter(|c| is_word(*c) || [' ', '-'].contains(c)).collect::<String>();
    Some(kept.replace(' ', "-"))
}

/// A file's headings; a file that is no document has none.
fn headings(path: &str) -> Option<BTreeSet<String>> {
    let mut folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let at = folders.find(|folder| folder.join("Cargo.lock").exists())?.join(path);
    let text = path.ends_with(".md").then(|| std::fs::read_to_string(&at).unwrap_or_default());
    at.exists().then(|| text.unwrap_or_default().lines().filter_map(heading).collect())
}

pub fn all_links() -> Vec<String> {
    let documents = Tree::read(&["."], &["md"]).files;
    documents.iter().flat_map(|(path, text)| links(path, text, headings)).collect()
}

/// `docs/decisions/0001-title.md` and so on, without holes, each in the list that the folder's README is.
pub fn decisions(files: &[(String, String)]) -> Vec<String> {
    let (lists, decisions): (Vec<_>, Vec<_>) = files.iter().partition(|(path, _)| path.ends_with("/README.md"));
    let list = lists.first().map_or("", |(_, text)| text.as_str());
    let mut complaints = Vec::new();
    for (number, (path, text)) in (1..).zip(&decisions) {
        let name = path.rsplit('/').next().unwrap_or_default();
        if !name.starts_with(&format!("{number:04}-")) || !text.starts_with(&format!("# {number:04} ")) {
            complaints.push(format!("{path}: is not number {number:04}, in its name and in its title"));
        }
        let missing = PARTS.iter().filter(|part| !text.lines().any(|line| line.starts_with(*part)));
        complaints.extend(missing.map(|part| format!("{path}: is without {part}")));
        if text.lines().count() > DECISION_MAX {
            complaints.push(format!("{path}: {} lines, {DECISION_MAX} are allowed", text.lines().count()));
        }
        if !list.contains(&format!("]({name})")) {
            complaints.push(format!("{path}: is not in the list"));
        }
    }
    complaints
}

/// Tables that say by which test something is seen name tests that are there: `*` stands for anything, `…` for the rest of a name.
pub fn tests(path: &str, text: &str, known: &BTreeSet<&str>) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut names_tests = false;
    for line in text.lines() {
        if !line.starts_with('|') {
            names_tests = false;
            continue;
        }
        let cell = line.trim_end().trim_end_matches('|').rsplit('|').next().unwrap_or_default().trim();
        names_tests |= NAMES_TESTS.contains(&cell);
        let named = cell.split('`').skip(1).step_by(2).flat_map(|name| name.split("::"));
        for name in named.filter(|name| names_tests && !name.is_empty() && *name != "*") {
            let begin = name.trim_end_matches(['…', '*']);
            let is_there = if begin == name {
                known.contains(name) || name.contains(['/', '(', ' '])
            } else {
                known.range(begin..).next().is_some_and(|known| known.starts_with(begin))
            };
            if !is_there {
                complaints.push(format!("{path}: names {name}, which is no test"));
            }
        }
    }
    complaints
}

pub fn all_tests() -> Vec<String> {
    let sources = Tree::read(&["tests", "loadtest", "deploy/local/rushes.sh", "terraform"], &["rs", "sh", "hcl"]).files;
    let beside = Tree::read(&["src"], &["rs"]).files;
    let beside = beside.iter().filter_map(|(path, text)| Some((path, text.split_once("#[cfg(test)]")?.1)));
    let words = sources.iter().map(|(path, text)| (path, text.as_str())).chain(beside);
    let words = words.flat_map(|(path, text)| [path.as_str(), text]);
    let known: BTreeSet<&str> = words.flat_map(|text| text.split(|c| !is_word(c))).collect();
    let documents = Tree::read(&["docs"], &["md"]).files;
    documents.iter().flat_map(|(path, text)| tests(path, text, &known)).collect()
}

#[test]
fn a_broken_link_is_seen() {
    let there = |path: &str| ["a/b.md", "a/c.png"].contains(&path).then(|| ["the-head".to_owned()].into());
    let complaints = |text: &str| links("a/x.md", text, there);
    let good = "[b](b.md) [b](../a/./b.md#the-head) <img src=\"c.png\"> [x](https://x.org/y) `[n](n.md)` a`b`c\n```\n](n)\n```\n";
    assert_eq!(complaints(good), [""; 0]);
    for bad in
        ["[n](n.md)", "[n](../b.md)", "[b](b.md#foot)", "<img src=\"n.png\">", "`x`[n](n.md)`x`", "[here](#foot)"]
    {
        assert_eq!(complaints(bad).len(), 1, "{bad}");
    }
    assert_eq!(heading("## What fails, and `then`").as_deref(), Some("what-fails-and-then"));
    assert_eq!(heading("#no"), None);
}

#[test]
fn half_a_decision_is_seen() {
    let file = |name: &str, text: &str| (format!("docs/decisions/{name}"), text.to_owned());
    let whole = format!("# 0001 A title\n\n{}\n", PARTS.join(" x\n\n"));
    let list = file("README.md", "[a](0001-a.md)");
    let complaints = |name: &str, text: &str| decisions(&[file(name, text), list.clone()]).len();
    assert_eq!(complaints("0001-a.md", &whole), 0);
    assert_eq!(complaints("0002-a.md", &whole), 2, "a hole, and not in the list");
    assert_eq!(complaints("0001-b.md", &whole), 1, "not in the list");
    assert_eq!(complaints("0001-a.md", &whole.replace("# 0001", "# 0003")), 1, "another number");
    assert_eq!(complaints("0001-a.md", &whole.replace(PARTS[2], "")), 1, "no price");
    assert_eq!(complaints("0001-a.md", &format!("{whole}{}", "x\n".repeat(DECISION_MAX))), 1, "long");
}

#[test]
fn a_test_that_is_not_there_is_seen() {
    let known = ["suite", "a_long_name", "rush_killed"].into();
    let complaints =
        |cell: &str| tests("x.md", &format!("| what | caught by |\n|---|---|\n| x `nothing` | {cell} |"), &known);
    assert_eq!(
        complaints("`suite::*::a_long_…` and `rush_killed`, `suite::a_long_*`, everything in `a/folder`"),
        [""; 0]
    );
    assert_eq!(complaints("`suite::a_short_…`, `rush`, `suites::a_long_name`").len(), 3);
    assert_eq!(tests("x.md", "| what | means |\n|---|---|\n| x | `nothing` |", &known).len(), 0);
}
