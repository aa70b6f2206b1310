//! The page: A4, one typeface, a card for each unit. The same sheet gives the same bytes, whenever and wherever it is printed.

use std::borrow::Cow;

use pdf_writer::Date;
use sha2::{Digest, Sha256};

use crate::app::receipts::code::Code;
use crate::app::receipts::date;
use crate::app::receipts::fonts::{Fonts, Line, Style};
use crate::app::receipts::paper::{About, HEIGHT, Paper, Tone, WIDTH};
use crate::app::receipts::sheet::{Sheet, Unit};
use crate::app::receipts::stencil::Stencil;
use crate::app::receipts::words::{NAME, Words};
use crate::app::receipts::wrap::wrapped;

const MARGIN: f32 = 62.0;
const RIGHT: f32 = WIDTH - MARGIN;
const BOTTOM: f32 = HEIGHT - 66.0;
const CARD: f32 = 157.0;
const CODE: f32 = 134.0;
/// Where a card's words begin.
const CARD_LEFT: f32 = MARGIN + CODE + 24.0;
pub const CARD_WIDTH: f32 = RIGHT - CARD_LEFT;
/// Of the item.
pub const CARD_SIZE: f32 = 12.0;
pub const TITLE_WIDTH: f32 = RIGHT - MARGIN;
pub const TITLE_SIZE: f32 = 27.0;
pub const TITLE_LINES_MAX: usize = 3;

const INK: Tone = (0x1c, 0x1d, 0x22);
const SOFT: Tone = (0x6d, 0x6a, 0x66);
const HAIR: Tone = (0xc9, 0xc4, 0xbc);
const ACCENT: Tone = (0x9e, 0x2a, 0x2b);

/// A receipt of an item that was not printed before.
pub fn render(sheet: &Sheet, fonts: &Fonts) -> Result<Vec<u8>, String> {
    print(sheet, &Stencil::of(&sheet.item, sheet.locale, fonts)?, fonts)
}

/// The stencil is of the sheet's item and language.
pub fn print(sheet: &Sheet, stencil: &Stencil, fonts: &Fonts) -> Result<Vec<u8>, String> {
    let press = Press::of(sheet, stencil, fonts);
    let pages = press.pages();
    let mut paper = Paper::new(fonts, stencil);
    let mut units = sheet.units.iter().enumerate();
    for (number, cards) in pages.iter().enumerate() {
        let mut y = if number == 0 { press.head(&mut paper) } else { press.running_head(&mut paper) };
        for (index, unit) in units.by_ref().take(*cards) {
            y = press.card(&mut paper, y, index, unit);
        }
        press.foot(&mut paper, number + 1, pages.len());
        paper.end_page();
    }
    paper.finish(&about(sheet))
}

/// Nothing of it depends on when or where it is made.
fn about(sheet: &Sheet) -> About {
    let date = sheet.placed_at.civil(0);
    let made = Date::new(date.year.clamp(0, 9_999) as u16)
        .month(date.month)
        .day(date.day)
        .hour(date.hour)
        .minute(date.minute)
        .second(date.second)
        .utc_offset_hour(0)
        .utc_offset_minute(0);
    let mut id = [0; 16];
    let hash = Sha256::digest(format!("{}-{}-{}", sheet.order, sheet.left(), sheet.locale.tag()));
    id.copy_from_slice(&hash[..16]);
    let title = format!("{} {}", Words::of(sheet.locale).receipt, sheet.order);
    About { title, language: sheet.locale.tag(), made, id }
}

struct Press<'a> {
    sheet: &'a Sheet,
    fonts: &'a Fonts,
    stencil: &'a Stencil,
    words: &'static Words,
    order: Line,
    /// The buyer's name, as wide as it is, and on a card.
    name: Option<(Line, Line)>,
}

impl<'a> Press<'a> {
    fn of(sheet: &'a Sheet, stencil: &'a Stencil, fonts: &'a Fonts) -> Self {
        let name = sheet.buyer.as_deref().map(|name| {
            let line = fonts.line(name, Style::Regular);
            let on_card = wrapped(fonts, name, Style::Regular, CARD_WIDTH / 10.5, 1).into_iter().next();
            (line.clone(), on_card.unwrap_or(line))
        });
        Self { sheet, fonts, stencil, words: stencil.words, order: fonts.line(&sheet.order, Style::Regular), name }
    }

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

    fn own(&self, text: &str, style: Style) -> Cow<'a, Line> {
        let stencils = self.stencil.line(text, style).map(Cow::Borrowed);
        stencils.unwrap_or_else(|| Cow::Owned(self.fonts.line(text, style)))
    }

    /// Whether something that people wrote cannot be printed.
    fn left_out(&self) -> bool {
        self.stencil.left_out || self.name.as_ref().is_some_and(|(name, _)| name.left_out())
    }

    /// One line, cut short where there is no room.
    fn fitted(&self, text: &str, style: Style, width: f32) -> Cow<'a, Line> {
        let line = self.own(text, style);
        if line.width() <= width {
            return line;
        }
        wrapped(self.fonts, text, style, width, 1).into_iter().next().map_or(line, Cow::Owned)
    }

    fn head_height(&self) -> f32 {
        MARGIN + 74.0 + 33.0 * self.stencil.title.len() as f32 + 128.0
    }

    /// Returns where the first card may begin.
    fn head(&self, paper: &mut Paper<'_>) -> f32 {
        paper.ink(ACCENT);
        paper.text(&self.own(NAME, Style::Semibold), MARGIN, MARGIN + 4.0, 17.0, 0.0);
        paper.ink(SOFT);
        let word = self
            .own(if self.sheet.left() > 0 { self.words.receipt } else { self.words.receipt_refunded }, Style::Italic);
        paper.text(&word, RIGHT - word.width() * 14.0, MARGIN + 4.0, 14.0, 0.0);
        paper.rule((MARGIN, MARGIN + 18.0), RIGHT, HAIR, 0.6, false);

        let mut y = MARGIN + 68.0;
        paper.ink(INK);
        for line in &self.stencil.title {
            paper.text(line, MARGIN, y, TITLE_SIZE, 0.0);
            y += 33.0;
        }
        y += 4.0;
        let half = MARGIN + (RIGHT - MARGIN) * 0.5;
        let column = half - MARGIN - 16.0;
        let date = date::words(self.sheet.placed_at, self.sheet.utc_offset_minutes, self.sheet.locale);
        self.fact(paper, MARGIN, y, self.words.order, &self.sheet.order, column);
        self.fact(paper, half, y, self.words.paid, &date, column);
        self.buyer(paper, MARGIN, y + 44.0, column);
        self.fact(paper, half, y + 44.0, self.words.total, &self.total(), column);
        self.fact(paper, MARGIN, y + 88.0, self.words.units, &self.units(true), column);
        let gone = self.units(false);
        if !gone.is_empty() {
            self.fact(paper, half, y + 88.0, self.words.given_back, &gone, column);
        }
        self.head_height()
    }

    fn fact(&self, paper: &mut Paper<'_>, x: f32, y: f32, label: &str, value: &str, width: f32) {
        paper.ink(SOFT);
        self.spaced(paper, label, x, y);
        paper.ink(INK);
        paper.text(&self.fitted(value, Style::Regular, width / 12.5), x, y + 17.0, 12.5, 0.0);
    }

    fn buyer(&self, paper: &mut Paper<'_>, x: f32, y: f32, width: f32) {
        let (Some(name), Some((line, _))) = (&self.sheet.buyer, &self.name) else { return };
        paper.ink(SOFT);
        self.spaced(paper, self.words.buyer, x, y);
        paper.ink(INK);
        if line.width() * 12.5 <= width {
            return paper.text(line, x, y + 17.0, 12.5, 0.0);
        }
        for (place, line) in wrapped(self.fonts, name, Style::Regular, width / 10.0, 2).iter().enumerate() {
            paper.text(line, x, y + 14.0 + 12.0 * place as f32, 10.0, 0.0);
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

    fn running_head(&self, paper: &mut Paper<'_>) -> f32 {
        paper.ink(ACCENT);
        paper.text(&self.own(NAME, Style::Semibold), MARGIN, MARGIN + 4.0, 12.0, 0.0);
        paper.ink(SOFT);
        paper.text(&self.order, RIGHT - self.order.width() * 10.0, MARGIN + 4.0, 10.0, 0.0);
        MARGIN + 34.0
    }

    /// Returns where the next one may begin.
    fn card(&self, paper: &mut Paper<'_>, top: f32, index: usize, unit: &Unit) -> f32 {
        paper.rule((MARGIN, top), RIGHT, HAIR, 0.7, true);
        let (x, y) = (CARD_LEFT, top + 27.0);
        match &unit.token {
            // Flush with the text above it.
            Some(token) => paper.code(&Code::of(token), MARGIN, top + (CARD - CODE) * 0.5, CODE),
            None => self.given_back(paper, MARGIN, top + (CARD - CODE) * 0.5),
        }
        paper.ink(SOFT);
        self.spaced(paper, &self.words.unit(index + 1, self.sheet.units.len()), x, y);
        paper.ink(if unit.token.is_some() { INK } else { SOFT });
        paper.text(&self.own(&self.words.number(&unit.number.to_string()), Style::Semibold), x, y + 30.0, 27.0, 0.0);
        paper.text(&self.stencil.item, x, y + 54.0, CARD_SIZE, 0.0);
        paper.ink(SOFT);
        paper.text(&self.order, x, y + 71.0, 10.5, 0.0);
        if let Some((_, name)) = &self.name {
            paper.text(name, x, y + 86.0, 10.5, 0.0);
        }
        let hint = match unit.token {
            Some(_) => self.words.good,
            None => self.words.not_good,
        };
        paper.text(&self.own(hint, Style::Italic), x, y + 108.0, 10.0, 0.0);
        top + CARD
    }

    fn given_back(&self, paper: &mut Paper<'_>, x: f32, y: f32) {
        paper.outline((x, y), CODE, HAIR, 0.7);
        paper.ink(SOFT);
        let word = self.own(self.words.stamp, Style::Italic);
        paper.text(&word, x + (CODE - word.width() * 15.0) * 0.5, y + CODE * 0.5 + 4.0, 15.0, 0.0);
    }

    fn foot(&self, paper: &mut Paper<'_>, page: usize, pages: usize) {
        let y = HEIGHT - 44.0;
        paper.rule((MARGIN, y - 14.0), RIGHT, HAIR, 0.6, false);
        paper.ink(SOFT);
        paper.text(&self.own(self.words.foot, Style::Italic), MARGIN, y, 8.5, 0.0);
        if self.left_out() {
            let note = self.words.left_out.replace("{}", &self.fonts.stands_for().to_string());
            paper.text(&self.own(&note, Style::Italic), MARGIN, y + 12.0, 8.5, 0.0);
        }
        let count = self.own(&format!("{page} / {pages}"), Style::Regular);
        paper.text(&count, RIGHT - count.width() * 8.5, y, 8.5, 0.0);
    }
    /// Small capitals stand apart.
    fn spaced(&self, paper: &mut Paper<'_>, text: &str, x: f32, y: f32) {
        paper.text(&self.own(text, Style::Regular), x, y, 7.0, 7.0 * 0.12);
    }
}
