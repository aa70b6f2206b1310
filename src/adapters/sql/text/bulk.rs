//! Statements over many rows. Their sizes are powers of two, so that a handful of texts fills a connection's statement cache.

use sqlx::QueryBuilder;

use super::dialect::Db;
use crate::domain::shared::id::ReservationId;

/// Rows in one statement, at most: with 13 placeholders a row, a fifth of what SQLite allows.
pub const ROWS_MAX: usize = 512;

/// Cuts a list into pieces whose lengths are powers of two, long ones first.
pub fn pieces<T>(mut items: &[T], max: usize) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = 1 << items.len().min(max).checked_ilog2()?;
        let (piece, rest) = items.split_at(size);
        items = rest;
        Some(piece)
    })
}

/// `(?, ?, …)`, filled up to a power of two by the last value again.
pub fn push_list<V>(query: &mut QueryBuilder<Db>, values: impl IntoIterator<Item = V>)
where
    V: for<'q> sqlx::Encode<'q, Db> + sqlx::Type<Db> + Clone,
{
    let mut values: Vec<V> = values.into_iter().collect();
    if let Some(last) = values.last().cloned() {
        values.resize(values.len().next_power_of_two(), last);
    }
    query.push("(");
    let mut list = query.separated(", ");
    for value in values {
        list.push_bind(value);
    }
    query.push(")");
}

pub fn push_ids(query: &mut QueryBuilder<Db>, ids: &[ReservationId]) {
    push_list(query, ids.iter().map(|id| id.to_bytes().to_vec()));
}
