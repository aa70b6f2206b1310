//! The pages of a site whose files are compiled in: one page for every path of its own, and the files that page asks for.
//!
//! The files lie under `/web/`, as they do wherever else they are copied to; they name each other by relative names only.
//! Served from here, the page names them under `/web/<digest of all files>/`: such a name never means anything else, so that
//! it may be kept for ever, and there is no build step. Debug builds read the files anew for every request.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::web::{self, Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Resource, guard};
use data_encoding::HEXLOWER;
use rust_embed::{Embed, EmbeddedFile};
use sha2::{Digest, Sha256};

use crate::kit::http::etag;
use crate::kit::http::gzip;
use crate::kit::http::problem::{Kind, Problem, method_not_allowed};

/// What the page may do: its own scripts, styles and pictures, and calls to where it came from. No text becomes code but one name,
/// which `web/proof.js` lets be that of its worker.
/// The page says the same of itself, for wherever it is served without headers.
pub const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
    media-src blob:; connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; \
    form-action 'none'; require-trusted-types-for 'script'; trusted-types worker";
/// What only a header can say.
const FRAMES: &str = "; frame-ancestors 'none'";

const PAGE: &str = "index.html";
/// Where the files are, for the page as it is written.
const FOLDER: &str = "/web/";

#[derive(Embed)]
#[folder = "web/"]
#[include = "*.html"]
#[include = "*.css"]
#[include = "*.js"]
#[include = "*.svg"]
#[include = "*.webmanifest"]
struct Files;

struct Asset {
    bytes: Bytes,
    gzip: Option<Bytes>,
    etag: HeaderValue,
    mime: HeaderValue,
}

struct Site {
    /// Of every file's name and bytes.
    digest: String,
    files: HashMap<Cow<'static, str>, Asset>,
}

/// The page answers these paths, and the files their own.
pub fn routes(cfg: &mut ServiceConfig, pages: &[&str]) {
    for page in pages {
        cfg.service(got(page, show_page));
    }
    cfg.service(got("/web/{path:.*}", show_file));
}

fn got(path: &str, show: fn(HttpRequest) -> Result<HttpResponse, Problem>) -> Resource {
    let asked = guard::fn_guard(|ctx| matches!(ctx.head().method, Method::GET | Method::HEAD));
    let show = move |req: HttpRequest| async move { show(req) };
    web::resource(path).route(web::route().guard(asked).to(show)).default_service(web::to(method_not_allowed))
}

fn show_page(req: HttpRequest) -> Result<HttpResponse, Problem> {
    let site = Site::now();
    let page = site.files.get(PAGE).ok_or_else(nothing)?;
    Ok(page.answer(&req, "no-cache"))
}

fn show_file(req: HttpRequest) -> Result<HttpResponse, Problem> {
    let site = Site::now();
    let path = req.match_info().get("path").unwrap_or_default();
    if let Some(file) = site.files.get(path) {
        return Ok(file.answer(&req, "no-cache"));
    }
    let (digest, name) = path.split_once('/').filter(|(digest, _)| is_digest(digest)).ok_or_else(nothing)?;
    let file = site.files.get(name).ok_or_else(nothing)?;
    // Of another release, in the minutes when both run: what there is serves, and is not cached under that name.
    let kept = if digest == site.digest { "public, max-age=31536000, immutable" } else { "no-store" };
    Ok(file.answer(&req, kept))
}

fn nothing() -> Problem {
    Problem::new(Kind::NOT_FOUND, "there is nothing at this path")
}

const DIGEST_CHARS: usize = 16;

fn is_digest(text: &str) -> bool {
    text.len() == DIGEST_CHARS && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

impl Site {
    fn now() -> Arc<Self> {
        static SITE: LazyLock<Arc<Site>> = LazyLock::new(|| Arc::new(Site::read()));
        if cfg!(debug_assertions) { Arc::new(Site::read()) } else { SITE.clone() }
    }

    fn read() -> Self {
        let mut names: Vec<_> = Files::iter().collect();
        names.sort();
        let read = |name: Cow<'static, str>| Files::get(&name).map(|file: EmbeddedFile| (name, file.data));
        let read: Vec<_> = names.into_iter().filter_map(read).collect();
        let mut all = Sha256::new();
        for (name, data) in &read {
            all.update((name.len() as u64).to_be_bytes());
            all.update(name.as_bytes());
            all.update((data.len() as u64).to_be_bytes());
            all.update(data);
        }
        let digest = HEXLOWER.encode(&all.finalize())[..DIGEST_CHARS].to_owned();
        let files = read.into_iter().map(|(name, data)| {
            let bytes = if name == PAGE { named_by(&data, &digest) } else { data.into_owned() };
            let asset = Asset::new(&name, bytes);
            (name, asset)
        });
        Self { files: files.collect(), digest }
    }
}

/// The page with its files under the digest.
fn named_by(page: &[u8], digest: &str) -> Vec<u8> {
    let page = String::from_utf8_lossy(page);
    page.replace(&format!("\"{FOLDER}"), &format!("\"{FOLDER}{digest}/")).into_bytes()
}

impl Asset {
    fn new(name: &str, bytes: Vec<u8>) -> Self {
        let mime = match name.rsplit('.').next() {
            Some("html") => "text/html; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("svg") => "image/svg+xml",
            Some("webmanifest") => "application/manifest+json",
            _ => "application/octet-stream",
        };
        // Weak: packed and plain are the same file.
        let etag = format!("W/\"{}\"", &HEXLOWER.encode(&Sha256::digest(&bytes))[..DIGEST_CHARS]);
        Self {
            gzip: gzip::packed(&bytes),
            etag: HeaderValue::from_str(&etag).expect("quotes and digits"),
            mime: HeaderValue::from_static(mime),
            bytes: bytes.into(),
        }
    }

    fn answer(&self, req: &HttpRequest, kept: &'static str) -> HttpResponse {
        let is_known = etag::is_known(req, &self.etag);
        let gzip = self.gzip.as_ref().filter(|_| gzip::is_taken(req));
        let mut response = match is_known {
            true => HttpResponse::new(StatusCode::NOT_MODIFIED),
            false => HttpResponse::Ok().body(gzip.unwrap_or(&self.bytes).clone()),
        };
        let headers = response.headers_mut();
        headers.insert(header::ETAG, self.etag.clone());
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::CONTENT_TYPE, self.mime.clone());
        if !is_known && gzip.is_some() {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        let policy = HeaderValue::from_str(&format!("{POLICY}{FRAMES}")).expect("plain text");
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        let camera = HeaderValue::from_static("camera=(self), microphone=(), geolocation=(), payment=()");
        headers.insert(header::PERMISSIONS_POLICY, camera);
        headers.insert(header::CROSS_ORIGIN_OPENER_POLICY, HeaderValue::from_static("same-origin"));
        let own = HeaderName::from_static("cross-origin-resource-policy");
        headers.insert(own, HeaderValue::from_static("same-origin"));
        response
    }
}
