//! What is wrong with a plan, each fault with its place. An error keeps a file from becoming a plan; a warning does not, and is where
//! people look before they sell by it. A report is as long as people read: of each level it keeps the first ones and counts all.

use std::fmt;

use crate::domain::people::name::turns;

/// Faults of one level that a report keeps.
pub const FAULTS_MAX: usize = 100;
/// Characters of what a file says that a fault repeats.
const ECHO_CHARS_MAX: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    Error,
    Warning,
}

impl Level {
    pub fn name(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warning => "warning",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub level: Level,
    /// A constant word for what it is, such as `seat_twice`.
    pub kind: &'static str,
    /// Such as `area Stalls, row C (row 3 of the area), seat 12`.
    pub place: String,
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fault { level, place, what, .. } = self;
        write!(f, "{}: {place}: {what}", level.name())
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    errors: Vec<Fault>,
    warnings: Vec<Fault>,
    /// All there were.
    pub error_count: usize,
    pub warning_count: usize,
}

impl Report {
    pub fn error(&mut self, kind: &'static str, place: impl Into<String>, what: impl Into<String>) {
        self.error_count += 1;
        if self.errors.len() < FAULTS_MAX {
            self.errors.push(Fault { level: Level::Error, kind, place: place.into(), what: what.into() });
        }
    }

    pub fn warning(&mut self, kind: &'static str, place: impl Into<String>, what: impl Into<String>) {
        self.warning_count += 1;
        if self.warnings.len() < FAULTS_MAX {
            self.warnings.push(Fault { level: Level::Warning, kind, place: place.into(), what: what.into() });
        }
    }

    /// Whether it has no error.
    pub fn is_fit(&self) -> bool {
        self.error_count == 0
    }

    /// Errors first.
    pub fn faults(&self) -> impl Iterator<Item = &Fault> {
        self.errors.iter().chain(&self.warnings)
    }

    /// Faults that were counted and not kept.
    pub fn left_out(&self) -> usize {
        self.error_count + self.warning_count - self.errors.len() - self.warnings.len()
    }
}

/// What a file says, made safe and short enough to repeat. However long it is, its beginning alone is looked at.
pub fn echo(text: &str) -> String {
    let mut chars = text.chars();
    let mut shown: String = chars.by_ref().take(ECHO_CHARS_MAX).filter(|c| !is_unseen(*c)).collect();
    if chars.next().is_some() {
        shown.push('…');
    }
    shown
}

/// Nothing to be seen, or turns around what is: two seats could look the same on their tickets.
pub fn is_unseen(c: char) -> bool {
    c.is_control() || turns(c) || matches!(c, '\u{ad}' | '\u{200b}' | '\u{2028}' | '\u{2029}' | '\u{2060}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_faults_are_kept_and_all_are_counted() {
        let mut report = Report::default();
        for number in 0..=FAULTS_MAX {
            assert_eq!((report.left_out(), report.is_fit()), (0, true));
            report.warning("w", format!("{number}"), "is odd");
        }
        report.error("e", "here", "is wrong");
        assert_eq!((report.left_out(), report.is_fit(), report.warning_count), (1, false, FAULTS_MAX + 1));
        let shown: Vec<String> = report.faults().map(Fault::to_string).collect();
        assert_eq!((shown.len(), shown[0].as_str()), (FAULTS_MAX + 1, "error: here: is wrong"));
        assert_eq!(shown[FAULTS_MAX], format!("warning: {}: is odd", FAULTS_MAX - 1));
    }

    #[test]
    fn so_much_of_a_file_is_repeated() {
        let most = "x".repeat(ECHO_CHARS_MAX);
        assert_eq!((echo(&most), echo(&format!("{most}x"))), (most.clone(), format!("{most}…")));
        assert_eq!(echo("a\u{1b}[2Jb\n\u{202e}c\u{200b}"), "a[2Jbc");
    }
}
