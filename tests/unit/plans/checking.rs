//! What is wrong with a layout is told by its place.

use miaosha::domain::seating::{Area, Kind, Layout, Level, Point, Row};
use proptest::prelude::*;

use super::{checked, layout, said};
use crate::plans::of_text;

type Change = fn(&mut Layout);

#[test]
fn each_error_names_its_place() {
    let b = "area Stalls, row B (row 2 of the area)";
    let wrong: [(Change, String); 16] = [
        (|hall| hall.name = "  ".to_owned(), "label_empty | plan | its name must not be empty".into()),
        (|hall| hall.areas.clear(), "empty | plan | has no seats".into()),
        (
            |hall| hall.areas[1].name = " Stalls".to_owned(),
            "area_twice | area Stalls | an area before it has this name".into(),
        ),
        (|hall| hall.areas[1].rows.clear(), "empty | area Circle | has no rows".into()),
        (|hall| hall.areas[0].rows[1].seats.clear(), format!("empty | {b} | has no seats")),
        (
            |hall| hall.areas[0].rows[1].seats[2].label = "2 ".to_owned(),
            format!("seat_twice | {b}, seat 2 | the row has this seat twice"),
        ),
        (
            |hall| hall.areas[0].rows[1].seats[2].label.clear(),
            format!("label_empty | {b}, seat  | its name must not be empty"),
        ),
        (
            |hall| hall.areas[0].rows[1].seats[2].label = "a\u{7}".to_owned(),
            format!(
                "label_control | {b}, seat a | its name must not hold control characters or others that cannot be seen"
            ),
        ),
        (
            |hall| hall.areas[0].rows[1].seats[2].at.x = 10_000_001,
            format!("position | {b}, seat 3 | its position must be numbers from -100000 to 100000"),
        ),
        (
            |hall| hall.areas[0].rows[1].seats[2].at.y = i32::MIN,
            format!("position | {b}, seat 3 | its position must be numbers from -100000 to 100000"),
        ),
        (
            |hall| hall.areas[0].rows[1].seats[2].category = 2,
            format!("category | {b}, seat 3 | its category is none of the plan's"),
        ),
        (
            |hall| hall.areas[0].rows[1].seats[2].at = Point { x: 0, y: 0 },
            format!(
                "same_place | {b}, seat 3 | stands where another one does: area Stalls, row A (row 1 of the area), seat 1"
            ),
        ),
        (
            |hall| hall.areas[0].rows[1].label.clear(),
            "label_empty | area Stalls, row  (row 2 of the area) | its name must not be empty".into(),
        ),
        (
            |hall| hall.areas[1].name.clear(),
            "label_empty | area  (area 2 of the plan) | its name must not be empty".into(),
        ),
        (
            |hall| hall.categories[1] = "Near".to_owned(),
            "category_twice | category Near | a category before it has this name".into(),
        ),
        (
            |hall| hall.categories[1] = "\u{1b}".to_owned(),
            "label_control | category  | its name must not hold control characters or others that cannot be seen"
                .into(),
        ),
    ];
    assert!(checked(layout()).0.is_some());
    for (spoil, expected) in wrong {
        let mut spoilt = layout();
        spoil(&mut spoilt);
        let (plan, report) = checked(spoilt);
        let errors = said(&report, Level::Error);
        assert!(plan.is_none() && errors.contains(&expected), "{expected}: {errors:?}");
    }
}

#[test]
fn what_is_odd_is_told_and_is_no_error() {
    let odd: [(Change, &str); 3] = [
        (
            |hall| hall.areas[0].rows[1].label = "A".to_owned(),
            "row_repeated | area Stalls, row A | is drawn 2 times, and 3 of its labels are of more than one seat",
        ),
        (
            |hall| hall.areas[0].rows[1].seats[0].kind = Kind::Companion,
            "companion_alone | area Stalls, row B (row 2 of the area) | has a companion's seat and no accessible one",
        ),
        (|hall| hall.categories.push("Best".to_owned()), "category_unused | category Best | no seat is of it"),
    ];
    for (change, expected) in odd {
        let mut changed = layout();
        change(&mut changed);
        let (plan, report) = checked(changed);
        assert_eq!((plan.is_some(), said(&report, Level::Warning)), (true, vec![expected.to_owned()]));
    }
    // A row in parts whose seats go on counting is as it should be.
    let mut parted = layout();
    parted.areas[0].rows[1].label = "A".to_owned();
    parted.areas[0].rows[1].seats.iter_mut().for_each(|seat| seat.label.insert(0, '1'));
    assert_eq!(checked(parted).1.warning_count, 0);
}

#[test]
fn a_plan_is_what_its_hash_says() {
    let (plan, _) = checked(layout());
    let hash = plan.unwrap().hash();
    let mut spaced = layout();
    spaced.name = " Hall ".to_owned();
    assert_eq!(checked(spaced).0.unwrap().hash(), hash, "space around a name is not part of it");
    let others: [fn(&mut Layout); 8] = [
        |hall| hall.name.push('s'),
        |hall| hall.categories.swap(0, 1),
        |hall| hall.areas.swap(0, 1),
        |hall| hall.areas[0].rows.swap(0, 1),
        |hall| hall.areas[0].rows[0].seats.swap(0, 1),
        |hall| hall.areas[0].rows[0].seats[0].at.x += 1,
        |hall| hall.areas[0].rows[0].seats[0].kind = Kind::Accessible,
        |hall| hall.areas[0].rows[0].seats[0].label = "1a".to_owned(),
    ];
    for change in others {
        let mut other = layout();
        change(&mut other);
        assert_ne!(checked(other).0.unwrap().hash(), hash);
    }
}

fn label() -> impl Strategy<Value = String> {
    prop_oneof!["[A-Za-z0-9]{1,6}", "[\"\\\\/<&{}\\[\\],:]{1,4}", "[座席排區走道é😀]{1,8}"]
}

fn any_layout() -> impl Strategy<Value = Layout> {
    let kind = prop::sample::select(Kind::ALL.to_vec());
    let seat = (label(), any::<(i16, i16)>(), 0..3_usize, kind);
    let row = (label(), prop::collection::vec(seat, 0..6));
    let area = (label(), prop::collection::vec(row, 0..4));
    let names = prop::collection::vec(label(), 0..4);
    (label(), names, prop::collection::vec(area, 0..4)).prop_map(|(name, categories, areas)| {
        let seat = |(label, (x, y), category, kind): (String, (i16, i16), usize, Kind)| {
            miaosha::domain::seating::Seat { label, at: Point { x: x.into(), y: y.into() }, category, kind }
        };
        let row = |(label, seats): (String, Vec<_>)| Row { label, seats: seats.into_iter().map(seat).collect() };
        let area = |(name, rows): (String, Vec<_>)| Area { name, rows: rows.into_iter().map(row).collect() };
        Layout { name, categories, areas: areas.into_iter().map(area).collect() }
    })
}

proptest! {
    /// Whatever passes is read back from its canonical form as the same plan; whatever does not says why.
    #[test]
    fn a_plan_is_read_as_it_is_written(layout in any_layout()) {
        let (plan, report) = checked(layout);
        prop_assert_eq!(plan.is_none(), report.error_count > 0);
        if let Some(plan) = plan {
            let canonical = plan.canonical();
            let value: serde_json::Value = serde_json::from_str(canonical).unwrap();
            let spaced = serde_json::to_string_pretty(&value).unwrap();
            for text in [canonical, spaced.as_str()] {
                let again = of_text(text);
                prop_assert_eq!(again.plan.as_ref().map(|plan| plan.hash()), Some(plan.hash()), "{:?}", again.report);
                prop_assert_eq!(again.plan.as_ref(), Some(&plan));
            }
        }
    }
}
