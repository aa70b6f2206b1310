//! The problems of calls, for the document: each status is described once, and calls refer to it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::marker::PhantomData;

use serde_json::{Map, Value, json};
use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr, Response};
use utoipa::{IntoResponses, PartialSchema, ToSchema};

use crate::kit::http::document::shapes;
use crate::kit::http::problem::{CONTENT_TYPE, Kind, Problem, Rule};

macro_rules! statuses {
    ($($(#[$doc:meta])* $name:ident = $status:literal;)*) => {
        $(
            $(#[$doc])*
            pub struct $name;

            impl IntoResponses for $name {
                fn responses() -> BTreeMap<String, RefOr<Response>> {
                    let reference = Ref::from_response_name(concat!("Problem", $status));
                    BTreeMap::from([($status.to_string(), reference.into())])
                }
            }
        )*
    };
}

// What a call names that does not follow from its shape.
statuses! {
    Invalid = 400;
    Unauthorized = 401;
    Forbidden = 403;
    Missing = 404;
    Conflict = 409;
    Refused = 422;
    Throttled = 429;
}

/// Every status that calls refer to, and what is said of it.
const STATUSES: [(u16, &str); 11] = [
    (400, "The request is not valid; `field` names what is wrong."),
    (401, "A valid token is needed."),
    (403, "This is not yours to do."),
    (404, "There is no such thing."),
    (409, "This does not fit the present state."),
    (413, "The body is too large."),
    (415, "The body must be JSON."),
    (422, "Understood, and refused."),
    (429, "Too many requests."),
    (500, "Something went wrong here."),
    (503, "Too busy, or a server this needs is away; come again."),
];

pub fn responses() -> Map<String, Value> {
    let described = STATUSES.iter().map(|(status, description)| {
        let schema = json!({ "$ref": "#/components/schemas/Problem" });
        let mut response = json!({ "description": description, "content": { CONTENT_TYPE: { "schema": schema } } });
        let header = match status {
            401 => Some(("WWW-Authenticate", "Authenticate")),
            409 => Some(("Retry-After", "RetryAfterMaybe")),
            429 | 503 => Some(("Retry-After", "RetryAfter")),
            _ => None,
        };
        if let Some((name, header)) = header {
            response["headers"][name] = json!({ "$ref": format!("#/components/headers/{header}") });
        }
        (format!("Problem{status}"), response)
    });
    described.collect()
}

/// The shape of all problems, for calls to refer to.
pub(super) const NAME: &str = "Problem";

impl ToSchema for Problem {}

impl PartialSchema for Problem {
    fn schema() -> RefOr<Schema> {
        Ref::from_schema_name(NAME).into()
    }
}

/// What every problem says. Which kinds and rules there are is known when the parts of all faces are put together.
pub(super) fn problem(kinds: &[Kind], rules: &[Rule]) -> Schema {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let whole = || ObjectBuilder::new().schema_type(Type::Integer);
    let kinds = kinds.iter().map(|kind| kind.type_uri());
    let rules = rules.iter().map(|rule| rule.name());
    let field = "A field's path such as questions[1].answer, or a header's name.";
    let rule = "What the field does not keep to, for who says it in another language; `min` and `max` are its bounds.";
    ObjectBuilder::new()
        .description(Some("RFC 9457. The type is one of a closed list; `field` names what is to blame. Some types have members of their own."))
        .property("type", text().enum_values(Some(kinds)))
        .property("title", text())
        .property("status", whole().minimum(Some(400)).maximum(Some(599)))
        .property("detail", text())
        .property("field", text().description(Some(field)))
        .property("rule", text().enum_values(Some(rules)).description(Some(rule)))
        .property("min", whole())
        .property("max", whole())
        .required("type")
        .required("title")
        .required("status")
        .required("detail")
        .into()
}

/// What a kind of problem says beside what every problem says.
pub trait Members: ToSchema {
    const KIND: Kind;
}

/// A problem with members of its own.
pub struct Extended<M>(PhantomData<M>);

impl<M: Members> ToSchema for Extended<M> {
    fn name() -> Cow<'static, str> {
        M::name()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        M::schemas(schemas);
    }
}

impl<M: Members> PartialSchema for Extended<M> {
    fn schema() -> RefOr<Schema> {
        let members = M::schema();
        let about = match &members {
            RefOr::T(Schema::Object(object)) => object.description.clone(),
            RefOr::T(Schema::AllOf(parts)) => parts.description.clone(),
            _ => None,
        };
        of_kind(M::KIND).item(members).description(about).into()
    }
}

/// A problem of this kind and no other.
pub fn of_kind(kind: Kind) -> AllOfBuilder {
    let only = ObjectBuilder::new().property("type", shapes::words([kind.type_uri()]));
    AllOfBuilder::new().item(Ref::from_schema_name(NAME)).item(only)
}
