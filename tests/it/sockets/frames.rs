//! Bytes that no library would send.

use std::time::Duration;

use miaosha::faces::front::settings::sockets::Settings;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::fixture::{Line, Way, over_memory, rules};

/// A socket whose bytes the test writes itself.
struct Raw(TcpStream);

const FIN: u8 = 0x80;
const TEXT: u8 = 1;

impl Raw {
    async fn open(line: &Line) -> Self {
        let mut stream = TcpStream::connect(line.address).await.unwrap();
        let request = "GET /ws HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
                       sec-websocket-version: 13\r\nsec-websocket-key: x3JJHMbDL1EzLkh9GBhXDw==\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
        Self(stream)
    }

    /// Into a connection that the other side may have ended already.
    async fn write(&mut self, bytes: &[u8]) {
        let _ = self.0.write_all(bytes).await;
    }

    /// The next frame's first byte and its payload; nothing when the connection ended.
    async fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let read = async {
            let (first, length) = (self.0.read_u8().await.ok()?, self.0.read_u8().await.ok()?);
            let length = match length {
                126 => usize::from(self.0.read_u16().await.ok()?),
                length => usize::from(length),
            };
            let mut payload = vec![0; length];
            self.0.read_exact(&mut payload).await.ok()?;
            Some((first, payload))
        };
        tokio::time::timeout(Duration::from_secs(30), read).await.expect("a frame in time")
    }

    async fn close_code(&mut self) -> u16 {
        loop {
            let (first, payload) = self.frame().await.expect("a close before the end");
            if first == FIN | 8 {
                return u16::from_be_bytes([payload[0], payload[1]]);
            }
        }
    }
}

/// Masked with zeros.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        length @ 0..=125 => bytes.push(0x80 | length as u8),
        length => {
            bytes.push(0x80 | 126);
            bytes.extend((length as u16).to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes
}

pub async fn garbage_is_told_apart(way: Way) {
    let line = over_memory(way, rules()).await;
    let cases: Vec<(&str, Vec<u8>, u16)> = vec![
        ("reserved bits", frame(FIN | 0x40 | TEXT, b"{}"), 1002),
        ("an unknown opcode", frame(FIN | 3, b""), 1002),
        ("no mask", vec![FIN | TEXT, 2, b'{', b'}'], 1002),
        ("a long ping", frame(FIN | 9, &[b'x'; 126]), 1002),
        ("a ping in fragments", frame(9, b"x"), 1002),
        ("the end of no message", frame(FIN, b"x"), 1002),
        ("a message within a message", [frame(TEXT, b"{"), frame(FIN | TEXT, b"}")].concat(), 1002),
        ("a close with half a code", frame(FIN | 8, b"x"), 1002),
        ("a close with a code nobody may send", frame(FIN | 8, &1005u16.to_be_bytes()), 1002),
        ("no UTF-8", frame(FIN | TEXT, &[0xff, 0xfe]), 1007),
        ("no UTF-8 in fragments", [frame(TEXT, &[0xe2]), frame(FIN, b"x")].concat(), 1007),
        ("fragments beyond the limit", [frame(TEXT, &[b'x'; 3_000]), frame(FIN, &[b'x'; 3_000])].concat(), 1009),
        ("a goodbye", frame(FIN | 8, &1000u16.to_be_bytes()), 1000),
    ];
    for (what, bytes, code) in cases {
        let mut raw = Raw::open(&line).await;
        raw.write(&bytes).await;
        assert_eq!(raw.close_code().await, code, "{what}");
        raw.write(&frame(FIN | 8, &code.to_be_bytes())).await;
        assert_eq!(raw.frame().await, None, "{what}: the connection ends");
    }
    // Noise of any kind ends in a close, or at least in an end.
    for seed in 0..40 {
        let mut chance = fastrand::Rng::with_seed(seed);
        let noise: Vec<u8> = std::iter::repeat_with(|| chance.u8(..)).take(300).collect();
        let mut raw = Raw::open(&line).await;
        raw.write(&noise).await;
        drop(raw);
    }
    let sale = line.fixture.sale(1, 0).await;
    line.buyer(7, &[sale.id]).await.status().await;
}

pub async fn fragments_make_a_message(way: Way) {
    let line = over_memory(way, rules()).await;
    let mut raw = Raw::open(&line).await;
    let text = format!(r#"{{"type":"hello","token":"{}"}}"#, line.fixture.shopper(7));
    let (one, rest) = text.as_bytes().split_at(10);
    let (two, three) = rest.split_at(30);
    let bytes = [frame(TEXT, one), frame(0, two), frame(FIN | 9, b"in between"), frame(FIN, three)].concat();
    // Byte by byte: a frame's beginning is kept until its end has come.
    for byte in bytes {
        raw.write(&[byte]).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(raw.frame().await, Some((FIN | 10, b"in between".to_vec())));
    let (first, payload) = raw.frame().await.unwrap();
    assert!(first == FIN | TEXT && payload.starts_with(b"{\"type\":\"time\""));
}

/// Fragments in which nothing is cost their sender nothing.
pub async fn so_many_fragments_may_be_empty(way: Way) {
    let line = over_memory(way, rules()).await;
    for (count, code) in [(16, 4401), (17, 1009)] {
        let empty = [frame(TEXT, b""), frame(0, b"").repeat(count - 1)].concat();
        let mut raw = Raw::open(&line).await;
        raw.write(&[empty, frame(FIN, br#"{"type":"hello","token":"x.y.z"}"#)].concat()).await;
        assert_eq!(raw.close_code().await, code, "{count}");
    }
}

/// A message of as many bytes as it may have is read, whole or in fragments, and a ping of 125; a byte more is not.
pub async fn messages_are_as_long_as_they_may_be(way: Way) {
    let line = over_memory(way, rules()).await;
    let message = |bytes: usize| {
        let mut text = br#"{"type":"hello","token":"x.y.z"}"#.to_vec();
        text.resize(bytes, b' ');
        text
    };
    let halves = |bytes: usize| {
        let text = message(bytes);
        [frame(TEXT, &text[..1_000]), frame(FIN, &text[1_000..])].concat()
    };
    for (what, bytes, code) in [
        ("at the limit", frame(FIN | TEXT, &message(4_096)), 4401),
        ("one above", frame(FIN | TEXT, &message(4_097)), 1009),
        ("in fragments", halves(4_096), 4401),
        ("one above in fragments", halves(4_097), 1009),
        ("a ping and a message", [frame(FIN | 9, &[b'x'; 125]), frame(FIN | TEXT, &message(40))].concat(), 4401),
    ] {
        let mut raw = Raw::open(&line).await;
        raw.write(&bytes).await;
        assert_eq!(raw.close_code().await, code, "{what}");
    }
}

pub async fn what_is_too_long_is_refused_before_it_came(way: Way) {
    let line = over_memory(way, Settings { linger_ms_max: 500, ..rules() }).await;
    // A ping, of which nothing but the head has come.
    let mut raw = Raw::open(&line).await;
    raw.write(&[FIN | 9, 0x80 | 126, 0, 126, 0, 0, 0, 0]).await;
    assert_eq!(raw.close_code().await, 1002);
    for length in [5_000u64, 1 << 40, u64::MAX] {
        let mut raw = Raw::open(&line).await;
        let mut head = vec![FIN | TEXT, 0x80 | 127];
        head.extend(length.to_be_bytes());
        head.extend([0; 4]);
        raw.write(&head).await;
        assert_eq!(raw.close_code().await, 1009);
    }
}

pub async fn a_text_that_cannot_become_one_is_refused_at_once(way: Way) {
    let line = over_memory(way, rules()).await;
    for (whole, wrong) in [(&b""[..], &b"\xff"[..]), (b"\xce\xba\xe1", b"\xbd\xed"), (b"\xf4", b"\x90")] {
        let mut raw = Raw::open(&line).await;
        // What may still become a character is waited for.
        raw.write(&[frame(TEXT, whole), frame(FIN | 9, b"?")].concat()).await;
        assert_eq!(raw.frame().await, Some((FIN | 10, b"?".to_vec())));
        raw.write(&frame(0, wrong)).await;
        assert_eq!(raw.close_code().await, 1007, "{whole:?} {wrong:?}");
    }
}
