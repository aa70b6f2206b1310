//! Our own format: the canonical form, however it is spaced.

use serde::Deserialize;

use super::read::json;
use crate::domain::seating::canonical::FORMAT;
use crate::domain::seating::report::echo;
use crate::domain::seating::{Area, Kind, Layout, Point, Report, Row, Seat, seat_place, seats_fit};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    name: String,
    categories: Vec<String>,
    areas: Vec<AreaPart>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AreaPart {
    name: String,
    rows: Vec<RowPart>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RowPart {
    label: String,
    seats: Vec<SeatPart>,
}

#[derive(Deserialize)]
struct SeatPart(String, i32, i32, usize, #[serde(default)] Option<String>);

pub fn layout(bytes: &[u8], report: &mut Report) -> Option<Layout> {
    let file: File = json(bytes, report)?;
    if file.format != FORMAT {
        report.error("format", "format", format!("is {}, and this reads {FORMAT}", echo(&file.format)));
        return None;
    }
    let seats = file.areas.iter().flat_map(|area| &area.rows).map(|row| row.seats.len()).sum();
    if !seats_fit(seats, report) {
        return None;
    }
    let mut kind_of = |area: &str, row: &str, number: usize, label: &str, kind: Option<String>| {
        let Some(name) = kind else { return Kind::Standard };
        Kind::of_name(&name).unwrap_or_else(|| {
            let what = format!("there is no kind {}", echo(&name));
            report.error("kind", seat_place(area, row, number, label), what);
            Kind::Standard
        })
    };
    let areas = file.areas.into_iter().map(|AreaPart { name, rows }| {
        let rows = (1..).zip(rows).map(|(number, RowPart { label, seats })| {
            let seats = seats.into_iter().map(|SeatPart(seat, x, y, category, kind)| {
                let kind = kind_of(&name, &label, number, &seat, kind);
                Seat { label: seat, at: Point { x, y }, category, kind }
            });
            Row { seats: seats.collect(), label }
        });
        Area { rows: rows.collect(), name }
    });
    Some(Layout { areas: areas.collect(), name: file.name, categories: file.categories })
}
