//! The public keys that verify receipts.

use actix_web::http::header::{CACHE_CONTROL, ETAG, HeaderValue};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use sha1::{Digest, Sha1};

use crate::app::receipts::keys::Jwks;
use crate::faces::door::Door;
use crate::faces::front::routes::{Reply, path};
use crate::kit::http::etag;
use crate::kit::http::problem::{Kind, Problem};

/// How long clients may cache the keys: a new key is published for longer before it signs.
const KEYS_AGE: &str = "public, max-age=3600";

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/keys").route(web::get().to(get_keys)));
}

/// The public keys of receipts, as a JWK set
#[utoipa::path(
    get,
    path = "/v1/keys",
    operation_id = "keys",
    responses(
        (
            status = 200,
            description = "The keys; they may be kept for an hour.",
            content_type = "application/jwk-set+json",
            body = Jwks,
        ),
        (status = 304, description = "They are the ones you have."),
    ),
)]
async fn get_keys(req: HttpRequest, door: Data<Door>) -> Reply {
    let keys = door.receipts().keys().public().to_jwks();
    let body = serde_json::to_vec(&keys).map_err(|_| Problem::new(Kind::INTERNAL, "the keys cannot be written"))?;
    let digest = Sha1::digest(&body);
    let tag: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let tag = HeaderValue::from_str(&format!("\"{tag}\"")).expect("quotes and digits");
    let is_known = etag::is_known(&req, &tag);
    let mut reply = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    reply.insert_header((ETAG, tag)).insert_header((CACHE_CONTROL, KEYS_AGE));
    Ok(if is_known { reply.finish() } else { reply.content_type("application/jwk-set+json").body(body) })
}
