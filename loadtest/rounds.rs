//! Two kinds of runs side by side: which of them comes when, and the middle of what each gave.

/// Whether this round is the second kind's. One, other, other, one: either kind comes first as often.
pub fn is_other(round: usize) -> bool {
    matches!(round % 4, 1 | 2)
}

/// The middle one: what noise does to one run does not move it. 0 of none.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
