//! Seating plans: files of three formats, what is found wrong with them, and halls that are made.

mod checking;
mod files;
mod halls;
mod limits;

use miaosha::app::seating::read::{Read, read};
use miaosha::domain::seating::{Area, Kind, Layout, Level, Plan, Point, Report, Row, Seat};

/// A small hall: two areas, two rows of three seats each.
fn layout() -> Layout {
    let seat = |x: i32, y: i32, category: usize| Seat {
        label: (x + 1).to_string(),
        at: Point { x: x * 2_500, y: y * 3_000 },
        category,
        kind: Kind::Standard,
    };
    let row = |label: &str, y: i32, category| Row {
        label: label.to_owned(),
        seats: (0..3).map(|x| seat(x, y, category)).collect(),
    };
    let area = |name: &str, y: i32, category| Area {
        name: name.to_owned(),
        rows: vec![row("A", y, category), row("B", y + 1, category)],
    };
    Layout {
        name: "Hall".to_owned(),
        categories: vec!["Near".to_owned(), "Far".to_owned()],
        areas: vec![area("Stalls", 0, 0), area("Circle", 9, 1)],
    }
}

fn checked(layout: Layout) -> (Option<Plan>, Report) {
    let mut report = Report::default();
    (Plan::check(layout, &mut report), report)
}

/// What a report says at a level: kind, place and words.
fn said(report: &Report, level: Level) -> Vec<String> {
    let told = report.faults().filter(|fault| fault.level == level);
    told.map(|fault| format!("{} | {} | {}", fault.kind, fault.place, fault.what)).collect()
}

fn errors(read: &Read) -> Vec<String> {
    assert_eq!(read.plan.is_none(), read.report.error_count > 0, "{:?}", read.report);
    said(&read.report, Level::Error)
}

fn of_text(text: &str) -> Read {
    read(text.as_bytes(), None)
}
