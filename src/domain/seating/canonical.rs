//! The canonical form: what a plan's hash is of, what is stored, and what clients are given, byte for byte. Compact JSON with its keys
//! in one order; positions in hundredths, as whole numbers. A seat is `[label, x, y, category]`, and a fifth part says its kind when
//! that is not `standard`. Labels hold no control characters, so that two characters alone are escaped.

use std::fmt::Write as _;

use super::{Kind, Layout};

/// The first member of every plan in this form.
pub const FORMAT: &str = "miaosha-plan-1";

pub(super) fn written(layout: &Layout) -> String {
    let mut out = String::new();
    out.push_str("{\"format\":");
    text(&mut out, FORMAT);
    out.push_str(",\"name\":");
    text(&mut out, &layout.name);
    out.push_str(",\"categories\":");
    list(&mut out, &layout.categories, |out, name| text(out, name));
    out.push_str(",\"areas\":");
    list(&mut out, &layout.areas, |out, area| {
        out.push_str("{\"name\":");
        text(out, &area.name);
        out.push_str(",\"rows\":");
        list(out, &area.rows, |out, row| {
            out.push_str("{\"label\":");
            text(out, &row.label);
            out.push_str(",\"seats\":");
            list(out, &row.seats, |out, seat| {
                out.push('[');
                text(out, &seat.label);
                // Writing into a text does not fail.
                let _ = write!(out, ",{},{},{}", seat.at.x, seat.at.y, seat.category);
                if seat.kind != Kind::Standard {
                    out.push(',');
                    text(out, seat.kind.name());
                }
                out.push(']');
            });
            out.push('}');
        });
        out.push('}');
    });
    out.push('}');
    out
}

fn list<T>(out: &mut String, parts: &[T], write: impl Fn(&mut String, &T)) {
    out.push('[');
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(out, part);
    }
    out.push(']');
}

fn text(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
}
