//! Typefaces: Libertinus Serif comes with the program; Chinese, Japanese and Korean are printed where Debian's Noto CJK is
//! installed. Loaded once; a PDF holds only the glyphs that it uses.
//!
//! What no typeface has is not printed as boxes: [`Fonts::line`] says so, and the page says it in words.

use std::path::Path;
use std::sync::OnceLock;

use krilla::text::{Font, GlyphId, KrillaGlyph};
use rustybuzz::{Face, UnicodeBuffer};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Regular,
    Semibold,
    Italic,
}

/// As the crate lists its typefaces; a test holds it to that.
const LATIN: [(Style, usize); 3] = [(Style::Regular, 0), (Style::Italic, 2), (Style::Semibold, 4)];
/// The serif one goes better with the other typeface. In each file the faces are those of Japan, Korea, China, Taiwan, Hong Kong.
const CJK: [&str; 2] = [
    "/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
];
const CJK_TAIWAN: u32 = 3;
/// A Chinese character at the size of the letters around it looks too large.
const CJK_SCALE: f32 = 0.94;

struct Typeface {
    font: Font,
    face: Face<'static>,
    scale: f32,
}

pub struct Fonts {
    latin: Vec<(Style, Typeface)>,
    cjk: OnceLock<Option<Typeface>>,
    cjk_paths: Vec<&'static str>,
}

/// Glyphs of one typeface, in order.
struct Run {
    font: Font,
    scale: f32,
    text: String,
    glyphs: Vec<KrillaGlyph>,
    width: f32,
}

/// Text that can be printed, shaped. Widths are of a type size of 1.
pub struct Line {
    runs: Vec<Run>,
}

impl Typeface {
    fn new(data: &'static [u8], index: u32, scale: f32) -> Option<Self> {
        Some(Self { font: Font::new(data.into(), index)?, face: Face::from_slice(data, index)?, scale })
    }

    fn has(&self, character: char) -> bool {
        self.face.glyph_index(character).is_some()
    }
}

impl Fonts {
    /// The process's own.
    pub fn get() -> &'static Fonts {
        static FONTS: OnceLock<Fonts> = OnceLock::new();
        FONTS.get_or_init(|| Fonts::with(CJK.to_vec()))
    }

    /// With the first of these files for what the program's own typeface lacks.
    pub fn with(cjk_paths: Vec<&'static str>) -> Self {
        let all: Vec<&'static [u8]> = typst_assets::fonts().collect();
        let typeface = |index: usize| Typeface::new(all[index], 0, 1.0).expect("a typeface of the program can be read");
        let latin = LATIN.iter().map(|(style, index)| (*style, typeface(*index))).collect();
        Self { latin, cjk: OnceLock::new(), cjk_paths }
    }

    /// Read when the first such character comes: a shop that never sees one saves its 25 MB.
    fn cjk(&self) -> Option<&Typeface> {
        let load = || {
            let data = self.cjk_paths.iter().find_map(|path| std::fs::read(Path::new(path)).ok())?;
            // Once for each process, for as long as it lives.
            Typeface::new(data.leak(), CJK_TAIWAN, CJK_SCALE)
        };
        self.cjk.get_or_init(load).as_ref()
    }

    fn typeface_for(&self, character: char, style: Style) -> Option<&Typeface> {
        let latin = self.latin.iter().find(|(known, _)| *known == style).map(|(_, typeface)| typeface)?;
        if latin.has(character) { Some(latin) } else { self.cjk().filter(|cjk| cjk.has(character)) }
    }

    /// `None` when some character of it cannot be printed right.
    pub fn line(&self, text: &str, style: Style) -> Option<Line> {
        let mut pieces: Vec<(&Typeface, String)> = Vec::new();
        for character in text.chars() {
            if is_from_right(character) {
                return None;
            }
            let typeface = self.typeface_for(character, style)?;
            match pieces.last_mut() {
                Some((last, piece)) if std::ptr::eq(*last, typeface) => piece.push(character),
                _ => pieces.push((typeface, character.to_string())),
            }
        }
        let runs = pieces.into_iter().map(|(typeface, piece)| shape(typeface, piece)).collect::<Option<_>>()?;
        Some(Line { runs })
    }
}

/// Scripts that run from right to left: mixed with others they need an order that is not made here.
fn is_from_right(character: char) -> bool {
    matches!(u32::from(character), 0x0590..=0x08ff | 0x200f | 0x202b | 0x202e | 0x2067 | 0xfb1d..=0xfdff | 0xfe70..=0xfefc
        | 0x10800..=0x10fff | 0x1e800..=0x1efff)
}

/// `None` when a glyph is missing after all.
fn shape(typeface: &Typeface, text: String) -> Option<Run> {
    let mut buffer = UnicodeBuffer::new();
    buffer.push_str(&text);
    buffer.guess_segment_properties();
    let shaped = rustybuzz::shape(&typeface.face, &[], buffer);
    let per_em = typeface.font.units_per_em();
    let (infos, positions) = (shaped.glyph_infos(), shaped.glyph_positions());
    let mut glyphs = Vec::with_capacity(infos.len());
    let mut width = 0.0;
    for (place, (info, position)) in infos.iter().zip(positions).enumerate() {
        if info.glyph_id == 0 {
            return None;
        }
        let start = info.cluster as usize;
        let next = infos[place..].iter().map(|info| info.cluster as usize).find(|cluster| *cluster > start);
        let em = |units: i32| units as f32 / per_em;
        glyphs.push(KrillaGlyph::new(
            GlyphId::new(info.glyph_id),
            em(position.x_advance),
            em(position.x_offset),
            em(position.y_offset),
            em(position.y_advance),
            start..next.unwrap_or(text.len()),
            None,
        ));
        width += em(position.x_advance);
    }
    Some(Run { font: typeface.font.clone(), scale: typeface.scale, text, glyphs, width: width * typeface.scale })
}

impl Line {
    pub fn width(&self) -> f32 {
        self.runs.iter().map(|run| run.width).sum()
    }

    /// With its beginning at `x`, on the baseline `y`.
    pub fn draw(&self, surface: &mut krilla::surface::Surface<'_>, mut x: f32, y: f32, size: f32) {
        for run in &self.runs {
            let start = krilla::geom::Point::from_xy(x, y);
            surface.draw_glyphs(start, &run.glyphs, run.font.clone(), &run.text, size * run.scale, false);
            x += run.width * size;
        }
    }
}
