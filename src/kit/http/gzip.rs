//! Answers that are packed once, for clients that accept them so.

use std::io::Write;

use actix_web::HttpRequest;
use actix_web::http::header;
use actix_web::web::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

/// Smaller ones are not worth it.
const BYTES_MIN: usize = 512;

pub fn packed(bytes: &[u8]) -> Option<Bytes> {
    if bytes.len() < BYTES_MIN {
        return None;
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

/// Whether the request takes a packed answer.
pub fn is_taken(req: &HttpRequest) -> bool {
    let given = req.headers().get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    let mut codings = given.unwrap_or_default().split(',').map(str::trim);
    codings.any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let is_refused = weight.trim().trim_start_matches("q=").parse::<f32>().is_ok_and(|weight| weight == 0.0);
        name.trim().eq_ignore_ascii_case("gzip") && !is_refused
    })
}
