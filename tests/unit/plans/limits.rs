//! Plans at their limits, and one above.

use miaosha::app::seating::read::{FILE_BYTES_MAX, read};
use miaosha::domain::seating::{
    AREAS_MAX, Area, CANONICAL_BYTES_MAX, CATEGORIES_MAX, COORDINATE_MAX, LABEL_CHARS_MAX, Layout, Level,
    NAME_CHARS_MAX, Point, ROW_SEATS_MAX, ROWS_MAX, Row, SEATS_MAX, Seat,
};

use super::{checked, errors, layout, said};

/// `areas` areas of `rows` rows of `seats` seats, in one category.
fn grid(areas: usize, rows: usize, seats: usize) -> Layout {
    let row = |area: usize, row: usize| Row {
        label: row.to_string(),
        seats: (0..seats)
            .map(|seat| Seat {
                label: seat.to_string(),
                at: Point { x: (area * 1_000 + seat) as i32, y: row as i32 },
                category: 0,
                kind: Default::default(),
            })
            .collect(),
    };
    let area = |area: usize| Area { name: area.to_string(), rows: (0..rows).map(|of| row(area, of)).collect() };
    Layout { name: "Hall".to_owned(), categories: vec!["C".to_owned()], areas: (0..areas).map(area).collect() }
}

#[track_caller]
fn passes(layout: Layout) {
    let (plan, report) = checked(layout);
    assert!(plan.is_some(), "{:?}", said(&report, Level::Error));
}

#[track_caller]
fn fails(layout: Layout, expected: &str) {
    let (plan, report) = checked(layout);
    let errors = said(&report, Level::Error);
    assert!(plan.is_none() && errors.len() == 1 && errors[0].contains(expected), "{expected}: {errors:?}");
}

#[test]
fn a_plan_has_so_many_parts() {
    passes(grid(SEATS_MAX / 500, 1, 500));
    let mut more = grid(SEATS_MAX / 500, 1, 500);
    more.areas.extend(grid(121, 1, 1).areas.pop());
    fails(more, "has 60001 seats, and may have 60000");
    passes(grid(AREAS_MAX, 1, 1));
    fails(grid(AREAS_MAX + 1, 1, 1), "has 501 areas, and may have 500");
    passes(grid(1, ROWS_MAX, 1));
    fails(grid(1, ROWS_MAX + 1, 1), "has 1001 rows, and may have 1000");
    passes(grid(1, 1, ROW_SEATS_MAX));
    fails(grid(1, 1, ROW_SEATS_MAX + 1), "has 501 seats, and may have 500");
    let categories = |count: usize| Layout { categories: (0..count).map(|c| c.to_string()).collect(), ..grid(1, 1, 1) };
    passes(categories(CATEGORIES_MAX));
    fails(categories(CATEGORIES_MAX + 1), "has 101 categories, and may have 100");
}

/// Areas of a hundred rows of one seat, all with labels as long as they may be.
#[test]
fn a_plan_has_so_many_bytes() {
    let hall = |areas: usize| {
        let label = "😀".repeat(LABEL_CHARS_MAX);
        let mut hall = grid(areas, 100, 1);
        for (number, area) in hall.areas.iter_mut().enumerate() {
            area.name = format!("{:03}", number);
            for (at, row) in area.rows.iter_mut().enumerate() {
                (row.label, row.seats[0].label) = (label.clone(), label.clone());
                row.seats[0].at = Point { x: 1_000_000 + number as i32, y: 1_000_000 + at as i32 };
            }
        }
        hall
    };
    let bytes = |areas: usize| checked(hall(areas)).0.unwrap().canonical().len();
    let more = bytes(2) - bytes(1);
    let most = 1 + (CANONICAL_BYTES_MAX - bytes(1)) / more;
    passes(hall(most));
    fails(hall(most + 1), "and may take 6291456");
}

/// However long what a file says is, a fault costs what its beginning costs.
#[test]
fn a_long_name_is_told_of_shortly() {
    let mut hall = grid(2, 1, 2);
    hall.areas[0].name = "x".repeat(1_000_000);
    let (_, report) = checked(hall);
    let errors = said(&report, Level::Error);
    assert!(errors.iter().all(|error| error.len() < 200) && !errors.is_empty(), "{errors:?}");
}

#[test]
fn names_and_labels_have_their_length() {
    let named = |count: usize| Layout { name: "名".repeat(count), ..layout() };
    passes(named(NAME_CHARS_MAX));
    fails(named(NAME_CHARS_MAX + 1), "at most 100 characters");
    let labelled = |count: usize| {
        let mut hall = layout();
        hall.areas[0].rows[0].label = "排".repeat(count);
        hall
    };
    passes(labelled(LABEL_CHARS_MAX));
    fails(labelled(LABEL_CHARS_MAX + 1), "at most 32 characters");
    let seat = |count: usize| {
        let mut hall = layout();
        hall.areas[0].rows[0].seats[0].label = "座".repeat(count);
        hall
    };
    passes(seat(LABEL_CHARS_MAX));
    fails(seat(LABEL_CHARS_MAX + 1), "at most 32 characters");
}

#[test]
fn a_seat_is_so_far_away() {
    let at = |x: i32, y: i32| {
        let mut hall = layout();
        hall.areas[0].rows[0].seats[0].at = Point { x, y };
        hall
    };
    passes(at(COORDINATE_MAX, -COORDINATE_MAX));
    fails(at(COORDINATE_MAX + 1, 0), "from -100000 to 100000");
    fails(at(0, -COORDINATE_MAX - 1), "from -100000 to 100000");
}

#[test]
fn a_file_of_a_plan_has_its_length() {
    let mut file = checked(layout()).0.unwrap().canonical().as_bytes().to_vec();
    file.resize(FILE_BYTES_MAX, b' ');
    assert!(read(&file, None).plan.is_some());
    file.push(b' ');
    assert_eq!(errors(&read(&file, None)), ["too_large | file | has 33554433 bytes, and may have 33554432"]);
}
