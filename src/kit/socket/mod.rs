//! A WebSocket as a service sees it: frames that come, frames that go, and how many bytes still wait to go.
//!
//! Two transports are behind the one trait. [`shop`] is actix-ws on a port that serves everything else, too. [`lean`] is a
//! listener of its own that takes the connection over from the HTTP dispatcher and keeps no buffer while nothing is read or
//! written. What runs over them cannot tell which it has.

pub mod frames;
pub mod handshake;
pub mod lean;
pub mod shop;

use std::io;
use std::task::{Context, Poll};

use actix_web::dev::RequestHead;
use bytes::Bytes;
use bytestring::ByteString;

use crate::kit::http::problem::Problem;

/// What came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// A whole message, however many fragments it came in.
    Text(ByteString),
    Binary(Bytes),
    Ping(Bytes),
    Pong,
    Close(Option<u16>),
    /// Nothing that follows can be understood.
    Broken(Broken),
    /// The connection ended.
    Gone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// Not what RFC 6455 allows.
    Protocol,
    NotUtf8,
    TooLarge,
}

impl Broken {
    /// What a close says of it, by RFC 6455.
    pub fn code(self) -> u16 {
        match self {
            Broken::Protocol => 1002,
            Broken::NotUtf8 => 1007,
            Broken::TooLarge => 1009,
        }
    }
}

/// What goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outgoing {
    Text(ByteString),
    Binary(Bytes),
    Ping,
    Pong(Bytes),
    /// The last frame.
    Close(u16, &'static str),
}

pub trait Socket: Unpin {
    /// Ready when something came; it is appended in its order.
    fn poll_read(&mut self, cx: &mut Context<'_>, heard: &mut Vec<Incoming>) -> Poll<()>;

    /// Takes the frame to be sent; it leaves when [`Self::poll_flush`] is polled.
    fn send(&mut self, frame: Outgoing);

    /// Bytes that wait in this process.
    fn waiting_bytes(&self) -> usize;

    /// Ready when nothing waits any more.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
}

/// Who decides whether a request may become a socket, and serves it.
pub trait Welcome: Clone + 'static {
    /// What is known of the request when its socket starts.
    type Guest;

    /// The subprotocol that is spoken here.
    const PROTOCOL: &'static str;

    fn welcome(&self, head: &RequestHead) -> Result<Self::Guest, Problem>;

    /// Bytes of one message, at most.
    fn message_bytes_max(&self) -> usize;

    /// On a worker's thread; it must not block.
    fn start<S: Socket + 'static>(&self, guest: Self::Guest, socket: S);
}
