//! Where a request's head ends, and where its body: as much of HTTP/1 as is needed to hand on one request at a time.
//!
//! Nothing is judged here. Whoever reads the bytes judges them; where the two disagree about an end, its connection waits and is
//! closed by its time, or is refused for what it said.

use memchr::memchr;

/// Looks for the end of a head, which may come in pieces. Empty lines before it belong to it, as its reader skips them.
#[derive(Debug, Default, Clone, Copy)]
pub struct Head {
    has_begun: bool,
    line: Line,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Line {
    #[default]
    Inside,
    /// Behind a line feed: an empty line is the end.
    Ended,
    /// And a carriage return.
    Returned,
}

impl Head {
    /// How many of these bytes are the head's, if it ends among them. Then the next head is looked for.
    pub fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        if !self.has_begun {
            at = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n'))?;
            *self = Self { has_begun: true, line: Line::Inside };
        }
        while at < bytes.len() {
            match (self.line, bytes[at]) {
                (Line::Inside, _) => {
                    at += memchr(b'\n', &bytes[at..])?;
                    self.line = Line::Ended;
                }
                (Line::Ended | Line::Returned, b'\n') => {
                    *self = Self::default();
                    return Some(at + 1);
                }
                (Line::Ended, b'\r') => self.line = Line::Returned,
                _ => self.line = Line::Inside,
            }
            at += 1;
        }
        None
    }
}

/// What is still to come of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// So many bytes; of none, nothing.
    Bytes(u64),
    Chunked(Chunk),
    /// The connection is another's from here on.
    Endless,
}

/// Where in a chunked body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chunk {
    /// In a size of this many bytes so far.
    Size(u64),
    /// Behind it, in its line.
    Rest(u64),
    Data(u64),
    /// Behind the data, up to its line's end.
    Behind,
    /// In a line behind the last chunk. An empty one is the end.
    Trailer {
        is_empty: bool,
    },
}

impl Body {
    pub const NONE: Body = Body::Bytes(0);

    pub fn is_over(self) -> bool {
        self == Body::NONE
    }

    /// How many of these bytes are the body's.
    pub fn take(&mut self, bytes: &[u8]) -> usize {
        match self {
            Body::Endless => bytes.len(),
            Body::Bytes(left) => {
                let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                *left -= taken as u64;
                taken
            }
            Body::Chunked(chunk) => {
                let mut at = 0;
                while at < bytes.len() {
                    match chunk.step(&bytes[at..]) {
                        Some(taken) => at += taken,
                        None => {
                            *self = Body::NONE;
                            return at + 1;
                        }
                    }
                }
                at
            }
        }
    }
}

impl Chunk {
    pub const FIRST: Chunk = Chunk::Size(0);

    /// How many bytes are taken, at least one of some; nothing when the first of them ends the body.
    fn step(&mut self, bytes: &[u8]) -> Option<usize> {
        let (next, taken) = match (*self, bytes[0]) {
            (Chunk::Size(size) | Chunk::Rest(size), b'\n') => match size {
                0 => (Chunk::Trailer { is_empty: true }, 1),
                size => (Chunk::Data(size), 1),
            },
            (Chunk::Size(size), byte) => match char::from(byte).to_digit(16) {
                Some(digit) => (Chunk::Size(size.saturating_mul(16).saturating_add(digit.into())), 1),
                None => (Chunk::Rest(size), 1),
            },
            (Chunk::Rest(size), _) => (Chunk::Rest(size), 1),
            (Chunk::Data(left), _) => {
                let taken = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                let left = left - taken as u64;
                (if left == 0 { Chunk::Behind } else { Chunk::Data(left) }, taken)
            }
            (Chunk::Behind, b'\n') => (Chunk::FIRST, 1),
            (Chunk::Behind, _) => (Chunk::Behind, 1),
            (Chunk::Trailer { is_empty: true }, b'\n') => return None,
            (Chunk::Trailer { .. }, b'\n') => (Chunk::Trailer { is_empty: true }, 1),
            (Chunk::Trailer { is_empty }, byte) => (Chunk::Trailer { is_empty: is_empty && byte == b'\r' }, 1),
        };
        *self = next;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whole, and in pieces of every length.
    fn in_pieces(bytes: &[u8], mut feed: impl FnMut(&[u8]) -> Option<usize>, length: usize) -> Option<usize> {
        let mut before = 0;
        for piece in bytes.chunks(length) {
            if let Some(end) = feed(piece) {
                return Some(before + end);
            }
            before += piece.len();
        }
        None
    }

    #[test]
    fn a_head_ends_at_its_empty_line() {
        let heads: [(&[u8], Option<usize>); 9] = [
            (b"GET / HTTP/1.1\r\n\r\nGET", Some(18)),
            (b"GET / HTTP/1.1\r\nhost: x\r\n\r\n", Some(27)),
            (b"GET / HTTP/1.1\n\nGET", Some(16)),
            (b"GET / HTTP/1.1\n\r\nGET", Some(17)),
            (b"GET / HTTP/1.1\r\n\nGET", Some(17)),
            (b"\r\n\n\r\nGET / HTTP/1.1\r\n\r\nGET", Some(23)),
            (b"GET / HTTP/1.1\r\nhost: x\r\n", None),
            (b"GET / HTTP/1.1\r\na: \r\r\n", None),
            (b"\r\n\r\n\r\n", None),
        ];
        for (bytes, end) in heads {
            for length in 1..=bytes.len() {
                let mut head = Head::default();
                let said = String::from_utf8_lossy(bytes);
                assert_eq!(in_pieces(bytes, |piece| head.end(piece), length), end, "{said:?} in pieces of {length}");
            }
        }
    }

    #[test]
    fn the_next_head_is_looked_for_anew() {
        let mut head = Head::default();
        let bytes = b"GET / HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n";
        let first = head.end(bytes).unwrap();
        assert_eq!((first, head.end(&bytes[first..])), (18, Some(19)));
    }

    #[test]
    fn a_body_is_as_long_as_it_says() {
        let bodies: [(Body, &[u8], usize); 8] = [
            (Body::NONE, b"GET", 0),
            (Body::Bytes(3), b"abcGET", 3),
            (Body::Chunked(Chunk::FIRST), b"3\r\nabc\r\n0\r\n\r\nGET", 13),
            (Body::Chunked(Chunk::FIRST), b"1a;x=\"y\"\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\nGET", 43),
            (Body::Chunked(Chunk::FIRST), b"19\r\n0\r\n\r\n0\r\n\r\n0\r\n\r\n0\r\n\r\n0\r\n\r\n\r\n0\r\n\r\nGET", 36),
            (Body::Chunked(Chunk::FIRST), b"0\r\nx: y\r\nz: \r\n\r\nGET", 16),
            (Body::Chunked(Chunk::FIRST), b"000\r\n\r\nGET", 7),
            (Body::Chunked(Chunk::FIRST), b"2\n\r\n\r\n0\n\nGET", 9),
        ];
        for (whole, bytes, end) in bodies {
            for length in 1..=bytes.len() {
                let (mut body, mut taken) = (whole, 0);
                for piece in bytes.chunks(length) {
                    taken += body.take(piece);
                }
                let said = String::from_utf8_lossy(bytes);
                assert_eq!((taken, body.is_over()), (end, true), "{said:?} in pieces of {length}");
            }
        }
        let mut body = Body::Endless;
        assert_eq!((body.take(b"0\r\n\r\n"), body.is_over()), (5, false));
    }

    #[test]
    fn no_size_is_too_large_to_be_counted() {
        let mut body = Body::Chunked(Chunk::FIRST);
        assert_eq!(body.take(b"fffffffffffffffffffffffff\r\nGET"), 30);
        assert_eq!(body, Body::Chunked(Chunk::Data(u64::MAX - 3)));
    }
}
