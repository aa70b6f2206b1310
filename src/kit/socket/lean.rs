//! Sockets on a listener of their own, as small as they can be.
//!
//! actix-http reads the request. Then its dispatcher, with its two fixed buffers, is dropped and the connection taken over:
//! what comes is read into a buffer that the thread's connections share, and only the beginning of a frame whose end has not
//! come is kept; what goes has a buffer while something waits. Counted by the system's allocator alone, an idle connection is
//! its task, its place in the reactor and what its owner keeps.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_codec::{Encoder, Framed};
use actix_http::body::{BodySize, BoxBody};
use actix_http::ws::{Codec, handshake_response};
use actix_http::{HttpService, KeepAlive, Request, h1};
use actix_service::fn_service;
use actix_web::dev::Server;
use actix_web::http::header::{HeaderValue, SEC_WEBSOCKET_PROTOCOL};
use bytes::{Buf, BytesMut};
use serde::Deserialize;
use socket2::SockRef;
use tokio::net::TcpStream;

use super::frames::Inbox;
use super::shop::message;
use super::{Incoming, Outgoing, Socket, Welcome, handshake};
use crate::kit::http::answers;
use crate::kit::http::connections::{Connections, OpenConnection};
use crate::kit::http::pipeline::HeldBack;
use crate::kit::http::problem::{Kind, Problem};
use crate::kit::http::requests::one_by_one;
use crate::kit::http::server;

/// Bytes read at once.
const READ_BYTES: usize = 16 * 1024;

thread_local! {
    /// Not held from one poll to the next.
    static READ: RefCell<BytesMut> = RefCell::default();
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LeanSettings {
    /// Where to listen for sockets alone; nowhere when it is empty. Port 0 takes a free one; the log says which.
    pub listen: Option<SocketAddr>,
    /// Threads that serve; 0 means one for each core.
    pub workers: usize,
    /// Connections the system keeps waiting to be accepted.
    pub backlog_max: u32,
    /// How long the head of a request may take to arrive.
    pub head_ms_max: u64,
    /// Bytes the kernel keeps for one connection until its client has them, at most.
    pub kernel_bytes_max: u32,
}

impl Default for LeanSettings {
    fn default() -> Self {
        Self { listen: None, workers: 0, backlog_max: 4_096, head_ms_max: 5_000, kernel_bytes_max: 32_768 }
    }
}

impl LeanSettings {
    pub fn head_timeout(&self) -> Duration {
        Duration::from_millis(self.head_ms_max)
    }
}

/// Binds; the server answers at `path`, once it is run.
pub fn bind<W>(
    settings: &LeanSettings,
    listen: SocketAddr,
    connections: Connections,
    path: &'static str,
    welcome: W,
) -> io::Result<(SocketAddr, Server)>
where
    W: Welcome + Send,
{
    let listener = server::listener(listen, settings.backlog_max)?;
    let address = listener.local_addr()?;
    let workers = match settings.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        count => count,
    };
    let connections = connections.listener(usize::MAX);
    let taken_by_each = connections.taken_by_each(workers);
    let settings = settings.clone();
    let factory = move || {
        let (welcome, settings) = (welcome.clone(), settings.clone());
        let http = HttpService::build()
            .keep_alive(KeepAlive::Disabled)
            .client_request_timeout(settings.head_timeout())
            .on_connect_ext(HeldBack::lend)
            .upgrade(fn_service(move |(request, framed)| {
                take_over(welcome.clone(), path, settings.clone(), request, framed)
            }))
            .h1(one_by_one(fn_service(move |request: Request| async move {
                let problem = match request.path() == path {
                    true => Problem::field("Upgrade", Kind::INVALID, "here is nothing but sockets"),
                    false => Problem::new(Kind::NOT_FOUND, "there is nothing at this path"),
                };
                let (head, body) = answers::unasked(&problem);
                Ok::<_, actix_http::Error>(head.set_body(BoxBody::new(body)))
            })));
        server::guarded(http, connections.clone(), None)
    };
    let server = Server::build()
        .workers(workers)
        .max_concurrent_connections(taken_by_each)
        .disable_signals()
        .shutdown_timeout(1);
    Ok((address, server.listen("sockets", listener, factory)?.run()))
}

/// What the kernel keeps is bounded as well, or it is what grows for a client that does not read.
fn bound_what_is_kept(stream: &TcpStream, settings: &LeanSettings) -> io::Result<()> {
    SockRef::from(stream).set_send_buffer_size(settings.kernel_bytes_max as usize)
}

async fn take_over<W: Welcome>(
    welcome: W,
    path: &'static str,
    settings: LeanSettings,
    request: Request,
    mut framed: Framed<HeldBack, h1::Codec>,
) -> Result<(), actix_web::Error> {
    framed.io_ref().take_over();
    let head = request.head();
    let guest = match request.path() == path {
        true => handshake::verify(head).and_then(|()| welcome.welcome(head)),
        false => Err(Problem::new(Kind::NOT_FOUND, "there is nothing at this path")),
    };
    let guest = match guest {
        Ok(guest) => guest,
        Err(problem) => return Ok(refuse(&problem, framed).await?),
    };
    let mut response = handshake_response(head);
    if handshake::offers(head, W::PROTOCOL) {
        response.insert_header((SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(W::PROTOCOL)));
    }
    let answer = h1::Message::Item((response.finish().drop_body(), BodySize::None));
    Pin::new(&mut framed).write(answer)?;
    std::future::poll_fn(|cx| Pin::new(&mut framed).flush(cx)).await?;
    let parts = framed.into_parts();
    let Some((stream, early, open)) = parts.io.into_parts() else { return Ok(()) };
    bound_what_is_kept(&stream, &settings)?;
    let mut socket = LeanSocket {
        stream,
        inbox: Inbox::new(welcome.message_bytes_max()),
        codec: Codec::new(),
        waiting: BytesMut::new(),
        early: None,
        _open: open,
    };
    let mut frames = Vec::new();
    let mut came = BytesMut::from(&parts.read_buf[..]);
    came.extend_from_slice(&early);
    socket.inbox.take(&mut came, &mut frames);
    socket.early = (!frames.is_empty()).then(|| Box::new(frames));
    welcome.start(guest, socket);
    Ok(())
}

async fn refuse(problem: &Problem, mut framed: Framed<HeldBack, h1::Codec>) -> io::Result<()> {
    let (head, body) = answers::unasked(problem);
    let size = BodySize::Sized(body.len() as u64);
    Pin::new(&mut framed).write(h1::Message::Item((head, size)))?;
    Pin::new(&mut framed).write(h1::Message::Chunk(Some(body)))?;
    Pin::new(&mut framed).write(h1::Message::Chunk(None))?;
    std::future::poll_fn(|cx| Pin::new(&mut framed).flush(cx)).await?;
    std::future::poll_fn(|cx| Pin::new(&mut framed).close(cx)).await
}

pub struct LeanSocket {
    stream: TcpStream,
    inbox: Inbox,
    codec: Codec,
    /// Without memory while it is empty.
    waiting: BytesMut,
    /// What came together with the handshake.
    #[expect(clippy::box_collection, reason = "few sockets have one, and every socket pays for its place")]
    early: Option<Box<Vec<Incoming>>>,
    /// It is counted for as long as it lives.
    _open: OpenConnection,
}

impl Socket for LeanSocket {
    fn poll_read(&mut self, cx: &mut Context<'_>, heard: &mut Vec<Incoming>) -> Poll<()> {
        if let Some(early) = self.early.take() {
            heard.extend(*early);
            return Poll::Ready(());
        }
        while heard.is_empty() {
            let ready = ready!(self.stream.poll_read_ready(cx));
            let mut read = READ.take();
            read.reserve(READ_BYTES);
            match ready.and_then(|()| self.stream.try_read_buf(&mut read)) {
                Ok(0) => heard.push(Incoming::Gone),
                Ok(_) => self.inbox.take(&mut read, heard),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => heard.push(Incoming::Gone),
            }
            READ.set(read);
        }
        Poll::Ready(())
    }

    fn send(&mut self, frame: Outgoing) {
        // Only fragments can be out of order, and we send none.
        let _ = self.codec.encode(message(frame), &mut self.waiting);
    }

    fn waiting_bytes(&self) -> usize {
        self.waiting.len()
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.waiting.is_empty() {
            ready!(self.stream.poll_write_ready(cx))?;
            match self.stream.try_write(&self.waiting) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(written) => self.waiting.advance(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        if self.waiting.capacity() > 0 {
            self.waiting = BytesMut::new();
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use socket2::{Domain, Socket as SystemSocket, Type};

    use super::*;

    /// The system keeps one more than it is told, and ignores the others.
    #[test]
    fn so_many_wait_to_be_accepted() {
        let settings = LeanSettings { backlog_max: 2, ..LeanSettings::default() };
        let listener = server::listener("127.0.0.1:0".parse().unwrap(), settings.backlog_max).unwrap();
        let address = listener.local_addr().unwrap().into();
        let waiting = [(); 5].map(|()| {
            let socket = SystemSocket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            socket.set_nonblocking(true).unwrap();
            let _ = socket.connect(&address);
            socket
        });
        assert_eq!(waiting.iter().filter(|socket| socket.peer_addr().is_ok()).count(), 2 + 1);
    }

    /// Linux keeps twice what it is told, for its own books.
    #[tokio::test]
    async fn the_kernel_is_told_how_much_it_keeps() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        for kernel_bytes_max in [32_768, 32_769] {
            let settings = LeanSettings { kernel_bytes_max, ..LeanSettings::default() };
            bound_what_is_kept(&stream, &settings).unwrap();
            assert_eq!(SockRef::from(&stream).send_buffer_size().unwrap(), 2 * kernel_bytes_max as usize);
        }
    }
}
