//! The checks of what people write. What does not fit is a problem that names the field.

use std::ops::RangeInclusive;

use serde_json::Value;

use crate::kit::http::problem::{Kind, Problem, Rule};

/// A text that people wrote: not blank, not too long, no control characters. Returned without space around it.
pub fn text<'a>(field: &'static str, value: &'a str, chars_max: usize) -> Result<&'a str, Problem> {
    let value = value.trim();
    if value.is_empty() {
        return Err(Problem::field(field, Kind::INVALID, "must not be empty").rule(Rule::EMPTY));
    }
    if value.chars().count() > chars_max {
        return Err(too_long(field, chars_max));
    }
    if value.chars().any(char::is_control) {
        return Err(control_characters(field));
    }
    Ok(value)
}

pub fn too_long(field: &'static str, chars_max: usize) -> Problem {
    let detail = format!("must be at most {chars_max} characters long");
    Problem::field(field, Kind::INVALID, detail).rule(Rule::LENGTH).with("max", chars_max)
}

pub fn control_characters(field: &'static str) -> Problem {
    Problem::field(field, Kind::INVALID, "must not hold control characters").rule(Rule::CONTROL)
}

/// A number within its range.
pub fn within<N: PartialOrd + Copy + std::fmt::Display + Into<Value>>(
    field: &'static str,
    value: N,
    range: RangeInclusive<N>,
) -> Result<N, Problem> {
    if range.contains(&value) {
        return Ok(value);
    }
    let detail = format!("must be from {} to {}", range.start(), range.end());
    Err(Problem::field(field, Kind::INVALID, detail).rule(Rule::RANGE).bounds(*range.start(), *range.end()))
}
