//! Requests as the valve of their connection is told of them: when each begins, and when its answer is on its way.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_http::body::{BodySize, BoxBody, MessageBody};
use actix_http::header::{CONTENT_LENGTH, HeaderValue, UPGRADE};
use actix_http::{HttpMessage, Payload, Request, Response};
use actix_service::{Service, ServiceFactory, apply_fn_factory};
use bytes::Bytes;

use crate::kit::http::framing::{Body, Chunk};
use crate::kit::http::valve::Valve;

/// Says to the valve of each request's connection when it begins, and when its answer is on its way.
pub fn one_by_one<S>(
    app: S,
) -> impl ServiceFactory<Request, Config = (), Response = Response<GatedBody>, Error = S::Error, InitError = S::InitError>
where
    S: ServiceFactory<Request, Config = ()>,
    S::Response: Into<Response<BoxBody>>,
{
    apply_fn_factory(app, |mut request: Request, app: &S::Service| {
        let valve = request.conn_data::<Rc<Valve>>().cloned().unwrap_or_default();
        valve.begun(body_of(&mut request));
        let answering = Answering(valve);
        let answer = app.call(request);
        async move {
            let answer: Response<BoxBody> = answer.await?.into();
            Ok(answer.map_body(|_, body| GatedBody { body, _answering: answering }))
        }
    })
}

/// As the library that reads it has it.
fn body_of(request: &mut Request) -> Body {
    if let Payload::None = request.payload() {
        return Body::NONE;
    }
    if request.chunked().unwrap_or(false) {
        return Body::Chunked(Chunk::FIRST);
    }
    let headers = request.headers();
    let is_socket =
        |value: &HeaderValue| value.to_str().is_ok_and(|text| text.trim().eq_ignore_ascii_case("websocket"));
    if headers.get_all(UPGRADE).any(is_socket) {
        return Body::Endless;
    }
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    length.and_then(|length| length.trim().parse().ok()).map_or(Body::Endless, Body::Bytes)
}

/// For as long as an answer is made and handed over.
struct Answering(Rc<Valve>);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.answered();
    }
}

/// An answer's body. It is dropped when all of it was handed over, and that is not before the client has read most of it.
pub struct GatedBody {
    body: BoxBody,
    _answering: Answering,
}

impl MessageBody for GatedBody {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_next(cx)
    }
}
