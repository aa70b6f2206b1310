//! What may be read of a connection: one head, its body, and the next head when the answer is on its way and the client reads.
//!
//! It is told of bytes below and of requests above, and so knows whose words are written next; it reads and writes nothing itself.

use std::cell::{Cell, RefCell};
use std::task::Waker;

use crate::kit::http::framing::{Body, Head};
use crate::kit::http::last_words::{LastWords, Voice};

/// Of a body that came together with its head, and is handed on together with it.
pub const TOGETHER_BYTES_MAX: usize = 1024;

/// One connection's.
#[derive(Default)]
pub struct Valve {
    head: Cell<Head>,
    body: Cell<Option<Body>>,
    /// What was handed on together with a head: the beginning of its body, if it has one.
    together: RefCell<Vec<u8>>,
    /// A head was handed on, and is no request yet.
    is_asked: Cell<bool>,
    /// There is a request, and its answer is not on its way yet.
    is_answering: Cell<bool>,
    /// The client does not read.
    is_unread: Cell<bool>,
    waits: Cell<Option<Waker>>,
    voice: Cell<Voice>,
    last_words: Cell<Option<Box<LastWords>>>,
}

impl Valve {
    fn body(&self) -> Body {
        self.body.get().unwrap_or(Body::NONE)
    }

    /// Whether bytes are of any use now.
    pub fn is_open(&self) -> bool {
        !self.body().is_over() || !(self.is_asked.get() || self.is_answering.get() || self.is_unread.get())
    }

    /// How many of these bytes are handed on now.
    pub fn pass(&self, bytes: &[u8]) -> usize {
        let mut body = self.body();
        if !body.is_over() {
            let taken = body.take(bytes);
            self.body.set(Some(body));
            return taken;
        }
        if !self.is_open() {
            return 0;
        }
        let mut head = self.head.get();
        let end = head.end(bytes);
        self.head.set(head);
        let Some(end) = end else { return bytes.len() };
        self.is_asked.set(true);
        // Behind it is a body, or the next head; where that may be a whole one, it waits.
        let behind = &bytes[end..];
        if behind.len() > TOGETHER_BYTES_MAX || Head::default().end(behind).is_some() {
            return end;
        }
        self.together.borrow_mut().extend_from_slice(behind);
        bytes.len()
    }

    /// The head became this request.
    pub fn begun(&self, mut body: Body) {
        let together = std::mem::take(&mut *self.together.borrow_mut());
        let taken = body.take(&together);
        // It was looked at before it was handed on: no head ends in it.
        let mut head = self.head.get();
        let _ = head.end(&together[taken..]);
        self.head.set(head);
        self.voice.set(if taken < together.len() { Voice::Both } else { Voice::Ours });
        self.body.set(Some(body));
        self.is_asked.set(false);
        self.is_answering.set(true);
        self.wake();
    }

    pub fn answered(&self) {
        self.is_answering.set(false);
        self.wake();
    }

    pub fn voice(&self) -> Voice {
        match self.voice.get() {
            Voice::Both if self.is_answering.get() => Voice::Ours,
            voice => voice,
        }
    }

    /// All of our words that there are so far were written.
    pub fn written(&self) {
        if !self.is_answering.get() {
            self.voice.set(Voice::Library);
        }
    }

    /// The connection was taken away from the library.
    pub fn end(&self, last_words: LastWords) {
        self.last_words.set(Some(Box::new(last_words)));
    }

    pub fn last_words(&self) -> Option<Box<LastWords>> {
        self.last_words.take()
    }

    pub fn unread(&self, is_unread: bool) {
        if self.is_unread.replace(is_unread) && !is_unread {
            self.wake();
        }
    }

    /// Has this task woken when bytes may be handed on again.
    pub fn wakes(&self, waker: Waker) {
        self.waits.set(Some(waker));
    }

    fn wake(&self) {
        if let Some(waker) = self.waits.take() {
            waker.wake();
        }
    }
}
