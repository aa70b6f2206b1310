//! Rules about any text: what stands at its top, how long it is, and what it does not speak of.

/// Lines of a file, at most. This number may only go down.
const FILE_MAX: usize = 500;
/// Lines of a function, at most. This number may only go down.
const FUNCTION_MAX: usize = 80;

pub fn says_what_it_is(path: &str, text: &str) -> Vec<String> {
    if text.starts_with("//! ") { Vec::new() } else { vec![format!("{path}: does not begin with `//! `")] }
}

pub fn is_small(path: &str, text: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    if lines.len() > FILE_MAX {
        complaints.push(format!("{path}: {} lines, {FILE_MAX} are allowed", lines.len()));
    }
    for (start, line) in lines.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let words = line.trim_start().split([' ', '<', '(']);
        let is_function = words.take(5).take_while(|word| !word.starts_with("//")).any(|word| word == "fn");
        let end = format!("{}}}", &line[..indent]);
        // The formatter puts a function's last brace under its first word.
        let length = lines[start..].iter().position(|line| *line == end).unwrap_or_default();
        let one_line = line.ends_with(['}', ';']);
        if is_function && !one_line && length >= FUNCTION_MAX {
            complaints.push(format!("{path}:{}: {} lines, {FUNCTION_MAX} are allowed", start + 1, length + 1));
        }
    }
    complaints
}

/// Paths of one machine, and words about how the project was made. Written in two, so that this list is not found itself.
const FOREIGN: [(&str, &str); 8] = [
    ("/wo", "rk/"),
    ("/tm", "p/m/"),
    ("/ro", "ot/"),
    ("/ho", "me/"),
    ("BRIEF", ".md"),
    ("CONTRACTS", ".md"),
    ("STYLE", ".md"),
    ("SEEDS", ".md"),
];

pub fn speaks_of_itself(path: &str, text: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for word in FOREIGN.map(|(a, b)| format!("{a}{b}")) {
            // Not the end of a longer path, as in a link.
            let alone = line.match_indices(&word).any(|(at, _)| !line[..at].ends_with(|c: char| c.is_alphanumeric()));
            if alone {
                complaints.push(format!("{path}:{}: speaks of {word}", number + 1));
            }
        }
    }
    complaints
}

pub fn same_migrations(mysql: &[String], sqlite: &[String]) -> Vec<String> {
    let alone = |these: &[String], those: &[String], dialect: &str| {
        let missing = these.iter().filter(|name| !those.contains(name));
        missing.map(|name| format!("migrations: {name} is missing in {dialect}")).collect::<Vec<_>>()
    };
    let mut complaints = [alone(mysql, sqlite, "sqlite"), alone(sqlite, mysql, "mysql")].concat();
    if mysql.is_empty() {
        complaints.push("migrations: there are none".into());
    }
    complaints
}

/// Steps are numbered from 1, and none is left out: a reader then knows that these are all.
pub fn has_no_holes(names: &[String]) -> Vec<String> {
    let steps = names.iter().zip(1..);
    let wrong = steps.filter(|(name, number)| !name.starts_with(&format!("{number:04}_")));
    wrong.map(|(name, number)| format!("migrations: {name} is step {number}")).take(1).collect()
}

#[test]
fn a_silent_source_is_seen() {
    assert_eq!(says_what_it_is("x.rs", "use a;\n//! late").len(), 1);
    assert_eq!(says_what_it_is("x.rs", "//! A thing.\n").len(), 0);
}

#[test]
fn length_is_seen() {
    let lines = |count: usize| "    x();\n".repeat(count);
    assert_eq!(is_small("x.rs", &lines(FILE_MAX + 1)).len(), 1);
    assert_eq!(is_small("x.rs", &format!("pub async fn f<T>(\n{}}}\n", lines(FUNCTION_MAX - 1))).len(), 1);
    assert_eq!(is_small("x.rs", &format!("fn f() {{\n{}}}\n", lines(FUNCTION_MAX - 2))).len(), 0);
    assert_eq!(is_small("x.rs", &format!("fn f();\n{}}}\n", lines(FUNCTION_MAX))).len(), 0);
}

#[test]
fn foreign_words_are_seen() {
    for (a, b) in FOREIGN {
        assert_eq!(speaks_of_itself("x.md", &format!("see {a}{b}x")).len(), 1);
    }
    assert_eq!(speaks_of_itself("x.md", &format!("https://example.org{}{}", FOREIGN[0].0, FOREIGN[0].1)).len(), 0);
}

#[test]
fn a_lonely_migration_is_seen() {
    let names = |all: &[&str]| all.iter().map(|name| name.to_string()).collect::<Vec<_>>();
    assert_eq!(same_migrations(&names(&["1", "2"]), &names(&["2", "3"])).len(), 2);
    assert_eq!(same_migrations(&[], &[]).len(), 1);
    assert_eq!(same_migrations(&names(&["1"]), &names(&["1"])).len(), 0);
}

#[test]
fn a_hole_among_migrations_is_seen() {
    let names = |all: &[&str]| all.iter().map(|name| name.to_string()).collect::<Vec<_>>();
    assert_eq!(has_no_holes(&names(&["0001_a.sql", "0003_b.sql"])).len(), 1);
    assert_eq!(has_no_holes(&names(&["0002_a.sql"])).len(), 1);
    assert_eq!(has_no_holes(&names(&["0001_a.sql", "0002_b.sql"])).len(), 0);
}
