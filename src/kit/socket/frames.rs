//! Bytes to messages: actix-http's codec, with whole messages behind it and their limit before it.
//!
//! The codec waits until the whole of a frame is there. So its length is looked at first: what is too long is refused when its
//! head has come, and no more than a message's bytes are ever kept of a connection.

use actix_codec::Decoder;
use actix_http::ws::{Codec, Frame, Item, ProtocolError};
use bytes::{Bytes, BytesMut};
use bytestring::ByteString;

use super::{Broken, Incoming};

/// Payload of a control frame, at most, by RFC 6455.
const CONTROL_BYTES_MAX: u64 = 125;
/// Fragments of a message without a byte in them, at most: they cost nothing to send.
const EMPTY_FRAGMENTS_MAX: u32 = 16;
const CONTROL: u8 = 0b1000;
const FINAL: u8 = 0b1000_0000;

pub struct Inbox {
    codec: Codec,
    message_bytes_max: usize,
    /// The beginning of a frame whose end has not come; empty, and without memory, otherwise.
    rest: BytesMut,
    /// The beginning of a message in fragments.
    parts: Option<Box<Parts>>,
    broken: bool,
}

struct Parts {
    is_text: bool,
    bytes: BytesMut,
    /// So many bytes of a text are whole characters.
    whole: usize,
    empty: u32,
}

impl Inbox {
    pub fn new(message_bytes_max: usize) -> Self {
        Self {
            codec: Codec::new().max_size(message_bytes_max),
            message_bytes_max,
            rest: BytesMut::new(),
            parts: None,
            broken: false,
        }
    }

    /// Takes what was read, and leaves `read` empty. After something broken nothing is decoded any more.
    pub fn take(&mut self, read: &mut BytesMut, heard: &mut Vec<Incoming>) {
        if self.broken {
            read.clear();
        } else if self.rest.is_empty() {
            self.decode(read, heard);
            if !read.is_empty() {
                self.rest = BytesMut::from(&read[..]);
                read.clear();
            }
        } else {
            let mut rest = std::mem::take(&mut self.rest);
            rest.extend_from_slice(read);
            read.clear();
            self.decode(&mut rest, heard);
            if !rest.is_empty() {
                self.rest = rest;
            }
        }
    }

    fn decode(&mut self, bytes: &mut BytesMut, heard: &mut Vec<Incoming>) {
        loop {
            let message = match self.refuse(bytes) {
                Some(broken) => Err(broken),
                None => match self.codec.decode(bytes) {
                    Ok(None) => return,
                    Ok(Some(frame)) => self.message(frame),
                    Err(ProtocolError::Overflow) => Err(Broken::TooLarge),
                    Err(_) => Err(Broken::Protocol),
                },
            };
            match message {
                Ok(message) => heard.extend(message),
                Err(broken) => {
                    self.broken = true;
                    self.parts = None;
                    bytes.clear();
                    heard.push(Incoming::Broken(broken));
                    return;
                }
            }
        }
    }

    /// Before the codec waits for the payload.
    fn refuse(&self, bytes: &[u8]) -> Option<Broken> {
        let length = declared(bytes)?;
        let is_control = bytes[0] & CONTROL != 0;
        if is_control {
            // The codec writes a line into the log for one in fragments.
            let is_whole = bytes[0] & FINAL != 0;
            return (length > CONTROL_BYTES_MAX || !is_whole).then_some(Broken::Protocol);
        }
        let kept = self.parts.as_ref().map_or(0, |parts| parts.bytes.len());
        let left = self.message_bytes_max.saturating_sub(kept);
        (length > left as u64).then_some(Broken::TooLarge)
    }

    /// `None` while fragments are missing.
    fn message(&mut self, frame: Frame) -> Result<Option<Incoming>, Broken> {
        match frame {
            Frame::Text(bytes) => text(bytes).map(Some),
            Frame::Binary(bytes) => Ok(Some(Incoming::Binary(bytes))),
            Frame::Ping(bytes) => Ok(Some(Incoming::Ping(bytes))),
            Frame::Pong(_) => Ok(Some(Incoming::Pong)),
            Frame::Close(reason) => {
                self.broken = true;
                Ok(Some(Incoming::Close(reason.map(|reason| reason.code.into()))))
            }
            Frame::Continuation(Item::FirstText(bytes)) => self.begin(true, &bytes).map(|()| None),
            Frame::Continuation(Item::FirstBinary(bytes)) => self.begin(false, &bytes).map(|()| None),
            Frame::Continuation(Item::Continue(bytes)) => self.go_on(&bytes).map(|()| None),
            Frame::Continuation(Item::Last(bytes)) => {
                self.go_on(&bytes)?;
                let parts = self.parts.take().ok_or(Broken::Protocol)?;
                let bytes = parts.bytes.freeze();
                if parts.is_text { text(bytes).map(Some) } else { Ok(Some(Incoming::Binary(bytes))) }
            }
        }
    }

    fn begin(&mut self, is_text: bool, bytes: &[u8]) -> Result<(), Broken> {
        self.parts = Some(Box::new(Parts { is_text, bytes: BytesMut::new(), whole: 0, empty: 0 }));
        self.go_on(bytes)
    }

    /// A text that cannot become one any more is refused at once.
    fn go_on(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        let parts = self.parts.as_mut().ok_or(Broken::Protocol)?;
        parts.empty += u32::from(bytes.is_empty());
        if parts.empty > EMPTY_FRAGMENTS_MAX {
            return Err(Broken::TooLarge);
        }
        parts.bytes.extend_from_slice(bytes);
        if !parts.is_text {
            return Ok(());
        }
        match std::str::from_utf8(&parts.bytes[parts.whole..]) {
            Ok(_) => parts.whole = parts.bytes.len(),
            Err(error) if error.error_len().is_some() => return Err(Broken::NotUtf8),
            Err(error) => parts.whole += error.valid_up_to(),
        }
        Ok(())
    }
}

fn text(bytes: Bytes) -> Result<Incoming, Broken> {
    ByteString::try_from(bytes).map(Incoming::Text).map_err(|_| Broken::NotUtf8)
}

/// The payload's length as the frame's head says it, once that is there.
fn declared(bytes: &[u8]) -> Option<u64> {
    match bytes.get(1)? & 0x7f {
        126 => bytes.get(2..4).map(|two| two.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))),
        127 => bytes.get(2..10).map(|eight| eight.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))),
        length => Some(u64::from(length)),
    }
}
