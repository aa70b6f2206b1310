//! A client that has an answer already is not sent it again.

use actix_web::HttpRequest;
use actix_web::http::header::{HeaderValue, IF_NONE_MATCH};
use sha2::{Digest, Sha256};

/// Bytes of a digest that a tag shows.
const DIGEST_BYTES: usize = 16;

/// Of these bytes, and no others.
pub fn strong(bytes: &[u8]) -> HeaderValue {
    let digest = Sha256::digest(bytes);
    let digits: String = digest.iter().take(DIGEST_BYTES).map(|byte| format!("{byte:02x}")).collect();
    HeaderValue::from_str(&format!("\"{digits}\"")).expect("quotes and digits")
}

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
