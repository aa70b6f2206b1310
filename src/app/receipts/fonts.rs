//! Typefaces: Libertinus Serif comes with the program; other scripts are printed where Debian's Noto is installed. Each is read when
//! the first character comes that needs it, and once; a PDF holds only the glyphs that it uses.
//!
//! Text is shaped, and laid out in the order in which it is read, from the right or from the left. What no typeface has is not
//! printed as boxes without notice: one sign stands for it, and [`Line::left_out`] says that there was something.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use unicode_bidi::{BidiClass, BidiInfo, Level, bidi_class};

use crate::app::receipts::shape::{Run, Typeface};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Regular,
    Semibold,
    Italic,
}

/// As the crate lists its typefaces; a test holds it to that.
const LATIN: [(Style, usize); 3] = [(Style::Regular, 0), (Style::Italic, 2), (Style::Semibold, 4)];
/// Where a distribution keeps typefaces.
const FOLDER: &str = "/usr/share/fonts";
/// What stands for what cannot be printed: the first that there is.
const STANDS_FOR: [char; 3] = ['▢', '□', '?'];
/// The first character that may run from right to left.
const FROM_RIGHT: char = '\u{590}';

/// A typeface that may be installed, and the characters that it is asked for.
struct Other {
    /// The first of them that is there.
    files: &'static [&'static str],
    /// Of the faces in its file.
    index: u32,
    scale: f32,
    blocks: &'static [RangeInclusive<u32>],
}

macro_rules! noto {
    ($($name:literal: $($block:expr),+;)*) => {
        [$(Other {
            files: &[concat!("truetype/noto/Noto", $name, "-Regular.ttf")],
            index: 0,
            scale: 1.0,
            blocks: &[$($block),+],
        }),*]
    };
}

/// In the serif faces of each script, as far as there is one.
const SCRIPTS: [Other; 22] = noto! {
    "NaskhArabic": 0x0600..=0x06ff, 0x0750..=0x077f, 0x08a0..=0x08ff, 0xfb50..=0xfdff, 0xfe70..=0xfefc;
    "SerifHebrew": 0x0590..=0x05ff, 0xfb1d..=0xfb4f;
    "SerifDevanagari": 0x0900..=0x097f, 0xa8e0..=0xa8ff, 0x1cd0..=0x1cff;
    "SerifBengali": 0x0980..=0x09ff;
    "SerifGurmukhi": 0x0a00..=0x0a7f;
    "SerifGujarati": 0x0a80..=0x0aff;
    "SansOriya": 0x0b00..=0x0b7f;
    "SerifTamil": 0x0b80..=0x0bff;
    "SerifTelugu": 0x0c00..=0x0c7f;
    "SerifKannada": 0x0c80..=0x0cff;
    "SerifMalayalam": 0x0d00..=0x0d7f;
    "SerifSinhala": 0x0d80..=0x0dff;
    "SerifThai": 0x0e00..=0x0e7f;
    "SerifLao": 0x0e80..=0x0eff;
    "SerifTibetan": 0x0f00..=0x0fff;
    "SerifMyanmar": 0x1000..=0x109f, 0xa9e0..=0xa9ff, 0xaa60..=0xaa7f;
    "SerifGeorgian": 0x10a0..=0x10ff, 0x1c90..=0x1cbf, 0x2d00..=0x2d2f;
    "SerifEthiopic": 0x1200..=0x139f, 0x2d80..=0x2ddf, 0xab00..=0xab2f;
    "SerifKhmer": 0x1780..=0x17ff, 0x19e0..=0x19ff;
    "SerifArmenian": 0x0530..=0x058f, 0xfb13..=0xfb17;
    "Serif": 0x0000..=0x058f, 0x1c80..=0x1c8f, 0x1d00..=0x2bff, 0xa640..=0xa7ff;
    "SansSymbols2": 0x2100..=0x2bff;
};

/// The serif one goes better with the other typeface. In each file the faces are those of Japan, Korea, China, Taiwan, Hong Kong. A
/// character of it at the size of the letters around it looks too large. 25 MB.
const CJK: Other = Other {
    files: &["opentype/noto/NotoSerifCJK-Regular.ttc", "opentype/noto/NotoSansCJK-Regular.ttc"],
    index: 3,
    scale: 0.94,
    blocks: &[
        0x1100..=0x11ff,
        0x2000..=0x9fff,
        0xa960..=0xa97f,
        0xac00..=0xd7ff,
        0xf900..=0xfaff,
        0xfe10..=0xfe6f,
        0xff00..=0xffef,
        0x1b000..=0x1b16f,
        0x1f100..=0x1f2ff,
        0x20000..=0x3ffff,
    ],
};

pub struct Fonts {
    latin: Vec<(Style, Typeface)>,
    folder: PathBuf,
    others: Vec<(Other, OnceLock<Option<Typeface>>)>,
}

/// Shaped text. Widths are of a type size of 1.
#[derive(Debug, Clone)]
pub struct Line {
    pub runs: Vec<Run>,
    left_out: bool,
}

impl Fonts {
    /// The process's own.
    pub fn get() -> &'static Fonts {
        static FONTS: OnceLock<Fonts> = OnceLock::new();
        FONTS.get_or_init(|| Fonts::of(FOLDER))
    }

    /// With the typefaces of this folder for what the program's own one lacks.
    pub fn of(folder: impl Into<PathBuf>) -> Self {
        let all: Vec<&'static [u8]> = typst_assets::fonts().collect();
        let typeface = |(number, (style, index)): (usize, (Style, usize))| {
            let read = Typeface::new(number, all[index], 0, 1.0);
            (style, read.expect("a typeface of the program can be read"))
        };
        let latin = LATIN.into_iter().enumerate().map(typeface).collect();
        let others = SCRIPTS.into_iter().chain([CJK]).map(|other| (other, OnceLock::new())).collect();
        Self { latin, folder: folder.into(), others }
    }

    fn own(&self, style: Style) -> &Typeface {
        let own = self.latin.iter().find(|(known, _)| *known == style);
        own.map(|(_, typeface)| typeface).expect("there is a typeface for every style")
    }

    /// By the number that a run names.
    pub fn typeface(&self, number: usize) -> Option<&Typeface> {
        match self.latin.get(number) {
            Some((_, typeface)) => Some(typeface),
            None => self.others.get(number - self.latin.len())?.1.get()?.as_ref(),
        }
    }

    fn typeface_for(&self, character: char, style: Style) -> Option<&Typeface> {
        let own = self.own(style);
        if own.has(character) {
            return Some(own);
        }
        let asked = |blocks: &[RangeInclusive<u32>]| blocks.iter().any(|block| block.contains(&u32::from(character)));
        let others = self.others.iter().enumerate().filter(|(_, (other, _))| asked(other.blocks));
        let read = |number: usize, other: &Other| load(self.latin.len() + number, other, &self.folder);
        others
            .filter_map(|(number, (other, slot))| slot.get_or_init(|| read(number, other)).as_ref())
            .find(|typeface| typeface.has(character))
    }

    /// What stands for characters that cannot be printed.
    pub fn stands_for(&self) -> char {
        let own = self.own(Style::Regular);
        STANDS_FOR.into_iter().find(|sign| own.has(*sign)).unwrap_or('?')
    }

    /// Text that begins from the side that its first letter says.
    pub fn line(&self, text: &str, style: Style) -> Line {
        self.line_from(text, style, side(text))
    }

    /// A part of a text that begins from this side.
    pub fn line_from(&self, text: &str, style: Style, side: Level) -> Line {
        let parts = self.parts(text, style);
        let text: String = parts.iter().map(|part| part.character).collect();
        let mut line = Line { runs: Vec::new(), left_out: parts.iter().any(|part| part.left_out) };
        let mut starts = Vec::with_capacity(parts.len());
        let mut end = 0;
        for part in &parts {
            starts.push(end);
            end += part.character.len_utf8();
        }
        for (range, level) in in_order(&text, side) {
            let (from, to) =
                (starts.partition_point(|at| *at < range.start), starts.partition_point(|at| *at < range.end));
            let mut pieces: Vec<&[Part<'_>]> =
                parts[from..to].chunk_by(|a, b| std::ptr::eq(a.typeface, b.typeface)).collect();
            if level.is_rtl() {
                pieces.reverse();
            }
            for piece in pieces {
                let text = piece.iter().map(|part| part.character).collect();
                line.runs.push(piece[0].typeface.shape(text, level.is_rtl()));
            }
        }
        line
    }

    /// Character by character, what is printed and in which typeface.
    fn parts(&self, text: &str, style: Style) -> Vec<Part<'_>> {
        let mut parts: Vec<Part<'_>> = Vec::with_capacity(text.len());
        for character in text.chars().filter(|character| !is_nothing(*character)) {
            let character = if character.is_whitespace() { ' ' } else { character };
            let last = parts.last();
            let is_joiner = matches!(character, '\u{200c}'..='\u{200f}');
            let goes_on = is_joiner || bidi_class(character) == BidiClass::NSM;
            let before = last.filter(|last| goes_on && !last.left_out).map(|last| last.typeface);
            let with_it = before.filter(|before| is_joiner || before.has(character));
            match with_it.or_else(|| self.typeface_for(character, style).filter(|_| !is_joiner)) {
                Some(typeface) => parts.push(Part { character, typeface, left_out: false }),
                // One sign for all that come together.
                None if is_joiner || last.is_some_and(|last| last.left_out) => {}
                None => parts.push(Part { character: self.stands_for(), typeface: self.own(style), left_out: true }),
            }
        }
        parts
    }
}

struct Part<'a> {
    character: char,
    typeface: &'a Typeface,
    /// It stands for others.
    left_out: bool,
}

fn load(number: usize, other: &Other, folder: &Path) -> Option<Typeface> {
    let data = other.files.iter().find_map(|file| std::fs::read(folder.join(file)).ok())?;
    // Once for each process, for as long as it lives.
    Typeface::new(number, data.leak(), other.index, other.scale)
}

/// The side that a text begins from.
pub fn side(text: &str) -> Level {
    if text.chars().all(|character| character < FROM_RIGHT) {
        return Level::ltr();
    }
    BidiInfo::new(text, None).paragraphs.first().map_or(Level::ltr(), |paragraph| paragraph.level)
}

/// Parts of the text, from left to right as they stand on paper.
fn in_order(text: &str, side: Level) -> Vec<(std::ops::Range<usize>, Level)> {
    if side.is_ltr() && text.chars().all(|character| character < FROM_RIGHT) {
        return vec![(0..text.len(), side)];
    }
    let bidi = BidiInfo::new(text, Some(side));
    let Some(paragraph) = bidi.paragraphs.first() else { return Vec::new() };
    let (levels, runs) = bidi.visual_runs(paragraph, paragraph.range.clone());
    let with_level = |run: std::ops::Range<usize>| {
        let level = levels[run.start];
        (run, level)
    };
    runs.into_iter().map(with_level).collect()
}

/// What has no shape of its own here: selectors of a picture's style, soft hyphens, and marks that would turn the text around them.
fn is_nothing(character: char) -> bool {
    matches!(u32::from(character), 0xad | 0x180b..=0x180e | 0x200b | 0x202a..=0x202e | 0x2060..=0x206f | 0xfe00..=0xfe0f | 0xfeff
        | 0xe0000..=0xe0fff)
        || (character.is_control() && !character.is_whitespace())
}

impl Line {
    /// Whether a sign stands for something that could not be printed.
    pub fn left_out(&self) -> bool {
        self.left_out
    }

    pub fn width(&self) -> f32 {
        self.runs.iter().map(|run| run.width).sum()
    }
}
