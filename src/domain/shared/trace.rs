//! Which trace a piece of work belongs to: two numbers that travel with it. Only sampled work has them; the rest has nothing to
//! do. They decide nothing, and losing them costs a picture and nothing else.

use std::fmt;
use std::str::FromStr;

use crate::domain::shared::id::TracedId;

/// Marks in one message that anybody reads; how many are written is configured, and stays below.
pub const MARKS_MAX: usize = 64;

/// A span of a trace, as later spans refer to it. Neither number is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace {
    pub id: u128,
    pub span: u64,
}

/// What was said in a `traceparent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parent {
    pub trace: Trace,
    pub is_sampled: bool,
}

/// One of several in a message is traced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    pub of: TracedId,
    pub trace: Trace,
}

impl Parent {
    /// As W3C Trace Context has it: of version 00 exactly, of later ones what we know of them. `None` of anything else.
    pub fn parse(text: &str) -> Option<Self> {
        const OURS: usize = 55;
        const LATER_MAX: usize = 256;
        if text.len() < OURS || text.len() > LATER_MAX || !text.is_ascii() {
            return None;
        }
        let (known, later) = text.split_at(OURS);
        let mut parts = known.split('-');
        let version = hex(parts.next()?, 2)?;
        let (id, span, flags) = (hex(parts.next()?, 32)?, hex(parts.next()?, 16)?, hex(parts.next()?, 2)?);
        let is_ours = version == 0 && later.is_empty();
        let is_later = version > 0 && version < 0xff && (later.is_empty() || later.starts_with('-'));
        if !(is_ours || is_later) || parts.next().is_some() || id == 0 || span == 0 {
            return None;
        }
        let span = u64::try_from(span).ok()?;
        Some(Self { trace: Trace { id, span }, is_sampled: flags & 1 == 1 })
    }
}

fn hex(text: &str, digits: usize) -> Option<u128> {
    let is_plain = text.len() == digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if is_plain { u128::from_str_radix(text, 16).ok() } else { None }
}

/// As a `traceparent`, sampled.
impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-01", self.id, self.span)
    }
}

/// `id:traceparent`, several after commas.
pub fn write_marks(marks: &[Mark]) -> String {
    let words: Vec<String> = marks.iter().map(|mark| format!("{}:{}", mark.of, mark.trace)).collect();
    words.join(",")
}

/// What cannot be read is passed over: another version or another program wrote it.
pub fn read_marks(text: &str) -> Vec<Mark> {
    let read = |word: &str| {
        let (of, parent) = word.split_once(':')?;
        let parent = Parent::parse(parent).filter(|parent| parent.is_sampled)?;
        Some(Mark { of: TracedId::from_str(of).ok()?, trace: parent.trace })
    };
    text.split(',').take(MARKS_MAX).filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::{Mark, Parent, Trace, read_marks, write_marks};
    use crate::domain::shared::id::TracedId;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_traceparent_is_read_and_written() {
        let parent = Parent::parse(GOOD).unwrap();
        assert!(parent.is_sampled);
        assert_eq!(parent.trace.to_string(), GOOD);
        assert!(!Parent::parse(&GOOD.replace("-01", "-00")).unwrap().is_sampled);
        assert_eq!(Parent::parse(&GOOD.replace("00-4", "01-4")), Some(parent), "a later version begins alike");
        assert_eq!(Parent::parse(&format!("{}-more", GOOD.replace("00-4", "cc-4"))), Some(parent));
    }

    #[test]
    fn a_later_version_is_read_up_to_its_length() {
        let later = |bytes: usize| format!("cc{}-{}", &GOOD[2..], "a".repeat(bytes - GOOD.len() - 1));
        assert!(Parent::parse(&later(256)).is_some());
        assert_eq!(Parent::parse(&later(257)), None);
    }

    #[test]
    fn whatever_is_not_one_is_none() {
        let zero_id = format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32));
        let zero_span = GOOD.replace("00f067aa0ba902b7", &"0".repeat(16));
        let long = format!("cc{}-{}", &GOOD[2..], "a".repeat(300));
        let bad = [
            "",
            "00",
            &GOOD[..54],
            &format!("{GOOD}-more"),
            &GOOD.to_uppercase(),
            &GOOD.replace("00-4", "ff-4"),
            &zero_id,
            &zero_span,
            &long,
            &GOOD.replace('-', "_"),
            &GOOD.replace("-00f0", "0-0f0"),
            &format!("{}é", &GOOD[..54]),
            &format!("{GOOD},{GOOD}"),
            &GOOD.replacen('b', "+", 1),
        ];
        for text in bad {
            assert_eq!(Parent::parse(text), None, "{text}");
        }
    }

    #[test]
    fn marks_are_read_as_they_were_written_and_bounded() {
        let mark = |n: u64| Mark { of: TracedId(u128::from(n) << 80), trace: Trace { id: u128::from(n), span: n } };
        let marks: Vec<Mark> = (1..4).map(mark).collect();
        assert_eq!(read_marks(&write_marks(&marks)), marks);
        assert_eq!(read_marks(&format!("x,{},:,{}", write_marks(&marks[..1]), GOOD)), &marks[..1]);
        assert_eq!(read_marks(""), []);
        for (written, read) in [(64, 64), (65, 64)] {
            let many: Vec<Mark> = (1..=written).map(mark).collect();
            assert_eq!(read_marks(&write_marks(&many)).len(), read);
        }
    }
}
