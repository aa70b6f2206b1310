//! A client's side of one socket. Like its server's it is small: while nothing comes, nothing is kept of it but a task.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// How long one try may take until it is a socket, or is told where it stands.
pub const TRY_MAX: Duration = Duration::from_secs(30);
/// Bytes of the answer to a handshake, at most.
const HEAD_BYTES_MAX: usize = 4_096;

/// Ports of one address that are dealt out, from this one on.
const FIRST_PORT: u16 = 10_240;
const PORTS: u16 = u16::MAX - FIRST_PORT;
/// Ports tried for one socket, of which other sockets may have any.
const PORT_TRIES: u16 = 1_000;

/// One socket.
pub struct Line {
    stream: TcpStream,
    /// The beginning of a frame whose end has not come.
    rest: Vec<u8>,
}

impl Line {
    /// Connects from this address, and becomes a socket. The error says how far it came.
    pub async fn open(
        gateway: SocketAddr,
        source: Ipv4Addr,
        receive_bytes: Option<u32>,
        on_behalf_of: Option<Ipv4Addr>,
    ) -> Result<Self, String> {
        let socket = TcpSocket::new_v4().map_err(|error| why("socket", &error))?;
        if let Some(bytes) = receive_bytes {
            socket.set_recv_buffer_size(bytes).map_err(|error| why("socket", &error))?;
        }
        bind(&socket, source).map_err(|error| why("bind", &error))?;
        let mut stream = socket.connect(gateway).await.map_err(|error| why("connect", &error))?;
        stream.set_nodelay(true).map_err(|error| why("connect", &error))?;
        let forwarded = on_behalf_of.map(|address| format!("x-forwarded-for: {address}\r\n")).unwrap_or_default();
        let request = format!(
            "GET /ws HTTP/1.1\r\nhost: {gateway}\r\n{forwarded}upgrade: websocket\r\nconnection: Upgrade\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: x3JJHMbDL1EzLkh9GBhXDw==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.map_err(|error| why("handshake", &error))?;
        let mut head = Vec::new();
        let end = loop {
            if let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            if head.len() > HEAD_BYTES_MAX
                || stream.read_buf(&mut head).await.map_err(|error| why("handshake", &error))? == 0
            {
                return Err("handshake: answered nothing".to_owned());
            }
        };
        let rest = head[end..].to_vec();
        match String::from_utf8_lossy(&head[..end]).split_whitespace().nth(1) {
            Some("101") => Ok(Self { stream, rest }),
            status => Err(format!("handshake: answered {}", status.unwrap_or("nothing"))),
        }
    }

    pub async fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.stream.write_all(bytes).await.map_err(|error| why("gone", &error))
    }

    /// Waits until something comes, hands every text to `hear`, and answers pings. The error is the end: the server's reason, or
    /// the system's.
    pub async fn hear(&mut self, mut hear: impl FnMut(&[u8])) -> Result<(), String> {
        self.stream.readable().await.map_err(|error| why("gone", &error))?;
        let answer = self.take(&mut hear)?;
        if answer.is_empty() { Ok(()) } else { self.send(&answer).await }
    }

    /// Reads what is there; the pongs to be sent.
    fn take(&mut self, hear: &mut impl FnMut(&[u8])) -> Result<Vec<u8>, String> {
        let mut bytes = [0; 4_096];
        match self.stream.try_read(&mut bytes) {
            Ok(0) => return Err("gone: no more is sent".to_owned()),
            Ok(count) => self.rest.extend_from_slice(&bytes[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(why("gone", &error)),
        }
        let mut answer = Vec::new();
        while let Some((first, payload, length)) = first_frame(&self.rest) {
            match first & 0x0f {
                1 => hear(payload),
                8 => return Err(closed(payload)),
                9 => answer.extend(frame(0x8a, payload)),
                _ => {}
            }
            self.rest.drain(..length);
        }
        if self.rest.is_empty() {
            self.rest = Vec::new();
        }
        Ok(answer)
    }
}

/// Left to the system, finding a free port of an address that has many thousands of sockets takes most of the machine. Only the
/// address that servers have, too, is left to it.
fn bind(socket: &TcpSocket, source: Ipv4Addr) -> std::io::Result<()> {
    static DEALT: AtomicU16 = AtomicU16::new(0);
    if source == Ipv4Addr::LOCALHOST {
        return Ok(());
    }
    for _ in 0..PORT_TRIES {
        let port = FIRST_PORT + DEALT.fetch_add(1, Ordering::Relaxed) % PORTS;
        match socket.bind(SocketAddr::from((source, port))) {
            Err(error) if error.kind() == ErrorKind::AddrInUse => {}
            bound => return bound,
        }
    }
    Err(ErrorKind::AddrInUse.into())
}

fn closed(payload: &[u8]) -> String {
    let code = payload.get(..2).map_or(0, |code| u16::from_be_bytes([code[0], code[1]]));
    format!("closed: {code} {}", String::from_utf8_lossy(payload.get(2..).unwrap_or_default()))
}

pub fn why(stage: &str, error: &std::io::Error) -> String {
    format!("{stage}: {:?}", error.kind())
}

/// The frame that says who this is, and what it watches.
pub fn hello(token: &str, sale: u64) -> Vec<u8> {
    frame(0x81, format!(r#"{{"type":"hello","token":"{token}","sales":[{sale}]}}"#).as_bytes())
}

/// Masked with zeros.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match u8::try_from(payload.len()) {
        Ok(length @ 0..=125) => bytes.push(0x80 | length),
        _ => {
            bytes.push(0x80 | 126);
            bytes.extend((payload.len() as u16).to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes
}

fn first_frame(bytes: &[u8]) -> Option<(u8, &[u8], usize)> {
    let (length, head) = match *bytes.get(1)? {
        126 => (usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?])), 4),
        length => (usize::from(length), 2),
    };
    Some((bytes[0], bytes.get(head..head + length)?, head + length))
}
