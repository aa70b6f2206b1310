//! A script is a signed contract: its header, its first lines, its caller and the specification agree.

use std::collections::BTreeSet;

use miaosha::adapters::redis::keys::NAMES;
use miaosha::adapters::redis::scripts::{DONE, KEPT, STALE, Verb};
use miaosha::domain::id::ReservationId;
use miaosha::domain::turn::Answer;
use miaosha::domain::turnstile::ANSWERS_MAX;

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

/// The codes of the specification: what a turn remembers, and what it is called.
fn codes() -> BTreeSet<(String, String)> {
    let answers = [
        Answer::Taken { units: Vec::new() },
        Answer::Standby { arrival: 1, position: 1 },
        Answer::Already { reservation: ReservationId(1) },
        Answer::Refused,
    ];
    let name = |answer: &Answer| format!("{answer:?}").split(' ').next().map(str::to_uppercase).unwrap_or_default();
    answers.iter().map(|answer| (char::from(answer.code()).to_string(), name(answer))).collect()
}

/// Holds for the library too.
pub fn is_plain(path: &str, text: &str) -> Vec<String> {
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

/// One file for each verb, and none besides.
pub fn are_all_called(verbs: &[(String, String)]) -> Vec<String> {
    let files: BTreeSet<String> = verbs.iter().map(|(path, _)| path.clone()).collect();
    let called: BTreeSet<String> = Verb::ALL.iter().map(|verb| format!("lua/{}.lua", verb.name())).collect();
    files
        .symmetric_difference(&called)
        .map(|path| format!("{path}: a file without a verb, or a verb without a file"))
        .collect()
}

pub fn keeps_its_contract(path: &str, text: &str) -> Vec<String> {
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
    complaints.extend(gives_its_keys(path, &declared(header, "KEYS")));
    complaints.extend(answers_in_codes(path, header, rest));
    complaints
}

/// The caller gives as many keys, in this order.
fn gives_its_keys(path: &str, told: &[Slot]) -> Option<String> {
    let verb = Verb::ALL.into_iter().find(|verb| path == format!("lua/{}.lua", verb.name()))?;
    let given = told.last().and_then(|slot| slot.to).unwrap_or_default();
    let names: Vec<&str> = told.iter().map(|slot| slot.name.as_str()).collect();
    let order: Vec<&str> = NAMES.into_iter().chain(["lines"]).take(names.len()).collect();
    let agrees = given == verb.keys() && names == order;
    (!agrees).then(|| format!("{path}: has {given} keys {names:?}, the caller gives {} of {order:?}", verb.keys()))
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

/// Codes of attempts are the specification's, and no word is said that the header does not tell.
fn answers_in_codes(path: &str, header: &str, rest: &str) -> Vec<String> {
    let reply = header.split("REPLY").nth(1).unwrap_or_default();
    let mut complaints = Vec::new();
    let told: BTreeSet<(String, String)> = reply.lines().filter_map(code_of).collect();
    if !told.is_empty() && told != codes() {
        complaints.push(format!("{path}: the header tells {told:?}, the specification {:?}", codes()));
    }
    let unsaid = told.iter().filter(|(code, _)| !rest.contains(&format!("'{code}'")));
    complaints.extend(unsaid.map(|(code, name)| format!("{path}: never says {code} {name}")));
    for word in [STALE, DONE, KEPT] {
        let (told, said) = (reply.split_whitespace().any(|w| w == word), rest.contains(&format!("'{word}'")));
        if told != said {
            complaints.push(format!("{path}: {word} is told: {told}, said: {said}"));
        }
    }
    complaints
}

/// `X NAME …`
fn code_of(line: &str) -> Option<(String, String)> {
    let mut words = line.split_whitespace();
    let (code, name) = (words.next()?, words.next()?);
    let upper = |word: &str| word.chars().all(|c| c.is_ascii_uppercase());
    (code.len() == 1 && upper(code) && name.len() > 1 && upper(name)).then(|| (code.to_owned(), name.to_owned()))
}

pub fn agrees_on_answers_max(library: &str) -> Vec<String> {
    let due = format!("local ANSWERS_MAX = {ANSWERS_MAX}\n");
    if library.contains(&due) { Vec::new() } else { vec![format!("lua/lib/answers.lua: is without `{}`", due.trim())] }
}

pub fn has_the_codes(readme: &str) -> Vec<String> {
    let rows = codes().into_iter().map(|(code, name)| format!("| `{code}` | {name} |"));
    let words = [STALE, DONE, KEPT].map(|word| format!("| `{word}` |"));
    let missing = rows.chain(words).filter(|row| !readme.contains(row));
    missing.map(|row| format!("lua/README.md: is without {row}")).collect()
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
    assert_eq!(is_plain("lua/look.lua", GOOD), [""; 0]);
    assert_eq!(keeps_its_contract("lua/look.lua", GOOD), [""; 0]);
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
        assert!(!keeps_its_contract("lua/look.lua", &text).is_empty(), "{good} -> {bad} was not seen");
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
        assert!(!is_plain("lua/look.lua", &GOOD.replace(good, bad)).is_empty(), "{bad} was not seen");
    }
}

#[test]
fn a_lonely_script_and_other_figures_are_seen() {
    assert_eq!(are_all_called(&[("lua/look.lua".into(), String::new())]).len(), Verb::ALL.len() - 1);
    assert_eq!(agrees_on_answers_max("local ANSWERS_MAX = 7\n").len(), 1);
    assert_eq!(has_the_codes("| `T` | TAKEN |").len(), 6);
}
