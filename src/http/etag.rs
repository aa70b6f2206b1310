//! Whoever has an answer already is not sent it again.

use actix_web::HttpRequest;
use actix_web::http::header::{HeaderValue, IF_NONE_MATCH};

/// Whether the request's `If-None-Match` names this tag.
pub fn is_known(req: &HttpRequest, etag: &HeaderValue) -> bool {
    req.headers().get_all(IF_NONE_MATCH).any(|given| names(given, etag))
}

/// Tags are compared as weak ones.
fn names(given: &HeaderValue, etag: &HeaderValue) -> bool {
    let (Ok(given), Ok(etag)) = (given.to_str(), etag.to_str()) else { return false };
    let plain = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    given.split(',').any(|tag| tag.trim() == "*" || plain(tag) == plain(etag))
}
