//! Reading the tree, and reading Rust as far as the rules need: code without its comments and texts, and the paths it names.

use std::fs;
use std::path::Path;

/// Files by their path from the project's root, in order.
pub struct Tree {
    pub files: Vec<(String, String)>,
}

impl Tree {
    /// Whatever begins with a dot, and what is built, is left out; `.ci` is not.
    pub fn read(places: &[&str], endings: &[&str]) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests stand in the project's folder");
        let mut files = Vec::new();
        for place in places {
            walk(root, &root.join(place), endings, &mut files);
        }
        files.sort();
        Self { files }
    }

    pub fn names(&self) -> Vec<String> {
        self.files.iter().filter_map(|(path, _)| path.rsplit('/').next()).map(str::to_owned).collect()
    }
}

fn walk(root: &Path, place: &Path, endings: &[&str], files: &mut Vec<(String, String)>) {
    if place.is_dir() {
        let mut entries: Vec<_> = fs::read_dir(place).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.retain(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            name == ".ci" || !(name.starts_with('.') || name == "target")
        });
        entries.iter().for_each(|path| walk(root, path, endings, files));
    } else if endings.iter().any(|ending| place.file_name().unwrap().to_string_lossy().ends_with(ending)) {
        let path = place.strip_prefix(root).unwrap().to_string_lossy().trim_start_matches("./").to_owned();
        files.push((path, fs::read_to_string(place).unwrap_or_else(|error| panic!("{}: {error}", place.display()))));
    }
}

/// The text with comments, texts and characters blanked out; lines stay where they are.
pub fn code(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(hashes) = raw_text(rest, &out) {
            let end = format!("\"{}", "#".repeat(hashes));
            let open = hashes + 2;
            rest[open..].find(&end).map_or(rest.len(), |at| open + at + end.len())
        } else if first == '"' {
            quoted(rest, '"')
        } else if first == '\'' && is_character(rest) {
            quoted(rest, '\'')
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        out.extend(rest[..skipped].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = &rest[skipped..];
    }
    out
}

/// How many hashes a raw text that begins here has.
fn raw_text(rest: &str, before: &str) -> Option<usize> {
    let after = rest.strip_prefix('r').filter(|_| !before.ends_with(|c: char| is_word(c) && c != 'b'))?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    after[hashes..].starts_with('"').then_some(hashes)
}

/// And not a lifetime.
fn is_character(rest: &str) -> bool {
    let mut chars = rest.chars().skip(1);
    matches!((chars.next(), chars.next()), (Some('\\'), _) | (Some(_), Some('\'')))
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

pub fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Every path in the code that begins with this word, groups opened: `a::{b, c::d}` names `a::b` and `a::c::d`.
pub fn paths(code: &str, root: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices(root) {
        let before = code[..at].chars().next_back();
        let after = code[at + root.len()..].trim_start();
        let alone = !before.is_some_and(|c| is_word(c) || c == ':') && after.starts_with("::");
        if alone {
            branch(&after[2..], &mut vec![root.to_owned()], &mut found);
        }
    }
    found
}

/// Reads one branch of a use-tree; what is left comes back.
fn branch<'a>(text: &'a str, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) -> &'a str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            let depth = path.len();
            rest = branch(rest, path, found).trim_start();
            path.truncate(depth);
            match rest.strip_prefix(',') {
                Some(more) if !more.trim_start().starts_with('}') => rest = more,
                Some(more) => return more.trim_start().strip_prefix('}').unwrap_or(more),
                None => return rest.strip_prefix('}').unwrap_or(rest),
            }
        }
    }
    let end = text.find(|c| !is_word(c)).unwrap_or(text.len());
    if end > 0 {
        path.push(text[..end].to_owned());
    }
    match text[end..].strip_prefix("::") {
        Some(rest) => branch(rest, path, found),
        None => {
            let rest = text[end..].trim_start_matches('*');
            // Macros stand at the crate's root, wherever they were written.
            if !rest.starts_with('!') {
                found.push(path.clone());
            }
            // What it is called here does not matter.
            rest.trim_start().strip_prefix("as ").map_or(rest, |name| name.trim_start().trim_start_matches(is_word))
        }
    }
}

/// The module a file is: `src/a/b.rs` and `src/a/b/mod.rs` are `a::b`.
pub fn module(path: &str) -> Vec<String> {
    let stem = path.trim_start_matches("src/").trim_end_matches(".rs");
    stem.split('/').filter(|part| *part != "mod" && *part != "lib").map(str::to_owned).collect()
}

/// Every path of this crate that the file names, from the crate's root.
pub fn named(path: &str, text: &str) -> Vec<Vec<String>> {
    let code = code(text);
    let own = |root: &str| paths(&code, root).into_iter().map(|named| named[1..].to_vec()).collect::<Vec<_>>();
    let mut all = own("crate");
    all.extend(own("miaosha"));
    for named in paths(&code, "super") {
        let ups = named.iter().take_while(|part| *part == "super").count();
        let mut from = module(path);
        from.truncate(from.len().saturating_sub(ups));
        from.extend_from_slice(&named[ups..]);
        all.push(from);
    }
    all
}

#[test]
fn code_is_what_is_left_of_a_text() {
    let text = "a // crate::b\n\"crate::c \\\" x\" d /* crate::e\n*/ f r#\"crate::\"g\"# 'h' '\\'' <'life> b\"i\"";
    let words: Vec<String> = code(text).split_whitespace().map(str::to_owned).collect();
    assert_eq!(words, ["a", "d", "f", "<'life>", "b"]);
    assert_eq!(code(text).lines().count(), text.lines().count());
}

#[test]
fn groups_are_opened() {
    let code = "use crate::{a::{b, c as d}, e::*, f::{self},}; x(crate::g::h::<T>(mycrate::i, $crate::j, crate::k!()))";
    let all: Vec<String> = paths(code, "crate").iter().map(|path| path.join("::")).collect();
    assert_eq!(all, ["crate::a::b", "crate::a::c", "crate::e", "crate::f::self", "crate::g::h", "crate::j"]);
}

#[test]
fn the_way_up_is_followed() {
    let all = named("src/adapters/redis/keys.rs", "use super::super::rabbit::X; use super::Y; use crate::ports;");
    let all: Vec<String> = all.iter().map(|path| path.join("::")).collect();
    assert_eq!(all, ["ports", "adapters::rabbit::X", "adapters::redis::Y"]);
}
