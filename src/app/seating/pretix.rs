//! pretix's JSON. Positions are relative: seat, row and zone add up. A zone becomes an area, and one physical row may be several rows
//! of it. What makes a seat is its place in the file, so that a `seat_guid` that is there twice is told of and does no harm. What is
//! drawn and not sold, colours and texts of labels are not kept, and that is told as well.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::read::json;
use crate::domain::seating::report::echo;
use crate::domain::seating::{Area, Kind, Layout, Point, Report, Row, Seat, seat_place, seats_fit};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    categories: Vec<Category>,
    zones: Vec<Zone>,
    #[serde(default, rename = "size")]
    _size: IgnoredAny,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Category {
    name: String,
    #[serde(default)]
    color: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Zone {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    zone_id: Option<String>,
    #[serde(default, rename = "uuid")]
    _uuid: Option<IgnoredAny>,
    position: Place,
    rows: Vec<RowPart>,
    #[serde(default)]
    areas: Vec<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RowPart {
    row_number: String,
    #[serde(default)]
    row_label: Option<String>,
    #[serde(default)]
    seat_label: Option<String>,
    #[serde(default, rename = "row_number_position")]
    _row_number_position: Option<IgnoredAny>,
    #[serde(default)]
    position: Place,
    #[serde(default, rename = "uuid")]
    _uuid: Option<IgnoredAny>,
    seats: Vec<SeatPart>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeatPart {
    seat_guid: String,
    seat_number: String,
    position: Place,
    category: String,
    #[serde(default, rename = "uuid")]
    _uuid: Option<IgnoredAny>,
    #[serde(default)]
    radius: Option<IgnoredAny>,
    #[serde(default)]
    start_direction: Option<IgnoredAny>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    x: f64,
    y: f64,
}

pub fn layout(bytes: &[u8], report: &mut Report) -> Option<Layout> {
    let file: File = json(bytes, report)?;
    let seats = file.zones.iter().flat_map(|zone| &zone.rows).map(|row| row.seats.len()).sum();
    if !seats_fit(seats, report) {
        return None;
    }
    let mut reading = Reading { report, categories: HashMap::new(), guids: HashMap::new(), not_kept: BTreeMap::new() };
    let coloured = file.categories.iter().filter(|category| category.color.is_some()).count();
    reading.leaves("colours of categories", coloured);
    let categories: Vec<String> = file.categories.into_iter().map(|category| category.name).collect();
    for (index, name) in categories.iter().enumerate() {
        reading.categories.entry(name.clone()).or_insert(index);
    }
    let areas = (1..).zip(file.zones).filter_map(|(number, zone)| reading.area(number, zone)).collect();
    let Reading { report, not_kept, .. } = reading;
    for (what, count) in not_kept {
        report.warning("not_kept", "plan", format!("{what} are not kept ({count})"));
    }
    Some(Layout { name: file.name, categories, areas })
}

struct Reading<'r> {
    report: &'r mut Report,
    categories: HashMap<String, usize>,
    /// Where each was first.
    guids: HashMap<String, String>,
    not_kept: BTreeMap<&'static str, usize>,
}

impl Reading<'_> {
    fn leaves(&mut self, what: &'static str, count: usize) {
        if count > 0 {
            *self.not_kept.entry(what).or_default() += count;
        }
    }

    fn area(&mut self, number: usize, zone: Zone) -> Option<Area> {
        self.leaves("shapes that are drawn and not sold", zone.areas.len());
        let said = |name: Option<String>| name.filter(|name| !name.trim().is_empty());
        let given = said(zone.name).or(said(zone.zone_id));
        let name = given.unwrap_or_else(|| {
            let name = format!("Zone {number}");
            self.report.warning(
                "zone_nameless",
                format!("zones[{}]", number - 1),
                format!("has no name; it is {name}"),
            );
            name
        });
        let mut rows = Vec::new();
        for (place, row) in zone.rows.into_iter().enumerate() {
            if row.seats.is_empty() {
                let what = format!("row {} has no seats and is left out", echo(&row.row_number));
                self.report.warning("left_out", format!("zones[{}].rows[{place}]", number - 1), what);
                continue;
            }
            // Faults name a row by its number in the area, which is without those that were left out.
            let at = (name.as_str(), rows.len() + 1);
            let read = self.row(at, zone.position, row);
            rows.push(read);
        }
        if rows.is_empty() {
            let what = format!("{} has no seats and is left out", echo(&name));
            self.report.warning("left_out", format!("zones[{}]", number - 1), what);
            return None;
        }
        Some(Area { name, rows })
    }

    fn row(&mut self, (area, number): (&str, usize), zone: Place, row: RowPart) -> Row {
        self.leaves("texts of labels", usize::from(row.row_label.is_some()) + usize::from(row.seat_label.is_some()));
        let mut again: Option<(String, String)> = None;
        let mut count = 0;
        let mut seats = Vec::with_capacity(row.seats.len());
        for seat in row.seats {
            let place = seat_place(area, &row.row_number, number, &seat.seat_number);
            self.leaves("radii of seats", usize::from(seat.radius.is_some()));
            self.leaves("directions of rows", usize::from(seat.start_direction.is_some()));
            let category = self.categories.get(&seat.category).copied().unwrap_or_else(|| {
                let what = format!("there is no category {}", echo(&seat.category));
                self.report.error("category", &place, what);
                0
            });
            if let Some(first) = self.guids.get(&seat.seat_guid) {
                count += 1;
                again.get_or_insert_with(|| (seat.seat_guid.clone(), first.clone()));
            } else {
                self.guids.insert(seat.seat_guid, place);
            }
            let x = zone.x + row.position.x + seat.position.x;
            let y = zone.y + row.position.y + seat.position.y;
            seats.push(Seat { label: seat.seat_number, at: Point::of(x, y), category, kind: Kind::Standard });
        }
        if let Some((guid, first)) = again {
            let place = format!("area {}, row {} (row {number} of the area)", echo(area), echo(&row.row_number));
            let what =
                format!("{count} of its seats have the seat_guid of an earlier one, such as {}: {first}", echo(&guid));
            self.report.warning("guid_twice", place, what);
        }
        Row { label: row.row_number, seats }
    }
}
