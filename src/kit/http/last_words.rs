//! What is no request is answered by a problem, as everything else is.
//!
//! The library that serves reads heads, and answers by itself what it cannot read, or what never comes: a status and no body. It has no
//! hook for that. But it says so while nothing of ours is due, and it is the last that it says. What is written then is kept back
//! ([`Voice`]), the connection is taken away from under the library, and when the library has let go of it, and has told why, the
//! answer is written here.

use std::time::Duration;

use actix_http::StatusCode;
use actix_http::error::{DispatchError, ParseError};
use actix_http::header::{DATE, HeaderValue};
use memchr::memmem;
use tokio::io::{AsyncWriteExt, copy, sink};
use tokio::net::TcpStream;

use crate::kit::http::answers;
use crate::kit::http::connections::OpenConnection;
use crate::kit::http::problem::{Kind, Problem};

/// What a client that was answered early still sends is taken and thrown away for so long, so that it sees the answer.
pub const LINGER: Duration = Duration::from_secs(1);

/// As the library has it: a head that has not ended after so many bytes is too long.
pub const HEAD_BYTES_MAX: usize = 128 * 1024;
/// As the library has it.
pub const HEADERS_MAX: usize = 96;

/// No words of the library's are longer.
const WORDS_BYTES: usize = 256;

/// Whose words are written next.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Voice {
    /// The library's: all that was asked is answered, and the answers are written.
    #[default]
    Library,
    /// Ours, or those of whoever took the connection over.
    Ours,
    /// Ours, and behind them perhaps the library's: what came together with the request may be no head.
    Both,
}

/// How many of these bytes are ours where the library's words may end them.
pub fn ours(bytes: &[u8]) -> usize {
    let from = bytes.len().saturating_sub(WORDS_BYTES);
    let begin = memmem::rfind(&bytes[from..], b"HTTP/1.").map(|at| from + at);
    begin.filter(|begin| are_librarys(&bytes[*begin..])).unwrap_or(bytes.len())
}

/// No answer of ours with one of these statuses is without a body.
fn are_librarys(words: &[u8]) -> bool {
    let is_refusal = matches!(status(words).as_u16(), 400 | 431);
    is_refusal && words.ends_with(b"\r\n\r\n") && memmem::find(words, b"\r\ncontent-length: 0\r\n").is_some()
}

fn status(words: &[u8]) -> StatusCode {
    let digits = words.get("HTTP/1.1 ".len()..).and_then(|rest| rest.get(..3)).unwrap_or_default();
    StatusCode::from_bytes(digits).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The library's clock; it looks at the machine's twice a second.
fn date(words: &[u8]) -> Option<HeaderValue> {
    const NAME: &[u8] = b"\r\ndate: ";
    let value = &words[memmem::find(words, NAME)? + NAME.len()..];
    HeaderValue::from_bytes(&value[..memmem::find(value, b"\r\n")?]).ok()
}

/// A connection that the library has given up, and whose client has not been told.
pub struct LastWords {
    stream: TcpStream,
    /// It is counted until the client was told.
    open: OpenConnection,
    status: StatusCode,
    date: Option<HeaderValue>,
}

impl LastWords {
    /// In the place of these, which are the library's.
    pub fn new(stream: TcpStream, open: OpenConnection, words: &[u8]) -> Self {
        Self { stream, open, status: status(words), date: date(words) }
    }

    /// `ended` says how the library let go of the connection. What it tells of a head is little.
    pub fn problem(&self, ended: &Result<(), DispatchError>) -> Problem {
        let invalid = |field: &'static str, detail: &'static str| Problem::field(field, Kind::INVALID, detail);
        match (self.status, ended) {
            (StatusCode::REQUEST_TIMEOUT, _) => {
                Problem::field("head", Kind::REQUEST_TIMEOUT, "the head of a request did not come in time")
            }
            (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, _) => {
                let detail =
                    format!("a head has at most {HEADERS_MAX} headers, and ends within {HEAD_BYTES_MAX} bytes");
                Problem::field("head", Kind::HEAD_TOO_LARGE, detail)
            }
            (_, Err(DispatchError::Parse(ParseError::Version))) => {
                invalid("version", "this is neither HTTP/1.1 nor HTTP/1.0")
            }
            (_, Err(DispatchError::Parse(ParseError::Uri(_)))) => {
                invalid("path", "the path cannot be read: it is too long, or some of its characters must be escaped")
            }
            (StatusCode::BAD_REQUEST, _) => invalid(
                "head",
                "the request line or a header cannot be read, a header that must be there is not, or two of them disagree",
            ),
            _ => Problem::new(Kind::INTERNAL, "the connection cannot go on"),
        }
    }

    /// Says it, and ends the connection.
    pub async fn say(self, problem: &Problem) {
        let Self { mut stream, open: _open, date, .. } = self;
        let said = async {
            stream.write_all(&written(problem, date)).await?;
            stream.shutdown().await?;
            // A connection that ends with something unread takes its last answer along.
            copy(&mut stream, &mut sink()).await
        };
        // Who does not hear it in time, or is gone, is not told.
        let _ = tokio::time::timeout(LINGER, said).await;
    }
}

/// The whole answer, as it travels.
fn written(problem: &Problem, date: Option<HeaderValue>) -> Vec<u8> {
    let (mut head, body) = answers::unasked(problem);
    if let Some(date) = date {
        head.headers_mut().insert(DATE, date);
    }
    let length = body.len();
    let mut bytes =
        format!("HTTP/1.1 {}\r\ncontent-length: {length}\r\nconnection: close\r\n", head.status()).into_bytes();
    for (name, value) in head.headers() {
        bytes.extend_from_slice(&[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&body);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: &str = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\ndate: Mon, 30 Nov 2026 08:00:00 GMT\r\n\r\n";

    #[test]
    fn the_librarys_words_are_known_behind_ours() {
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
        for ours_alone in ["", answer, "HTTP/1.", &WORDS[..WORDS.len() - 2], &WORDS.replace(": 0", ": 1")] {
            assert_eq!(ours(ours_alone.as_bytes()), ours_alone.len(), "{ours_alone:?}");
        }
        let long = format!("{answer}{}", "y".repeat(100_000));
        for words in [WORDS.to_owned(), WORDS.replace("400 Bad Request", "431 Request Header Fields Too Large")] {
            for before in ["", answer, &long] {
                assert_eq!(ours(format!("{before}{words}").as_bytes()), before.len(), "{words:?}");
            }
        }
    }

    #[test]
    fn the_answer_has_the_date_and_the_length_and_ends_the_connection() {
        let problem = Problem::field("head", Kind::INVALID, "no");
        let text = String::from_utf8(written(&problem, date(WORDS.as_bytes()))).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut lines: Vec<&str> = head.split("\r\n").collect();
        lines[1..].sort_unstable();
        let length = format!("content-length: {}", body.len());
        assert_eq!(
            lines,
            [
                "HTTP/1.1 400 Bad Request",
                "cache-control: no-store",
                "connection: close",
                &length,
                "content-type: application/problem+json",
                "date: Mon, 30 Nov 2026 08:00:00 GMT",
                "x-content-type-options: nosniff",
            ]
        );
        assert!(body.contains("\"/problems/invalid\"") && body.contains("\"head\""), "{body}");
        assert_eq!(date(b"HTTP/1.1 400 Bad Request\r\n\r\n"), None);
    }
}
