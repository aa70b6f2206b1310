//! A plan from a file, whatever of the three formats it is in: our own, pretix's JSON, or a table in CSV. The format is told by the
//! file's beginning. Whatever cannot be read is an error with its place; whatever is read and not kept is a warning.

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::{csv_file, own, pretix};
use crate::domain::seating::report::echo;
use crate::domain::seating::{Layout, Plan, Report};

/// Of a file of any format. pretix's takes some 360 bytes a seat.
pub const FILE_BYTES_MAX: usize = 32 * 1024 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Own,
    Pretix,
    Csv,
}

impl Format {
    pub fn name(self) -> &'static str {
        match self {
            Format::Own => "own",
            Format::Pretix => "pretix",
            Format::Csv => "csv",
        }
    }
}

#[derive(Debug)]
pub struct Read {
    pub format: Format,
    /// Nothing when there are errors.
    pub plan: Option<Plan>,
    pub report: Report,
}

/// `name` goes over the file's; a table has none of its own.
pub fn read(bytes: &[u8], name: Option<&str>) -> Read {
    let bytes = unmarked(bytes);
    let mut report = Report::default();
    let format = format(bytes);
    let layout = match bytes.len() {
        0 => {
            report.error("unreadable", "file", "is empty");
            None
        }
        1..=FILE_BYTES_MAX => match format {
            Format::Own => own::layout(bytes, &mut report),
            Format::Pretix => pretix::layout(bytes, &mut report),
            Format::Csv => csv_file::layout(bytes, &mut report),
        },
        length => {
            report.error("too_large", "file", format!("has {length} bytes, and may have {FILE_BYTES_MAX}"));
            None
        }
    };
    let plan = layout.and_then(|layout| {
        let name = name.map(str::to_owned).unwrap_or(layout.name);
        Plan::check(Layout { name, ..layout }, &mut report)
    });
    Read { format, plan, report }
}

/// Whether it is read as a table, which has no name of its own.
pub fn is_table(bytes: &[u8]) -> bool {
    unmarked(bytes).iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{')
}

/// Without the mark that some editors begin a text with.
fn unmarked(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

fn format(bytes: &[u8]) -> Format {
    #[derive(Deserialize)]
    struct Head {
        #[serde(default)]
        format: Option<IgnoredAny>,
    }

    if is_table(bytes) {
        return Format::Csv;
    }
    // Of a file that is broken further on its first member tells.
    let inside = bytes.trim_ascii_start().strip_prefix(b"{").unwrap_or_default().trim_ascii_start();
    if inside.starts_with(b"\"format\"") {
        return Format::Own;
    }
    match serde_json::from_slice(bytes) {
        Ok(Head { format: Some(_) }) => Format::Own,
        _ => Format::Pretix,
    }
}

/// Reads JSON whole, or says where it is wrong.
pub(super) fn json<T: DeserializeOwned>(bytes: &[u8], report: &mut Report) -> Option<T> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let error = match serde_path_to_error::deserialize(&mut reader) {
        Ok(value) => match reader.end() {
            Ok(()) => return Some(value),
            Err(error) => {
                report.error("unreadable", format!("line {}", error.line()), "something follows the plan");
                return None;
            }
        },
        Err(error) => error,
    };
    let path = echo(&error.path().to_string());
    let inner = error.into_inner();
    let place = format!("line {}, column {}", inner.line(), inner.column());
    // Where JSON itself is broken, the path is of what came before.
    let is_broken = inner.is_syntax() || inner.is_eof() || path == ".";
    let place = if is_broken { place } else { format!("{path} ({place})") };
    let said = inner.to_string();
    let said = said.rsplit_once(" at line ").map_or(said.as_str(), |(said, _)| said);
    report.error("unreadable", place, said.chars().filter(|c| !c.is_control()).take(300).collect::<String>());
    None
}
