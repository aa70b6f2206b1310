//! Parameters that many calls have.

use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Required, Schema};

use crate::kit::http::document::shapes::text;
use crate::kit::http::idempotency::{HEADER, KEY_CHARS_MAX};

pub const AFTER: &str = "after";
const LIMIT: &str = "limit";

/// What a call has whose request is carried out once.
pub struct Key;

impl IntoParams for Key {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let about = "A key of this request's own, such as a UUID: visible ASCII. The same request under the same key is carried \
            out once, and how it ended is answered again for a day: a 2xx, a 402, and the 422 of what can never be paid. A 202 \
            says that it has not ended, and asking again asks how it did; a request that was refused leaves nothing behind. \
            While it is under way the answer is 409, and for another request under the key 422.";
        let mut schema = text::<1, KEY_CHARS_MAX>();
        schema.pattern = Some("^[!-~]+$".to_owned());
        let key = ParameterBuilder::new().name(HEADER).parameter_in(ParameterIn::Header).required(Required::True);
        vec![key.description(Some(about)).schema(Some(schema)).build()]
    }
}

/// What a list in pages is asked with.
pub struct Pages;

impl IntoParams for Pages {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let limit = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).build();
        // No list's places are longer.
        let mut after = text::<1, 160>();
        after.pattern = Some("^[0-9A-Za-z.-]+$".to_owned());
        vec![
            query(LIMIT, "Items on the page, at most; left out, as many as a page may have.", limit.into()),
            query(AFTER, "Where the page begins. Opaque: as the header Link of the page before says it.", after.into()),
        ]
    }
}

pub fn query(name: &str, about: &str, schema: Schema) -> Parameter {
    let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Query).required(Required::False);
    parameter.description(Some(about)).schema(Some(schema)).build()
}
