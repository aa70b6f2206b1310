//! What all receipts of one item in one language share: the words and the item, laid out, and the glyphs that they need, cut out of
//! their typefaces and packed. So a receipt costs its names, its numbers and its codes. A stencil follows from the item and the
//! language alone, or else the same order would not give the same bytes.

use std::collections::HashMap;
use std::sync::Arc;

use pdf_writer::{Chunk, Ref};

use crate::app::receipts::date;
use crate::app::receipts::fonts::{Fonts, Line, Style};
use crate::app::receipts::metric::Metric;
use crate::app::receipts::paper::{COMPACT, FIRST};
use crate::app::receipts::pdf::{CARD_SIZE, CARD_WIDTH, TITLE_LINES_MAX, TITLE_SIZE, TITLE_WIDTH};
use crate::app::receipts::subset::{OBJECTS, Subset};
use crate::app::receipts::words::Words;
use crate::app::receipts::wrap::wrapped;
use crate::domain::shared::locale::Locale;
use crate::domain::shared::time::Timestamp;
use crate::kit::work::recent::Recent;

/// Stencils that a process keeps, each of some 100 kB; the one that was not used for the longest time makes room.
pub const STENCILS_MAX: usize = 64;
/// Once for many receipts.
const LEVEL: u32 = 9;
const DIGITS: &str = "0123456789";

pub struct Stencil {
    pub words: &'static Words,
    pub title: Vec<Line>,
    /// The item in one line, as it stands on a card.
    pub item: Line,
    /// Whether something of the item cannot be printed.
    pub left_out: bool,
    lines: [HashMap<&'static str, Line>; 3],
    pub subsets: Vec<Subset>,
    /// The subsets, as they stand in a PDF.
    pub chunk: Chunk,
}

impl Stencil {
    pub fn of(item: &str, locale: Locale, fonts: &Fonts) -> Result<Self, String> {
        let words = words_of(locale, fonts);
        let title = wrapped(fonts, item, Style::Semibold, TITLE_WIDTH / TITLE_SIZE, TITLE_LINES_MAX);
        let line = wrapped(fonts, item, Style::Regular, CARD_WIDTH / CARD_SIZE, 1).into_iter().next();
        let whole = fonts.line(item, Style::Regular);
        let mut stencil = Self {
            words,
            title,
            item: line.unwrap_or_else(|| fonts.line("", Style::Regular)),
            left_out: whole.left_out(),
            lines: Default::default(),
            subsets: Vec::new(),
            chunk: Chunk::with_settings(COMPACT),
        };
        let item: Vec<Line> = stencil.title.iter().chain([&stencil.item, &whole]).cloned().collect();
        item.iter().for_each(|line| stencil.take(line, fonts));
        for (style, text) in words.fixed() {
            let line = fonts.line(text, style);
            stencil.take(&line, fonts);
            stencil.lines[style as usize].insert(text, line);
        }
        for (style, text) in changing(words, locale) {
            // One by one: beside each other some become one glyph.
            text.chars().for_each(|letter| stencil.take(&fonts.line(&letter.to_string(), style), fonts));
        }
        let mut first = FIRST;
        for subset in &stencil.subsets {
            let typeface = fonts.typeface(subset.typeface).ok_or("what is shaped has a typeface")?;
            subset.write(typeface, Ref::new(first), LEVEL, &mut stencil.chunk)?;
            first += OBJECTS;
        }
        Ok(stencil)
    }

    /// A text that is on every receipt.
    pub fn line(&self, text: &str, style: Style) -> Option<&Line> {
        self.lines[style as usize].get(text)
    }

    fn take(&mut self, line: &Line, fonts: &Fonts) {
        for run in &line.runs {
            let Some(typeface) = fonts.typeface(run.typeface) else { continue };
            let place = self.subsets.iter().position(|subset| subset.typeface == run.typeface).unwrap_or_else(|| {
                self.subsets.push(Subset::of(typeface));
                self.subsets.len() - 1
            });
            for together in run.glyphs.chunk_by(|a, b| a.text == b.text) {
                for glyph in together {
                    let text = Some(&run.text[glyph.text.clone()]).filter(|_| together.len() == 1);
                    self.subsets[place].add(glyph.id, typeface, text);
                }
            }
        }
    }
}

/// In the reader's language, or in English where no typeface has its characters.
fn words_of(locale: Locale, fonts: &Fonts) -> &'static Words {
    let words = Words::of(locale);
    if fonts.line(words.receipt, Style::Regular).left_out() { Words::of(Locale::En) } else { words }
}

/// What stands beside the words: numbers, days, amounts, and names in the commonest letters.
fn changing(words: &Words, locale: Locale) -> [(Style, String); 2] {
    let ascii: String = (' '..='~').collect();
    let day = date::words(Timestamp(0), 480, locale);
    let unit = words.unit(1, 1);
    [
        (Style::Regular, format!("{ascii}{day}{unit}–×…{}{}", words.comma, words.number(DIGITS))),
        (Style::Semibold, words.number(DIGITS)),
    ]
}

/// Those that were used of late.
pub struct Stencils(Recent<(String, Locale), Arc<Stencil>>);

impl Default for Stencils {
    fn default() -> Self {
        Self(Recent::new(STENCILS_MAX))
    }
}

impl Stencils {
    pub fn of(&self, item: &str, locale: Locale, fonts: &Fonts) -> Result<Arc<Stencil>, String> {
        let key = (item.to_owned(), locale);
        if let Some(stencil) = self.0.get(&key) {
            return Ok(stencil);
        }
        metrics::counter!(Metric::Prepared.name()).increment(1);
        let stencil = Arc::new(Stencil::of(item, locale, fonts)?);
        Ok(self.0.keep(key, stencil))
    }

    pub fn kept(&self) -> usize {
        self.0.count()
    }
}
