//! Where lines of text break.

use unicode_bidi::{BidiClass, bidi_class};

use crate::app::receipts::fonts::{Fonts, Line, Style, side};

/// Lines of at most `width`, which is of a type size of 1; the last one ends in an ellipsis where there were more.
pub fn wrapped(fonts: &Fonts, text: &str, style: Style, width: f32, lines_max: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut rest = text.trim();
    let side = side(rest);
    let line = |text: &str| fonts.line_from(text, style, side);
    while !rest.is_empty() {
        let whole = line(rest);
        if whole.width() <= width {
            lines.push(whole);
            break;
        }
        let fits = |text: &str| line(text).width() <= width;
        if lines.len() + 1 == lines_max {
            let mut cut = rest.to_owned();
            while cut.pop().is_some() && !fits(&format!("{}…", cut.trim_end())) {}
            lines.push(line(&format!("{}…", cut.trim_end())));
            break;
        }
        let end = breaks(rest).take_while(|end| fits(rest[..*end].trim_end())).last();
        // A word that is longer than a line is cut where it ends.
        let end = end.or_else(|| ends(rest).take_while(|end| fits(&rest[..*end])).last()).unwrap_or(rest.len());
        lines.push(line(rest[..end].trim_end()));
        rest = rest[end..].trim_start();
    }
    lines
}

/// Where each character ends, with the marks on it.
fn ends(text: &str) -> impl Iterator<Item = usize> {
    let goes_on = |character: char| bidi_class(character) == BidiClass::NSM || character == '\u{200d}';
    let starts = text.char_indices().skip(1).filter(move |(_, character)| !goes_on(*character)).map(|(start, _)| start);
    starts.chain([text.len()])
}

/// Where a line may end: after a space, beside a Chinese character, and at the end.
fn breaks(text: &str) -> impl Iterator<Item = usize> {
    let is_wide =
        |c: char| matches!(u32::from(c), 0x2e80..=0x9fff | 0xac00..=0xd7af | 0xf900..=0xfaff | 0x20000..=0x3ffff);
    let closes = |c: char| "，。、；：！？）」』》〉】".contains(c);
    let mut following = text.chars().skip(1);
    text.char_indices().filter_map(move |(start, character)| {
        let next = following.next();
        let end = start + character.len_utf8();
        let free = character == ' ' || is_wide(character) || next.is_some_and(is_wide);
        (next.is_none() || (free && !next.is_some_and(closes))).then_some(end)
    })
}
