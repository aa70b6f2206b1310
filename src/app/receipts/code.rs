//! QR codes, as squares on a grid. Error correction of level M: a crease or a thumb does no harm.

use qrcode::{EcLevel, QrCode};

/// Light squares around a code that a reader needs.
pub const QUIET: usize = 4;

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
        let code = QrCode::with_error_correction_level(text, EcLevel::M)
            .expect("a token is far shorter than the largest code");
        let width = code.width();
        Self { width, dark: code.into_colors().into_iter().map(|color| color == qrcode::Color::Dark).collect() }
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
