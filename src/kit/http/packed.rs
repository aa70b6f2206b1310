//! An answer that is the same for many: its bytes as they are and packed, two representations, each with a tag of its own.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};

use crate::kit::http::etag;
use crate::kit::http::gzip;

pub struct Packed {
    plain: (Bytes, HeaderValue),
    gzip: Option<(Bytes, HeaderValue)>,
    kept: &'static str,
    vary: &'static str,
}

impl Packed {
    /// Of JSON. `kept` says who may keep it for how long, `vary` what it depends on.
    pub fn new(plain: Vec<u8>, kept: &'static str, vary: &'static str) -> Self {
        let tagged = |bytes: Bytes| {
            let tag = etag::strong(&bytes);
            (bytes, tag)
        };
        Self { gzip: gzip::packed(&plain).map(tagged), plain: tagged(plain.into()), kept, vary }
    }

    pub fn answer(&self, req: &HttpRequest) -> HttpResponse {
        let gzip = self.gzip.as_ref().filter(|_| gzip::is_taken(req));
        let (bytes, tag) = gzip.unwrap_or(&self.plain);
        let is_known = etag::is_known(req, tag);
        let mut response = match is_known {
            true => HttpResponse::new(StatusCode::NOT_MODIFIED),
            false => HttpResponse::Ok().content_type("application/json").body(bytes.clone()),
        };
        let headers = response.headers_mut();
        headers.insert(header::ETAG, tag.clone());
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(self.kept));
        headers.insert(header::VARY, HeaderValue::from_static(self.vary));
        if !is_known && gzip.is_some() {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }
}
