//! The page: A4, one typeface, a card for each unit. The same sheet gives the same bytes, whenever and wherever it is printed.

use krilla::color::rgb;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::{DateTime, Metadata};
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::{Fill, Stroke, StrokeDash};
use krilla::surface::Surface;
use krilla::{Document, SerializeSettings};
use unicode_bidi::{BidiClass, bidi_class};

use crate::app::receipts::code::{Code, QUIET, Run};
use crate::app::receipts::date;
use crate::app::receipts::fonts::{Fonts, Line, Style, side};
use crate::app::receipts::sheet::{Sheet, Unit};
use crate::app::receipts::words::Words;
use crate::domain::shared::locale::Locale;

const WIDTH: f32 = 595.28;
const HEIGHT: f32 = 841.89;
const MARGIN: f32 = 62.0;
const RIGHT: f32 = WIDTH - MARGIN;
const BOTTOM: f32 = HEIGHT - 66.0;
const CARD: f32 = 157.0;
const CODE: f32 = 134.0;
const TITLE_LINES_MAX: usize = 3;

const INK: (u8, u8, u8) = (0x1c, 0x1d, 0x22);
const SOFT: (u8, u8, u8) = (0x6d, 0x6a, 0x66);
const HAIR: (u8, u8, u8) = (0xc9, 0xc4, 0xbc);
const ACCENT: (u8, u8, u8) = (0x9e, 0x2a, 0x2b);

/// Takes some milliseconds of one core.
pub fn render(sheet: &Sheet, fonts: &Fonts) -> Result<Vec<u8>, String> {
    let settings = SerializeSettings { enable_tagging: false, ..SerializeSettings::default() };
    let mut document = Document::new_with(settings);
    document.set_metadata(metadata(sheet));
    let press = Press { sheet, fonts, words: words_of(sheet.locale, fonts) };
    let pages = press.pages();
    let mut units = sheet.units.iter().enumerate();
    for (number, cards) in pages.iter().enumerate() {
        let size = PageSettings::from_wh(WIDTH, HEIGHT).ok_or("A4 has a size")?;
        let mut page = document.start_page_with(size);
        let mut surface = page.surface();
        let mut y = if number == 0 { press.head(&mut surface) } else { press.running_head(&mut surface) };
        for (index, unit) in units.by_ref().take(*cards) {
            y = press.card(&mut surface, y, index, unit);
        }
        press.foot(&mut surface, number + 1, pages.len());
        surface.finish();
        page.finish();
    }
    document.finish().map_err(|error| error.to_string())
}

/// Nothing of it depends on when or where it is made.
fn metadata(sheet: &Sheet) -> Metadata {
    let date = sheet.placed_at.civil(0);
    let at = DateTime::new(date.year.clamp(0, 9_999) as u16)
        .month(date.month)
        .day(date.day)
        .hour(date.hour)
        .minute(date.minute)
        .second(date.second)
        .utc_offset_hour(0)
        .utc_offset_minute(0);
    Metadata::new()
        .title(format!("{} {}", Words::of(sheet.locale).receipt, sheet.order))
        .language(sheet.locale.tag().to_owned())
        .creator("miaosha".to_owned())
        .document_id(format!("{}-{}-{}", sheet.order, sheet.left(), sheet.locale.tag()))
        .creation_date(at)
}

/// In the reader's language, or in English where no typeface has its characters.
fn words_of(locale: Locale, fonts: &Fonts) -> &'static Words {
    let words = Words::of(locale);
    if fonts.line(words.receipt, Style::Regular).left_out() { Words::of(Locale::En) } else { words }
}

struct Press<'a> {
    sheet: &'a Sheet,
    fonts: &'a Fonts,
    words: &'static Words,
}

impl Press<'_> {
    /// How many cards stand on each page.
    fn pages(&self) -> Vec<usize> {
        let fits = |from: f32| ((BOTTOM - from) / CARD).floor().max(0.0) as usize;
        let mut pages = vec![self.sheet.units.len().min(fits(self.head_height()))];
        let mut rest = self.sheet.units.len() - pages[0];
        while rest > 0 {
            let cards = rest.min(fits(MARGIN + 34.0).max(1));
            pages.push(cards);
            rest -= cards;
        }
        pages
    }

    fn own(&self, text: &str, style: Style) -> Line {
        self.fonts.line(text, style)
    }

    fn title(&self) -> Vec<Line> {
        wrapped(self.fonts, &self.sheet.item, Style::Semibold, (RIGHT - MARGIN) / 27.0, TITLE_LINES_MAX)
    }

    /// Whether something that people wrote cannot be printed.
    fn left_out(&self) -> bool {
        let written = [Some(&self.sheet.item), self.sheet.buyer.as_ref()];
        written.into_iter().flatten().any(|text| self.fonts.line(text, Style::Regular).left_out())
    }

    /// One line, cut short where there is no room.
    fn fitted(&self, text: &str, style: Style, width: f32) -> Line {
        wrapped(self.fonts, text, style, width, 1).into_iter().next().unwrap_or_else(|| self.own("", style))
    }

    fn head_height(&self) -> f32 {
        MARGIN + 74.0 + 33.0 * self.title().len() as f32 + 128.0
    }

    /// Returns where the first card may begin.
    fn head(&self, surface: &mut Surface<'_>) -> f32 {
        ink(surface, ACCENT);
        self.own("miaosha", Style::Semibold).draw(surface, MARGIN, MARGIN + 4.0, 17.0);
        ink(surface, SOFT);
        let word = self
            .own(if self.sheet.left() > 0 { self.words.receipt } else { self.words.receipt_refunded }, Style::Italic);
        word.draw(surface, RIGHT - word.width() * 14.0, MARGIN + 4.0, 14.0);
        rule(surface, MARGIN, MARGIN + 18.0, RIGHT, HAIR, 0.6, None);

        let mut y = MARGIN + 68.0;
        ink(surface, INK);
        for line in self.title() {
            line.draw(surface, MARGIN, y, 27.0);
            y += 33.0;
        }
        y += 4.0;
        let half = MARGIN + (RIGHT - MARGIN) * 0.5;
        let column = half - MARGIN - 16.0;
        let date = date::words(self.sheet.placed_at, self.sheet.utc_offset_minutes, self.sheet.locale);
        self.fact(surface, MARGIN, y, self.words.order, &self.sheet.order, column);
        self.fact(surface, half, y, self.words.paid, &date, column);
        self.buyer(surface, MARGIN, y + 44.0, column);
        self.fact(surface, half, y + 44.0, self.words.total, &self.total(), column);
        self.fact(surface, MARGIN, y + 88.0, self.words.units, &self.units(true), column);
        let gone = self.units(false);
        if !gone.is_empty() {
            self.fact(surface, half, y + 88.0, self.words.given_back, &gone, column);
        }
        self.head_height()
    }

    fn fact(&self, surface: &mut Surface<'_>, x: f32, y: f32, label: &str, value: &str, width: f32) {
        ink(surface, SOFT);
        spaced(self, surface, label, x, y, 7.0);
        ink(surface, INK);
        self.fitted(value, Style::Regular, width / 12.5).draw(surface, x, y + 17.0, 12.5);
    }

    fn buyer(&self, surface: &mut Surface<'_>, x: f32, y: f32, width: f32) {
        let Some(name) = &self.sheet.buyer else { return };
        if self.fonts.line(name, Style::Regular).width() * 12.5 <= width {
            return self.fact(surface, x, y, self.words.buyer, name, width);
        }
        ink(surface, SOFT);
        spaced(self, surface, self.words.buyer, x, y, 7.0);
        ink(surface, INK);
        for (place, line) in wrapped(self.fonts, name, Style::Regular, width / 10.0, 2).iter().enumerate() {
            line.draw(surface, x, y + 14.0 + 12.0 * place as f32, 10.0);
        }
    }

    fn total(&self) -> String {
        let total = self.sheet.amount.to_string();
        match self.sheet.price() {
            Some(price) => format!("{total}  ({} × {price})", self.sheet.units.len()),
            None => total,
        }
    }

    /// Numbers of those that are left, or of those given back.
    fn units(&self, left: bool) -> String {
        let some = self.sheet.units.iter().filter(|unit| unit.token.is_some() == left);
        let mut rows: Vec<(u32, u32)> = Vec::new();
        for unit in some {
            match rows.last_mut() {
                Some((_, last)) if *last + 1 == unit.number => *last = unit.number,
                _ => rows.push((unit.number, unit.number)),
            }
        }
        let row =
            |&(first, last): &(u32, u32)| if first == last { first.to_string() } else { format!("{first}–{last}") };
        match rows.as_slice() {
            [] if left => self.words.none_left.to_owned(),
            [] => String::new(),
            rows => self.words.number(&rows.iter().map(row).collect::<Vec<_>>().join(self.words.comma)),
        }
    }

    fn running_head(&self, surface: &mut Surface<'_>) -> f32 {
        ink(surface, ACCENT);
        self.own("miaosha", Style::Semibold).draw(surface, MARGIN, MARGIN + 4.0, 12.0);
        ink(surface, SOFT);
        let order = self.own(&self.sheet.order, Style::Regular);
        order.draw(surface, RIGHT - order.width() * 10.0, MARGIN + 4.0, 10.0);
        MARGIN + 34.0
    }

    /// Returns where the next one may begin.
    fn card(&self, surface: &mut Surface<'_>, top: f32, index: usize, unit: &Unit) -> f32 {
        let dash = StrokeDash { array: vec![2.5, 3.0], offset: 0.0 };
        rule(surface, MARGIN, top, RIGHT, HAIR, 0.7, Some(dash));
        let (x, y) = (MARGIN + CODE + 24.0, top + 27.0);
        let width = RIGHT - x;
        match &unit.token {
            Some(token) => code(surface, &Code::of(token), top + (CARD - CODE) * 0.5),
            None => self.given_back(surface, MARGIN, top + (CARD - CODE) * 0.5),
        }
        ink(surface, SOFT);
        spaced(self, surface, &self.words.unit(index + 1, self.sheet.units.len()), x, y, 7.0);
        ink(surface, if unit.token.is_some() { INK } else { SOFT });
        self.own(&self.words.number(&unit.number.to_string()), Style::Semibold).draw(surface, x, y + 30.0, 27.0);
        self.fitted(&self.sheet.item, Style::Regular, width / 12.0).draw(surface, x, y + 54.0, 12.0);
        ink(surface, SOFT);
        self.own(&self.sheet.order, Style::Regular).draw(surface, x, y + 71.0, 10.5);
        if let Some(name) = &self.sheet.buyer {
            self.fitted(name, Style::Regular, width / 10.5).draw(surface, x, y + 86.0, 10.5);
        }
        let hint = match unit.token {
            Some(_) => self.words.good,
            None => self.words.not_good,
        };
        self.own(hint, Style::Italic).draw(surface, x, y + 108.0, 10.0);
        top + CARD
    }

    fn given_back(&self, surface: &mut Surface<'_>, x: f32, y: f32) {
        outline(surface, x, y, CODE);
        ink(surface, SOFT);
        let word = self.own(self.words.stamp, Style::Italic);
        word.draw(surface, x + (CODE - word.width() * 15.0) * 0.5, y + CODE * 0.5 + 4.0, 15.0);
    }

    fn foot(&self, surface: &mut Surface<'_>, page: usize, pages: usize) {
        let y = HEIGHT - 44.0;
        rule(surface, MARGIN, y - 14.0, RIGHT, HAIR, 0.6, None);
        ink(surface, SOFT);
        self.own(self.words.foot, Style::Italic).draw(surface, MARGIN, y, 8.5);
        if self.left_out() {
            let note = self.words.left_out.replace("{}", &self.fonts.stands_for().to_string());
            self.own(&note, Style::Italic).draw(surface, MARGIN, y + 12.0, 8.5);
        }
        let count = self.own(&format!("{page} / {pages}"), Style::Regular);
        count.draw(surface, RIGHT - count.width() * 8.5, y, 8.5);
    }
}

/// Small capitals stand apart.
fn spaced(press: &Press<'_>, surface: &mut Surface<'_>, text: &str, mut x: f32, y: f32, size: f32) {
    for letter in text.chars() {
        let line = press.own(&letter.to_string(), Style::Regular);
        line.draw(surface, x, y, size);
        x += line.width() * size + size * 0.12;
    }
}

fn color((red, green, blue): (u8, u8, u8)) -> krilla::paint::Paint {
    rgb::Color::new(red, green, blue).into()
}

fn ink(surface: &mut Surface<'_>, tone: (u8, u8, u8)) {
    surface.set_stroke(None);
    surface.set_fill(Some(Fill { paint: color(tone), opacity: NormalizedF32::ONE, rule: Default::default() }));
}

fn rule(surface: &mut Surface<'_>, x: f32, y: f32, to: f32, tone: (u8, u8, u8), width: f32, dash: Option<StrokeDash>) {
    let mut path = PathBuilder::new();
    path.move_to(x, y);
    path.line_to(to, y);
    stroke(surface, path, tone, width, dash);
}

fn outline(surface: &mut Surface<'_>, x: f32, y: f32, side: f32) {
    let mut path = PathBuilder::new();
    if let Some(rect) = Rect::from_xywh(x, y, side, side) {
        path.push_rect(rect);
    }
    stroke(surface, path, HAIR, 0.7, None);
}

fn stroke(surface: &mut Surface<'_>, path: PathBuilder, tone: (u8, u8, u8), width: f32, dash: Option<StrokeDash>) {
    surface.set_fill(None);
    surface.set_stroke(Some(Stroke { paint: color(tone), width, dash, ..Stroke::default() }));
    if let Some(path) = path.finish() {
        surface.draw_path(&path);
    }
    surface.set_stroke(None);
}

/// Black on the paper's white, flush with the text above it: the light margin that a reader needs is there, in the page's own.
fn code(surface: &mut Surface<'_>, code: &Code, y: f32) {
    let square = CODE / (code.width + 2 * QUIET) as f32;
    let origin = Point::from_xy(MARGIN, y + square * QUIET as f32);
    let mut path = PathBuilder::new();
    for Run { x, y, length } in code.runs() {
        let (left, top) = (origin.x + x as f32 * square, origin.y + y as f32 * square);
        if let Some(rect) = Rect::from_xywh(left, top, length as f32 * square, square) {
            path.push_rect(rect);
        }
    }
    ink(surface, (0, 0, 0));
    if let Some(path) = path.finish() {
        surface.draw_path(&path);
    }
}

/// Lines of at most `width`, which is of a type size of 1; the last one ends in an ellipsis where there were more.
fn wrapped(fonts: &Fonts, text: &str, style: Style, width: f32, lines_max: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut rest = text.trim();
    let side = side(rest);
    let line = |text: &str| fonts.line_from(text, style, side);
    while !rest.is_empty() {
        let fits = |text: &str| line(text).width() <= width;
        if lines.len() + 1 == lines_max && !fits(rest) {
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
