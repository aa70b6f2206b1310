//! A table of seats, a line each: `area,row,seat,x,y`, and, where wanted, `category` and `kind`. Columns may stand in any order and are
//! found by the first line. Areas and rows are in the order in which they are first named. Without a category a seat is of its area's.

use std::collections::HashMap;

use crate::domain::seating::report::echo;
use crate::domain::seating::{Area, Kind, Layout, Point, Report, Row, Seat, seats_fit};

const NEEDED: [&str; 5] = ["area", "row", "seat", "x", "y"];
const CATEGORY: usize = 5;
const KIND: usize = 6;
const COLUMNS: [&str; 7] = ["area", "row", "seat", "x", "y", "category", "kind"];

pub fn layout(bytes: &[u8], report: &mut Report) -> Option<Layout> {
    let mut reader = csv::ReaderBuilder::new().has_headers(true).trim(csv::Trim::All).from_reader(bytes);
    let columns = match reader.headers() {
        Ok(header) => columns(&header.clone(), report)?,
        Err(error) => return unreadable(&error, bytes, report),
    };
    let (mut table, mut seats) = (Table::default(), 0);
    let mut record = csv::StringRecord::new();
    loop {
        match reader.read_record(&mut record) {
            Ok(false) => return Some(table.layout),
            Ok(true) => {
                seats += 1;
                if !seats_fit(seats, report) {
                    return None;
                }
                let line = record.position().map_or(0, |position| line(position, bytes));
                table.add(line, |column| columns[column].and_then(|at| record.get(at)), report);
            }
            Err(error) => return unreadable(&error, bytes, report),
        }
    }
}

/// The library's position is behind the `\r` that ended the record before, and knows nothing yet of what else was there.
fn line(position: &csv::Position, bytes: &[u8]) -> u64 {
    let from = usize::try_from(position.byte()).unwrap_or(bytes.len()).min(bytes.len());
    let ends = bytes[from..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    position.line() + ends.filter(|byte| **byte == b'\n').count() as u64
}

/// Where each known column is.
fn columns(header: &csv::StringRecord, report: &mut Report) -> Option<[Option<usize>; COLUMNS.len()]> {
    let mut columns = [None; COLUMNS.len()];
    for (at, name) in header.iter().enumerate() {
        let place = format!("line 1, column {}", at + 1);
        match COLUMNS.iter().position(|known| known.eq_ignore_ascii_case(name)) {
            None => {
                let known = COLUMNS.join(", ");
                report.error("column", place, format!("{} is no column of a plan: {known}", echo(name)));
            }
            Some(column) if columns[column].replace(at).is_some() => {
                report.error("column", place, format!("{} is there twice", COLUMNS[column]));
            }
            Some(_) => {}
        }
    }
    for missing in NEEDED.iter().enumerate().filter(|(column, _)| columns[*column].is_none()).map(|(_, name)| name) {
        report.error("column", "line 1", format!("the column {missing} is missing"));
    }
    report.is_fit().then_some(columns)
}

fn unreadable(error: &csv::Error, bytes: &[u8], report: &mut Report) -> Option<Layout> {
    let line = error.position().map_or_else(|| "file".to_owned(), |position| format!("line {}", line(position, bytes)));
    let what = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("has {len} columns, and the first line has {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "is not text in UTF-8".to_owned(),
        _ => "cannot be read".to_owned(),
    };
    report.error("unreadable", line, what);
    None
}

#[derive(Default)]
struct Table {
    layout: Layout,
    categories: HashMap<String, usize>,
    areas: HashMap<String, usize>,
    rows: HashMap<(usize, String), usize>,
}

impl Table {
    fn add<'r>(&mut self, line: u64, cell: impl Fn(usize) -> Option<&'r str>, report: &mut Report) {
        let text = |column: usize| cell(column).unwrap_or_default();
        let (area, row, label) = (text(0), text(1), text(2));
        let mut number = |column: usize| match text(column).parse::<f64>() {
            Ok(number) if number.is_finite() => number,
            _ => {
                let what = format!("{} must be a number and is {}", COLUMNS[column], echo(text(column)));
                report.error("number", format!("line {line}"), what);
                0.0
            }
        };
        let at = Point::of(number(3), number(4));
        let kind = match text(KIND) {
            "" => Kind::Standard,
            name => Kind::of_name(name).unwrap_or_else(|| {
                let known = Kind::ALL.map(Kind::name).join(", ");
                report.error("kind", format!("line {line}"), format!("there is no kind {}: {known}", echo(name)));
                Kind::Standard
            }),
        };
        let category = if text(CATEGORY).is_empty() { area } else { text(CATEGORY) };
        let seat = Seat { label: label.to_owned(), at, category: self.category(category), kind };
        self.row(area, row).seats.push(seat);
    }

    fn category(&mut self, name: &str) -> usize {
        let (known, next) = (&mut self.categories, self.layout.categories.len());
        *known.entry(name.to_owned()).or_insert_with(|| {
            self.layout.categories.push(name.to_owned());
            next
        })
    }

    fn row(&mut self, area: &str, label: &str) -> &mut Row {
        let areas = &mut self.layout.areas;
        let at = *self.areas.entry(area.to_owned()).or_insert_with(|| {
            areas.push(Area { name: area.to_owned(), rows: Vec::new() });
            areas.len() - 1
        });
        let rows = &mut areas[at].rows;
        let row = *self.rows.entry((at, label.to_owned())).or_insert_with(|| {
            rows.push(Row { label: label.to_owned(), seats: Vec::new() });
            rows.len() - 1
        });
        &mut rows[row]
    }
}
