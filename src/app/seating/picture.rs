//! A plan for people at a terminal: how much of what there is, and a small picture in letters.

use std::collections::BTreeMap;

use crate::domain::seating::{Kind, Plan, Point};

const COLUMNS: usize = 72;
const LINES: usize = 24;

/// Lines of text: what it is, its areas and categories, and the picture.
pub fn in_words(plan: &Plan) -> Vec<String> {
    let layout = plan.layout();
    let mut lines = vec![format!("{}: {} seats, {}", layout.name, plan.seat_count(), plan.hash())];
    for area in &layout.areas {
        let seats: usize = area.rows.iter().map(|row| row.seats.len()).sum();
        lines.push(format!("  area {}: {} rows, {seats} seats", area.name, area.rows.len()));
    }
    let mut of_category = vec![0; layout.categories.len()];
    let mut kinds: BTreeMap<Kind, usize> = BTreeMap::new();
    for (_, _, seat) in plan.seats() {
        of_category[seat.category] += 1;
        *kinds.entry(seat.kind).or_default() += 1;
    }
    for (name, seats) in layout.categories.iter().zip(of_category) {
        lines.push(format!("  category {name}: {seats} seats"));
    }
    let kinds: Vec<String> = kinds.iter().map(|(kind, seats)| format!("{} {seats}", kind.name())).collect();
    lines.push(format!("  kinds: {}", kinds.join(", ")));
    lines.extend(picture(plan));
    lines.push("  . : # few, more, most seats   a accessible, c companion's   x view blocked".to_owned());
    lines
}

/// Each letter stands for a part of the hall; of what is special, for the most special seat in it.
pub fn picture(plan: &Plan) -> Vec<String> {
    let points = || plan.seats().map(|(_, _, seat)| seat.at);
    let (left, right) = ends(points().map(|at| at.x));
    let (top, bottom) = ends(points().map(|at| at.y));
    // A letter is twice as high as it is wide.
    let step = ((right - left) / (COLUMNS as i64 - 1)).max((bottom - top) / (2 * (LINES as i64 - 1))).max(1) + 1;
    let place = |at: Point| ((i64::from(at.y) - top) / (2 * step), (i64::from(at.x) - left) / step);
    let mut cells: BTreeMap<(i64, i64), (usize, Kind)> = BTreeMap::new();
    for (_, _, seat) in plan.seats() {
        let (count, kind) = cells.entry(place(seat.at)).or_default();
        *count += 1;
        if rank(seat.kind) > rank(*kind) {
            *kind = seat.kind;
        }
    }
    let most = cells.values().map(|(count, _)| *count).max().unwrap_or(1);
    let letter = |cell: Option<&(usize, Kind)>| match cell {
        None => ' ',
        Some((_, Kind::Accessible)) => 'a',
        Some((_, Kind::Companion)) => 'c',
        Some((_, Kind::ViewBlocked)) => 'x',
        Some((count, Kind::Standard)) if most > 2 && count * 3 > most * 2 => '#',
        Some((count, Kind::Standard)) if most > 2 && count * 3 > most => ':',
        Some(_) => '.',
    };
    let (lines, columns) = ((bottom - top) / (2 * step), (right - left) / step);
    let line = |y: i64| (0..=columns).map(|x| letter(cells.get(&(y, x)))).collect::<String>();
    (0..=lines).map(|y| format!("  {}", line(y)).trim_end().to_owned()).collect()
}

fn rank(kind: Kind) -> u8 {
    match kind {
        Kind::Standard => 0,
        Kind::ViewBlocked => 1,
        Kind::Companion => 2,
        Kind::Accessible => 3,
    }
}

/// The least and the most; a plan has a seat.
fn ends(numbers: impl Iterator<Item = i32>) -> (i64, i64) {
    numbers.fold((i64::MAX, i64::MIN), |(least, most), number| (least.min(number.into()), most.max(number.into())))
}
