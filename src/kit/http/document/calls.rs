//! What follows from a call's shape, whichever it is, and need not be written beside each.

use serde_json::{Map, Value, json};

use crate::kit::http::document::params;
use crate::kit::http::idempotency;

/// Which roles have the permission that a call needs, as a list for machines.
const ROLES: &str = "x-roles";
/// As documents write it; on the wire its case does not matter.
const REPLAYED: &str = "Idempotent-Replayed";

/// The names of the roles that have a permission, by its name.
pub type Roles = fn(&str) -> Vec<&'static str>;

/// Adds the problems and headers that a call has like all of its shape, and who may make it.
pub fn complete(call: &mut Value, roles: Roles) {
    tell_roles(call, roles);
    let parameters = call["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_named = |name: &str| parameters.iter().any(|parameter| parameter["name"] == name);
    let (is_once, is_paged) = (is_named(idempotency::HEADER), is_named(params::AFTER));
    let has_query = parameters.iter().any(|parameter| parameter["in"] == "query");
    let has_body = !call["requestBody"].is_null();
    let requirements: Vec<&Value> = call["security"].as_array().into_iter().flatten().collect();
    let needs_token = !requirements.is_empty() && requirements.iter().all(|one| **one != json!({}));
    let causes: [(bool, &[u16]); 6] = [
        (true, &[500, 503]),
        (needs_token, &[401]),
        (is_of_operators(call), &[403]),
        (has_query, &[400]),
        (has_body, &[400, 413, 415]),
        (is_once, &[400, 409, 413, 422]),
    ];
    let Some(responses) = call["responses"].as_object_mut() else { return };
    for status in causes.into_iter().filter(|(is_so, _)| *is_so).flat_map(|(_, statuses)| statuses) {
        let reference = format!("#/components/responses/Problem{status}");
        responses.entry(status.to_string()).or_insert_with(|| json!({ "$ref": reference }));
    }
    for (status, response) in responses {
        if is_once && status == "409" && response.get("$ref").is_none() {
            response["headers"]["Retry-After"] = json!({ "$ref": "#/components/headers/RetryAfterMaybe" });
        }
        if is_once && status.starts_with('2') {
            response["headers"][REPLAYED] = json!({ "$ref": "#/components/headers/Replayed" });
        }
        if is_paged && status == "200" {
            response["headers"]["Link"] = json!({ "$ref": "#/components/headers/Next" });
        }
    }
}

/// In the description for people, and beside it for machines.
fn tell_roles(call: &mut Value, roles: Roles) {
    let Some(permission) = permissions(call).next() else { return };
    let (roles, permission) = (roles(permission), permission.to_owned());
    let about = call["description"].as_str().map(|about| format!("{about}\n\n")).unwrap_or_default();
    call["description"] = json!(format!("{about}Permission `{permission}`; roles: {}.", roles.join(", ")));
    call[ROLES] = json!(roles);
}

/// What a token must allow.
fn permissions(call: &Value) -> impl Iterator<Item = &str> {
    let requirements = call["security"].as_array().into_iter().flatten();
    requirements.filter_map(|one| one["access"].as_array()).flatten().filter_map(Value::as_str)
}

/// The headers that calls refer to.
pub fn headers() -> Value {
    let (text, seconds) = (json!({ "type": "string" }), json!({ "type": "integer", "minimum": 1 }));
    let under_way = "Seconds to wait, while the same request is under way.";
    json!({
        "Authenticate": { "description": "Always Bearer.", "required": true, "schema": text },
        "RetryAfter": { "description": "Seconds to wait.", "required": true, "schema": seconds },
        "RetryAfterMaybe": { "description": under_way, "required": false, "schema": seconds },
        "Replayed": { "description": "`true` when this answer was given before under the same key.", "schema": text },
        "Next": {
            "description": "`<…>; rel=\"next\"` (RFC 8288): where the next page is. Left out on the last one.", "schema": text,
        },
    })
}

/// The kinds of tokens that calls ask for.
pub fn tokens(paths: &Map<String, Value>) -> impl Iterator<Item = String> {
    let calls = paths.values().filter_map(Value::as_object).flat_map(Map::values);
    let requirements = calls.filter_map(|call| call["security"].as_array()).flatten();
    requirements.filter_map(Value::as_object).flat_map(|requirement| requirement.keys().cloned())
}

/// Whether only operators may make this call.
pub fn is_of_operators(call: &Value) -> bool {
    permissions(call).next().is_some()
}
