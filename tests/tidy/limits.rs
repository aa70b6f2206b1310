//! Every limit, and the test that tries it at its edge: at the limit, and one above.
//!
//! A limit is a constant or a setting whose name ends in `_MAX` or `_max`. `limits.txt` has a row for each, so that a new one
//! without a test is seen, and so is a row whose test is gone.

use super::source::{Tree, code, is_word};

pub const TABLE: &str = include_str!("limits.txt");

/// What a row says of its limit.
#[derive(Debug, PartialEq, Eq)]
enum Tried<'a> {
    /// By these tests, at the limit and one above.
    Edge(Vec<&'a str>),
    /// Work is cut into pieces of this size: these tests have more than one piece, and see no difference.
    Piece(Vec<&'a str>),
    /// The same limit as another row's, told or handed on.
    Same(&'a str, &'a str),
}

struct Row<'a> {
    path: &'a str,
    name: &'a str,
    tried: Tried<'a>,
}

fn row(line: &str) -> Option<Row<'_>> {
    let (place, tried) = line.split_once(" | ")?;
    let (path, name) = place.trim().split_once(' ')?;
    let (kind, rest) = tried.trim().split_once(' ')?;
    let tried = match kind {
        "edge" => Tried::Edge(rest.split_whitespace().collect()),
        "piece" => Tried::Piece(rest.split_whitespace().collect()),
        "same" => rest.split_once(' ').map(|(path, name)| Tried::Same(path, name))?,
        _ => return None,
    };
    Some(Row { path, name: name.trim(), tried })
}

fn rows(table: &str) -> impl Iterator<Item = &str> {
    table.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// The limits that a source declares: constants, and public fields.
fn declared(text: &str) -> Vec<String> {
    let code = code(text.split("#[cfg(test)]").next().unwrap_or_default());
    let names = code.lines().filter_map(|line| {
        let line = line.trim();
        let after = |word: &str| line.split_once(word).map(|(before, rest)| (before, rest.trim_start()));
        let constant = after("const ").filter(|(before, _)| before.is_empty() || before.starts_with("pub"));
        let field = line.strip_prefix("pub ").map(|rest| ("", rest)).filter(|(_, rest)| rest.ends_with(','));
        let (_, rest) = constant.or(field)?;
        let name: String = rest.chars().take_while(|c| is_word(*c)).collect();
        let is_typed = rest[name.len()..].starts_with(": ");
        (is_typed && (name.ends_with("_MAX") || name.ends_with("_max"))).then_some(name)
    });
    let mut names: Vec<String> = names.collect();
    names.dedup();
    names
}

/// Complaints about a table, the sources of limits, and the sources of tests.
pub fn limits(table: &str, sources: &[(String, String)], tests: &[(String, String)]) -> Vec<String> {
    let mut complaints = Vec::new();
    let declared: Vec<(&str, String)> = sources
        .iter()
        .flat_map(|(path, text)| self::declared(text).into_iter().map(move |name| (path.as_str(), name)))
        .collect();
    let mut told: Vec<(&str, &str)> = Vec::new();
    for line in rows(table) {
        let Some(Row { path, name, tried }) = row(line) else {
            complaints.push(format!("limits.txt: cannot be read: {line}"));
            continue;
        };
        if told.contains(&(path, name)) {
            complaints.push(format!("{path}: {name} has two rows"));
        }
        told.push((path, name));
        if !declared.iter().any(|(at, limit)| *at == path && limit == name) {
            complaints.push(format!("{path}: there is no {name} any more"));
        }
        match tried {
            Tried::Edge(names) | Tried::Piece(names) => {
                for test in names {
                    let is_there = [format!("fn {test}("), format!("fn {test}<")];
                    if !tests.iter().any(|(_, text)| is_there.iter().any(|words| text.contains(words))) {
                        complaints.push(format!("{path}: {name} is tried by {test}, which is not there"));
                    }
                }
            }
            Tried::Same(of, other) => {
                if !declared.iter().any(|(at, limit)| *at == of && limit == other) {
                    complaints.push(format!("{path}: {name} is the same as {of} {other}, which is not there"));
                }
            }
        }
    }
    for (path, name) in &declared {
        if !told.contains(&(path, name)) {
            complaints.push(format!("{path}: {name} has no row in tests/tidy/limits.txt: which test tries its edge?"));
        }
    }
    complaints
}

pub fn all() -> Vec<String> {
    let (sources, tests) = (Tree::read(&["src", "bin"], &["rs"]), Tree::read(&["tests", "src"], &["rs"]));
    limits(TABLE, &sources.files, &tests.files)
}

#[test]
fn a_limit_without_a_test_is_seen() {
    let text = "pub const A_CHARS_MAX: usize = 3;\npub struct S {\n    /// At most.\n    pub b_max: u32,\n    c_max: u8,\n}\n\
        const WAIT_MS_MAX: u64 = 1;\nfn f(d_max: u32,\n) {}\n#[cfg(test)]\nconst E_MAX: u8 = 1;";
    let sources = [("src/x.rs".to_owned(), text.to_owned())];
    let tests = [("tests/x.rs".to_owned(), "async fn edges() {}".to_owned())];
    let complain = |table: &str| limits(table, &sources, &tests);
    assert_eq!(declared(text), ["A_CHARS_MAX", "b_max", "WAIT_MS_MAX"]);
    let good = "# words\n\nsrc/x.rs A_CHARS_MAX | edge edges\nsrc/x.rs b_max | same src/x.rs A_CHARS_MAX\n\
        src/x.rs WAIT_MS_MAX | piece edges\n";
    assert_eq!(complain(good), [""; 0]);
    assert_eq!(complain(&good.replace("src/x.rs b_max | same src/x.rs A_CHARS_MAX\n", "")).len(), 1, "no row");
    assert_eq!(complain(&good.replace("edge edges", "edge hedges")).len(), 1, "no test");
    assert_eq!(
        complain(&good.replace("same src/x.rs A_CHARS_MAX", "same src/x.rs A_MAX")).len(),
        1,
        "the same as nothing"
    );
    assert_eq!(complain(&good.replace("edge edges", "hedge edges")).len(), 2, "no kind");
    assert_eq!(complain(&format!("{good}src/x.rs b_max | edge edges")).len(), 1, "twice");
    assert_eq!(complain(&format!("{good}src/x.rs old_max | edge edges")).len(), 1, "stale");
}
