//! QR codes, as squares on a grid. Error correction of level M: a crease or a thumb does no harm.
//!
//! Of the eight masks that a code may have the library looks for the best in a way that takes most of a page's time, so that is done
//! here: the same rules, and so the same code, with a row in one word.

use std::array::from_fn;

use qrcode::bits::encode_auto;
use qrcode::canvas::{Canvas, MaskPattern};
use qrcode::ec::construct_codewords;
use qrcode::{Color, EcLevel};

/// Light squares around a code that a reader needs.
pub const QUIET: usize = 4;
const MASKS: [MaskPattern; 8] = [
    MaskPattern::Checkerboard,
    MaskPattern::HorizontalLines,
    MaskPattern::VerticalLines,
    MaskPattern::DiagonalLines,
    MaskPattern::LargeCheckerboard,
    MaskPattern::Fields,
    MaskPattern::Diamonds,
    MaskPattern::Meadow,
];
/// A row of so many squares has room in a word, with the light ones on either side. A token's has 45.
const ROW_SQUARES_MAX: usize = 56;

pub struct Code {
    /// Squares of a side.
    pub width: usize,
    dark: Vec<bool>,
}

/// Dark squares beside each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    pub x: usize,
    pub y: usize,
    pub length: usize,
}

impl Code {
    pub fn of(text: &str) -> Self {
        const SHORT: &str = "a token is far shorter than the largest code";
        let bits = encode_auto(text.as_bytes(), EcLevel::M).expect(SHORT);
        let version = bits.version();
        let (data, correction) = construct_codewords(&bits.into_bytes(), version, EcLevel::M).expect(SHORT);
        let mut canvas = Canvas::new(version, EcLevel::M);
        canvas.draw_all_functional_patterns();
        canvas.draw_data(&data, &correction);
        let width = usize::from(version.width().unsigned_abs());
        if width > ROW_SQUARES_MAX {
            return Self::drawn(canvas.apply_best_mask(), width);
        }
        let masked = |mask: MaskPattern| {
            let mut canvas = canvas.clone();
            canvas.apply_mask(mask);
            Self::drawn(canvas, width)
        };
        MASKS.into_iter().map(masked).min_by_key(Self::penalty).expect("there are masks")
    }

    fn drawn(canvas: Canvas, width: usize) -> Self {
        Self { width, dark: canvas.into_colors().into_iter().map(|color| color == Color::Dark).collect() }
    }

    /// How hard it is to read, by the four rules of ISO/IEC 18004: long runs, blocks, what looks like a corner, and too much of one
    /// colour.
    fn penalty(&self) -> u32 {
        let (mut rows, mut columns) = ([0_u64; ROW_SQUARES_MAX], [0_u64; ROW_SQUARES_MAX]);
        for (place, dark) in self.dark.iter().enumerate() {
            let (y, x) = (place / self.width, place % self.width);
            rows[y] |= u64::from(*dark) << x;
            columns[x] |= u64::from(*dark) << y;
        }
        let (rows, columns) = (&rows[..self.width], &columns[..self.width]);
        let lines: u32 = rows.iter().chain(columns).map(|line| self.runs_penalty(*line) + corners_penalty(*line)).sum();
        let blocks: u32 = rows.windows(2).map(|pair| self.blocks_penalty(pair[0], pair[1])).sum();
        let dark: u32 = rows.iter().map(|row| row.count_ones()).sum();
        lines + blocks + (dark * 200 / self.dark.len() as u32).abs_diff(100)
    }

    /// Where a square is as the next one of its line.
    fn goes_on(&self, line: u64) -> u64 {
        !(line ^ (line >> 1)) & ((1 << (self.width - 1)) - 1)
    }

    /// Two less than the length of each run of five or more.
    fn runs_penalty(&self, line: u64) -> u32 {
        let same = self.goes_on(line);
        let fives = same & (same >> 1) & (same >> 2) & (same >> 3);
        fives.count_ones() + 2 * (fives & !(fives << 1)).count_ones()
    }

    fn blocks_penalty(&self, row: u64, below: u64) -> u32 {
        let alike = !(row ^ below);
        3 * (self.goes_on(row) & alike & (alike >> 1)).count_ones()
    }

    pub fn runs(&self) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for (y, row) in self.dark.chunks(self.width).enumerate() {
            for x in (0..self.width).filter(|x| row[*x]) {
                match runs.last_mut() {
                    Some(last) if last.y == y && last.x + last.length == x => last.length += 1,
                    _ => runs.push(Run { x, y, length: 1 }),
                }
            }
        }
        runs
    }

    /// For a page of the shop: scales to any size, and needs no more than an `img`.
    pub fn svg(&self) -> String {
        let side = self.width + 2 * QUIET;
        let mut path = String::new();
        for Run { x, y, length } in self.runs() {
            path.push_str(&format!("M{} {}h{length}v1h-{length}z", x + QUIET, y + QUIET));
        }
        format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{side}v{side}H0z"/><path d="{path}"/></svg>"##
        )
    }
}

/// Dark, light, three dark, light, dark, with four light ones on one side; the margin is light.
fn corners_penalty(line: u64) -> u32 {
    let line = line << 4;
    let [_, one, two, three, four, five, six] = from_fn(|by| line >> by);
    let corner = line & !one & two & three & four & !five & six;
    let light_before = !((line << 1) | (line << 2) | (line << 3) | (line << 4));
    let light_after = !((line >> 7) | (line >> 8) | (line >> 9) | (line >> 10));
    40 * (corner & (light_before | light_after)).count_ones()
}

#[cfg(test)]
mod tests {
    use qrcode::QrCode;

    use super::*;

    fn of_the_library(text: &str) -> Vec<bool> {
        let code = QrCode::with_error_correction_level(text, EcLevel::M).expect("a short text");
        code.into_colors().into_iter().map(|color| color == Color::Dark).collect()
    }

    /// Of every width that a word has room for, of one that it has not, and many of a token's.
    #[test]
    fn the_code_is_the_one_that_the_library_makes() {
        let letters = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        let mut seed = 7_usize;
        let mut text = |length: usize| -> String {
            let mut letter = || {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                char::from(letters[(seed >> 33) % letters.len()])
            };
            (0..length).map(|_| letter()).collect()
        };
        let lengths = (1..=400).step_by(13).chain([177; 40]);
        for length in lengths {
            let text = text(length);
            assert_eq!(Code::of(&text).dark, of_the_library(&text), "{text}");
        }
        assert!(Code::of(&"A".repeat(400)).width > ROW_SQUARES_MAX);
        assert_eq!(Code::of(&text(177)).width, 45);
    }
}
