//! A seating plan: the areas, rows and seats of a hall. A [`Layout`] is what a file says; a [`Plan`] is a layout that passed
//! [`Plan::check`], never changes, and is named by the hash of its [canonical form](canonical). Unit *n* of a sale with a plan is the
//! *n*-th seat in the plan's order, from 1. Absent: prices, and who has which seat; both belong to a sale.

pub mod canonical;
mod check;
pub mod hall;
pub mod report;

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

pub use check::{seat_place, seats_fit};
pub use report::{Fault, Level, Report};

/// Seats of one plan.
pub const SEATS_MAX: usize = 60_000;
pub const AREAS_MAX: usize = 500;
/// Rows of one area.
pub const ROWS_MAX: usize = 1_000;
/// Seats of one row.
pub const ROW_SEATS_MAX: usize = 500;
pub const CATEGORIES_MAX: usize = 100;
/// Characters of the name of a plan, an area or a category.
pub const NAME_CHARS_MAX: usize = 100;
/// Characters of a row's or a seat's label.
pub const LABEL_CHARS_MAX: usize = 32;
/// Bytes of the canonical form: more than three times those of the largest halls. Every browser that shows a plan takes all of it.
pub const CANONICAL_BYTES_MAX: usize = 6 * 1024 * 1024;
/// How far from the origin a seat is, either way, in hundredths.
pub const COORDINATE_MAX: i32 = 10_000_000;

/// What a seat is beside a place to sit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Kind {
    #[default]
    Standard,
    /// For a wheelchair; not given to who did not ask for it.
    Accessible,
    /// For who comes along with the person on an accessible one.
    Companion,
    /// Something is in the way.
    ViewBlocked,
}

impl Kind {
    pub const ALL: [Kind; 4] = [Kind::Standard, Kind::Accessible, Kind::Companion, Kind::ViewBlocked];

    pub fn name(self) -> &'static str {
        match self {
            Kind::Standard => "standard",
            Kind::Accessible => "accessible",
            Kind::Companion => "companion",
            Kind::ViewBlocked => "view_blocked",
        }
    }

    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A position in hundredths of the plan's unit, so that it is the same number wherever it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Point {
    pub x: i32,
    pub y: i32,
}

impl Point {
    /// Rounded to hundredths. What no plan may hold becomes the number just beyond, which the check refuses.
    pub fn of(x: f64, y: f64) -> Self {
        let fixed = |number: f64| match (number * 100.0).round() {
            near if near.abs() <= f64::from(COORDINATE_MAX) => near as i32,
            _ => COORDINATE_MAX + 1,
        };
        Self { x: fixed(x), y: fixed(y) }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    pub label: String,
    pub at: Point,
    /// The place of its category in the layout's list.
    pub category: usize,
    pub kind: Kind,
}

/// Seats in a line. Two rows of an area may have one label: halls draw a row in parts, with an aisle between them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row {
    pub label: String,
    pub seats: Vec<Seat>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Area {
    pub name: String,
    pub rows: Vec<Row>,
}

/// What a file says, as it is. Anything may be wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layout {
    pub name: String,
    /// What seats are told apart by when they are priced.
    pub categories: Vec<String>,
    pub areas: Vec<Area>,
}

/// A layout without errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    layout: Layout,
    canonical: String,
    hash: PlanHash,
}

impl Plan {
    /// Labels lose the space around them. What is wrong is added to the report; with an error there is no plan.
    pub fn check(mut layout: Layout, report: &mut Report) -> Option<Self> {
        check::check(&mut layout, report);
        if !report.is_fit() {
            return None;
        }
        let canonical = canonical::written(&layout);
        if canonical.len() > CANONICAL_BYTES_MAX {
            let what = format!("takes {} bytes in our own format, and may take {CANONICAL_BYTES_MAX}", canonical.len());
            report.error("too_large", "plan", what);
            return None;
        }
        let hash = PlanHash::of(canonical.as_bytes());
        Some(Self { layout, canonical, hash })
    }

    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// In the plan's order: the first one is unit 1.
    pub fn seats(&self) -> impl Iterator<Item = (&Area, &Row, &Seat)> {
        let rows = self.layout.areas.iter().flat_map(|area| area.rows.iter().map(move |row| (area, row)));
        rows.flat_map(|(area, row)| row.seats.iter().map(move |seat| (area, row, seat)))
    }

    pub fn seat_count(&self) -> usize {
        self.seats().count()
    }

    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    pub fn hash(&self) -> PlanHash {
        self.hash
    }
}

/// SHA-256 of a plan's canonical form: its name.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PlanHash(pub [u8; 32]);

impl PlanHash {
    pub fn of(canonical: &[u8]) -> Self {
        Self(Sha256::digest(canonical).into())
    }
}

impl fmt::Display for PlanHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PlanHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("a plan's hash is 64 digits of 0-9 and a-f")]
pub struct NoHash;

impl FromStr for PlanHash {
    type Err = NoHash;

    /// As it is written and in no other way: a plan has one address.
    fn from_str(text: &str) -> Result<Self, NoHash> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let pairs = text.as_bytes().chunks(2).map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        });
        let bytes = pairs.collect::<Option<Vec<u8>>>().ok_or(NoHash)?;
        bytes.try_into().map(Self).map_err(|_| NoHash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_read_as_it_is_written() {
        let hash = PlanHash::of(b"x");
        assert_eq!(hash.to_string().parse::<PlanHash>().unwrap(), hash);
        let text = hash.to_string();
        for wrong in ["", &text[1..], &format!("{text}0"), &text.to_uppercase(), &text.replace(&text[..1], "g"), "é"] {
            assert!(wrong.parse::<PlanHash>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_position_is_in_hundredths() {
        assert_eq!(Point::of(12.345, -0.004), Point { x: 1235, y: 0 });
        let most = f64::from(COORDINATE_MAX) / 100.0;
        assert_eq!(Point::of(most, -most), Point { x: COORDINATE_MAX, y: -COORDINATE_MAX });
        for beyond in [most + 0.01, -most - 0.01, f64::INFINITY, f64::NAN] {
            assert_eq!(Point::of(beyond, 0.0).x, COORDINATE_MAX + 1);
        }
    }
}
