//! The checks of what people write. What does not fit is a problem that names the field.

use std::ops::RangeInclusive;

use crate::http::problem::{Kind, Problem};

/// A text that people wrote: not blank, not too long, no control characters. Returned without space around it.
pub fn text<'a>(field: &'static str, value: &'a str, chars_max: usize) -> Result<&'a str, Problem> {
    let value = value.trim();
    if value.is_empty() {
        return Err(Problem::field(field, Kind::Invalid, "must not be empty"));
    }
    if value.chars().count() > chars_max {
        return Err(Problem::field(field, Kind::Invalid, format!("must be at most {chars_max} characters long")));
    }
    if value.chars().any(char::is_control) {
        return Err(Problem::field(field, Kind::Invalid, "must not hold control characters"));
    }
    Ok(value)
}

/// A number within its range.
pub fn within<N: PartialOrd + Copy + std::fmt::Display>(
    field: &'static str,
    value: N,
    range: RangeInclusive<N>,
) -> Result<N, Problem> {
    if range.contains(&value) {
        return Ok(value);
    }
    Err(Problem::field(field, Kind::Invalid, format!("must be from {} to {}", range.start(), range.end())))
}
