//! Halls to try things on: tiers of curved rows, each in three blocks with aisles between them, accessible places with companions'
//! seats beside them, and seats with something in the way. The same seats and seed are the same hall, byte for byte, on every machine:
//! whole numbers only.

use super::{Area, Kind, Layout, Point, Row, SEATS_MAX, Seat};

/// A smaller one has no three blocks worth the name.
pub const HALL_SEATS_MIN: usize = 500;
pub const HALL_SEATS_MAX: usize = SEATS_MAX;
/// What one tier holds, about.
const TIER_SEATS: usize = 6_000;

// In hundredths.
const SEAT_PITCH: i64 = 2_500;
const ROW_PITCH: i64 = 3_000;
const AISLE: i64 = 4_000;
const TIER_GAP: i64 = 9_000;
/// Of the curve of all rows: the sides are nearer to the stage.
const RADIUS: i64 = 600_000;

const BLOCKS: [&str; 3] = ["left", "centre", "right"];

/// `seats` from [`HALL_SEATS_MIN`] to [`HALL_SEATS_MAX`], which the caller has checked.
pub fn hall(seats: usize, seed: u64) -> Layout {
    let tiers = seats.div_ceil(TIER_SEATS).max(1);
    let mut chance = Chance(seed);
    let mut layout = Layout { name: format!("Hall of {seats} seats ({seed})"), ..Layout::default() };
    let mut y = 0;
    for tier in 0..tiers {
        let share = seats / tiers + usize::from(tier < seats % tiers);
        let name = if tier == 0 { "Stalls".to_owned() } else { format!("Tier {tier}") };
        let rows = add_tier(&mut layout.areas, (&name, tier), share, y, &mut chance);
        y += rows as i64 * ROW_PITCH + TIER_GAP;
        layout.categories.push(name);
    }
    layout
}

/// Says how many rows it has.
fn add_tier(
    areas: &mut Vec<Area>,
    (name, category): (&str, usize),
    mut seats: usize,
    y: i64,
    chance: &mut Chance,
) -> usize {
    let narrowest = (seats / BLOCKS.len()).isqrt().max(4);
    let mut blocks = BLOCKS.map(|side| Area { name: format!("{name} {side}"), rows: Vec::new() });
    let mut row = 0;
    while seats > 0 {
        let width = narrowest + row / 6;
        let mut number = 0;
        for (block, area) in blocks.iter_mut().enumerate() {
            let count = width.min(seats);
            seats -= count;
            let kinds = kinds(block, row, count, chance);
            let seat = |(index, kind): (usize, Kind)| {
                let label = (number + index + 1).to_string();
                Seat { label, at: place(block, width, index, row, y), category, kind }
            };
            let seats: Vec<Seat> = kinds.into_iter().enumerate().map(seat).collect();
            number += count;
            if !seats.is_empty() {
                area.rows.push(Row { label: letters(row), seats });
            }
        }
        row += 1;
    }
    areas.extend(blocks.into_iter().filter(|area| !area.rows.is_empty()));
    row
}

fn place(block: usize, width: usize, index: usize, row: usize, y: i64) -> Point {
    let (block, width, index) = (block as i64, width as i64, index as i64);
    let middle = (3 * width - 1) * SEAT_PITCH / 2 + AISLE;
    let x = (block * width + index) * SEAT_PITCH + block * AISLE - middle;
    let y = y + row as i64 * ROW_PITCH - x * x / (2 * RADIUS);
    Point { x: x as i32, y: y as i32 }
}

/// Every eighth row of the centre has accessible places at its ends, a companion's seat beside each; the outermost seats of the sides
/// have something in the way now and then.
fn kinds(block: usize, row: usize, count: usize, chance: &mut Chance) -> Vec<Kind> {
    let mut kinds = vec![Kind::Standard; count];
    let is_centre = block == 1;
    if is_centre && row.is_multiple_of(8) && count >= 4 {
        kinds[..2].copy_from_slice(&[Kind::Accessible, Kind::Companion]);
        kinds[count - 2..].copy_from_slice(&[Kind::Companion, Kind::Accessible]);
    } else if !is_centre && count > 0 && chance.one_in(4) {
        kinds[if block == 0 { 0 } else { count - 1 }] = Kind::ViewBlocked;
    }
    kinds
}

/// A to Z, then AA, AB and so on.
fn letters(row: usize) -> String {
    let last = char::from(b'A' + (row % 26) as u8);
    match row / 26 {
        0 => last.to_string(),
        more => format!("{}{last}", letters(more - 1)),
    }
}

/// SplitMix64: no secret depends on it.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn one_in(&mut self, many: u64) -> bool {
        self.next().is_multiple_of(many)
    }
}
