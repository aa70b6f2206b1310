//! One table: each figure beside its reference.

use serde_json::{Value, json};

/// What was measured, and the reference that was measured in the same run.
pub struct Figure {
    pub name: String,
    pub value: f64,
    pub unit: &'static str,
    pub reference: Option<Reference>,
    pub note: String,
}

pub struct Reference {
    pub name: &'static str,
    pub value: f64,
    /// What share of it the figure should be, at least.
    pub target: Option<f64>,
}

impl Figure {
    pub fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { name: name.into(), value, unit, reference: None, note: String::new() }
    }

    pub fn beside(self, name: &'static str, value: f64, target: Option<f64>) -> Self {
        Self { reference: Some(Reference { name, value, target }), ..self }
    }

    pub fn note(self, note: impl Into<String>) -> Self {
        Self { note: note.into(), ..self }
    }

    fn cells(&self) -> [String; 6] {
        let (reference, ratio, target) = match &self.reference {
            None => Default::default(),
            Some(Reference { name, value, target }) => (
                format!("{} {name}", readable(*value)),
                format!("{:.2}", self.value / value),
                target.map(|target| format!("{target}")).unwrap_or_default(),
            ),
        };
        let value = format!("{} {}", readable(self.value), self.unit);
        [self.name.clone(), value, reference, ratio, target, self.note.clone()]
    }

    fn json(&self) -> Value {
        let reference = self.reference.as_ref().map(|reference| {
            json!({
                "name": reference.name, "value": reference.value, "target": reference.target,
                "ratio": self.value / reference.value,
            })
        });
        json!({
            "name": self.name, "value": self.value, "unit": self.unit, "reference": reference, "note": self.note,
        })
    }
}

pub fn print(figures: &[Figure]) {
    let head = ["figure", "measured", "reference", "ratio", "at least", "note"].map(str::to_owned);
    let rows: Vec<[String; 6]> = std::iter::once(head).chain(figures.iter().map(Figure::cells)).collect();
    let widths: Vec<usize> =
        (0..6).map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)).collect();
    for (number, row) in rows.iter().enumerate() {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(column, (cell, &width))| match column {
                1..=4 => format!("{cell:>width$}"),
                _ => format!("{cell:<width$}"),
            })
            .collect();
        println!("{}", cells.join("  ").trim_end());
        if number == 0 {
            println!("{}", widths.iter().map(|&width| "-".repeat(width)).collect::<Vec<_>>().join("  "));
        }
    }
}

pub fn json(figures: &[Figure]) -> Value {
    json!({ "figures": figures.iter().map(Figure::json).collect::<Vec<_>>() })
}

fn readable(value: f64) -> String {
    if value < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
