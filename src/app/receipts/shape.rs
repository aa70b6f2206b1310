//! Text in one typeface, as glyphs in their places. How a script is shaped by a typeface is worked out once and kept: that takes many
//! times as long as to shape a name.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use rustybuzz::{Direction, Face, Script, ShapePlan, UnicodeBuffer, script, shape_with_plan, ttf_parser};

/// Scripts of which a typeface keeps how they are shaped, either way they run.
pub const PLANS_MAX: usize = 16;

pub struct Typeface {
    /// Its place among those of the process.
    pub number: usize,
    pub scale: f32,
    data: &'static [u8],
    index: u32,
    face: Face<'static>,
    plans: Mutex<Vec<(Direction, Script, Arc<ShapePlan>)>>,
}

/// Measures are of a type size of 1.
#[derive(Debug, Clone)]
pub struct Glyph {
    pub id: u16,
    /// To where the next one stands.
    pub advance: f32,
    /// From there to where this one is drawn.
    pub right: f32,
    pub up: f32,
    /// The part of the text that it stands for, alone or with its neighbours.
    pub text: Range<usize>,
}

/// Glyphs of one typeface, as they stand from left to right.
#[derive(Debug, Clone)]
pub struct Run {
    pub typeface: usize,
    pub scale: f32,
    pub text: String,
    pub glyphs: Vec<Glyph>,
    pub width: f32,
}

impl Typeface {
    pub fn new(number: usize, data: &'static [u8], index: u32, scale: f32) -> Option<Self> {
        let face = Face::from_slice(data, index)?;
        Some(Self { number, scale, data, index, face, plans: Mutex::default() })
    }

    pub fn data(&self) -> (&'static [u8], u32) {
        (self.data, self.index)
    }

    pub fn face(&self) -> &ttf_parser::Face<'static> {
        &self.face
    }

    pub fn has(&self, character: char) -> bool {
        self.face.glyph_index(character).is_some()
    }

    pub fn em(&self, units: i32) -> f32 {
        units as f32 / f32::from(self.face.units_per_em() as u16)
    }

    pub fn shape(&self, text: String, from_right: bool) -> Run {
        let mut buffer = UnicodeBuffer::new();
        buffer.push_str(&text);
        buffer.set_direction(if from_right { Direction::RightToLeft } else { Direction::LeftToRight });
        buffer.guess_segment_properties();
        let plan = self.plan(buffer.direction(), buffer.script());
        let shaped = shape_with_plan(&self.face, &plan, buffer);
        // Where the text of each group of glyphs begins; from the right they come in falling order.
        let mut clusters: Vec<usize> = shaped.glyph_infos().iter().map(|info| info.cluster as usize).collect();
        clusters.sort_unstable();
        let mut glyphs = Vec::with_capacity(clusters.len());
        let mut width = 0.0;
        for (info, position) in shaped.glyph_infos().iter().zip(shaped.glyph_positions()) {
            let start = info.cluster as usize;
            let next = clusters.get(clusters.partition_point(|cluster| *cluster <= start));
            glyphs.push(Glyph {
                id: u16::try_from(info.glyph_id).unwrap_or_default(),
                advance: self.em(position.x_advance),
                right: self.em(position.x_offset),
                up: self.em(position.y_offset),
                text: start..next.copied().unwrap_or(text.len()),
            });
            width += self.em(position.x_advance);
        }
        Run { typeface: self.number, scale: self.scale, text, glyphs, width: width * self.scale }
    }

    fn plan(&self, direction: Direction, of: Script) -> Arc<ShapePlan> {
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        let known = plans.iter().find(|(way, script, _)| (*way, *script) == (direction, of));
        if let Some((_, _, plan)) = known {
            return plan.clone();
        }
        let named = Some(of).filter(|of| *of != script::UNKNOWN);
        let plan = Arc::new(ShapePlan::new(&self.face, direction, named, None, &[]));
        if plans.len() == PLANS_MAX {
            plans.remove(0);
        }
        plans.push((direction, of, plan.clone()));
        plan
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is asked for again is worked out again, and is the same.
    #[test]
    fn so_many_scripts_are_remembered() {
        let data = typst_assets::fonts().next().expect("the program has typefaces");
        let typeface = Typeface::new(0, data, 0, 1.0).expect("it can be read");
        let texts = "a б γ ա ა א ا न ব ਪ ગ ଓ த త ಕ മ ක ส".split(' ');
        let ids = |text: &str| -> Vec<u16> {
            typeface.shape(text.to_owned(), false).glyphs.iter().map(|glyph| glyph.id).collect()
        };
        let first = ids("Tea");
        let mut kept = Vec::new();
        for text in texts {
            ids(text);
            kept.push(typeface.plans.lock().expect("no other thread").len());
        }
        let wanted: Vec<usize> = (1..=kept.len()).map(|kept| kept.min(PLANS_MAX)).collect();
        assert_eq!(kept, wanted);
        assert!(kept.len() > PLANS_MAX);
        assert_eq!(ids("Tea"), first);
    }
}
