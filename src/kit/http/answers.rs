//! What every answer says of itself where its handler says nothing: that nobody keeps it, and that it is of the type it says.
//!
//! An answer that may be kept (a file of the page, the document, the keys of receipts) says for how long beside its tag, and is left
//! alone. Nothing here looks at what is in an answer.

use actix_http::Response;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::DefaultHeaders;
use actix_web::web::Bytes;
use actix_web::{App, Error, ResponseError};

use crate::kit::http::problem::{self, Problem};

const SAID: [(&str, &str); 2] = [("cache-control", "no-store"), ("x-content-type-options", "nosniff")];

/// An application whose answers all say so, problems and answers to paths that are not there as well: every listener that serves
/// routes begins with it.
pub fn app()
-> App<impl ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse, Error = Error, InitError = ()>> {
    let said = SAID.iter().fold(DefaultHeaders::new(), |said, header| said.add(*header));
    App::new().wrap(said).configure(problem::defaults)
}

/// The head and the body of an answer that no application makes.
pub fn unasked(problem: &Problem) -> (Response<()>, Bytes) {
    let (mut head, body) = Response::from(problem.error_response()).into_parts();
    say(head.headers_mut());
    (head, body.try_into_bytes().unwrap_or_default())
}

/// The same for an answer that no application makes.
pub fn say(headers: &mut HeaderMap) {
    for (name, value) in SAID {
        let name = HeaderName::from_static(name);
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
}
