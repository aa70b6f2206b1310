//! Shapes of fields whose limits are constants of the code, for `schema_with`.

use utoipa::openapi::schema::{Array, ArrayBuilder, Object, ObjectBuilder, Type};
use utoipa::{PartialSchema, openapi};

/// A text of so many characters.
pub fn text<const MIN: usize, const MAX: usize>() -> Object {
    let least = (MIN > 0).then_some(MIN);
    ObjectBuilder::new().schema_type(Type::String).min_length(least).max_length(Some(MAX)).build()
}

/// A whole number from one to another.
pub fn whole<const MIN: i64, const MAX: i64>() -> Object {
    ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(MIN as f64)).maximum(Some(MAX as f64)).build()
}

/// One of some words.
pub fn words<'a>(words: impl IntoIterator<Item = &'a str>) -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).build()
}

/// At most so many of these.
pub fn list<T: PartialSchema, const MAX: usize>() -> Array {
    at_most::<T>(MAX)
}

pub fn at_most<T: PartialSchema>(max: usize) -> Array {
    ArrayBuilder::new().items(T::schema()).max_items(Some(max)).build()
}

pub fn described(mut shape: Object, description: &str) -> Object {
    shape.description = Some(description.to_owned());
    shape
}

/// With `null` for what is not said.
pub fn or_null(mut shape: Object) -> Object {
    if let openapi::schema::SchemaType::Type(given) = shape.schema_type {
        shape.schema_type = [given, Type::Null].into_iter().collect();
    }
    shape
}
