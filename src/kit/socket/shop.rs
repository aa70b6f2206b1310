//! Sockets on a port that serves everything else, too, by actix-ws. Convenient, and some 20 KB each.
//!
//! actix-ws makes the answer and carries what goes. What comes is read from the request's payload by the same [`Inbox`] as
//! everywhere: the library's own stream keeps all of a frame before it looks at its length.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::dev::Payload as NoPayload;
use actix_web::web::Payload;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use actix_ws::{CloseReason, Message, Session};
use bytes::{Bytes, BytesMut};
use futures_util::sink::Sink;
use futures_util::stream::Stream;

use super::frames::Inbox;
use super::{Incoming, Outgoing, Socket, Welcome, handshake};
use crate::kit::http::problem::{Kind, Problem};

/// The handler of the sockets' path.
pub async fn upgrade<W: Welcome>(welcome: &W, req: &HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    handshake::verify(req.head())?;
    let guest = welcome.welcome(req.head())?;
    let refused = |_| Problem::field("Upgrade", Kind::INVALID, "not a handshake");
    let nothing = Payload::from_request(req, &mut NoPayload::None).into_inner().map_err(refused)?;
    let (response, session, _unread) =
        actix_ws::handle_with_protocols(req, nothing, &[W::PROTOCOL]).map_err(refused)?;
    let inbox = Inbox::new(welcome.message_bytes_max());
    welcome.start(guest, ShopSocket { session, payload, inbox, waiting: VecDeque::new(), waiting_bytes: 0 });
    Ok(response)
}

pub struct ShopSocket {
    session: Session,
    payload: Payload,
    inbox: Inbox,
    waiting: VecDeque<Message>,
    waiting_bytes: usize,
}

impl Socket for ShopSocket {
    fn poll_read(&mut self, cx: &mut Context<'_>, heard: &mut Vec<Incoming>) -> Poll<()> {
        while heard.is_empty() {
            match ready!(Pin::new(&mut self.payload).poll_next(cx)) {
                Some(Ok(bytes)) => self.inbox.take(&mut BytesMut::from(bytes), heard),
                Some(Err(_)) | None => heard.push(Incoming::Gone),
            }
        }
        Poll::Ready(())
    }

    fn send(&mut self, frame: Outgoing) {
        let message = message(frame);
        self.waiting_bytes += bytes_of(&message);
        self.waiting.push_back(message);
    }

    fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        while !self.waiting.is_empty() {
            ready!(Pin::new(&mut self.session).poll_ready(cx)).map_err(gone)?;
            if let Some(message) = self.waiting.pop_front() {
                self.waiting_bytes -= bytes_of(&message);
                Pin::new(&mut self.session).start_send(message).map_err(gone)?;
            }
        }
        if self.waiting.capacity() > 0 {
            self.waiting = VecDeque::new();
        }
        Poll::Ready(Ok(()))
    }
}

pub(super) fn message(frame: Outgoing) -> Message {
    match frame {
        Outgoing::Text(text) => Message::Text(text),
        Outgoing::Binary(bytes) => Message::Binary(bytes),
        Outgoing::Ping => Message::Ping(Bytes::new()),
        Outgoing::Pong(bytes) => Message::Pong(bytes),
        Outgoing::Close(code, reason) => {
            Message::Close(Some(CloseReason { code: code.into(), description: Some(reason.to_owned()) }))
        }
    }
}

fn bytes_of(message: &Message) -> usize {
    match message {
        Message::Text(text) => text.len(),
        Message::Binary(bytes) | Message::Ping(bytes) | Message::Pong(bytes) => bytes.len(),
        Message::Continuation(_) | Message::Close(_) | Message::Nop => 0,
    }
}
