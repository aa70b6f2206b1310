//! A day and a time of day, as a receipt and a gate write them: in the shop's zone, which is said.

use crate::domain::shared::locale::Locale;
use crate::domain::shared::time::Timestamp;

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

/// For paper.
pub fn words(at: Timestamp, offset_minutes: i16, locale: Locale) -> String {
    let at = at.civil(offset_minutes);
    let (zone, time) = (zone(offset_minutes), format!("{:02}:{:02}", at.hour, at.minute));
    match locale {
        Locale::En => format!("{} {} {}, {time} {zone}", at.day, MONTHS[usize::from(at.month) - 1], at.year),
        Locale::ZhTw => format!("{}年{}月{}日 {time}（{zone}）", at.year, at.month, at.day),
    }
}

/// For a line of a terminal.
pub fn plain(at: Timestamp, offset_minutes: i16) -> String {
    let (at, offset) = (at.civil(offset_minutes), offset(offset_minutes));
    format!("{:04}-{:02}-{:02} {:02}:{:02}:{:02} {offset}", at.year, at.month, at.day, at.hour, at.minute, at.second)
}

fn zone(offset_minutes: i16) -> String {
    if offset_minutes == 0 { "UTC".to_owned() } else { format!("UTC{}", offset(offset_minutes)) }
}

fn offset(minutes: i16) -> String {
    let (sign, minutes) = (if minutes < 0 { '-' } else { '+' }, minutes.unsigned_abs());
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}
