//! Files as people have them: what is read, and what is said of the rest.

use miaosha::app::seating::read::{Format, read};
use miaosha::domain::seating::{Level, Point};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{errors, of_text, said};

/// As public plans are: zones of curved rows, a label that is there for each part of a row, copies that kept their `seat_guid`, shapes.
fn pretix() -> Value {
    let row = |label: &str, x: i32, guid: &str| {
        let seats: Vec<Value> = (1..=3)
            .map(|number| {
                json!({
                    "seat_number": number.to_string(), "seat_guid": format!("{guid}-{number}"), "uuid": "u", "radius": 10.5,
                    "position": { "x": number * 25, "y": number * number }, "category": "I",
                })
            })
            .collect();
        json!({
            "row_number": label, "row_number_position": "start", "position": { "x": x, "y": 0.125 }, "uuid": "u", "seats": seats,
        })
    };
    let shape = json!({ "shape": "rectangle", "position": { "x": 1, "y": 1 }, "rotation": 0 });
    json!({
        "name": "Stadium", "size": { "width": 2000, "height": 2000 },
        "categories": [{ "name": "I", "color": "#F44336" }, { "name": "V", "color": "#8BC34A" }],
        "zones": [
            {
                "name": "Ground floor", "zone_id": "g", "position": { "x": 1000, "y": 0.5 }, "areas": [shape],
                "rows": [row("A", 0, "g-A"), row("A", 100, "g-A"), row("B", 200, "g-B")],
            },
            { "name": "Stage", "position": { "x": 0, "y": 0 }, "rows": [], "areas": [shape] },
        ],
    })
}

#[test]
fn a_plan_of_pretix_is_read_with_its_faults_named() {
    let read = of_text(&pretix().to_string());
    assert_eq!((read.format, errors(&read)), (Format::Pretix, vec![]));
    let expected = [
        "guid_twice | area Ground floor, row A (row 2 of the area) | 3 of its seats have the seat_guid of an earlier one, such as g-A-1: \
         area Ground floor, row A (row 1 of the area), seat 1",
        "left_out | zones[1] | Stage has no seats and is left out",
        "not_kept | plan | colours of categories are not kept (2)",
        "not_kept | plan | radii of seats are not kept (9)",
        "not_kept | plan | shapes that are drawn and not sold are not kept (2)",
        "category_unused | category V | no seat is of it",
        "row_repeated | area Ground floor, row A | is drawn 2 times, and 3 of its labels are of more than one seat",
    ];
    assert_eq!(said(&read.report, Level::Warning), expected);
    let plan = read.plan.unwrap();
    let places: Vec<Point> = plan.seats().map(|(_, _, seat)| seat.at).collect();
    assert_eq!((places.len(), places[0], places[8]), (9, Point { x: 102_500, y: 163 }, Point { x: 127_500, y: 963 }));
}

#[test]
fn what_a_plan_of_pretix_has_wrong_is_named() {
    let wrong: [(&str, Value, &str); 8] = [
        (
            "/zones/0/rows/1/seats/2/category",
            json!("VI"),
            "category | area Ground floor, row A (row 2 of the area), seat 3 | there is no category VI",
        ),
        (
            "/zones/0/rows/1/seats/2/seat_number",
            json!("1"),
            "seat_twice | area Ground floor, row A (row 2 of the area), seat 1 | the row has this seat twice",
        ),
        (
            "/zones/0/rows/1/seats/2/position",
            json!({ "x": 1e300, "y": 0 }),
            "position | area Ground floor, row A (row 2 of the area), seat 3 | ",
        ),
        (
            "/zones/0/rows/1/seats/2/position/x",
            json!("7"),
            "unreadable | zones[0].rows[1].seats[2].position.x (line 1, column ",
        ),
        ("/zones/0/rows/1/seats/2", json!({}), "unreadable | zones[0].rows[1].seats[2] (line 1, column "),
        ("/zones/0/rows/1/seats/2/price", json!(7), "unreadable | zones[0].rows[1].seats[2].price (line 1, column "),
        ("/zones/0/rows", json!(null), "unreadable | zones[0].rows (line 1, column "),
        ("/zones", json!([]), "empty | plan | has no seats"),
    ];
    for (place, value, expected) in wrong {
        let mut file = pretix();
        let (parent, name) = place.rsplit_once('/').unwrap();
        match file.pointer_mut(parent).unwrap() {
            Value::Array(parts) => parts[name.parse::<usize>().unwrap()] = value,
            parent => parent[name] = value,
        }
        let read = of_text(&file.to_string());
        let errors = errors(&read);
        assert!(errors.iter().any(|error| error.starts_with(expected)), "{place}: {expected}: {errors:?}");
    }
}

const TABLE: &str = "area,row,seat,x,y\nStalls,A,1,0,0\nStalls,A,2,25.5,0\nCircle,A,1,0,90\nStalls,B,1,-1,30\n";

#[test]
fn a_table_is_read_and_gets_its_name_from_who_reads_it() {
    let all = read(TABLE.as_bytes(), Some("Hall"));
    assert_eq!((all.format, all.report.faults().count()), (Format::Csv, 0));
    let plan = all.plan.unwrap();
    let told: Vec<String> = plan
        .seats()
        .map(|(area, row, seat)| {
            let category = &plan.layout().categories[seat.category];
            format!(
                "{} {} {} {} {} {category} {}",
                area.name,
                row.label,
                seat.label,
                seat.at.x,
                seat.at.y,
                seat.kind.name()
            )
        })
        .collect();
    let expected = [
        "Stalls A 1 0 0 Stalls standard",
        "Stalls A 2 2550 0 Stalls standard",
        "Stalls B 1 -100 3000 Stalls standard",
        "Circle A 1 0 9000 Circle standard",
    ];
    assert_eq!(told, expected);
    assert_eq!(errors(&of_text(TABLE)), ["label_empty | plan | its name must not be empty"]);

    let more =
        "\u{feff}Kind,SEAT,Row,Area,y,x,category\r\naccessible,1,\"A, left\",區,0,0,Best\r\n,2,\"A, left\",區,0,1,\r\n";
    let plan = read(more.as_bytes(), Some("Hall")).plan.unwrap();
    let seats: Vec<_> =
        plan.seats().map(|(_, row, seat)| (row.label.as_str(), seat.kind.name(), seat.category)).collect();
    assert_eq!(seats, [("A, left", "accessible", 0), ("A, left", "standard", 1)]);
    assert_eq!(plan.layout().categories, ["Best", "區"]);
}

#[test]
fn what_a_table_has_wrong_is_named_by_its_line() {
    let wrong: [(&str, &str); 9] = [
        ("area,row,seat,x\n", "column | line 1 | the column y is missing"),
        ("area,row,seat,x,y,x\n", "column | line 1, column 6 | x is there twice"),
        (
            "area,row,seat,x,y,price\n",
            "column | line 1, column 6 | price is no column of a plan: area, row, seat, x, y, category, kind",
        ),
        ("area,row,seat,x,y\nS,A,1,0,0\nS,A,2,0\n", "unreadable | line 3 | has 4 columns, and the first line has 5"),
        ("area,row,seat,x,y\nS,A,1,0,0\nS,A,2,NaN,0\n", "number | line 3 | x must be a number and is NaN"),
        ("area,row,seat,x,y\nS,A,1,0,\n", "number | line 2 | y must be a number and is "),
        (
            "area,row,seat,x,y,kind\nS,A,1,0,0,vip\n",
            "kind | line 2 | there is no kind vip: standard, accessible, companion, view_blocked",
        ),
        (
            "area,row,seat,x,y\nS,A,1,0,0\nS,A,1,1,0\n",
            "seat_twice | area S, row A (row 1 of the area), seat 1 | the row has this seat twice",
        ),
        ("area,row,seat,x,y\n", "empty | plan | has no seats"),
    ];
    for (text, expected) in wrong {
        // As other machines end lines, too.
        for text in [text.to_owned(), text.replace('\n', "\r\n")] {
            let errors = errors(&read(text.as_bytes(), Some("Hall")));
            assert!(errors.contains(&expected.to_owned()), "{text:?}, {expected}: {errors:?}");
        }
    }
    let latin = b"area,row,seat,x,y\nS,A,1,0,0\nS\xe9,A,1,1,0\n";
    assert_eq!(errors(&read(latin, Some("Hall"))), ["unreadable | line 3 | is not text in UTF-8"]);
}

#[test]
fn what_is_no_plan_is_said_to_be_none() {
    let wrong: [(&str, &str); 9] = [
        ("", "unreadable | file | is empty"),
        (
            "{ \"format\": \"miaosha-plan-1\",\n\"name\": \"x\"",
            "unreadable | line 2, column 11 | EOF while parsing an object",
        ),
        (
            "{\"format\": \"miaosha-plan-1\", \"name\": \"x\", \"categories\": [\"c\"], \"areas\": [{\"name\": \"a\", \"rows\": \
          [{\"label\": \"A\", \"seats\": [[\"12\", 0, 0, 0], [\"12\u{200b}\", 1, 0, 0]]}]}]}",
            "label_control | area a, row A (row 1 of the area), seat 12 | ",
        ),
        ("{", "unreadable | line 1, column 1 | EOF while parsing an object"),
        ("{\"name\": \"x\"}", "unreadable | "),
        (
            "{\"format\": \"miaosha-plan-2\", \"name\": \"x\", \"categories\": [], \"areas\": []}",
            "format | format | is miaosha-plan-2, and this reads miaosha-plan-1",
        ),
        ("{\"format\": 7}", "unreadable | format (line 1, column "),
        ("<svg/>", "column | line 1, column 1 | <svg/> is no column"),
        (
            "{\"format\": \"miaosha-plan-1\", \"name\": \"x\", \"categories\": [\"c\"], \"areas\": [{\"name\": \"a\", \"rows\": \
          [{\"label\": \"A\", \"seats\": [[\"1\", 0, 0, 0, \"vip\"]]}]}]}",
            "kind | area a, row A (row 1 of the area), seat 1 | there is no kind vip",
        ),
    ];
    for (text, expected) in wrong {
        let errors = errors(&of_text(text));
        assert!(errors.iter().any(|error| error.starts_with(expected)), "{expected}: {errors:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_plan_or_have_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let read = read(&bytes, Some("Hall"));
        prop_assert_eq!(read.plan.is_none(), read.report.error_count > 0);
    }

    /// A file that broke somewhere.
    #[test]
    fn a_broken_file_is_a_plan_or_has_an_error(is_table: bool, at in any::<prop::sample::Index>(), byte: u8, is_cut: bool) {
        let mut bytes = if is_table { TABLE.as_bytes().to_vec() } else { pretix().to_string().into_bytes() };
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes.truncate(if is_cut { at + 1 } else { bytes.len() });
        let read = read(&bytes, Some("Hall"));
        prop_assert_eq!(read.plan.is_none(), read.report.error_count > 0);
    }
}
