//! Strict bodies and parameters: what does not fit is a 4xx problem that names the field's path.
//!
//! The happy path reads a body that came in one piece without copying it, and lets serde borrow from it; which field is to
//! blame is found by reading a second time, and only then.

use std::time::Duration;

use actix_web::http::header::{self, HeaderMap};
use actix_web::web::{Bytes, BytesMut};
use actix_web::{HttpRequest, dev::Payload, error::PayloadError};
use futures_util::StreamExt;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};

use crate::kit::http::problem::{Kind, Problem, Rule};

/// A body must be whole by then, and so much later as its bytes take at the least rate that is waited for.
const BODY_MS_MAX: u64 = 10_000;
const BODY_BYTES_PER_S_MIN: u64 = 16 * 1024;
/// Of what a client sent, in words that it is answered.
const ECHO_CHARS_MAX: usize = 64;

/// Reads and parses a JSON body of at most `bytes_max`.
pub async fn json<T: DeserializeOwned>(
    req: &HttpRequest,
    payload: &mut Payload,
    bytes_max: usize,
) -> Result<T, Problem> {
    let bytes = read(req.headers(), payload, bytes_max).await?;
    parse(&bytes)
}

/// Reads a body that says it is JSON.
pub async fn read(headers: &HeaderMap, payload: &mut Payload, bytes_max: usize) -> Result<Bytes, Problem> {
    require_json(headers)?;
    read_any(headers, payload, bytes_max).await
}

/// Reads a body, whatever it is.
pub async fn read_any(headers: &HeaderMap, payload: &mut Payload, bytes_max: usize) -> Result<Bytes, Problem> {
    let announced = match headers.get(header::CONTENT_LENGTH) {
        None => None,
        Some(length) => {
            let length = length.to_str().ok().and_then(|text| text.parse::<usize>().ok());
            Some(length.ok_or_else(|| Problem::field("Content-Length", Kind::INVALID, "must be a number"))?)
        }
    };
    if announced.is_some_and(|length| length > bytes_max) {
        return Err(too_large(bytes_max));
    }
    let begun = Instant::now();
    let Some(first) = in_time(begun, 0, payload).await? else { return Ok(Bytes::new()) };
    if announced == Some(first.len()) {
        return Ok(first);
    }
    let mut all = BytesMut::from(first);
    while all.len() <= bytes_max
        && let Some(more) = in_time(begun, all.len(), payload).await?
    {
        all.extend_from_slice(&more);
    }
    if all.len() > bytes_max {
        return Err(too_large(bytes_max));
    }
    Ok(all.freeze())
}

/// The next piece of a body that began then, and of which so many bytes are there.
async fn in_time(begun: Instant, bytes: usize, payload: &mut Payload) -> Result<Option<Bytes>, Problem> {
    let within_ms = BODY_MS_MAX + bytes as u64 * 1_000 / BODY_BYTES_PER_S_MIN;
    let piece = timeout_at(begun + Duration::from_millis(within_ms), payload.next());
    let piece = piece.await.map_err(|_| {
        let within = format!(
            "the body was not whole within {BODY_MS_MAX} ms and a second for each {BODY_BYTES_PER_S_MIN} bytes"
        );
        Problem::field("body", Kind::REQUEST_TIMEOUT, within)
    })?;
    piece.transpose().map_err(unreadable)
}

/// Parses an object. Unknown, missing, repeated, mistyped and out-of-range fields are named.
pub fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Problem> {
    // serde would read a struct from an array, too: fields by place are nothing we ever promised.
    let is_object = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    if is_object && let Ok(value) = serde_json::from_slice(bytes) {
        return Ok(value);
    }
    Err(blame::<T>(bytes, is_object))
}

/// A number in the path, such as the sale's id.
pub fn path_number(req: &HttpRequest, name: &'static str) -> Result<u64, Problem> {
    number(name, req.match_info().get(name).unwrap_or_default())
}

/// A whole number in a path or a query.
pub fn number(name: &'static str, text: &str) -> Result<u64, Problem> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = if plain { text.parse().ok() } else { None };
    number.ok_or_else(|| Problem::field(name, Kind::INVALID, "must be a whole number").rule(Rule::TYPE))
}

#[cold]
fn blame<'a, T: Deserialize<'a>>(bytes: &'a [u8], is_object: bool) -> Problem {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Problem::field("body", Kind::INVALID, "the body is empty; a JSON object is needed");
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let error = match serde_path_to_error::deserialize::<_, T>(&mut reader) {
        Err(error) => error,
        Ok(_) if !is_object => return Problem::field("body", Kind::INVALID, "the body must be a JSON object"),
        Ok(_) => return Problem::field("body", Kind::INVALID, "something follows the JSON object"),
    };
    let path = error.path().to_string();
    let inner = error.into_inner();
    let said = inner.to_string();
    if !is_object {
        return Problem::field("body", Kind::INVALID, "the body must be a JSON object");
    }
    if inner.is_syntax() || inner.is_eof() {
        return Problem::field("body", Kind::INVALID, format!("the body is not JSON: {}", quoting_little(&said)));
    }
    let rule = RULES.iter().find(|(start, _)| said.starts_with(start)).map_or(Rule::TYPE, |(_, rule)| *rule);
    Problem::field(shortened(&blamed_path(&path, &said)), Kind::INVALID, quoting_little(&said)).rule(rule)
}

/// serde's words with no more than the beginning of what they quote of the client, so that an answer is never as long as the question.
fn quoting_little(said: &str) -> String {
    let quoted = said.find(['`', '"']).and_then(|open| {
        let close = said.rfind(&format!("{}, expected", &said[open..=open]))?;
        (open < close).then_some((open + 1, close))
    });
    match quoted {
        Some((from, to)) => format!("{}{}{}", &said[..from], shortened(&said[from..to]), &said[to..]),
        None => said.to_owned(),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(ECHO_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// How serde's words begin where it names a field.
const RULES: [(&str, Rule); 3] =
    [("missing field `", Rule::MISSING), ("unknown field `", Rule::UNKNOWN), ("duplicate field `", Rule::REPEATED)];

/// A field that is missing, unknown or repeated is named in serde's words, and the path ends at its parent.
fn blamed_path(path: &str, said: &str) -> String {
    let named = RULES.iter().find_map(|(start, _)| said.strip_prefix(start)?.split_once('`').map(|(name, _)| name));
    let parent = path.trim_end_matches('?').trim_end_matches('.');
    match named {
        None if parent.is_empty() => "body".to_owned(),
        None => parent.to_owned(),
        Some(name) if parent.is_empty() => name.to_owned(),
        Some(name) if parent == name || parent.ends_with(&format!(".{name}")) => parent.to_owned(),
        Some(name) => format!("{parent}.{name}"),
    }
}

fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    let Some(kind) = headers.get(header::CONTENT_TYPE) else {
        return Err(Problem::field("Content-Type", Kind::UNSUPPORTED_MEDIA_TYPE, "must be application/json"));
    };
    if kind.as_bytes() != b"application/json" {
        let text = kind.to_str().unwrap_or_default();
        let essence = text.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            return Err(Problem::field("Content-Type", Kind::UNSUPPORTED_MEDIA_TYPE, "must be application/json"));
        }
    }
    if headers.get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding.as_bytes() != b"identity") {
        return Err(Problem::field("Content-Encoding", Kind::UNSUPPORTED_MEDIA_TYPE, "a body must come as it is"));
    }
    Ok(())
}

fn too_large(bytes_max: usize) -> Problem {
    Problem::field("body", Kind::PAYLOAD_TOO_LARGE, format!("the body must be at most {bytes_max} bytes long"))
}

fn unreadable(error: PayloadError) -> Problem {
    Problem::field("body", Kind::INVALID, format!("the body broke off: {error}"))
}
