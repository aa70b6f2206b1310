//! A script is a signed contract: its header, its first lines, its caller and the specification agree.

use std::collections::BTreeSet;

use super::families::{self, Family};
use super::source::Tree;

const LINES_MAX: usize = 80;
/// What a script must not ask for: time and chance come in its arguments, and a script that writes is over when it returns.
const BANNED: [&str; 6] = ["'TIME'", "math.random", "os.", "redis.pcall", "loadstring", "redis.breakpoint"];

/// `from` to `to`; without end when `to` is none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Slot {
    from: usize,
    to: Option<usize>,
    name: String,
}

/// Every file of `lua/`: of the library, and of each family.
pub fn all() -> Vec<String> {
    let tree = Tree::read(&["lua"], &["lua", "md"]);
    let (notes, scripts): (Vec<_>, Vec<_>) = tree.files.into_iter().partition(|(path, _)| path.ends_with(".md"));
    let families = families::all();
    let mut complaints: Vec<String> = scripts.iter().flat_map(|(path, text)| is_plain(path, text)).collect();
    complaints.extend(are_all_called(&families, &scripts));
    for family in &families {
        complaints.extend(agrees_on_figures(family, &scripts));
        complaints.extend(has_the_codes(family, &notes));
        let verbs = scripts.iter().filter(|(path, _)| verb_of(family, path).is_some());
        complaints.extend(verbs.flat_map(|(path, text)| keeps_its_contract(family, path, text)));
    }
    complaints
}

/// Of the files that stand in the family's folder itself.
fn verb_of<'a>(family: &Family, path: &'a str) -> Option<&'a str> {
    let name = path.strip_prefix(&family.folder())?.strip_prefix('/')?.strip_suffix(".lua")?;
    (!name.contains('/')).then_some(name)
}

/// Holds for the library too.
fn is_plain(path: &str, text: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    let lines = text.lines().count();
    if lines > LINES_MAX {
        complaints.push(format!("{path}: {lines} lines, {LINES_MAX} are allowed"));
    }
    let stem = path.rsplit('/').next().unwrap_or_default().trim_end_matches(".lua");
    if !text.starts_with(&format!("--[[\n  {stem}: ")) {
        complaints.push(format!("{path}: does not begin with what {stem} is"));
    }
    let body = text.split("]]").nth(1).unwrap_or_default();
    let banned = BANNED.iter().filter(|word| body.contains(*word));
    complaints.extend(banned.map(|word| format!("{path}: {word} is not for a script")));
    for (at, _) in body.match_indices("redis.call(") {
        let target = body[at..].split([',', ')']).nth(1).unwrap_or_default().trim_start();
        if target != "key" && !target.starts_with("key.") {
            complaints.push(format!("{path}: touches `{target}`, which is none of its keys"));
        }
    }
    complaints
}

/// One file for each verb, and none besides; libraries stand in a `lib` of all or of a family.
fn are_all_called(families: &[Family], scripts: &[(String, String)]) -> Vec<String> {
    let folders = families.iter().map(Family::folder).chain(["lua".to_owned()]);
    let libraries: Vec<String> = folders.map(|folder| format!("{folder}/lib/")).collect();
    let is_library = |path: &str| libraries.iter().any(|library| path.starts_with(library));
    let files: BTreeSet<String> =
        scripts.iter().map(|(path, _)| path.clone()).filter(|path| !is_library(path)).collect();
    let verbs = families.iter().flat_map(|family| family.verbs.iter().map(move |verb| (family.folder(), verb.0)));
    let called: BTreeSet<String> = verbs.map(|(folder, verb)| format!("{folder}/{verb}.lua")).collect();
    files
        .symmetric_difference(&called)
        .map(|path| format!("{path}: a file without a verb, or a verb without a file"))
        .collect()
}

fn keeps_its_contract(family: &Family, path: &str, text: &str) -> Vec<String> {
    let (header, body) = text.split_once("]]").unwrap_or((text, ""));
    let (bindings, rest) = body.trim_start().split_once("\n\n").unwrap_or((body, ""));
    let mut complaints = Vec::new();
    for table in ["KEYS", "ARGV"] {
        let (told, bound) = (declared(header, table), bound(bindings, table));
        if told != bound {
            complaints.push(format!("{path}: the header tells {table} {told:?}, the first lines bind {bound:?}"));
        }
        if rest.contains(table) {
            complaints.push(format!("{path}: {table} is used after the first lines"));
        }
        let next = told.iter().scan(1, |due, slot| {
            let fits = slot.from == *due;
            *due = slot.to.unwrap_or(slot.from) + 1;
            Some(fits)
        });
        if next.into_iter().any(|fits| !fits) {
            complaints.push(format!("{path}: {table} are not counted without a gap: {told:?}"));
        }
    }
    complaints.extend(gives_its_keys(family, path, &declared(header, "KEYS")));
    complaints.extend(answers_in_codes(family, path, header, rest));
    complaints
}

/// The caller gives as many keys, in this order.
fn gives_its_keys(family: &Family, path: &str, told: &[Slot]) -> Option<String> {
    let verb = verb_of(family, path)?;
    let (_, due) = family.verbs.iter().find(|(name, _)| *name == verb)?;
    let given = told.last().and_then(|slot| slot.to).unwrap_or_default();
    let names: Vec<&str> = told.iter().map(|slot| slot.name.as_str()).collect();
    let order = &family.keys[..names.len().min(family.keys.len())];
    let agrees = given == *due && names == order;
    (!agrees).then(|| format!("{path}: has {given} keys {names:?}, the caller gives {due} of {order:?}"))
}

/// `3 name`, `7-14 name` and `5- name` under one word of the header.
fn declared(header: &str, table: &str) -> Vec<Slot> {
    let sections = ["KEYS", "ARGV", "REPLY"];
    let mut here = false;
    let mut slots = Vec::new();
    for line in header.lines().map(str::trim) {
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        here = if sections.contains(&first) { first == table } else { here };
        let mut words = if first == table { rest.trim() } else { line }.split_whitespace();
        let (Some(number), Some(name), true) = (words.next(), words.next(), here) else { continue };
        let (from, to) = number.split_once('-').unwrap_or((number, number));
        if let Ok(from) = from.parse() {
            slots.push(Slot { from, to: to.parse().ok(), name: name.to_owned() });
        }
    }
    slots
}

/// `name = KEYS[3]`, `name = { unpack(KEYS, 7, 14) }`, `{ unpack(ARGV, 5) }`, and lists of names and values.
fn bound(bindings: &str, table: &str) -> Vec<Slot> {
    let mut slots = Vec::new();
    for statement in bindings.replace("local ", ";").replace(['{', '}'], " ").split(';') {
        let parts = statement.replace(&format!("unpack({table}, "), &format!("{table}["));
        let value = |text: &str| -> Option<(usize, Option<usize>)> {
            let inside = text.trim().strip_prefix(table)?.strip_prefix('[')?.trim_end_matches([']', ')', ' ']);
            let mut ends = inside.split('-').map(|number| number.trim().parse::<usize>());
            let from = ends.next()?.ok()?;
            Some((from, ends.next().map_or(Some(from), Result::ok)))
        };
        // A range is written `KEYS[7-14]` from here on, and one without an end `ARGV[5-]`.
        let parts = ranges(&parts, table, statement);
        let assignments: Vec<&str> = parts.split(" = ").collect();
        if let [names, values] = assignments[..] {
            let names = names.split(',').map(str::trim);
            for (name, value) in names.zip(values.split(',').map(value)) {
                slots.extend(value.map(|(from, to)| Slot { from, to, name: name.to_owned() }));
            }
        } else {
            // A table: the word before each sign is the name, what follows it is the value.
            for pair in assignments.windows(2) {
                let name = pair[0].rsplit([',', ' ']).next().unwrap_or_default();
                let found = value(pair[1].split(',').next().unwrap_or_default());
                slots.extend(found.map(|(from, to)| Slot { from, to, name: name.to_owned() }));
            }
        }
    }
    slots.sort();
    slots
}

fn ranges(text: &str, table: &str, original: &str) -> String {
    let mut out = String::new();
    for (number, part) in text.split(&format!("{table}[")).enumerate() {
        if number > 0 {
            out.push_str(&format!("{table}["));
        }
        match part.split_once(')') {
            Some((inside, rest)) if number > 0 && original.contains(&format!("unpack({table}, {inside})")) => {
                let range = inside.replace(", ", "-");
                out.push_str(&if range.contains('-') { range } else { format!("{range}-") });
                out.push(']');
                out.push_str(rest);
            }
            _ => out.push_str(part),
        }
    }
    out
}

/// Codes are the specification's, and no code is used that the header does not tell.
fn answers_in_codes(family: &Family, path: &str, header: &str, rest: &str) -> Vec<String> {
    let reply = header.split("REPLY").nth(1).unwrap_or_default();
    let mut complaints = Vec::new();
    let told: BTreeSet<(char, String)> = reply.lines().filter_map(code_of).collect();
    if !told.is_empty() && !told.iter().eq(BTreeSet::from_iter(&family.codes)) {
        complaints.push(format!("{path}: the header tells {told:?}, the specification {:?}", family.codes));
    }
    let unsaid = told.iter().filter(|(code, _)| !rest.contains(&format!("'{code}'")));
    complaints.extend(unsaid.map(|(code, name)| format!("{path}: never says {code} {name}")));
    for word in &family.words {
        let (told, said) = (reply.split_whitespace().any(|w| w == *word), rest.contains(&format!("'{word}'")));
        if told != said {
            complaints.push(format!("{path}: {word} is told: {told}, said: {said}"));
        }
    }
    complaints
}

/// `X NAME …`
fn code_of(line: &str) -> Option<(char, String)> {
    let mut words = line.split_whitespace();
    let (code, name) = (words.next()?.parse::<char>().ok()?, words.next()?);
    let is_name = name.len() > 1 && name.chars().all(|c| c.is_ascii_uppercase());
    (code.is_ascii_uppercase() && is_name).then(|| (code, name.to_owned()))
}

fn text_of<'a>(files: &'a [(String, String)], path: &str) -> &'a str {
    files.iter().find(|(at, _)| at == path).map_or("", |(_, text)| text)
}

fn agrees_on_figures(family: &Family, scripts: &[(String, String)]) -> Vec<String> {
    let paths = family.figures.iter().map(|(file, due)| (format!("{}/{file}", family.folder()), due));
    let missing = paths.filter(|(path, due)| !text_of(scripts, path).lines().any(|line| line == *due));
    missing.map(|(path, due)| format!("{path}: is without `{due}`")).collect()
}

fn has_the_codes(family: &Family, notes: &[(String, String)]) -> Vec<String> {
    let path = format!("{}/README.md", family.folder());
    let rows = family.codes.iter().map(|(code, name)| format!("| `{code}` | {name} |"));
    let words = family.words.iter().map(|word| format!("| `{word}` |"));
    let missing = rows.chain(words).filter(|row| !text_of(notes, &path).contains(row));
    missing.map(|row| format!("{path}: is without {row}")).collect()
}

#[cfg(test)]
const GOOD: &str = "--[[
  look: the few figures.

  KEYS  1 sale      hash  figures
        2 returned  zset  units
  ARGV  1 a         first
        2 b         second
        3- rest     all others
  REPLY T TAKEN     units
        S STANDBY   place
        A ALREADY   reservation
        R REFUSED
        STALE       nothing
]]
local key = { sale = KEYS[1], returned = KEYS[2] }
local a, b = ARGV[1], ARGV[2]
local rest = { unpack(ARGV, 3) }

redis.call('HGET', key.sale, a)
return { 'T', 'S', 'A', 'R', 'STALE' }
";

#[test]
fn a_good_script_is_left_alone() {
    assert_eq!(is_plain("lua/turnstile/look.lua", GOOD), [""; 0]);
    assert_eq!(keeps_its_contract(&families::turnstile(), "lua/turnstile/look.lua", GOOD), [""; 0]);
}

#[test]
fn a_broken_contract_is_seen() {
    let breaks = [
        ("KEYS[2]", "KEYS[3]"),
        ("returned = KEYS[2]", "given = KEYS[2]"),
        ("2 returned ", "2 buyers "),
        ("        2 returned  zset  units\n", ""),
        ("2 b ", "2 c "),
        ("2 b ", "4 b "),
        ("3- rest", "3 rest"),
        ("unpack(ARGV, 3)", "unpack(ARGV, 2)"),
        ("key.sale, a", "key.sale, ARGV[1]"),
        ("R REFUSED", "N REFUSED"),
        ("R REFUSED", "R DENIED"),
        ("'R', ", ""),
        (", 'STALE'", ""),
        (", 'STALE'", ", 'DONE'"),
    ];
    for (good, bad) in breaks {
        let text = GOOD.replace(good, bad);
        assert_ne!(text, GOOD, "{good} is not there");
        assert!(
            !keeps_its_contract(&families::turnstile(), "lua/turnstile/look.lua", &text).is_empty(),
            "{good} -> {bad} was not seen"
        );
    }
}

#[test]
fn a_foul_script_is_seen() {
    for (good, bad) in [
        ("key.sale", "'sale'"),
        ("'HGET'", "'TIME', key.sale, 'HGET'"),
        ("  look:", "  see:"),
        ("REPLY", &"\n".repeat(80)),
    ] {
        assert!(!is_plain("lua/turnstile/look.lua", &GOOD.replace(good, bad)).is_empty(), "{bad} was not seen");
    }
}

#[test]
fn a_lonely_script_and_other_figures_are_seen() {
    let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    let (family, lonely) = (families::turnstile(), families::turnstile().verbs.len() - 1);
    let complaints =
        |path| are_all_called(&[families::turnstile()], &[file("lua/turnstile/look.lua", ""), file(path, "")]).len();
    assert_eq!(complaints("lua/lib/many.lua"), lonely);
    assert_eq!(complaints("lua/turnstile/lib/units.lua"), lonely);
    assert_eq!(complaints("lua/turnstile/peek.lua"), lonely + 1, "no verb");
    assert_eq!(complaints("lua/look.lua"), lonely + 1, "of no family");
    assert_eq!(complaints("lua/room/look.lua"), lonely + 1, "of a family that is never called");
    assert_eq!(
        agrees_on_figures(&family, &[file("lua/turnstile/lib/answers.lua", "local ANSWERS_MAX = 7\n")]).len(),
        1
    );
    assert_eq!(has_the_codes(&family, &[file("lua/turnstile/README.md", "| `T` | TAKEN |")]).len(), 6);
}
