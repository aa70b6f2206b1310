//! What may be wrong with a layout, by place. An error is what nobody could sell by: a seat that is there twice, a label that cannot be
//! printed, more than a plan may hold. What is odd and may be meant is a warning: real halls draw one row in parts and number each.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::report::{Report, echo, is_unseen};
use super::{
    AREAS_MAX, Area, CATEGORIES_MAX, COORDINATE_MAX, Kind, LABEL_CHARS_MAX, Layout, NAME_CHARS_MAX, Point,
    ROW_SEATS_MAX, ROWS_MAX, Row, SEATS_MAX, Seat,
};

pub(super) fn check(layout: &mut Layout, report: &mut Report) {
    named(&mut layout.name, NAME_CHARS_MAX, "plan", report);
    categories(layout, report);
    counted(layout.areas.len(), AREAS_MAX, "areas", "plan", report);
    let seats = layout.areas.iter().flat_map(|area| &area.rows).map(|row| row.seats.len()).sum();
    // Of too many nothing more is said: what is wrong with each would take long.
    if !seats_fit(seats, report) {
        return;
    }
    if seats == 0 {
        report.error("empty", "plan", "has no seats");
    }
    let mut names = HashSet::new();
    for (number, area) in (1..).zip(&mut layout.areas) {
        let place = format!("{} (area {number} of the plan)", area_place(&area.name));
        named(&mut area.name, NAME_CHARS_MAX, &place, report);
        if !names.insert(area.name.clone()) {
            report.error("area_twice", area_place(&area.name), "an area before it has this name");
        }
        area_checked(area, report);
    }
    seats_checked(layout, report);
}

fn categories(layout: &mut Layout, report: &mut Report) {
    counted(layout.categories.len(), CATEGORIES_MAX, "categories", "plan", report);
    let used: HashSet<usize> =
        layout.areas.iter().flat_map(|area| &area.rows).flat_map(|row| &row.seats).map(|seat| seat.category).collect();
    let mut names = HashSet::new();
    for (index, name) in layout.categories.iter_mut().enumerate() {
        let place = format!("category {}", echo(name));
        named(name, NAME_CHARS_MAX, &place, report);
        if !names.insert(name.clone()) {
            report.error("category_twice", &place, "a category before it has this name");
        }
        if !used.contains(&index) {
            report.warning("category_unused", &place, "no seat is of it");
        }
    }
}

fn area_checked(area: &mut Area, report: &mut Report) {
    let place = area_place(&area.name);
    counted(area.rows.len(), ROWS_MAX, "rows", &place, report);
    if area.rows.is_empty() {
        report.error("empty", &place, "has no rows");
    }
    for (number, row) in (1..).zip(&mut area.rows) {
        let place = row_place(&area.name, &row.label, number);
        named(&mut row.label, LABEL_CHARS_MAX, &place, report);
        counted(row.seats.len(), ROW_SEATS_MAX, "seats", &place, report);
        if row.seats.is_empty() {
            report.error("empty", &place, "has no seats");
        }
        row_checked(row, &place, report);
    }
    let mut parts: BTreeMap<&str, (usize, HashMap<&str, usize>)> = BTreeMap::new();
    for row in &area.rows {
        let (count, labels) = parts.entry(&row.label).or_default();
        *count += 1;
        row.seats.iter().for_each(|seat| *labels.entry(&seat.label).or_default() += 1);
    }
    for (label, (count, labels)) in parts.into_iter().filter(|(_, (count, _))| *count > 1) {
        let twice = labels.values().filter(|count| **count > 1).count();
        if twice > 0 {
            let what = format!("is drawn {count} times, and {twice} of its labels are of more than one seat");
            report.warning("row_repeated", format!("{place}, row {}", echo(label)), what);
        }
    }
}

fn row_checked(row: &mut Row, place: &str, report: &mut Report) {
    let mut labels: HashMap<String, usize> = HashMap::new();
    for seat in &mut row.seats {
        let place = format!("{place}, seat {}", echo(seat.label.trim()));
        named(&mut seat.label, LABEL_CHARS_MAX, &place, report);
        *labels.entry(seat.label.clone()).or_default() += 1;
        // Each label is told of once, however often it is there.
        if labels[&seat.label] == 2 {
            report.error("seat_twice", &place, "the row has this seat twice");
        }
        let is_near = |number: i32| (-COORDINATE_MAX..=COORDINATE_MAX).contains(&number);
        if !is_near(seat.at.x) || !is_near(seat.at.y) {
            let most = COORDINATE_MAX / 100;
            report.error("position", &place, format!("its position must be numbers from -{most} to {most}"));
        }
    }
    let has = |kind: Kind| row.seats.iter().any(|seat| seat.kind == kind);
    if has(Kind::Companion) && !has(Kind::Accessible) {
        report.warning("companion_alone", place, "has a companion's seat and no accessible one");
    }
}

/// What is only seen of the whole plan.
fn seats_checked(layout: &Layout, report: &mut Report) {
    let mut taken: HashMap<Point, (&Area, usize, &Row, &Seat)> = HashMap::new();
    for area in &layout.areas {
        for (number, row) in (1..).zip(&area.rows) {
            for seat in &row.seats {
                let place = || seat_place(&area.name, &row.label, number, &seat.label);
                if seat.category >= layout.categories.len() {
                    report.error("category", place(), "its category is none of the plan's");
                }
                if let Some((area, number, row, seat)) = taken.get(&seat.at) {
                    let other = seat_place(&area.name, &row.label, *number, &seat.label);
                    report.error("same_place", place(), format!("stands where another one does: {other}"));
                } else {
                    taken.insert(seat.at, (area, number, row, seat));
                }
            }
        }
    }
}

/// A name or a label, without the space around it.
fn named(text: &mut String, chars_max: usize, place: &str, report: &mut Report) {
    if text.trim().len() != text.len() {
        *text = text.trim().to_owned();
    }
    if text.is_empty() {
        report.error("label_empty", place, "its name must not be empty");
    } else if text.chars().count() > chars_max {
        report.error("label_long", place, format!("its name must be at most {chars_max} characters long"));
    }
    if text.chars().any(is_unseen) {
        report.error("label_control", place, "its name must not hold control characters or others that cannot be seen");
    }
}

fn counted(count: usize, most: usize, what: &str, place: &str, report: &mut Report) -> bool {
    if count > most {
        report.error("too_many", place, format!("has {count} {what}, and may have {most}"));
    }
    count <= most
}

/// To be asked as soon as it is known, before anything is made of each.
pub fn seats_fit(seats: usize, report: &mut Report) -> bool {
    counted(seats, SEATS_MAX, "seats", "plan", report)
}

fn area_place(area: &str) -> String {
    format!("area {}", echo(area))
}

fn row_place(area: &str, row: &str, number: usize) -> String {
    format!("area {}, row {} (row {number} of the area)", echo(area), echo(row))
}

/// `number`: of the row in its area, from 1, since labels of rows repeat.
pub fn seat_place(area: &str, row: &str, number: usize, seat: &str) -> String {
    format!("{}, seat {}", row_place(area, row, number), echo(seat))
}
