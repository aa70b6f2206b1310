//! Pages of a PDF: text, lines and codes, as they are drawn. Glyphs that the stencil has are taken from there; a name's others are put
//! into a subset of the document's own.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use pdf_writer::{Content, Date, Filter, Finish, Name, Pdf, Rect, Ref, Settings, Str, TextStr};

use crate::app::receipts::code::{Code, QUIET, Run as Dark};
use crate::app::receipts::fonts::{Fonts, Line};
use crate::app::receipts::shape::{Glyph, Run};
use crate::app::receipts::stencil::Stencil;
use crate::app::receipts::subset::{OBJECTS, Subset};

pub const WIDTH: f32 = 595.28;
pub const HEIGHT: f32 = 841.89;
pub const COMPACT: Settings = Settings { pretty: false };
/// Most of what can be gained, in a fifth of the time.
const PAGE_LEVEL: u32 = 1;
const CATALOG: Ref = Ref::new(1);
const PAGES: Ref = Ref::new(2);
const INFO: Ref = Ref::new(3);
const RESOURCES: Ref = Ref::new(4);
/// From here on the stencil numbers its objects.
pub const FIRST: i32 = 5;
/// Less than this many thousandths of the type size is not moved for.
const MOVE_MIN: f32 = 0.5;

pub type Tone = (u8, u8, u8);

/// What a reader's program shows of a document, and what tells it from others.
pub struct About {
    pub title: String,
    pub language: &'static str,
    pub made: Date,
    pub id: [u8; 16],
}

pub struct Paper<'a> {
    fonts: &'a Fonts,
    stencil: &'a Stencil,
    own: Vec<Subset>,
    pages: Vec<Vec<u8>>,
    content: Content,
    tone: Option<Tone>,
}

/// A glyph in the PDF: which typeface's, its number and width there, and whether its text is said there.
struct Placed {
    font: Font,
    number: u16,
    width: f32,
    says: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Font {
    Stencils(usize),
    Own(usize),
}

/// What is shown by one operator: glyphs, and how far the pen moves between them.
#[derive(Default)]
struct Shown {
    glyphs: Vec<u8>,
    moves: Vec<(usize, f32)>,
}

impl<'a> Paper<'a> {
    pub fn new(fonts: &'a Fonts, stencil: &'a Stencil) -> Self {
        let content = Content::with_settings(COMPACT);
        Self { fonts, stencil, own: Vec::new(), pages: Vec::new(), content, tone: None }
    }

    pub fn ink(&mut self, tone: Tone) {
        if self.tone != Some(tone) {
            let (red, green, blue) = shares(tone);
            self.content.set_fill_rgb(red, green, blue);
            self.tone = Some(tone);
        }
    }

    /// With its beginning at `x`, on the baseline `y`; `apart` is what stands between letters.
    pub fn text(&mut self, line: &Line, mut x: f32, y: f32, size: f32, apart: f32) {
        for run in line.runs.iter().filter(|run| !run.glyphs.is_empty()) {
            if apart != 0.0 {
                // A reader would take the gaps for spaces.
                self.says(&run.text);
            }
            self.content.begin_text().next_line(rounded(x), rounded(HEIGHT - y));
            if apart != 0.0 {
                self.content.set_char_spacing(rounded(apart));
            }
            self.run(run, size * run.scale);
            if apart != 0.0 {
                self.content.set_char_spacing(0.0).end_text().end_marked_content();
            } else {
                self.content.end_text();
            }
            x += run.width * size + apart * run.glyphs.len() as f32;
        }
    }

    /// What stands for what is drawn until the marked content ends.
    fn says(&mut self, text: &str) {
        let mut span = self.content.begin_marked_content_with_properties(Name(b"Span"));
        span.properties().actual_text(TextStr(text));
    }

    fn run(&mut self, run: &Run, size: f32) {
        let (mut font, mut up, mut behind, mut shown) = (None, 0.0, 0.0, Shown::default());
        for together in run.glyphs.chunk_by(|a, b| a.text == b.text) {
            let text = &run.text[together[0].text.clone()];
            let placed: Vec<Placed> =
                together.iter().map(|glyph| self.place(run.typeface, glyph, text, together.len() == 1)).collect();
            let says = placed.iter().all(|placed| placed.says);
            if !says {
                shown.flush(&mut self.content);
                self.says(text);
            }
            for (glyph, placed) in together.iter().zip(placed) {
                if font != Some(placed.font) || up != glyph.up {
                    shown.flush(&mut self.content);
                }
                if font != Some(placed.font) {
                    self.content.set_font(Name(placed.font.name().as_bytes()), size);
                    font = Some(placed.font);
                }
                if up != glyph.up {
                    self.content.set_rise(rounded(glyph.up * size));
                    up = glyph.up;
                }
                behind += glyph.right * 1_000.0;
                shown.glyph(placed.number, &mut behind);
                behind += (glyph.advance - glyph.right) * 1_000.0 - placed.width;
            }
            if !says {
                shown.flush(&mut self.content);
                self.content.end_marked_content();
            }
        }
        shown.flush(&mut self.content);
        if up != 0.0 {
            self.content.set_rise(0.0);
        }
    }

    fn place(&mut self, number: usize, glyph: &Glyph, text: &str, alone: bool) -> Placed {
        let known = self.stencil.subsets.iter().enumerate().filter(|(_, subset)| subset.typeface == number);
        for (place, subset) in known {
            if let Some(number) = subset.number(glyph.id) {
                let says = alone && subset.text(number) == Some(text);
                return Placed { font: Font::Stencils(place), number, width: subset.width(number), says };
            }
        }
        let typeface = self.fonts.typeface(number).expect("what is shaped has a typeface");
        let place = self.own.iter().position(|subset| subset.typeface == number).unwrap_or_else(|| {
            self.own.push(Subset::of(typeface));
            self.own.len() - 1
        });
        let subset = &mut self.own[place];
        let number = subset.add(glyph.id, typeface, Some(text).filter(|_| alone));
        let says = alone && subset.text(number) == Some(text);
        Placed { font: Font::Own(place), number, width: subset.width(number), says }
    }

    pub fn rule(&mut self, (x, y): (f32, f32), to: f32, tone: Tone, width: f32, dashed: bool) {
        self.pen(tone, width);
        if dashed {
            self.content.set_dash_pattern([2.5, 3.0], 0.0);
        }
        let y = rounded(HEIGHT - y);
        self.content.move_to(rounded(x), y).line_to(rounded(to), y).stroke().restore_state();
    }

    pub fn outline(&mut self, (x, y): (f32, f32), side: f32, tone: Tone, width: f32) {
        self.pen(tone, width);
        self.content.rect(rounded(x), rounded(HEIGHT - y - side), side, side).stroke().restore_state();
    }

    fn pen(&mut self, tone: Tone, width: f32) {
        let (red, green, blue) = shares(tone);
        self.content.save_state().set_stroke_rgb(red, green, blue).set_line_width(width);
    }

    /// Black on the paper's white, with its dark squares from `x` on: the light margin that a reader needs is there, in the page's own.
    pub fn code(&mut self, code: &Code, x: f32, y: f32, side: f32) {
        let square = side / (code.width + 2 * QUIET) as f32;
        self.ink((0, 0, 0));
        // In squares, so that each number has one or two digits.
        let top = HEIGHT - y - square * QUIET as f32;
        self.content.save_state().transform([square, 0.0, 0.0, -square, x, top]);
        for Dark { x, y, length } in code.runs() {
            self.content.rect(x as f32, y as f32, length as f32, 1.0);
        }
        self.content.fill_nonzero().restore_state();
    }

    pub fn end_page(&mut self) {
        let content = std::mem::replace(&mut self.content, Content::with_settings(COMPACT));
        self.pages.push(packed(&content.finish(), PAGE_LEVEL));
        self.tone = None;
    }

    pub fn finish(self, about: &About) -> Result<Vec<u8>, String> {
        let (stencil, pages) = (self.stencil, self.pages);
        let bytes: usize = pages.iter().map(Vec::len).sum::<usize>() + stencil.chunk.len();
        let mut pdf = Pdf::with_settings_and_capacity(COMPACT, bytes + bytes / 4 + 8_192);
        pdf.extend(&stencil.chunk);
        let mut next = FIRST + OBJECTS * stencil.subsets.len() as i32;
        let first = |place: usize| Ref::new(FIRST + OBJECTS * place as i32);
        let mut named: Vec<(String, Ref)> =
            (0..stencil.subsets.len()).map(|place| (Font::Stencils(place).name(), first(place))).collect();
        for (place, subset) in self.own.iter().enumerate() {
            let typeface = self.fonts.typeface(subset.typeface).ok_or("what is shaped has a typeface")?;
            subset.write(typeface, Ref::new(next), PAGE_LEVEL, &mut pdf)?;
            named.push((Font::Own(place).name(), Ref::new(next)));
            next += OBJECTS;
        }
        let mut resources = pdf.indirect(RESOURCES).dict();
        let mut fonts = resources.insert(Name(b"Font")).dict();
        named.iter().for_each(|(name, at)| {
            fonts.pair(Name(name.as_bytes()), *at);
        });
        fonts.finish();
        resources.finish();
        let place = |page: usize| (Ref::new(next + 2 * page as i32), Ref::new(next + 2 * page as i32 + 1));
        for (number, content) in pages.iter().enumerate() {
            let (page, drawn) = place(number);
            pdf.page(page)
                .parent(PAGES)
                .media_box(Rect::new(0.0, 0.0, WIDTH, HEIGHT))
                .contents(drawn)
                .pair(Name(b"Resources"), RESOURCES);
            pdf.stream(drawn, content).filter(Filter::FlateDecode);
        }
        pdf.pages(PAGES).kids((0..pages.len()).map(|page| place(page).0)).count(pages.len() as i32);
        pdf.catalog(CATALOG).pages(PAGES).lang(TextStr(about.language));
        pdf.document_info(INFO).title(TextStr(&about.title)).creator(TextStr("miaosha")).creation_date(about.made);
        pdf.set_file_id((about.id.to_vec(), about.id.to_vec()));
        Ok(pdf.finish())
    }
}

impl Font {
    fn name(self) -> String {
        match self {
            Font::Stencils(place) => format!("F{place}"),
            Font::Own(place) => format!("X{place}"),
        }
    }
}

impl Shown {
    /// After the pen has gone to where it should be; what is too little is left for the next one.
    fn glyph(&mut self, number: u16, behind: &mut f32) {
        if behind.abs() >= MOVE_MIN {
            let whole = behind.round();
            self.moves.push((self.glyphs.len(), -whole));
            *behind -= whole;
        }
        self.glyphs.extend(number.to_be_bytes());
    }

    fn flush(&mut self, content: &mut Content) {
        if self.glyphs.is_empty() {
            return;
        }
        let mut shown = content.show_positioned();
        let (mut items, mut from) = (shown.items(), 0);
        for (at, amount) in self.moves.drain(..) {
            if at > from {
                items.show(Str(&self.glyphs[from..at]));
            }
            items.adjust(amount);
            from = at;
        }
        items.show(Str(&self.glyphs[from..]));
        items.finish();
        shown.finish();
        self.glyphs.clear();
    }
}

fn shares((red, green, blue): Tone) -> (f32, f32, f32) {
    let share = |part: u8| (f32::from(part) / 0.255).round() / 1_000.0;
    (share(red), share(green), share(blue))
}

/// To a hundredth of a point, which nobody sees.
fn rounded(points: f32) -> f32 {
    (points * 100.0).round() / 100.0
}

/// As a PDF's streams are, at a level from 1 (soon done) to 9 (small).
pub fn packed(bytes: &[u8], level: u32) -> Vec<u8> {
    let mut packed = ZlibEncoder::new(Vec::with_capacity(bytes.len() / 2), Compression::new(level));
    let written = packed.write_all(bytes).and_then(|()| packed.finish());
    written.expect("writing into memory does not fail")
}
