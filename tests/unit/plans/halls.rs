//! Halls that are made.

use std::collections::BTreeMap;

use miaosha::app::seating::picture;
use miaosha::domain::seating::hall::{HALL_SEATS_MAX, HALL_SEATS_MIN, hall};
use miaosha::domain::seating::{Kind, Plan, Point, Seat};
use proptest::prelude::*;

use super::{checked, layout};

fn made(seats: usize, seed: u64) -> Plan {
    let (plan, report) = checked(hall(seats, seed));
    assert_eq!(report.faults().count(), 0, "{seats} seats, seed {seed}: {report:?}");
    plan.unwrap()
}

#[test]
fn a_hall_has_so_many_seats() {
    for seats in [HALL_SEATS_MIN, HALL_SEATS_MIN + 1, 6_000, 6_001, 20_000, HALL_SEATS_MAX] {
        let plan = made(seats, 7);
        assert_eq!(plan.seat_count(), seats);
        let mut kinds: BTreeMap<Kind, usize> = BTreeMap::new();
        plan.seats().for_each(|(_, _, seat)| *kinds.entry(seat.kind).or_default() += 1);
        assert_eq!(kinds.len(), Kind::ALL.len(), "{seats}: {kinds:?}");
        assert_eq!(kinds[&Kind::Accessible], kinds[&Kind::Companion], "each has one beside it");
    }
    let tiers = made(HALL_SEATS_MAX, 7).layout().categories.len();
    assert_eq!(tiers, 10);
}

/// Said once more, so that what is made today is made tomorrow: tests elsewhere name halls by their seeds.
#[test]
fn the_same_seed_is_the_same_hall() {
    assert_eq!(made(2_000, 1), made(2_000, 1));
    assert_ne!(made(2_000, 1).layout().areas, made(2_000, 2).layout().areas);
    assert_eq!(made(2_000, 1).hash().to_string(), "3d51f3a5df84644a7bf6e2a66b6dccd96dbfc5c922c17b5444c64363d0beffb2");
}

#[test]
fn a_plan_is_told_in_words() {
    let mut special = layout();
    special.areas[0].rows[0].seats[0].kind = Kind::Accessible;
    special.areas[0].rows[0].seats[1].kind = Kind::Companion;
    special.areas[1].rows[1].seats[2].kind = Kind::ViewBlocked;
    let (plan, _) = checked(special);
    let words = picture::in_words(&plan.unwrap()).join("\n");
    for part in [
        "Hall: 12 seats, ",
        "area Stalls: 2 rows, 6 seats",
        "category Far: 6 seats",
        "kinds: standard 9, accessible 1, companion 1, view_blocked 1",
    ] {
        assert!(words.contains(part), "{part}: {words}");
    }
}

/// One row of 500 seats, every tenth of this kind.
fn long_row(kind: Kind) -> Plan {
    let mut long = layout();
    long.areas.truncate(1);
    long.areas[0].rows.truncate(1);
    let seats = &mut long.areas[0].rows[0].seats;
    let first = seats[0].clone();
    *seats = (0..500)
        .map(|x| Seat {
            label: x.to_string(),
            at: Point { x: x * 2_500, y: 0 },
            kind: if x % 10 == 5 { kind } else { Kind::Standard },
            ..first.clone()
        })
        .collect();
    checked(long).0.unwrap()
}

#[test]
fn a_picture_has_its_size_and_shows_what_is_special() {
    for (kind, letter) in [(Kind::Accessible, 'a'), (Kind::Companion, 'c'), (Kind::ViewBlocked, 'x')] {
        let lines = picture::picture(&long_row(kind));
        assert_eq!((lines.len(), lines[0].len()), (1, 73), "two spaces, and as wide as it may be");
        let special = lines[0].chars().filter(|shown| *shown == letter).count();
        assert_eq!(special, 50, "one for each: {}", lines[0]);
    }
    let large = picture::picture(&made(HALL_SEATS_MAX, 3));
    assert!((23..=24).contains(&large.len()) && large.iter().all(|line| line.len() <= 74), "{large:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_hall_is_a_plan(seats in HALL_SEATS_MIN..12_000, seed: u64) {
        prop_assert_eq!(made(seats, seed).seat_count(), seats);
    }
}

#[test]
fn a_hall_is_so_large() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hall.json");
    for (seats, is_made) in [(499, false), (500, true), (60_000, true), (60_001, false)] {
        let code = miaosha::wire::plans::make(seats, 1, &file);
        assert_eq!(code == std::process::ExitCode::SUCCESS, is_made, "{seats}");
        assert_eq!(std::fs::remove_file(&file).is_ok(), is_made, "{seats}");
    }
}
