//! Statements over many rows, of a few sizes: so that their texts fit into a connection's statement cache.

use std::fmt::{Display, Write as _};

use sqlx::error::BoxDynError;
use sqlx::query::{Query, QueryAs};
use sqlx::{Arguments as _, AssertSqlSafe, Database, Encode, FromRow, Row as _, Type};

use super::Result;
use super::dialect::{Connection, Db, EXPLAIN, EXPLAIN_COLUMN, Row};
use crate::adapters::sql::stored::Number;
use crate::domain::shared::time::Timestamp;

/// Rows in one statement, at most: with 13 placeholders a row, a fifth of what SQLite allows.
pub const ROWS_MAX: usize = 512;
/// Assignments in one UPDATE: the statement looks through them for every row.
pub const ASSIGNED_MAX: usize = 64;

/// Removes the first of what is due, in this order: takes until when, and how many.
macro_rules! delete_some {
    ($name:literal, $table:literal, $due:literal, $by:literal) => {
        // Of a table of its own, since MySQL gives no LIMIT to a subquery.
        concat!(
            "/* ",
            $name,
            " */ DELETE FROM ",
            $table,
            " WHERE id IN (SELECT id FROM (SELECT id FROM ",
            $table,
            " WHERE ",
            $due,
            " ORDER BY ",
            $by,
            " LIMIT ?) AS due)"
        )
    };
}

/// Counts what [`delete_some`] would remove.
macro_rules! count_some {
    ($name:literal, $table:literal, $due:literal) => {
        concat!("/* ", $name, " */ SELECT COUNT(*) FROM (SELECT id FROM ", $table, " WHERE ", $due, " LIMIT ?) AS due")
    };
}

pub(super) use {count_some, delete_some};

pub type Arguments = <Db as Database>::Arguments;

/// What [`count_some`] counts.
pub async fn count_until(conn: &mut Connection, text: &'static str, until: Timestamp, max: u32) -> Result<u64> {
    let Number(found) = sqlx::query_scalar(text).bind(until).bind(max).fetch_one(conn).await?;
    Ok(found)
}

/// How many [`delete_some`] removed.
pub async fn delete_until(conn: &mut Connection, text: &'static str, until: Timestamp, max: u32) -> Result<u64> {
    Ok(sqlx::query(text).bind(until).bind(max).execute(conn).await?.rows_affected())
}

/// Cuts a list into pieces of a few lengths, long ones first: up to 64 rows are two pieces at most, of 18 lengths. Each piece is a call
/// to the server, and each length a text of its own. What can be filled up by its last value again needs none of this.
pub fn pieces<T>(mut items: &[T], max: usize) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = match items.len().min(max) {
            0 => return None,
            few @ ..=8 => few,
            some @ ..=32 => some - some % 4,
            some @ ..=64 => some - some % 8,
            many => 1 << many.ilog2(),
        };
        let (piece, rest) = items.split_at(size);
        items = rest;
        Some(piece)
    })
}

/// A statement that is put together from its parts. A value that no column can hold is an error when it is built; the library's own
/// builder panics where it is pushed.
pub struct Statement {
    text: String,
    arguments: Result<Arguments, BoxDynError>,
}

impl Statement {
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), arguments: Ok(Arguments::default()) }
    }

    pub fn push(&mut self, text: impl Display) -> &mut Self {
        write!(self.text, "{text}").expect("a string takes everything");
        self
    }

    pub fn push_bind<'t>(&mut self, value: impl Encode<'t, Db> + Type<Db>) -> &mut Self {
        if let Ok(arguments) = &mut self.arguments
            && let Err(error) = arguments.add(value)
        {
            self.arguments = Err(error);
        }
        self.push("?")
    }

    /// `CASE id WHEN ? THEN ? … END`: to each row what is its own. Filled up as a list is.
    pub fn push_by_id<'t, K, V>(&mut self, values: impl IntoIterator<Item = (K, V)>) -> &mut Self
    where
        K: Encode<'t, Db> + Type<Db> + Clone,
        V: Encode<'t, Db> + Type<Db> + Clone,
    {
        self.push("CASE id");
        for (id, value) in filled_up(values) {
            self.push(" WHEN ").push_bind(id);
            self.push(" THEN ").push_bind(value);
        }
        self.push(" END")
    }

    /// `(?, ?, …)`, filled up to a power of two by the last value again.
    pub fn push_list<'t, V>(&mut self, values: impl IntoIterator<Item = V>) -> &mut Self
    where
        V: Encode<'t, Db> + Type<Db> + Clone,
    {
        let mut list = Values { statement: self, before: "(" };
        for value in filled_up(values) {
            list.bind(value);
        }
        self.push(")")
    }

    /// `SELECT … UNION ALL SELECT …`, one for each value, of which the text has one: filled up as a list is.
    pub fn push_union<'t, V>(&mut self, text: &'static str, values: &[V]) -> &mut Self
    where
        V: Encode<'t, Db> + Type<Db> + Clone,
    {
        let (before, after) = text.split_once('?').expect("the text has a place for the value");
        for (number, value) in filled_up(values.iter().cloned()).into_iter().enumerate() {
            self.push(if number == 0 { "SELECT " } else { " UNION ALL SELECT " }).push(before);
            self.push_bind(value).push(after);
        }
        self
    }

    /// `VALUES (?, …), (?, …), …`
    pub fn push_rows<T>(&mut self, rows: impl IntoIterator<Item = T>, row: impl Fn(&mut Values<'_>, T)) -> &mut Self {
        let mut before = "VALUES (";
        for values in rows {
            row(&mut Values { statement: self, before }, values);
            before = "), (";
        }
        self.push(")")
    }

    pub fn build(self) -> Result<Query<'static, Db, Arguments>> {
        let arguments = self.arguments.map_err(sqlx::Error::Encode)?;
        Ok(sqlx::query_with(AssertSqlSafe(self.text), arguments))
    }

    /// Reads its rows as these.
    pub fn build_as<T>(self) -> Result<QueryAs<'static, Db, T, Arguments>>
    where
        T: for<'r> FromRow<'r, Row>,
    {
        let arguments = self.arguments.map_err(sqlx::Error::Encode)?;
        Ok(sqlx::query_as_with(AssertSqlSafe(self.text), arguments))
    }

    /// How the database would carry it out, in its own words.
    pub async fn plan(self, conn: &mut Connection) -> Result<Vec<String>> {
        let asked = Self { text: format!("{EXPLAIN} {}", self.text), ..self };
        let rows = asked.build()?.fetch_all(conn).await?;
        rows.iter().map(|row| row.try_get(EXPLAIN_COLUMN)).collect()
    }
}

/// To a power of two, by the last one again.
fn filled_up<T: Clone>(values: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut values: Vec<T> = values.into_iter().collect();
    if let Some(last) = values.last().cloned() {
        values.resize(values.len().next_power_of_two(), last);
    }
    values
}

pub struct Values<'s> {
    statement: &'s mut Statement,
    before: &'static str,
}

impl Values<'_> {
    pub fn bind<'t>(&mut self, value: impl Encode<'t, Db> + Type<Db>) -> &mut Self {
        self.statement.push(self.before).push_bind(value);
        self.before = ", ";
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::sql::stored::Beyond63Bits;
    use crate::domain::shared::id::SaleId;

    #[test]
    fn a_list_is_cut_into_few_pieces_of_few_lengths() {
        let (items, mut lengths) = ([(); 1_000], std::collections::BTreeSet::new());
        for count in 0..=items.len() {
            let cut: Vec<usize> = pieces(&items[..count], 512).map(<[()]>::len).collect();
            assert_eq!(cut.iter().sum::<usize>(), count);
            assert!(cut.len() <= 2 || count > 64, "{count} rows are {cut:?}");
            lengths.extend(cut);
        }
        assert_eq!(lengths.iter().filter(|length| **length <= 64).count(), 18);
        assert_eq!(lengths.len(), 21);
        assert_eq!(pieces(&items[..100], 8).map(<[()]>::len).max(), Some(8));
    }

    fn refusal(statement: Statement) -> Option<Beyond63Bits> {
        match statement.build().err()? {
            sqlx::Error::Encode(error) => Some(*error.downcast_ref().expect("refused by name")),
            other => panic!("{other}"),
        }
    }

    /// In either dialect, and however it was given.
    #[test]
    fn a_statement_refuses_by_name_what_no_column_holds() {
        for (number, refused) in [((1 << 63) - 1, None), (1 << 63, Some(Beyond63Bits(1 << 63)))] {
            let mut bound = Statement::new("SELECT ");
            bound.push_bind(SaleId(number)).push(", ").push_bind(1_i64);
            assert_eq!(refusal(bound), refused);
            let mut listed = Statement::new("SELECT 1 IN ");
            listed.push_list([Number(1), Number(number), Number(2)]);
            assert_eq!(listed.text, "SELECT 1 IN (?, ?, ?, ?)");
            assert_eq!(refusal(listed), refused);
            let mut rows = Statement::new("INSERT INTO t (a, b) ");
            rows.push_rows([number, 1], |values, number| {
                values.bind(1_i64).bind(Number(number));
            });
            assert_eq!(rows.text, "INSERT INTO t (a, b) VALUES (?, ?), (?, ?)");
            assert_eq!(refusal(rows), refused);
        }
    }
}
