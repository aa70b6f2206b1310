//! A day and a time of day, as a receipt writes them: in UTC, in words that mean the same everywhere.

use crate::domain::time::Civil;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Of a moment in UTC.
pub fn words(at: Civil) -> String {
    let month = MONTHS[usize::from(at.month) - 1];
    format!("{} {month} {}, {:02}:{:02} UTC", at.day, at.year, at.hour, at.minute)
}
