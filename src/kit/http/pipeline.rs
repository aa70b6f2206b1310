//! One request of a connection at a time. What a client sends behind it stays where it is until its answer is on its way: a client that
//! sends questions and reads no answers has one question in memory, and one answer.
//!
//! The library that serves takes in all that has come, makes a request of each head (some 6 KB), and lets answers without bodies pile
//! up unread. It has no setting for either, so that the bytes are held back under it, in [`HeldBack`], and the requests and answers are
//! seen above it, in [`one_by_one`](crate::kit::http::requests::one_by_one); both know the [`Valve`] of their connection.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_http::Extensions;
use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::kit::http::connections::OpenConnection;
use crate::kit::http::framing::Body;
use crate::kit::http::last_words::{self, LastWords, Voice};
use crate::kit::http::valve::Valve;

/// Of what follows a request whose answer is not on its way yet; a client that goes away is seen up to there.
const EARLY_BYTES_MAX: usize = 4 * 1024;

/// A connection whose bytes are read as its valve allows, and to which the library does not speak for itself.
pub struct HeldBack {
    /// Nothing, once the library has said its last words.
    connection: Option<(TcpStream, OpenConnection)>,
    valve: Rc<Valve>,
    /// What came too early; without memory while it is empty.
    early: BytesMut,
}

impl HeldBack {
    pub fn new(stream: TcpStream, open: OpenConnection) -> Self {
        Self { connection: Some((stream, open)), valve: Rc::default(), early: BytesMut::new() }
    }

    pub fn valve(&self) -> Rc<Valve> {
        self.valve.clone()
    }

    /// Lends the valve to the connection's requests.
    pub fn lend(&self, requests: &mut Extensions) {
        requests.insert(self.valve.clone());
    }

    /// The library has no say in it from here on.
    pub fn take_over(&self) {
        self.valve.begun(Body::Endless);
    }

    /// The stream, what came of it too early, and its place.
    pub fn into_parts(self) -> Option<(TcpStream, BytesMut, OpenConnection)> {
        self.connection.map(|(stream, open)| (stream, self.early, open))
    }

    /// Words of the library's are not sent: there are last words of ours in their place.
    fn keep_back(&mut self, words: &[u8]) -> usize {
        if let Some((stream, open)) = self.connection.take_if(|_| !words.is_empty()) {
            self.valve.end(LastWords::new(stream, open, words));
        }
        words.len()
    }

    /// Nothing may be handed on now. A little is read ahead, or nobody would see that the client is gone.
    fn poll_ahead(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some((stream, _)) = &mut self.connection else { return Poll::Ready(Ok(())) };
        while self.early.len() < EARLY_BYTES_MAX {
            let mut piece = [0; 1024];
            let most = piece.len().min(EARLY_BYTES_MAX - self.early.len());
            let mut read = ReadBuf::new(&mut piece[..most]);
            match Pin::new(&mut *stream).poll_read(cx, &mut read) {
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
            let Some((stream, _)) = &mut this.connection else { return Poll::Ready(Ok(())) };
            ready!(Pin::new(stream).poll_read(cx, buf))?;
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
        let ours = match this.valve.voice() {
            Voice::Ours => bytes.len(),
            Voice::Both => last_words::ours(bytes),
            Voice::Library => 0,
        };
        if ours == 0 {
            return Poll::Ready(Ok(this.keep_back(bytes)));
        }
        let Some((stream, _)) = &mut this.connection else { return Poll::Ready(Ok(bytes.len())) };
        let written = Pin::new(stream).poll_write(cx, &bytes[..ours]);
        this.valve.unread(written.is_pending());
        if matches!(written, Poll::Ready(Ok(count)) if count == ours) {
            this.valve.written();
        }
        written
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().connection {
            Some((stream, _)) => Pin::new(stream).poll_flush(cx),
            None => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().connection {
            Some((stream, _)) => Pin::new(stream).poll_shutdown(cx),
            None => Poll::Ready(Ok(())),
        }
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

    /// What is written while nothing of ours is due, or behind ours, is not sent.
    #[tokio::test]
    async fn the_library_says_nothing_by_itself() {
        let words = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
        let answer = b"HTTP/1.1 204 No Content\r\n\r\n";
        let and_more = [HEAD, b"{"].concat();
        let both = [&answer[..], words].concat();
        type Case<'a> = (&'a [u8], &'a [&'a [u8]], &'a [u8]);
        let cases: [Case<'_>; 3] =
            [(b"", &[words], b""), (HEAD, &[answer, words], answer), (&and_more, &[&both], answer)];
        for (heads, pieces, said) in cases {
            let (mut client, mut held) = pair().await;
            client.write_all(heads).await.unwrap();
            assert_eq!(handed_on(&mut held).await, heads);
            if !heads.is_empty() {
                held.valve.begun(Body::NONE);
                held.valve.answered();
            }
            for piece in pieces {
                held.write_all(piece).await.unwrap();
            }
            held.shutdown().await.unwrap();
            assert!(held.valve.last_words().is_some(), "it is for us to say");
            let mut heard = Vec::new();
            client.read_to_end(&mut heard).await.unwrap();
            assert_eq!(heard, said);
        }
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
