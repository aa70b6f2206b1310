//! The glyphs of a typeface that a PDF has: those that are used, and the text that each stands for, so that it can be copied.

use std::cell::Cell;

use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Chunk, Filter, Finish, Name, Rect, Ref, Str};
use rustybuzz::ttf_parser::{GlyphId, RawFace, Tag, name_id};
use subsetter::GlyphRemapper;

use crate::app::receipts::paper::packed;
use crate::app::receipts::shape::Typeface;

/// Objects of a PDF that one of these takes.
pub const OBJECTS: i32 = 5;
const ENCODING: Name<'static> = Name(b"Identity-H");
const SYSTEM: SystemInfo<'static> = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };

pub struct Subset {
    /// By its number.
    pub typeface: usize,
    glyphs: GlyphRemapper,
    /// In thousandths of the type size, by the number that a glyph has here, and what it stands for.
    known: Vec<(f32, Option<String>)>,
}

impl Subset {
    pub fn of(typeface: &Typeface) -> Self {
        Self { typeface: typeface.number, glyphs: GlyphRemapper::new(), known: vec![(width(typeface, 0), None)] }
    }

    /// The number that a glyph has here.
    pub fn number(&self, glyph: u16) -> Option<u16> {
        self.glyphs.get(glyph)
    }

    pub fn add(&mut self, glyph: u16, typeface: &Typeface, text: Option<&str>) -> u16 {
        let number = self.glyphs.remap(glyph);
        if usize::from(number) == self.known.len() {
            self.known.push((width(typeface, glyph), None));
        }
        let known = &mut self.known[usize::from(number)].1;
        *known = known.take().or_else(|| text.map(str::to_owned));
        number
    }

    pub fn width(&self, number: u16) -> f32 {
        self.known[usize::from(number)].0
    }

    pub fn text(&self, number: u16) -> Option<&str> {
        self.known[usize::from(number)].1.as_deref()
    }

    /// Objects from `first` on, which is the typeface's.
    pub fn write(&self, typeface: &Typeface, first: Ref, level: u32, chunk: &mut Chunk) -> Result<(), String> {
        let (data, index) = typeface.data();
        let cut = subsetter::subset(data, index, &self.glyphs).map_err(|error| error.to_string())?;
        // Of the other kind only the outlines are wanted, without the tables around them.
        let outlines = RawFace::parse(&cut, 0).ok().and_then(|face| face.table(Tag::from_bytes(b"CFF ")));
        let file = packed(outlines.unwrap_or(&cut), level);
        let next = Cell::new(first);
        let object = || {
            let taken = next.get();
            next.set(Ref::new(taken.get() + 1));
            taken
        };
        let (font, glyphs, descriptor, texts, outlines_file) = (object(), object(), object(), object(), object());
        let name = self.name(typeface);
        chunk
            .type0_font(font)
            .base_font(Name(name.as_bytes()))
            .encoding_predefined(ENCODING)
            .descendant_font(glyphs)
            .to_unicode(texts);
        let mut cid = chunk.cid_font(glyphs);
        cid.subtype(if outlines.is_some() { CidFontType::Type0 } else { CidFontType::Type2 });
        cid.base_font(Name(name.as_bytes())).system_info(SYSTEM).font_descriptor(descriptor).default_width(0.0);
        if outlines.is_none() {
            cid.cid_to_gid_map_predefined(Name(b"Identity"));
        }
        cid.widths().consecutive(0, self.known.iter().map(|(width, _)| *width));
        cid.finish();
        self.describe(typeface, &name, descriptor, (outlines.is_some(), outlines_file), chunk);
        chunk.stream(texts, &packed(&self.texts(), level)).filter(Filter::FlateDecode);
        let mut stream = chunk.stream(outlines_file, &file);
        stream.filter(Filter::FlateDecode);
        if outlines.is_some() {
            stream.pair(Name(b"Subtype"), Name(b"CIDFontType0C"));
        }
        Ok(())
    }

    fn describe(&self, typeface: &Typeface, name: &str, at: Ref, (bare, file): (bool, Ref), chunk: &mut Chunk) {
        let face = typeface.face();
        let units = |units: i16| typeface.em(i32::from(units)) * 1_000.0;
        let (bounds, ascent) = (face.global_bounding_box(), units(face.ascender()));
        let mut flags = FontFlags::SYMBOLIC;
        flags.set(FontFlags::SERIF, name.contains("Serif"));
        flags.set(FontFlags::ITALIC, face.italic_angle() != 0.0);
        let mut descriptor = chunk.font_descriptor(at);
        descriptor
            .name(Name(name.as_bytes()))
            .flags(flags)
            .bbox(Rect::new(units(bounds.x_min), units(bounds.y_min), units(bounds.x_max), units(bounds.y_max)))
            .italic_angle(face.italic_angle())
            .ascent(ascent)
            .descent(units(face.descender()))
            .cap_height(face.capital_height().map_or(ascent, units))
            .stem_v(10.0 + 0.244 * (f32::from(face.weight().to_number()) - 50.0));
        match bare {
            true => descriptor.font_file3(file),
            false => descriptor.font_file2(file),
        };
    }

    /// What a glyph stands for, as a reader wants it.
    fn texts(&self) -> Vec<u8> {
        let mut map = UnicodeCmap::new(Name(b"Custom"), SYSTEM);
        for (number, (_, text)) in (0_u16..).zip(&self.known) {
            if let Some(text) = text {
                map.pair_with_multiple(number, text.chars());
            }
        }
        map.finish().into_vec()
    }

    /// Six letters that follow from its glyphs say that it is a part of the typeface.
    fn name(&self, typeface: &Typeface) -> String {
        let names = typeface.face().names();
        let mut name = names.into_iter().filter(|name| name.name_id == name_id::POST_SCRIPT_NAME && name.is_unicode());
        let name = name.find_map(|name| name.to_string()).unwrap_or_else(|| "unknown".to_owned());
        let fold = |hash: u64, glyph: u16| (hash ^ u64::from(glyph)).wrapping_mul(0x0100_0000_01b3);
        let mut hash = self.glyphs.remapped_gids().fold(0xcbf2_9ce4_8422_2325, fold);
        let mut tag = String::new();
        for _ in 0..6 {
            tag.push(char::from(b'A' + (hash % 26) as u8));
            hash /= 26;
        }
        format!("{tag}+{name}")
    }
}

fn width(typeface: &Typeface, glyph: u16) -> f32 {
    typeface.em(i32::from(typeface.face().glyph_hor_advance(GlyphId(glyph)).unwrap_or_default())) * 1_000.0
}
