//! What a request says before it becomes a socket: where it comes from, and what it offers to speak.

use actix_http::ws::verify_handshake;
use actix_web::dev::RequestHead;
use actix_web::http::header::{HOST, ORIGIN, SEC_WEBSOCKET_PROTOCOL};

use crate::kit::http::problem::{Kind, Problem};

/// Before the token, where it travels as a subprotocol: a page cannot set any other header of the handshake.
const BEARER: &str = "bearer.";

/// That it is a handshake at all.
pub fn verify(head: &RequestHead) -> Result<(), Problem> {
    verify_handshake(head)
        .map_err(|error| Problem::field("Upgrade", Kind::INVALID, format!("not a handshake: {error}")))
}

/// Whether a page of this origin may speak for its buyer. `origins` are separated by commas; with none, only pages of this very
/// host. A request without an origin comes from no page.
pub fn is_origin_welcome(head: &RequestHead, origins: &str) -> bool {
    let Some(origin) = head.headers().get(ORIGIN) else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    let mut listed = origins.split(',').map(str::trim).filter(|listed| !listed.is_empty()).peekable();
    if listed.peek().is_some() {
        return listed.any(|listed| listed.eq_ignore_ascii_case(origin));
    }
    let host = head.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
}

fn offered(head: &RequestHead) -> impl Iterator<Item = &str> {
    let lists = head.headers().get_all(SEC_WEBSOCKET_PROTOCOL).filter_map(|list| list.to_str().ok());
    lists.flat_map(|list| list.split(',')).map(str::trim)
}

pub fn offers(head: &RequestHead, protocol: &str) -> bool {
    offered(head).any(|offered| offered == protocol)
}

pub fn token(head: &RequestHead) -> Option<&str> {
    offered(head).find_map(|offered| offered.strip_prefix(BEARER))
}
