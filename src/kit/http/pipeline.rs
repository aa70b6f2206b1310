//! One request of a connection at a time. What a client sends behind it stays where it is until its answer is on its way: a client that
//! sends questions and reads no answers has one question in memory, and one answer.
//!
//! The library that serves takes in all that has come, makes a request of each head (some 6 KB), and lets answers without bodies pile
//! up unread. It has no setting for either, so that the bytes are held back under it, in [`HeldBack`], and the requests and answers are
//! seen above it, in [`one_by_one`]; both know the [`Valve`] of their connection.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_http::body::{BodySize, BoxBody, MessageBody};
use actix_http::header::{CONTENT_LENGTH, HeaderValue, UPGRADE};
use actix_http::{Extensions, HttpMessage, Payload, Request, Response};
use actix_service::{Service, ServiceFactory, apply_fn_factory};
use actix_web::dev::ServiceResponse;
use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::kit::http::connections::OpenConnection;
use crate::kit::http::framing::{Body, Chunk};
use crate::kit::http::valve::Valve;

/// Of what follows a request whose answer is not on its way yet; a client that goes away is seen up to there.
const EARLY_BYTES_MAX: usize = 4 * 1024;

/// A connection whose bytes are read as its valve allows.
pub struct HeldBack {
    stream: TcpStream,
    valve: Rc<Valve>,
    /// What came too early; without memory while it is empty.
    early: BytesMut,
    open: OpenConnection,
}

impl HeldBack {
    pub fn new(stream: TcpStream, open: OpenConnection) -> Self {
        Self { stream, valve: Rc::default(), early: BytesMut::new(), open }
    }

    /// Lends the valve to the connection's requests.
    pub fn lend(&self, requests: &mut Extensions) {
        requests.insert(self.valve.clone());
    }

    /// The stream, what came of it too early, and its place.
    pub fn into_parts(self) -> (TcpStream, BytesMut, OpenConnection) {
        (self.stream, self.early, self.open)
    }

    /// Nothing may be handed on now. A little is read ahead, or nobody would see that the client is gone.
    fn poll_ahead(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.early.len() < EARLY_BYTES_MAX {
            let mut piece = [0; 1024];
            let most = piece.len().min(EARLY_BYTES_MAX - self.early.len());
            let mut read = ReadBuf::new(&mut piece[..most]);
            match Pin::new(&mut self.stream).poll_read(cx, &mut read) {
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Ready(Ok(())) if read.filled().is_empty() => match self.early.is_empty() {
                    true => return Poll::Ready(Ok(())),
                    // Said again behind what waits.
                    false => break,
                },
                Poll::Ready(Ok(())) => self.early.extend_from_slice(read.filled()),
                Poll::Pending => break,
            }
        }
        if !self.early.is_empty() {
            self.valve.wakes(cx.waker().clone());
        }
        Poll::Pending
    }
}

impl AsyncRead for HeldBack {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.valve.is_open() {
            return this.poll_ahead(cx);
        }
        if this.early.is_empty() {
            let before = buf.filled().len();
            ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
            let came = &buf.filled()[before..];
            let passed = this.valve.pass(came);
            if passed < came.len() {
                this.early.extend_from_slice(&came[passed..]);
                buf.set_filled(before + passed);
            }
        } else {
            let most = this.early.len().min(buf.remaining());
            let passed = this.valve.pass(&this.early[..most]);
            buf.put_slice(&this.early[..passed]);
            this.early.advance(passed);
            if this.early.is_empty() {
                this.early = BytesMut::new();
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for HeldBack {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.valve.unread(written.is_pending());
        written
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

/// Says to the valve of each request's connection when it begins, and when its answer is on its way.
pub fn one_by_one<S>(
    app: S,
) -> impl ServiceFactory<Request, Config = (), Response = Response<GatedBody>, Error = S::Error, InitError = S::InitError>
where
    S: ServiceFactory<Request, Config = (), Response = ServiceResponse>,
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

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::kit::http::connections::Connections;
    use crate::kit::http::valve::TOGETHER_BYTES_MAX;

    const HEAD: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";

    async fn pair() -> (TcpStream, HeldBack) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let open = Connections::default().open(None).ok().unwrap();
        (client, HeldBack::new(listener.accept().await.unwrap().0, open))
    }

    /// All that is handed on now, once this much has come.
    async fn handed_on(held: &mut HeldBack) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 * 1024);
        for _ in 0..50 {
            tokio::task::yield_now().await;
            while let Some(Ok(1..)) = held.read_buf(&mut bytes).now_or_never() {}
        }
        bytes
    }

    #[tokio::test]
    async fn of_many_requests_one_is_read() {
        let (mut client, mut held) = pair().await;
        client.write_all(&HEAD.repeat(1_000)).await.unwrap();
        assert_eq!(handed_on(&mut held).await, HEAD);
        assert!(held.early.len() <= EARLY_BYTES_MAX + 8 * 1024, "{}", held.early.len());
        let valve = held.valve.clone();
        for _ in 0..999 {
            valve.begun(Body::NONE);
            assert_eq!(handed_on(&mut held).await, b"", "its answer is not on its way");
            valve.answered();
            assert_eq!(handed_on(&mut held).await, HEAD);
        }
        valve.begun(Body::NONE);
        valve.answered();
        assert_eq!((handed_on(&mut held).await, held.early.capacity()), (Vec::new(), 0));
    }

    #[tokio::test]
    async fn so_much_is_read_ahead() {
        let (mut client, mut held) = pair().await;
        client.write_all(HEAD).await.unwrap();
        assert_eq!(handed_on(&mut held).await, HEAD);
        held.valve.begun(Body::NONE);
        client.write_all(&[b'x'; EARLY_BYTES_MAX + 1]).await.unwrap();
        assert_eq!((handed_on(&mut held).await.len(), held.early.len()), (0, EARLY_BYTES_MAX));
    }

    /// A short body comes on with its head, where nothing could be a head in it.
    #[tokio::test]
    async fn a_body_that_is_short_comes_with_its_head() {
        let head = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1024\r\n\r\n";
        for (length, together) in [(TOGETHER_BYTES_MAX, true), (TOGETHER_BYTES_MAX + 1, false)] {
            let (mut client, mut held) = pair().await;
            client.write_all(&[&head[..], &vec![b'x'; length]].concat()).await.unwrap();
            let expected = if together { head.len() + length } else { head.len() };
            assert_eq!(handed_on(&mut held).await.len(), expected);
            held.valve.begun(Body::Bytes(length as u64));
            assert_eq!(handed_on(&mut held).await.len(), head.len() + length - expected);
        }
    }

    #[tokio::test]
    async fn who_does_not_read_is_not_read() {
        let (mut client, mut held) = pair().await;
        client.write_all(HEAD).await.unwrap();
        held.valve.unread(true);
        assert_eq!(handed_on(&mut held).await, b"");
        held.valve.unread(false);
        assert_eq!(handed_on(&mut held).await, HEAD);
    }

    /// Also while it waits for an answer.
    #[tokio::test]
    async fn who_goes_away_is_seen() {
        let (mut client, mut held) = pair().await;
        client.write_all(HEAD).await.unwrap();
        assert_eq!(handed_on(&mut held).await, HEAD);
        held.valve.begun(Body::NONE);
        drop(client);
        assert_eq!(held.read_buf(&mut Vec::new()).await.unwrap(), 0);
    }
}
